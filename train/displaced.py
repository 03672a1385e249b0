"""Movements that are known exactly, as arrays in a file: what a generator of faces knows and no camera sees.

fields    float16 (K, T, 2, FIELD_PX, FIELD_PX): K movements at T moments, evenly from just after the onset to
          the apex; displacement from rest, right and down, outer eye distances of a canonical crop, without the
          head's part (see `fields.exact`)
labels    str (K,)
subjects  str (K,): who; what is trained on and what is tested never share one
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import DataError
from realtime.fields import FIELD_PX
from realtime.records import Floats
from train.whole import writing

KEYS = ("fields", "labels", "subjects")


@dataclass(frozen=True, slots=True, eq=False)
class Displaced:
    """Movements known exactly, as the file has them."""

    fields: Floats
    labels: npt.NDArray[np.str_]
    subjects: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)


def write(path: Path, movements: Displaced) -> None:
    """Write a file that `read` reads."""
    with writing(path) as file:
        np.savez(file, fields=movements.fields.astype(np.float16), labels=movements.labels, subjects=movements.subjects)


def read(paths: Sequence[str], labels: Sequence[str], without: frozenset[str]) -> Displaced:
    """The movements of all files whose subjects are not among `without`; DataError lists what is wrong in them."""
    found = [_read(Path(path), labels) for path in paths]
    if len({part.fields.shape[1] for part in found}) > 1:
        moments = ", ".join(f"{path}: {part.fields.shape[1]}" for path, part in zip(paths, found, strict=True))
        raise DataError(f"movements at different numbers of moments ({moments}); write all files alike")
    whole = Displaced(*(np.concatenate([getattr(part, key) for part in found]) for key in KEYS))
    kept = ~np.isin(whole.subjects, sorted(without))
    if not kept.any():
        raise DataError(f"no movement in {', '.join(paths)} is of anybody to train on; give other people's")
    return Displaced(whole.fields[kept], whole.labels[kept], whole.subjects[kept])


def _read(path: Path, labels: Sequence[str]) -> Displaced:
    if not path.is_file():
        raise DataError(f"no file {path}; make it, or take it out of [exact] files")
    try:
        with np.load(path) as file:
            tree = {key: file[key] for key in KEYS}
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} holds no movements ({error}); write it with train.displaced.write") from None
    made = Displaced(*(tree[key] for key in KEYS))
    problems = list(_problems(made, labels))
    if problems:
        raise DataError(f"{path} cannot be trained on; make it again", problems)
    return made


def _problems(made: Displaced, labels: Sequence[str]) -> Iterator[str]:
    count = len(made.labels)
    if made.fields.ndim != 5 or made.fields.shape[2:] != (2, FIELD_PX, FIELD_PX) or made.fields.dtype != np.float16:
        found = f"{made.fields.dtype} {list(made.fields.shape)}"
        yield f"fields are {found}, wanted float16 [K, T, 2, {FIELD_PX}, {FIELD_PX}]"
    elif not np.isfinite(made.fields).all():
        yield "fields hold numbers that are none"
    if not count or {len(made.fields), len(made.subjects)} != {count}:
        yield f"{len(made.fields)} fields, {count} labels, {len(made.subjects)} subjects; wanted as many, at least 1"
    for label in sorted(set(made.labels.tolist()) - set(labels)):
        yield f"label {label!r}, wanted one of {', '.join(labels)}"
