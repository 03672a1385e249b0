"""Where clips come from: data sets that were recorded, or faces that were moved. Any method learns from any source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from realtime.records import Floats, Times
from train.clips.marked import MarkedFace
from train.clips.movement.exact import Movements
from train.clips.movement.mixtures import Mixtures
from train.clips.stored import StoredClip
from train.config.recipe import SourceSettings
from train.datasets.folds import Fold

C = TypeVar("C", bound=SourceSettings)
T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Class labels in order, and what engines call them."""

    name: str
    labels: tuple[str, ...]

    def indices(self, labels: Iterable[str]) -> Tensor:
        """The places of `labels` among them: int64 (K,)."""
        return torch.tensor([self.labels.index(label) for label in labels], dtype=torch.int64)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a manifest says of the data."""

    data: tuple[str, ...]
    terms: str  #: what the data's owners allow


@dataclass(frozen=True, slots=True, eq=False)
class Split(Generic[T]):
    """The two sides of a fold, in whatever form they are seen; nobody is on two of its sides."""

    vocabulary: Vocabulary
    train: tuple[T, ...]  #: the same clips through each camera to train on
    calibration: T  #: sets the temperature of the logits, and nothing else
    test: tuple[T, ...]  #: the same clips through each camera to test on: looked at once, when all else is fixed

    def seen(self, see: Callable[[T], S]) -> Split[S]:
        """The same clips in another form."""
        train, test = (tuple(see(each) for each in side) for side in (self.train, self.test))
        return Split(self.vocabulary, train, see(self.calibration), test)


Clips = Sequence[StoredClip]


class ClipSource(Protocol):
    """Clips under one vocabulary, and who is trained on and tested. It can be pickled: pictures stay on disk."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Of all clips."""

    @property
    def provenance(self) -> Provenance:
        """Of the clips."""

    def key(self) -> str:
        """Changes with the pictures, moments, subjects and labels of the clips."""

    def folds(self) -> tuple[Fold, ...]:
        """Who is trained on and who is tested, by the source's protocol."""

    def whole(self) -> Fold:
        """What a network learns from that is to be served: as a rule the only fold, so that no engine sees its test."""
        return self.folds()[0]

    def split(self, fold: Fold) -> Split[Any]:
        """What the source has of a fold: `Clips`, if it is of events."""

    def exact(self, people: Sequence[str], each: int, workers: int | None = None) -> Movements | None:
        """So many movements that are known exactly of each of these subjects; None as a rule: nobody knows any."""
        return None

    def marked(self, workers: int | None = None) -> Sequence[MarkedFace]:
        """Real people whose expressions are marked, who stand beside all folds; as a rule nobody."""
        return ()

    def macros(self, people: Sequence[str], each: int, workers: int | None = None) -> Sequence[StoredClip]:
        """So many macro-expressions of each of these subjects; none as a rule: nobody makes any."""
        return ()

    def mixtures(self, each: int, workers: int | None = None) -> Mixtures | None:
        """So many mixtures of what faces do, of each subject; None as a rule, as of `exact`."""
        return None

    def amounts(self, clip: StoredClip, times: Times) -> Floats | None:
        """What a clip's face does at `times` (T,): (T, K) shares of `face.channels.NAMES`; None as a rule."""
        return None


@dataclass(frozen=True)
class Configured(ClipSource, Generic[C]):
    """A source by its settings: what it makes, by `workers` processes, is kept in `cache`."""

    settings: C
    cache: Path
    workers: int | None = None
