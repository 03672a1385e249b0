"""A source of still faces: FER+ in the splits of its authors, cut by the stages that serve."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime import config as realtime_config
from realtime.errors import ConfigError
from realtime.faces import align
from realtime.labels import VOCABULARIES
from train.clips.prepare import ferplus_crops
from train.config.stills import StillsSettings
from train.datasets import ferplus
from train.datasets.ferplus import FerPlus
from train.datasets.folds import Fold
from train.sources.source import Configured, Provenance, Split, Vocabulary
from train.storage.digest import digest

VERSION = 1  # of what the key says
NAME = "ferplus-8"
TRAIN, CALIBRATION, TEST = ferplus.SPLITS


@dataclass(frozen=True, slots=True)
class Faces:
    """One of the authors' splits; its faces are cut when a size is asked for."""

    path: Path
    split: str
    crop_px: int
    cache: Path

    def cut(self, size_px: int, workers: int | None = None) -> tuple[npt.NDArray[np.uint8], FerPlus]:
        """Grey crops (N, size, size), and what is known of them; those that the cache lacks are made."""
        return ferplus_crops(self.path, self.split, self.crop_px, size_px, self.cache, workers)


class StillsSource(Configured[StillsSettings]):
    """Implements `ClipSource`, of `Faces`. The authors' is its only fold, whose ids are the names of their splits."""

    vocabulary = Vocabulary(NAME, VOCABULARIES[NAME])
    provenance = Provenance(("FER-2013 pictures with FER+ votes, training split",), ferplus.TERMS)

    def key(self) -> str:
        sight = (realtime_config.load().track, align.TEMPLATE.tolist())
        return digest("stills", VERSION, ferplus.size(self._path), self.settings.crop_px, *sight)

    def folds(self) -> tuple[Fold, ...]:
        return (Fold("authors", (TRAIN, CALIBRATION), (TEST,)),)

    def split(self, fold: Fold) -> Split[Faces]:
        """ConfigError if the crops are not those that serving makes."""
        found, wanted = self.settings.crop_px, realtime_config.load().align.size_px
        if found != wanted:
            raise ConfigError(f"crop_px is {found}, [align] size_px of configs/realtime.toml {wanted}: set them alike")
        train, calibration = map(self._faces, fold.train)
        return Split(self.vocabulary, (train,), calibration, tuple(map(self._faces, fold.test)))

    @property
    def _path(self) -> Path:
        return Path(self.settings.ferplus)

    def _faces(self, split: str) -> Faces:
        return Faces(self._path, split, self.settings.crop_px, self.cache)
