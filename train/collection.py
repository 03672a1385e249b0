"""The clips that a method on recorded data is fitted to and tested on: of one data set, or of several that agree."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import DataError
from train.config import Data, digest
from train.datasets import catalogue
from train.stored import ClipSet, StoredClip, store

log = logging.getLogger(__name__)

FEWEST_FRAMES = 4  # of an event that is worth judging
TERMS = "Faces that were given out on request, under terms of their own: read those before passing this network on."


@dataclass(frozen=True, slots=True)
class Collection:
    """Clips under one vocabulary. It can be pickled: pictures stay on disk."""

    labels: tuple[str, ...]
    clips: tuple[StoredClip, ...]
    left_out: tuple[str, ...]  #: ids of the cases whose face was lost during the event

    def of(self, ids: Iterable[str]) -> list[StoredClip]:
        """The clips of these cases, in their order."""
        by_id = {clip.case.id: clip for clip in self.clips}
        return [by_id[id] for id in ids]

    def key(self) -> str:
        """Changes with the pictures, moments, subjects and labels of the clips."""
        moments = [(c.case, c.path.name, c.sample.onset_s, c.sample.apex_s, c.sample.offset_s) for c in self.clips]
        return digest(self.labels, moments)


def gather(data: Sequence[Data], cache: Path) -> Collection:
    """Read the data sets, bring what is missing into `cache`; DataError if they do not fit together."""
    return collect([_read(each) for each in data], cache)


def collect(sets: Sequence[ClipSet], cache: Path) -> Collection:
    """Data sets of different names and the same labels, without the clips in which the face was lost."""
    _check(sets)
    found = [clip for dataset in sets for clip in store(dataset, cache)]
    kept = tuple(clip for clip in found if len(clip.event()) >= FEWEST_FRAMES)
    left_out = tuple(sorted({clip.case.id for clip in found} - {clip.case.id for clip in kept}))
    if left_out:
        told = ", ".join(left_out)
        log.warning("%d of %d clips are left out, the face was lost in them: %s", len(left_out), len(found), told)
    if not kept:
        raise DataError(f"no face in any of {len(found)} clips lasts {FEWEST_FRAMES} frames; look at the pictures")
    return Collection(sets[0].labels, kept, left_out)


def label_set(data: Data) -> str:
    """Its name, also where the configuration leaves it to the data set; "" for labels as they stand."""
    return data.labels or catalogue.LOADERS[data.name].labels or ""


def named(data: Sequence[Data]) -> tuple[str, ...]:
    """The data sets and their labels, in words."""
    return tuple(f"{each.name} ({label_set(each) or 'labels as they stand'})" for each in data)


def _read(data: Data) -> ClipSet:
    return catalogue.load(data.name, Path(data.root), Path(data.table) if data.table else None, data.labels or None)


def _check(sets: Sequence[ClipSet]) -> None:
    names = [dataset.name for dataset in sets]
    problems = [f"{name}: there {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1]
    problems += [
        f"{dataset.name} has the labels {', '.join(dataset.labels)}, {names[0]} {', '.join(sets[0].labels)}"
        for dataset in sets
        if dataset.labels != sets[0].labels
    ]
    if problems or not sets:
        raise DataError(f"{len(sets)} data sets that make no whole; name each once, all under one label set", problems)
