"""Which folds a protocol makes of recorded clips, in words and in lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from realtime.errors import ConfigError
from train.config.recorded import Composite, Cross, Data, Evaluation, KFold, LeaveOneSubjectOut, Lists
from train.datasets import folds
from train.datasets.corpora import dfew
from train.datasets.folds import Case, Fold

Ids = Sequence[str]

#: Data sets whose authors fixed folds, and how they are read from the data set's root.
LISTS: dict[str, Callable[[Path], Mapping[str, tuple[Ids, Ids]]]] = {dfew.NAME: dfew.folds}


def split(evaluation: Evaluation, cases: Sequence[Case], data: Sequence[Data], left_out: Ids) -> tuple[Fold, ...]:
    """The folds of a protocol, checked."""
    match evaluation:
        case LeaveOneSubjectOut():
            return folds.leave_one_subject_out(cases)
        case Composite():
            return folds.composite(cases)
        case KFold():
            return folds.grouped_k_fold(cases, evaluation.k, evaluation.seed)
        case Cross():
            return folds.cross_dataset(cases, evaluation.train, evaluation.test)
        case Lists():
            return folds.from_lists(cases, _lists(data, frozenset(left_out)))


def words(evaluation: Evaluation) -> str:
    """The protocol, for the report."""
    match evaluation:
        case LeaveOneSubjectOut():
            return "leave one subject out"
        case Composite():
            return "leave one subject out over the people of all sets"
        case KFold():
            return f"{evaluation.k} groups of people"
        case Cross():
            return f"trained on {' and '.join(evaluation.train)}, tested on {' and '.join(evaluation.test)}"
        case Lists():
            return "the authors' folds"


def _lists(data: Sequence[Data], left_out: frozenset[str]) -> dict[str, tuple[Ids, Ids]]:
    """The authors' folds of the only data set, without the clips that are left out."""
    if len(data) != 1 or data[0].name not in LISTS:
        found = ", ".join(each.name for each in data)
        raise ConfigError(f"protocol 'lists' on {found}; only one of {', '.join(LISTS)} has lists, take another")

    def kept(ids: Ids) -> Ids:
        return [id for id in ids if id not in left_out]

    return {name: (kept(train), kept(test)) for name, (train, test) in LISTS[data[0].name](Path(data[0].root)).items()}
