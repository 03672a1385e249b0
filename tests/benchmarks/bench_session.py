"""What recording costs: microseconds a message and a picture, and megabytes an hour of one face at 60 frames a second.

    python tests/benchmarks/bench_session.py [FRAMES]

Pictures are those of the bundled sample as `run --record DIR --video` keeps them.
"""

import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np

from realtime.capture.source import open_source
from realtime.config import load
from realtime.demo import truth
from realtime.pipeline.moments import jpeg
from realtime.schema.message import FaceQuality, FaceState, HeadPose, State
from realtime.session import Recorder, read

HOUR = 3600 * 60  # frames


def state(frame: int, landmarks: tuple[tuple[float, float], ...] | None) -> State:
    """One face as the live process tells of it: numbers with all their digits."""
    rng = np.random.default_rng(frame)
    shares = rng.dirichlet(np.ones(8)).tolist()
    labels = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
    face = FaceState(
        id=1,
        box=tuple(rng.uniform(0, 640, 4).tolist()),
        landmarks=landmarks,
        pose=HeadPose(yaw=float(rng.normal()), pitch=float(rng.normal()), roll=float(rng.normal())),
        quality=FaceQuality(size_px=71.3, sharpness=90.1, brightness=128.4, reasons=()),
        score=float(rng.normal()),
        threshold=4.5,
        expression=dict(zip(labels, shares, strict=True)),
    )
    return State(t=frame / 60, camera="0", frame=frame, gap=0, latency_ms=11.125, faces=(face,))


def timed(act, items) -> np.ndarray:
    """Microseconds of each call."""
    took = []
    for item in items:
        began = time.perf_counter()
        act(item)
        took.append((time.perf_counter() - began) * 1e6)
    return np.array(took)


def told(what: str, took: np.ndarray, bytes_each: float) -> None:
    """One line of the table."""
    p50, p99 = np.percentile(took, (50, 99))
    print(f"{what:<24} p50 {p50:7.1f} us  p99 {p99:7.1f} us  {bytes_each * HOUR / 1e6:8.0f} MB an hour")


def main(frames: int) -> None:
    """Measure and print."""
    points = tuple((float(x), float(y)) for x, y in np.random.default_rng(0).uniform(0, 640, (468, 2)).round(1))
    config = load()
    with tempfile.TemporaryDirectory() as folder:
        for what, landmarks in (("state", None), ("state with landmarks", points)):
            states = [state(frame, landmarks) for frame in range(frames)]
            with Recorder(Path(folder) / what, config, [], video=True) as recorder:
                took = timed(recorder.write, states)
            told(what, took, (Path(folder) / what / "messages.bin").stat().st_size / frames)
        source = open_source(str(truth.VIDEO), config.source, fast=True)
        pictures = [jpeg(frame.image, config.streams.jpeg_quality) for frame in islice(source.frames(), 300)]
        source.close()
        with Recorder(Path(folder) / "video", config, [], video=True) as recorder:
            took = timed(lambda each: recorder.picture(0.0, 0, each), pictures)
        told("picture, 640x360", took, float(np.mean([len(picture) for picture in pictures])))
        began = time.perf_counter()
        count = sum(1 for _ in read(Path(folder) / "state"))
        print(f"reading                  {count / (time.perf_counter() - began):,.0f} states a second")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
