"""How fast clips go through the serving stages, and which stage bounds it.

Run by hand: python tests/benchmarks/bench_prepare.py [clips] [processes]. Synthetic clips, as
configs/data/synthetic.toml has them, are first rendered and written as JPEG pictures, then prepared like any data set
that was recorded, into a temporary cache. Shares are of the time that the processes spend on clips; clips a second
include their start.
"""

import math
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import msgspec

from realtime.config import ROOT, convert, read_toml
from realtime.faces.align import Aligner
from realtime.faces.track import Tracker
from train.clips import stored
from train.config.clips import SyntheticSettings
from train.datasets.annotation.recorded import RecordedDataset
from train.datasets.annotation.sample import Recording
from train.storage import workers
from train.synthesis.synthetic import Synthetic

SHIPPED = ROOT / "configs/data/synthetic.toml"

#: Where a stage is called, and what it is named here.
STAGES = (
    (RecordedDataset, "frames", "reading (JPEG)"),
    (Tracker, "push", "tracking (MediaPipe)"),
    (Aligner, "push", "align"),
    (stored, "trace", "motion and apex"),
    (stored, "save_array", "writing"),
)


@contextmanager
def rendering(dataset, folder):
    """Puts the pictures of a sample below `folder`."""

    def render(sample):
        (folder / sample.id).mkdir()
        for frame in dataset.frames(sample):
            bgr = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(folder / sample.id / f"{frame.index}.jpg"), bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])

    yield render


def rendered(clips, count, folder):
    """`clips` on disk, as a data set."""
    dataset = Synthetic(clips)
    samples = {sample.id: sample for sample in dataset.samples()}
    workers.run(partial(rendering, dataset, folder), samples, "rendering", count)
    rate_hz = clips.film.rates_hz[0]
    last = round(clips.seconds * rate_hz) - 1
    on_disk = (replace(s, recording=Recording(folder / s.id, rate_hz, 0, last)) for s in samples.values())
    return RecordedDataset("rendered", dataset.labels, tuple(on_disk))


@contextmanager
def timing(opening):
    """The work that `opening` gives, which tells how many seconds each stage took, and all of them."""
    spent = Counter()
    for owner, name, stage in STAGES:
        setattr(owner, name, measured(getattr(owner, name), stage, spent))
    with opening() as work:

        def timed(clip):
            spent.clear()
            measured(work, "all", spent)(clip)
            return Counter(spent)

        yield timed


def measured(function, stage, spent):
    def call(*given):
        began = time.perf_counter()
        found = function(*given)
        spent[stage] += time.perf_counter() - began
        return found

    return call


def prepared(dataset, cache, count):
    """Seconds of each stage, over all processes."""
    spent = Counter()
    stored.run = lambda opening, *rest: [spent.update(one) for one in workers.run(partial(timing, opening), *rest)]
    clips = stored.store(dataset, cache, count)
    spent["all else"] = spent["all"] - sum(spent[stage] for _, _, stage in STAGES)
    return spent, sum(len(clip.times()) for clip in clips)


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else workers.cores()
    shipped = convert(read_toml(SHIPPED), SyntheticSettings, SHIPPED).clips
    clips = msgspec.structs.replace(shipped, people=math.ceil(wanted / shipped.per_person))
    with tempfile.TemporaryDirectory() as folder:
        times = [time.perf_counter()]
        dataset = rendered(clips, count, Path(folder))
        dataset = replace(dataset, clips=dataset.clips[:wanted])
        times.append(time.perf_counter())
        spent, frames = prepared(dataset, Path(folder) / "cache", count)
        times.append(time.perf_counter())
    made, taken = times[1] - times[0], times[2] - times[1]
    print(f"{wanted} clips of {frames / wanted:.1f} frames with a face, {count} processes, {workers.cores()} cores")
    print(f"rendered in {made:.1f} s, which is not counted: {wanted / made:.1f} clips/s")
    print(f"prepared in {taken:.1f} s: {wanted / taken:.1f} clips/s, {frames / taken:.0f} frames/s")
    for stage in (*(stage for _, _, stage in STAGES), "all else"):
        print(f"{stage:<22}{spent[stage] / frames * 1e3:>8.2f} ms a frame{spent[stage] / spent['all']:>8.1%}")


if __name__ == "__main__":
    main()
