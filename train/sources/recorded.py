"""A source of clips that were recorded: one data set, or several that agree, through one camera or several."""

from __future__ import annotations

from collections.abc import Collection as Ids
from functools import cached_property

from train.config.recorded import RecordedSettings
from train.datasets.folds import Fold, hold_out
from train.sources import protocols
from train.sources.collection import TERMS, Collection, gather, named, vocabulary
from train.sources.source import Clips, Configured, Provenance, Split, Vocabulary


class RecordedSource(Configured[RecordedSettings]):
    """Implements `ClipSource`."""

    @property
    def provenance(self) -> Provenance:
        """The data sets by name, and the usual terms."""
        return Provenance(named(self.settings.data), TERMS)

    @property
    def vocabulary(self) -> Vocabulary:
        """As the data sets have it."""
        return Vocabulary(vocabulary(self.settings.data), self.collection.labels)

    @cached_property
    def collection(self) -> Collection:
        """What is missing in the cache is made."""
        return gather(self.settings.data, self.settings.rates, self.cache, self.workers)

    def key(self) -> str:
        return self.collection.key()

    def folds(self) -> tuple[Fold, ...]:
        found, settings = self.collection, self.settings
        return protocols.split(settings.evaluate, found.cases, settings.data, found.left_out)

    def whole(self) -> Fold:
        """All clips: those that are tested on nobody's behalf."""
        return Fold("all", self.collection.ids(), ())

    def split(self, fold: Fold) -> Split[Clips]:
        rates = self.settings.rates
        calibrating = self._calibrating(fold)
        takes = self.collection.takes(fold.train, rates.train_hz)
        train = tuple([clip for clip in take if clip.case.subject not in calibrating] for take in takes)
        calibration = [clip for take in takes for clip in take if clip.case.subject in calibrating]
        return Split(self.vocabulary, train, calibration, tuple(self.collection.takes(fold.test, rates.test_hz)))

    def _calibrating(self, fold: Fold) -> Ids[str]:
        if not self.settings.calibration:
            return frozenset()
        trained = frozenset(fold.train)
        people = [case.subject for case in self.collection.cases if case.id in trained]
        return hold_out(people, self.settings.calibration, self.settings.rates.seed)
