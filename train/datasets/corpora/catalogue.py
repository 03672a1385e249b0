"""Every data set of recorded clips by its name, read under a label set; what is wrong is told before any training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from realtime.errors import DataError
from train.datasets.annotation.labels import LABEL_SETS, apply, canonical, unknown
from train.datasets.annotation.reading import Reading
from train.datasets.annotation.recorded import RecordedDataset
from train.datasets.annotation.survey import DatasetSurvey
from train.datasets.corpora import (
    casme,
    casme2,
    casme3,
    casme_squared,
    ckplus,
    dfew,
    dfme,
    ferplus_images,
    manifest,
    mmew,
    samm,
    samm_lv,
    smic,
)


@dataclass(frozen=True, slots=True)
class Loader:
    """How a data set is read, and the label set that it is known by; None takes the labels as they stand."""

    read: Callable[[Path, Path | None], Reading]
    labels: str | None


LOADERS: dict[str, Loader] = {
    "casme": Loader(casme.read, "casme-4"),
    "casme2": Loader(casme2.read, "casme2-5"),
    "casme3": Loader(casme3.read, "casme3-7"),
    "casme_squared": Loader(casme_squared.read, "casme-squared-4"),
    "ckplus": Loader(ckplus.read, "emotion-7"),
    "dfew": Loader(dfew.read, "dfew-7"),
    "dfme": Loader(dfme.read, "emotion-7"),
    "ferplus": Loader(ferplus_images.read, "ferplus-8"),
    "manifest": Loader(manifest.read, None),
    "mmew": Loader(mmew.read, "mmew-6"),
    "samm": Loader(samm.read, "samm-5"),
    "samm_lv": Loader(samm_lv.read, "kind-2"),
    "smic": Loader(smic.read, "smic-3"),
}


def survey(name: str, root: Path, table: Path | None = None, labels: str | None = None) -> DatasetSurvey:
    """Read the data set `name` below `root`; nothing of what is wrong raises but a root or table that is not there."""
    if name not in LOADERS:
        raise DataError(f"no data set {name!r}; wanted one of {', '.join(LOADERS)}")
    chosen = labels or LOADERS[name].labels
    if chosen is not None and chosen not in LABEL_SETS:
        raise DataError(f"no label set {chosen!r}; wanted one of {', '.join(LABEL_SETS)}")
    reading = LOADERS[name].read(root, table)
    if chosen is None:
        named = tuple(replace(sample, label=canonical(sample.raw_label)) for sample in reading.samples)
        found = tuple(sorted({sample.label for sample in named}))
        return DatasetSurvey(name, "", found, named, 0, reading.corrections, reading.problems)
    clips, problems = apply(chosen, name, reading.samples), (*reading.problems, *unknown(chosen, reading.labels))
    left_out = len(reading.samples) - len(clips)
    return DatasetSurvey(name, chosen, LABEL_SETS[chosen].labels, clips, left_out, reading.corrections, problems)


def load(name: str, root: Path, table: Path | None = None, labels: str | None = None) -> RecordedDataset:
    """A data set that is fit for training, or a DataError that lists every row that is not."""
    found = survey(name, root, table, labels)
    if found.problems or not found.clips:
        raise DataError(
            f"{name} below {root}: {len(found.clips)} clips can be used; mend what is wrong", found.problems
        )
    return RecordedDataset(name, found.labels, found.clips)
