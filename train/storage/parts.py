"""Records of arrays that many processes made parts of: joined, and kept in one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from train.storage.atomic import writing

T = TypeVar("T")


def made_once(path: Path, kind: type[T], make: Callable[[], Sequence[T]]) -> T:
    """What `path` keeps of a `kind` whose fields are arrays of one length; if there is nothing, the parts of `make`."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    if not path.exists():
        parts: Sequence[Any] = make()
        with writing(path) as file:
            np.savez(file, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
    with np.load(path) as kept:
        return kind(*(kept[name] for name in names))
