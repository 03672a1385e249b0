"""A source of clips that nobody recorded: faces moved by action units (see `train.synthesis.synthetic`).

What is none is known there: faces at rest, blinks, movements that no class fits.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property

import msgspec
import numpy as np

from realtime.labels import VOCABULARIES
from realtime.records import Floats, Times
from train.clips.marked import MarkedFace
from train.clips.movement import exact, mixtures
from train.clips.movement.exact import Movements
from train.clips.movement.mixtures import Mixtures
from train.clips.stored import StoredClip, key_of, store
from train.clips.takes import FEWEST_FRAMES
from train.config.clips import SyntheticSettings
from train.datasets.folds import Fold
from train.sources import marked
from train.sources.source import Clips, Configured, Provenance, Split, Vocabulary
from train.storage.digest import digest
from train.synthesis.macro import SyntheticMacro
from train.synthesis.synthetic import TERMS, Synthetic

log = logging.getLogger(__name__)


class SyntheticSource(Configured[SyntheticSettings]):
    """Implements `ClipSource`. Some people are held out: its only fold."""

    provenance = Provenance(
        (
            "synthetic micro-expressions: neutral faces moved by scripted action units",
            "for methods of movement motion fields of marked clips of real people, where [marked] names their folder",
        ),
        TERMS,
    )

    @property
    def vocabulary(self) -> Vocabulary:
        """With "none" where some clips show none."""
        name = "megc-3-none" if self.settings.clips.none else "megc-3"
        return Vocabulary(name, VOCABULARIES[name])

    @cached_property
    def clips(self) -> tuple[StoredClip, ...]:
        """All but those in which tracking lost the face during the event; what the cache lacks is made."""
        clips = store(Synthetic(self.settings.clips), self.cache, self.workers)
        whole = tuple(clip for clip in clips if len(clip.event()) >= FEWEST_FRAMES)
        if len(whole) < len(clips):
            log.warning("%d of %d clips are left out: the face was lost in them", len(clips) - len(whole), len(clips))
        return whole

    def key(self) -> str:
        return digest(key_of(self.vocabulary.labels, {0.0: self.clips}), marked.key(self.settings.marked))

    def folds(self) -> tuple[Fold, ...]:
        held_out = self._subjects(self._people.held_out)
        train, test = (
            tuple(clip.case.id for clip in self.clips if (clip.case.subject in held_out) == side)
            for side in (False, True)
        )
        return (Fold("held-out", train, test),)

    def split(self, fold: Fold) -> Split[Clips]:
        calibrating = self._subjects(self._people.calibration)
        train = [clip for clip in self._of(fold.train) if clip.case.subject not in calibrating]
        calibration = [clip for clip in self._of(fold.train) if clip.case.subject in calibrating]
        return Split(self.vocabulary, (train,), calibration, (self._of(fold.test),))

    def marked(self, workers: int | None = None) -> Sequence[MarkedFace]:
        return marked.faces(self.settings.marked, self.cache, workers or self.workers)

    def exact(self, people: Sequence[str], each: int, workers: int | None = None) -> Movements | None:
        names = sorted(person.removeprefix(f"{Synthetic.name}/") for person in people)
        return exact.movements(self.settings.clips, names, each, self.cache, workers or self.workers)

    def macros(self, people: Sequence[str], each: int, workers: int | None = None) -> Sequence[StoredClip]:
        """All but those in which tracking lost the face."""
        names = tuple(sorted(person.removeprefix(f"{Synthetic.name}/") for person in people))
        filmed = SyntheticMacro(msgspec.structs.replace(self.settings.clips, per_person=each), names)
        return [
            clip for clip in store(filmed, self.cache, workers or self.workers) if len(clip.event()) >= FEWEST_FRAMES
        ]

    def mixtures(self, each: int, workers: int | None = None) -> Mixtures:
        found = mixtures.mixtures(self.settings.clips, self._people.people, each, self.cache, workers or self.workers)
        return replace(found, people=np.array([f"{Synthetic.name}/{person}" for person in found.people]))

    def amounts(self, clip: StoredClip, times: Times) -> Floats:
        return self._people.take(clip.sample).scene.amounts(times)

    @cached_property
    def _people(self) -> Synthetic:
        return Synthetic(self.settings.clips)

    def _of(self, ids: Collection[str]) -> list[StoredClip]:
        wanted = frozenset(ids)
        return [clip for clip in self.clips if clip.case.id in wanted]

    def _subjects(self, people: Collection[str]) -> frozenset[str]:
        return frozenset(f"{Synthetic.name}/{person}" for person in people)
