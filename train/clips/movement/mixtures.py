"""What every channel does to a face, known exactly, in mixtures that nobody was coded for: see `script.mixtures`.

As `exact` has movements of the classes; one field for each mixture, of faces cut as `align` cuts them and of heads that
keep still. A picture's displacement from rest is the sum of what its channels do, so that a face is made once and its
mixtures cost little. The head's part is fitted to each mixture, as it is live:

fields     float16 (N, 2, FIELD_PX, FIELD_PX): displacement from rest, right and down, outer eye distances
amounts    float16 (N, K): shares of full strength of the channels `face.channels.NAMES`
people     str (N,)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.records import Floats
from realtime.representation.movement.motion import layout
from train.clips.movement.exact import AS_CUT, still
from train.clips.movement.fields import exact
from train.config.clips import Clips
from train.storage.digest import digest
from train.storage.parts import made_once
from train.storage.workers import run
from train.synthesis.actor import Actor
from train.synthesis.face.channels import NAMES
from train.synthesis.face.performance import HeadMotion
from train.synthesis.script.mixtures import mixture
from train.synthesis.synthetic import Synthetic

VERSION = 1
#: A head that keeps still, at two moments.
STILL = HeadMotion(np.zeros((2, 3), np.float32), np.zeros((2, 2), np.float32), np.zeros(2, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Mixtures:
    """Fields, what made them, and whose they are."""

    fields: npt.NDArray[np.float16]
    amounts: npt.NDArray[np.float16]
    people: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.people)


def mixtures(clips: Clips, people: Sequence[str], each: int, cache: Path, workers: int | None = None) -> Mixtures:
    """`each` mixtures of each of `people`; they are made once and kept in `cache`."""
    path = cache / f"mixtures-{digest(VERSION, clips, sorted(people), each)}.npz"
    making = partial(_making, still(clips, 1), tuple(people), each)
    return made_once(path, Mixtures, lambda: run(making, {p: p for p in people}, "mixtures", workers))


@contextmanager
def _making(clips: Clips, people: tuple[str, ...], each: int) -> Iterator[Callable[[str], Mixtures]]:
    dataset, place = Synthetic(clips, people), layout(clips.size_px)

    def work(person: str) -> Mixtures:
        take = dataset.take(dataset.samples_of(person)[0])
        rng = np.random.default_rng((*take.seed[:2], VERSION))
        moved = moved_by(dataset.actor(take))
        amounts = np.stack([mixture(rng) for _ in range(each)])
        fields = [exact(np.tensordot(row, moved, 1).astype(np.float32), AS_CUT, place) for row in amounts]
        return Mixtures(np.stack(fields).astype(np.float16), amounts.astype(np.float16), np.full(each, person))

    yield work


def moved_by(actor: Actor) -> Floats:
    """Displacement (K, S, S, 2) px from rest by each channel at full strength; mixtures are weighted sums of them."""
    fields = []
    for channel in range(len(NAMES)):
        amounts = np.zeros((2, len(NAMES)), np.float32)
        amounts[1, channel] = 1.0
        fields.append(actor.between(amounts, STILL))
    return np.stack(fields)
