"""Movements that are known exactly: what action units do to faces, which a generator knows and no camera sees.

A movement grows in proportion to the amounts of its units, so its field at the apex says all; when it is half as strong
the field is half as large. One field for each take, of faces cut as `align` cuts them and of heads that keep still:

fields    float16 (K, 2, FIELD_PX, FIELD_PX): displacement from rest to the apex, right and down, outer eye distances
labels    str (K,)
people    str (K,)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from realtime import config as realtime_config
from realtime.records import Floats
from realtime.representation.movement.motion import layout
from train.clips.movement.fields import exact
from train.config.clips import AT_REST, Clips
from train.storage.digest import digest
from train.storage.parts import made_once
from train.storage.workers import run
from train.synthesis.synthetic import Synthetic

VERSION = 1
AS_CUT = np.eye(2, 3, dtype=np.float32)  # pictures framed "crop" are crops already


@dataclass(frozen=True, slots=True, eq=False)
class Movements:
    """Fields at the apex, what they show, and whose they are."""

    fields: Floats
    labels: npt.NDArray[np.str_]
    people: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)


def movements(clips: Clips, people: Sequence[str], each: int, cache: Path, workers: int | None = None) -> Movements:
    """`each` movements of each of `people`, of all classes in turn; they are made once and kept in `cache`."""
    path = cache / f"exact-{digest(VERSION, clips, sorted(people), each)}.npz"
    making = partial(_making, still(clips, each), tuple(people))
    return made_once(path, Movements, lambda: run(making, {p: p for p in people}, "movements", workers))


def still(clips: Clips, each: int) -> Clips:
    """The same people without anything but their expressions."""
    size_px = realtime_config.load().align.size_px
    return msgspec.structs.replace(clips, framing="crop", size_px=size_px, per_person=each, distractors=AT_REST)


@contextmanager
def _making(clips: Clips, people: tuple[str, ...]) -> Iterator[Callable[[str], Movements]]:
    dataset, place = Synthetic(clips, people), layout(clips.size_px)

    def work(person: str) -> Movements:
        shown = [sample for sample in dataset.samples_of(person) if sample.kind == "micro"]
        fields = [exact(dataset.flow(dataset.take(s), s.onset_s, s.apex_s), AS_CUT, place) for s in shown]
        labels = np.array([sample.label for sample in shown])
        return Movements(np.stack(fields).astype(np.float16), labels, np.full(len(shown), person))

    yield work
