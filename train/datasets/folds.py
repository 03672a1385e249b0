"""Protocols: which samples a model is fitted to, and on which it is then tested once. Nobody is ever on both sides.

A protocol takes cases, the samples of one or more data sets under names that are unique over all of them, and gives
checked folds. People are told apart by their names alone: a person who took part in two data sets is two people
here, and a data set that does not know its people must give every clip a subject of its own and say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from realtime.errors import DataError
from train.datasets.annotation.sample import Sample


@dataclass(frozen=True, slots=True)
class Case:
    """A sample as a protocol sees it."""

    id: str  #: set/sample
    set: str
    subject: str  #: set/subject
    label: str


@dataclass(frozen=True, slots=True)
class Fold:
    """One training, and the test that ends it."""

    name: str  #: unique in its protocol; it also decides the fold's seed
    train: tuple[str, ...]  #: ids of cases
    test: tuple[str, ...]


def cases(sets: Mapping[str, Iterable[Sample]]) -> tuple[Case, ...]:
    """The samples of data sets, set by set, under ids and subjects that begin with their set's name."""
    return tuple(
        Case(f"{name}/{sample.id}", name, f"{name}/{sample.subject}", sample.label)
        for name, samples in sets.items()
        for sample in samples
    )


def leave_one_subject_out(cases: Sequence[Case]) -> tuple[Fold, ...]:
    """One fold a person, named for them, in order of their names."""
    people = sorted({case.subject for case in cases})
    return checked([_fold(person, cases, {person}) for person in people], cases)


def composite(cases: Sequence[Case]) -> tuple[Fold, ...]:
    """Composite database evaluation of MEGC 2019 (See et al. 2019): one fold for each person of all the sets."""
    sets = sorted({case.set for case in cases})
    if len(sets) < 2:
        raise DataError(f"a composite of {sets} is none; give at least 2 data sets, or leave one subject out of one")
    return leave_one_subject_out(cases)


def grouped_k_fold(cases: Sequence[Case], k: int, seed: int) -> tuple[Fold, ...]:
    """`k` groups of whole people with about as many cases each, for quick runs.

    Whoever has most cases is placed first, into the group that has fewest; the seed orders those with as many.
    """
    sizes = Counter(case.subject for case in cases)
    if not 2 <= k <= len(sizes):
        raise DataError(f"{k} folds of {len(sizes)} people; wanted at least 2 and no more than there are people")
    names = sorted(sizes)
    shuffled = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    groups: list[set[str]] = [set() for _ in range(k)]
    loads = [0] * k
    for person in sorted(shuffled, key=lambda name: -sizes[name]):
        lightest = loads.index(min(loads))
        groups[lightest].add(person)
        loads[lightest] += sizes[person]
    return checked([_fold(f"fold-{i}", cases, group) for i, group in enumerate(groups, 1)], cases)


def from_lists(cases: Sequence[Case], lists: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> tuple[Fold, ...]:
    """Folds as a data set's authors fixed them, such as the five of DFEW: name -> ids to train on, ids to test."""
    return checked([Fold(name, tuple(train), tuple(test)) for name, (train, test) in lists.items()], cases)


def cross_dataset(cases: Sequence[Case], train: Collection[str], test: Collection[str]) -> tuple[Fold, ...]:
    """One fold: the sets `train` against the sets `test`; other sets are left out."""
    unknown = sorted({*train, *test} - {case.set for case in cases})
    if unknown:
        raise DataError("data sets without a case; give their samples or leave them out", unknown)
    sides = [tuple(case.id for case in cases if case.set in side) for side in (train, test)]
    return checked([Fold(f"{'+'.join(sorted(train))}-to-{'+'.join(sorted(test))}", *sides)], cases)


def checked(folds: Sequence[Fold], cases: Sequence[Case]) -> tuple[Fold, ...]:
    """`folds`, or a DataError that lists everything which makes their scores worthless."""
    subjects = {case.id: case.subject for case in cases}
    problems = [f"case {id}: there {n} times" for id, n in _repeated(case.id for case in cases)]
    problems += [f"fold {name}: there {n} times" for name, n in _repeated(fold.name for fold in folds)]
    problems += [f"fold {fold.name}: {problem}" for fold in folds for problem in _problems(fold, subjects)]
    tested = _repeated(id for fold in folds for id in fold.test)
    problems += [f"{id}: tested {n} times, wanted at most once" for id, n in tested]
    if problems or not folds:
        raise DataError(f"{len(folds)} folds of {len(cases)} cases, unfit for a test; correct the split", problems)
    return tuple(folds)


def hold_out(subjects: Iterable[str], share: float, seed: int) -> frozenset[str]:
    """About `share` of `subjects`, at least one and never all; the same ones for the same subjects and seed."""
    people = sorted(set(subjects))
    if len(people) < 2:
        raise DataError(f"{len(people)} subjects cannot be split by person; clips of at least 2 people are needed")
    count = min(max(round(share * len(people)), 1), len(people) - 1)
    chosen = np.random.default_rng(seed).permutation(len(people))[:count]
    return frozenset(people[i] for i in chosen)


def _fold(name: str, cases: Sequence[Case], people: Collection[str]) -> Fold:
    """The cases of `people` are the test, all others the training."""
    train = tuple(case.id for case in cases if case.subject not in people)
    return Fold(name, train, tuple(case.id for case in cases if case.subject in people))


def _problems(fold: Fold, subjects: Mapping[str, str]) -> Iterator[str]:
    sides = {"train": fold.train, "test": fold.test}
    for side, ids in sides.items():
        if not ids:
            yield f"nothing to {side}"
        yield from (f"{id} stands {n} times under {side}" for id, n in _repeated(ids) if side == "train")
        yield from (f"{id} under {side} is no case" for id in ids if id not in subjects)
    people = [{subjects[id] for id in ids if id in subjects} for ids in sides.values()]
    yield from (f"{person} on both sides" for person in sorted(people[0] & people[1]))


def _repeated(names: Iterable[str]) -> list[tuple[str, int]]:
    return [(name, n) for name, n in Counter(names).items() if n > 1]
