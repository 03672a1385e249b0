"""Face landmarks by both engines on the same frames: how far apart they are, how a still face jitters, what it costs.

    python tests/benchmarks/bench_landmarks.py [--faces N] [--frames N] [FILE ...]

Each frame goes through both, one after the other, so that whatever else the machine does weighs on both. Distances are
shares of that of the outer eye corners. Jitter is the root mean square of how far a landmark of the first face moves
from one frame to the next, of all and of the rigid ones: of a film, with what really moves; "noise" is one picture of
the sample, in which nothing does, under a sensor's noise of 2 grey levels. CPU time is that of all threads.
"""

import argparse
import time
from dataclasses import dataclass, field
from itertools import islice

import cv2
import numpy as np

from realtime.capture.source import open_source
from realtime.config import load
from realtime.demo import truth
from realtime.engine.landmarker import LANDMARKERS, open_landmarker
from realtime.faces.landmarks import COUNT, RIGID
from realtime.faces.quality import eye_distance
from realtime.faces.track import Tracker
from realtime.records import Frame

NOISE, NOISY_FRAMES = 2.0, 300
WARM = 5  # frames before the clock runs


@dataclass
class Seen:
    """What one engine makes of the frames."""

    tracker: Tracker
    cpu_s: list[float] = field(default_factory=list)
    faces: list[dict[int, np.ndarray]] = field(default_factory=list)

    def push(self, frame: Frame) -> None:
        began = time.process_time()
        found = self.tracker.push(frame)
        self.cpu_s.append(time.process_time() - began)
        self.faces.append({face.id: face.landmarks for face in found})

    def jitter(self, points) -> float:
        """% of the eyes' distance; nan where no face is in two frames on end."""
        pairs = [(a[1], b[1]) for a, b in zip(self.faces, self.faces[1:], strict=False) if 1 in a and 1 in b]
        moved = [np.square(b[points, :2] - a[points, :2]).sum(axis=1) / eye_distance(a) ** 2 for a, b in pairs]
        return 100 * float(np.sqrt(np.mean(moved))) if moved else float("nan")

    def cpu_ms(self) -> float:
        return 1e3 * float(np.mean(self.cpu_s[WARM:] or self.cpu_s))


def noisy():
    """One picture again and again."""
    picture, rng = (
        next(iter(open_source(str(truth.VIDEO), load().source, fast=True).frames())).image,
        np.random.default_rng(1),
    )
    for index in range(NOISY_FRAMES):
        seen = np.clip(np.rint(picture + rng.normal(0.0, NOISE, picture.shape)), 0, 255).astype(np.uint8)
        yield Frame(seen, index / 60, index, 0, 0.0)


def watched(frames, faces):
    """Both engines' view of `frames`, by name."""
    seen = {}
    for name in LANDMARKERS:
        stages = load(overrides=[f"faces.landmarks={name}", f"track.max_faces={faces}"])
        seen[name] = Seen(Tracker(stages.track, open_landmarker(stages)))
    for frame in frames:
        for each in seen.values():
            each.push(frame)
    for each in seen.values():
        each.tracker.close()
    return seen


def distances(one, other):
    """% of the eyes' distance, a row of landmarks for each face that both see; and how many faces one alone sees."""
    rows, alone = [], 0
    for mine, theirs in zip(one.faces, other.faces, strict=True):
        both = mine.keys() & theirs.keys()
        alone += len(mine) + len(theirs) - 2 * len(both)
        for id in both:
            apart = np.linalg.norm(mine[id][:, :2] - theirs[id][:, :2], axis=1)
            rows.append(100 * apart / eye_distance(theirs[id]))
    return np.array(rows).reshape(-1, COUNT), alone


def line(name, seen):
    own, theirs = seen["openvino"], seen["mediapipe"]
    apart, alone = distances(own, theirs)
    agreed = (
        f"{apart.mean():.3f} | {np.percentile(apart, 99):.2f} | {apart.mean(axis=1).max():.2f}"
        if len(apart)
        else "- | - | -"
    )
    jitter = " | ".join(
        f"{theirs.jitter(points):.3f} / {own.jitter(points):.3f}" for points in (slice(None), list(RIGID))
    )
    return f"| {name} | {len(own.faces)} | {alone} | {agreed} | {jitter} | {theirs.cpu_ms():.2f} / {own.cpu_ms():.2f} |"


def main():
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("files", nargs="*")
    given.add_argument("--faces", type=int, default=1)
    given.add_argument("--frames", type=int, default=600)
    given = given.parse_args()
    cv2.setNumThreads(1)
    columns = ("frames of", "count", "faces of one alone", "apart, %: mean", "p99", "worst frame")
    both = ("jitter, %, mediapipe / openvino", "of its rigid points", "CPU-ms a frame")
    print(f"| {' | '.join((*columns, *both))} |\n|{'---|' * len((*columns, *both))}")
    print(line("noise", watched(noisy(), given.faces)), flush=True)
    for file in [str(truth.VIDEO), *given.files]:
        frames = islice(open_source(file, load().source, fast=True).frames(), given.frames)
        print(line(file.rsplit("/", 1)[-1], watched(frames, given.faces)), flush=True)


if __name__ == "__main__":
    main()
