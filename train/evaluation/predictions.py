"""What a model said of the clips of one fold: a file of JSON lines, a header first, whole or not there at all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import numpy as np

from realtime.errors import DataError
from train.clips.rates import words
from train.evaluation.metrics import Indices
from train.storage.atomic import writing

SCHEMA: Literal[2] = 2
SUM_TOLERANCE = 1e-4  # a softmax in single precision is off by less

S = TypeVar("S", bound=msgspec.Struct)


class FoldHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which predictions these are."""

    schema: Literal[2]
    key: str  #: of everything that shaped them, see `train.evaluation.evaluate.EvaluationPlan`
    fold: str
    seed: int
    labels: tuple[str, ...]  #: the order of the probabilities
    clips: int
    rates_hz: tuple[float, ...]  #: that each clip was judged at, 0 its own: clips x rates lines follow


class Prediction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One clip at one frame rate, and what was said of it."""

    id: str
    rate_hz: float  #: of the camera that it was seen through; 0 is its own
    set: str
    subject: str
    truth: str
    probabilities: tuple[float, ...]  #: finite, not negative, sum 1; written so that no bit is lost


@dataclass(frozen=True, slots=True)
class FoldPredictions:
    """A whole file."""

    header: FoldHeader
    rows: tuple[Prediction, ...]


def write(path: Path, found: FoldPredictions) -> None:
    """To a temporary file that is moved into place; DataError when readers would refuse it."""
    _check(path, found)
    with writing(path) as file:
        file.writelines(msgspec.json.encode(line) + b"\n" for line in (found.header, *found.rows))


def read(path: Path) -> FoldPredictions:
    """A file that `write` made; DataError names every line that is anything else."""
    lines = path.read_bytes().splitlines()
    if not lines:
        raise DataError(f"{path} is empty; delete it, and the fold is predicted anew")
    header = _decode(lines[0], FoldHeader, path, 1)
    rows = tuple(_decode(line, Prediction, path, number) for number, line in enumerate(lines[1:], 2))
    found = FoldPredictions(header, rows)
    _check(path, found)
    return found


def at(rows: Sequence[Prediction], rate_hz: float) -> list[Prediction]:
    """What was said at one of the rates: each clip once, in the order in which the folds test them."""
    return [row for row in rows if row.rate_hz == rate_hz]


def classes(rows: Sequence[Prediction], labels: tuple[str, ...]) -> tuple[Indices, Indices]:
    """True and said class (K,), as places in `labels`; of equal probabilities the first counts."""
    truth = np.array([labels.index(row.truth) for row in rows], np.int64)
    said = np.array([np.argmax(row.probabilities) for row in rows], np.int64)
    return truth, said


def _decode(line: bytes, kind: type[S], path: Path, number: int) -> S:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}:{number}: {error}; delete the file, and the fold is predicted anew") from None


def _check(path: Path, found: FoldPredictions) -> None:
    header, seen = found.header, Counter((row.id, row.rate_hz) for row in found.rows)
    problems = [f"{row.id}: {problem}" for row in found.rows for problem in _problems(row, header)]
    problems += [f"{id}: there {n} times at {words(rate_hz)}" for (id, rate_hz), n in seen.items() if n > 1]
    if len(found.rows) != header.clips * len(header.rates_hz):
        problems.append(
            f"{len(found.rows)} predictions, the header says {header.clips} at each of {len(header.rates_hz)} rates"
        )
    if problems:
        raise DataError(f"{path}: no predictions that can be scored; mend what makes them", problems)


def _problems(row: Prediction, header: FoldHeader) -> list[str]:
    problems: list[str] = []
    labels = header.labels
    if row.rate_hz not in header.rates_hz:
        problems.append(f"at {words(row.rate_hz)}, wanted one of {', '.join(map(words, header.rates_hz))}")
    if row.truth not in labels:
        problems.append(f"label {row.truth!r}, wanted one of {', '.join(labels)}")
    if len(row.probabilities) != len(labels):
        problems.append(f"{len(row.probabilities)} probabilities, wanted {len(labels)}")
    elif not all(math.isfinite(p) and p >= 0 for p in row.probabilities):
        problems.append(f"probabilities {row.probabilities}, wanted finite ones of at least 0")
    elif abs(sum(row.probabilities) - 1) > SUM_TOLERANCE:
        problems.append(f"probabilities that sum to {sum(row.probabilities):.6f}, wanted 1")
    return problems
