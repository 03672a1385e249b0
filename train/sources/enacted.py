"""A source of dynamic expressions that nobody recorded: FER+ pictures that play them (see `train.synthesis.enacted`).

What it gives are roles, not clips: they are filmed by who knows which encoder is to see them, and no picture of a
film is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from realtime import config as realtime_config
from train.config.clips import EnactedSettings
from train.datasets.ferplus import SPLITS, TERMS
from train.datasets.folds import Fold
from train.sources.source import Configured, Provenance, Split, Vocabulary
from train.storage.digest import digest
from train.synthesis.enacted import Cast, Role, cast
from train.synthesis.script.emotions import LABELS, VOCABULARY

VERSION = 1  # of what the key says
TRAIN, CALIBRATION, TEST = SPLITS


class EnactedSource(Configured[EnactedSettings]):
    """Implements `ClipSource`, of casts. The authors' splits of FER+ are its only fold."""

    vocabulary = Vocabulary(VOCABULARY, LABELS)
    provenance = Provenance(
        ("FER-2013 pictures with FER+ votes, brought into motion by scripted action units",),
        TERMS,
    )

    @cached_property
    def roles(self) -> Mapping[str, Sequence[Role]]:
        """Those of each split."""
        return {split: cast(self.settings.clips, split) for split in SPLITS}

    def key(self) -> str:
        films = Cast(TRAIN, self.settings.clips, (), self.cache).films()
        return digest("enacted", VERSION, films, realtime_config.load().track, self.roles)

    def folds(self) -> tuple[Fold, ...]:
        ids = {split: tuple(role.id for role in roles) for split, roles in self.roles.items()}
        return (Fold("authors", ids[TRAIN] + ids[CALIBRATION], ids[TEST]),)

    def split(self, fold: Fold) -> Split[Cast]:
        train, calibration = (self._cast(split, fold.train) for split in (TRAIN, CALIBRATION))
        return Split(self.vocabulary, (train,), calibration, (self._cast(TEST, fold.test),))

    def _cast(self, split: str, ids: Collection[str]) -> Cast:
        wanted = frozenset(ids)
        roles = tuple(role for role in self.roles[split] if role.id in wanted)
        return Cast(split, self.settings.clips, roles, self.cache)
