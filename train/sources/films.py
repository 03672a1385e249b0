"""A source of long films that nobody recorded: faces moved by action units, in which everything happens that faces do.

What a film shows depends on how it is looked at: so the source says who is filmed, and films when a method says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from realtime import config as realtime_config
from realtime.labels import VOCABULARIES
from realtime.representation.motion_ticks import MotionTicks
from train.clips.marked import MarkedFace
from train.clips.movement import exact
from train.clips.movement.exact import Movements
from train.config.films import FilmSettings
from train.datasets.folds import Fold
from train.sources import marked
from train.sources.source import Configured, Provenance, Split, Vocabulary
from train.spotting import films as filming
from train.spotting.films import Film, FilmOrder
from train.storage.digest import digest
from train.synthesis.synthetic import TERMS, Synthetic

NAME = "spotting-3"


@dataclass(frozen=True, slots=True)
class FilmCast:
    """People of whom a film each is made, or read from the cache."""

    people: tuple[str, ...]
    settings: FilmSettings
    cache: Path

    def film(self, seen: MotionTicks, workers: int | None = None) -> list[Film]:
        """Their films as an engine of this representation sees them."""
        order = FilmOrder(self.settings.clips, self.settings.seconds, self.settings.micro_per_minute, seen)
        return filming.films(order, self.people, self.cache, workers) if self.people else []


class FilmSource(Configured[FilmSettings]):
    """Implements `ClipSource`, of `FilmCast`. Some people are held out: its only fold, whose ids are people.

    It names all who may be learned from or tested; the first of them are filmed.
    """

    vocabulary = Vocabulary(NAME, VOCABULARIES[NAME])
    provenance = Provenance(
        (
            "synthetic films: neutral faces moved by scripted action units, blinks, glances, speech, chewing, turns "
            "and hands",
            "motion fields of marked clips of real people, where [marked] names their folder",
        ),
        TERMS,
    )

    def key(self) -> str:
        asked, fold = self.settings, self.whole()
        shown = (asked.clips, asked.seconds, asked.micro_per_minute, fold.train, fold.test)
        return digest(
            "films", filming.VERSION, *shown, marked.key(self.settings.marked), *filming.sight(realtime_config.load())
        )

    def folds(self) -> tuple[Fold, ...]:
        everybody = self._people
        return (Fold("held-out", tuple(everybody.side("training")), tuple(sorted(everybody.held_out))),)

    def split(self, fold: Fold) -> Split[FilmCast]:
        """Nobody calibrates: films to calibrate on are films not to train on."""
        learn, test = fold.train[: self.settings.films], fold.test[: self.settings.test_films]
        return Split(self.vocabulary, (self._cast(learn),), self._cast(()), (self._cast(test),))

    def exact(self, people: Sequence[str], each: int, workers: int | None = None) -> Movements | None:
        return exact.movements(self.settings.clips, people, each, self.cache, workers or self.workers)

    def marked(self, workers: int | None = None) -> Sequence[MarkedFace]:
        return marked.faces(self.settings.marked, self.cache, workers or self.workers)

    @cached_property
    def _people(self) -> Synthetic:
        return Synthetic(self.settings.clips)

    def _cast(self, people: tuple[str, ...]) -> FilmCast:
        return FilmCast(people, self.settings, self.cache)
