"""Nested dicts -> protobuf's text format, as Triton's config.pbtxt is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class Word(str):
    """A value of an enumeration: written without quotes."""


def text(fields: Mapping[str, Any]) -> str:
    """A line for each value; a list is its field once for each element, a dict is a message."""
    return "".join(f"{line}\n" for line in _lines(fields, ""))


def _lines(fields: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in fields.items():
        for each in value if isinstance(value, Sequence) and not isinstance(value, str) else (value,):
            if isinstance(each, Mapping):
                yield f"{indent}{name} {{"
                yield from _lines(each, f"{indent}  ")
                yield f"{indent}}}"
            else:
                yield f"{indent}{name}: {each if isinstance(each, Word) else json.dumps(each, ensure_ascii=False)}"
