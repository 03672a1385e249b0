"""The clips that a method on recorded data is fitted to and tested on: of one data set, or of several that agree."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from realtime.errors import DataError
from realtime.labels import OWN
from train.clips.rates import SlowedDataset, words
from train.clips.stored import StoredClip, key_of, store
from train.clips.takes import FEWEST_FRAMES, FEWEST_SHOWN
from train.config.recorded import Data, Rates
from train.datasets.annotation.sample import Dataset
from train.datasets.corpora import catalogue
from train.datasets.folds import Case, cases
from train.datasets.made_up import is_made_up

log = logging.getLogger(__name__)

TERMS = "Faces that were given out on request, under terms of their own: read those before passing this network on."

Through = Mapping[str, StoredClip]  #: case id -> its clip, all through one camera


@dataclass(frozen=True, slots=True)
class Collection:
    """Cases under one vocabulary, each with its clip through every camera. It can be pickled: pictures stay on disk."""

    labels: tuple[str, ...]
    cases: tuple[Case, ...]
    at: Mapping[float, Through]  #: by the cameras' rates in Hz; 0 is each recording's own
    left_out: tuple[str, ...]  #: ids of the cases whose event too few frames show at one of the rates

    def of(self, ids: Iterable[str], rate_hz: float) -> list[StoredClip]:
        """The clips of these cases at one of the rates, in their order."""
        through = self.at[rate_hz]
        return [through[id] for id in ids]

    def takes(self, ids: Sequence[str], rates_hz: Iterable[float]) -> list[list[StoredClip]]:
        """The clips of these cases at each of the rates."""
        return [self.of(ids, rate_hz) for rate_hz in rates_hz]

    def ids(self) -> tuple[str, ...]:
        """Of all cases."""
        return tuple(case.id for case in self.cases)

    def key(self) -> str:
        """Changes with the pictures, moments, subjects and labels of the clips."""
        return key_of(self.labels, {rate_hz: through.values() for rate_hz, through in self.at.items()})


def gather(data: Sequence[Data], rates: Rates, cache: Path, workers: int | None = None) -> Collection:
    """Read the data sets, bring what is missing into `cache`; DataError if they do not fit together."""
    return collect([_read(each) for each in data], rates, cache, workers)


def collect(sets: Sequence[Dataset], rates: Rates, cache: Path, workers: int | None = None) -> Collection:
    """Data sets of different names and the same labels, through every camera that `rates` names.

    The cases are the same at all rates, so that their scores can be compared: one that loses the face, or shows too
    little through the slowest camera, is left out of all.
    """
    _check(sets)
    found = cases({dataset.name: dataset.samples() for dataset in sets})
    at = {hz: _through(hz, sets, found, rates.seed, cache, workers) for hz in sorted({*rates.train_hz, *rates.test_hz})}
    left_out = _left_out(at)
    if left_out:
        told = ", ".join(f"{id} ({reason})" for id, reason in left_out.items())
        log.warning("%d of %d clips are left out, too little shows their event: %s", len(left_out), len(found), told)
    kept = tuple(case for case in found if case.id not in left_out)
    if not kept:
        seen = ", ".join(map(words, at))
        raise DataError(
            f"no face in any of {len(found)} clips lasts long enough at every rate ({seen}); look at the pictures, or "
            "leave out the slowest rates"
        )
    clips = {hz: {case.id: through[case.id] for case in kept} for hz, through in at.items()}
    return Collection(sets[0].labels, kept, clips, tuple(sorted(left_out)))


def label_set(data: Data) -> str:
    """Its name, also where the configuration leaves it to the data set; "" for labels as they stand."""
    return data.labels or catalogue.LOADERS[data.name].labels or ""


def vocabulary(data: Sequence[Data]) -> str:
    """What engines call the labels of these data sets: their label set, or "own" for labels as they stand."""
    return label_set(data[0]) or OWN


def named(data: Sequence[Data]) -> tuple[str, ...]:
    """The data sets and their labels, in words; and that clips are made up, where they are."""
    return tuple(
        f"{'made-up clips in the place of ' if is_made_up(Path(each.root)) else ''}"
        f"{each.name} ({label_set(each) or 'labels as they stand'})"
        for each in data
    )


def _read(data: Data) -> Dataset:
    return catalogue.load(data.name, Path(data.root), Path(data.table) if data.table else None, data.labels or None)


def _through(
    rate_hz: float, sets: Sequence[Dataset], cases: Sequence[Case], seed: int, cache: Path, workers: int | None
) -> Through:
    """Every clip of `sets`, under the name that it has at its own rate."""
    seen = [SlowedDataset(dataset, rate_hz, seed) if rate_hz else dataset for dataset in sets]
    clips = [clip for dataset in seen for clip in store(dataset, cache, workers)]
    return {case.id: replace(clip, case=case) for case, clip in zip(cases, clips, strict=True)}


def _left_out(at: Mapping[float, Through]) -> dict[str, str]:
    """The cases whose event too few frames show, and at which rate that is: their own, if it is one of them."""
    return {
        id: f"frames at {words(rate_hz)}: {len(clip.event())}"
        for rate_hz, through in sorted(at.items(), reverse=True)
        for id, clip in through.items()
        if len(clip.event()) < (FEWEST_SHOWN if rate_hz else FEWEST_FRAMES)
    }


def _check(sets: Sequence[Dataset]) -> None:
    names = [dataset.name for dataset in sets]
    problems = [f"{name}: there {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1]
    problems += [
        f"{dataset.name} has the labels {', '.join(dataset.labels)}, {names[0]} {', '.join(sets[0].labels)}"
        for dataset in sets
        if dataset.labels != sets[0].labels
    ]
    if problems or not sets:
        raise DataError(f"{len(sets)} data sets that make no whole; name each once, all under one label set", problems)
