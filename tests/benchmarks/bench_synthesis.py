"""How fast synthetic clips are made: clips of 1 s at 60 fps and 128 px, in two processes.

Run by hand: python tests/benchmarks/bench_synthesis.py [people] [clips a person] [processes] [rendered]. Settings
are those of configs/data/synthetic.toml but for size, rate and framing; a new face is fitted for each person. With
"rendered" all people are rendered heads.
"""

import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import cv2
import msgspec

from realtime.config import ROOT, convert, read_toml
from train.config.clips import SyntheticSettings
from train.synthesis.synthetic import Synthetic

SHIPPED = ROOT / "configs/data/synthetic.toml"


def settings(people, per_person, rendered):
    clips = convert(read_toml(SHIPPED), SyntheticSettings, SHIPPED).clips
    film = msgspec.structs.replace(clips.film, rates_hz=(60.0,))
    changed = {"people": people, "per_person": per_person, "film": film, "framing": "crop", "size_px": 128}
    files = {name: str((ROOT / getattr(clips, name)).resolve()) for name in ("head", "ferplus")}
    return msgspec.structs.replace(clips, seconds=1.0, rendered=float(rendered), **files, **changed)


def work(part):
    cv2.setNumThreads(1)
    clips, people, first, count = part
    dataset = Synthetic(clips, people)
    samples = [sample for person in people[first::count] for sample in dataset.samples_of(person)]
    dataset.frames(samples[0])  # models and head are read
    begun, cpu = time.perf_counter(), time.process_time()
    frames = sum(len(dataset.frames(sample)) for sample in samples)
    return len(samples), frames, time.perf_counter() - begun, time.process_time() - cpu


def main(people=12, per_person=20, processes=2, rendered=""):
    os.chdir(Path(ROOT))
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    clips = settings(int(people), int(per_person), bool(rendered))
    names = Synthetic(clips).people
    parts = [(clips, names, first, int(processes)) for first in range(int(processes))]
    with get_context("spawn").Pool(int(processes)) as pool:
        found = pool.map(work, parts)
    rate = sum(count / wall for count, _, wall, _ in found)
    cpu_ms = 1000 * sum(cpu for *_, cpu in found) / sum(frames for _, frames, *_ in found)
    by_cpu = int(processes) * 1000 / (60 * cpu_ms)
    print(f"{rate:.1f} clips/s in {processes} processes, {60 * rate:.0f} frames/s; {cpu_ms:.2f} ms of a core a frame,")
    print(f"which is {by_cpu:.1f} clips/s on {processes} cores that do nothing else")


if __name__ == "__main__":
    main(*sys.argv[1:])
