"""Synthetic clips in three groups of people, with "none" as one more class: what engines of several kinds learn from.

What is none is known there: faces at rest, blinks, movements that no class fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from realtime.errors import DataError
from realtime.labels import VOCABULARIES
from train.clips.clip import Timed
from train.config.clips import Clips
from train.datasets.folds import hold_out
from train.storage.digest import digest

VOCABULARY = "megc-3-none"
LABELS = VOCABULARIES[VOCABULARY]
DATA = ("synthetic micro-expressions: neutral faces moved by scripted action units",)
TERMS = "The pictures that were moved are not part of this package; FER-2013's have no clear licence."

T = TypeVar("T", bound=Timed)


@dataclass(frozen=True, slots=True, eq=False)
class Parts(Generic[T]):
    """The clips of three groups of people."""

    train: list[T]
    calibration: list[T]  #: sets the temperature of the logits, and nothing else
    test: list[T]  #: is scored once, when all else is fixed
    key: str  #: changes with the clips and the split


def split(shares: Clips, clips: Sequence[T], mark: Callable[[T], Sequence[object]]) -> Parts[T]:
    """The people of the test are held out first, then those who calibrate, as in `train.sources.synthetic`.

    `mark` tells a clip's pictures from others: a part of the key. DataError if a clip shows what is no class.
    """
    foreign = sorted({clip.sample.label for clip in clips} - set(LABELS))
    if foreign:
        raise DataError(f"clips that show {', '.join(foreign)}; wanted {', '.join(LABELS)} alone")
    test = hold_out((clip.sample.subject for clip in clips), shares.held_out, shares.seed)
    others = {clip.sample.subject for clip in clips} - test
    calibrating = hold_out(others, shares.calibration, shares.seed)
    sides = (others - calibrating, calibrating, test)
    train, calibration, last = ([clip for clip in clips if clip.sample.subject in side] for side in sides)
    shaped = [(clip.sample, *mark(clip)) for clip in clips]
    return Parts(train, calibration, last, digest(shaped, *(sorted(side) for side in sides)))
