"""Which classes are hard to tell apart, by how emotions lie beside each other in Plutchik's wheel.

The thesis names no pairs; these are neighbours there that share action units. "others" of CASME II is mostly the brow
that lowers, as in disgust. Coarser classes are hard where any of their emotions are: "negative" and "surprise" by fear.
"""

from __future__ import annotations

from collections.abc import Iterable

from realtime.labels import COMPOSITE

NEIGHBOURS = (
    ("disgust", "anger"),
    ("disgust", "contempt"),
    ("disgust", "repression"),
    ("disgust", "others"),
    ("fear", "surprise"),
    ("sadness", "repression"),
    ("happiness", "repression"),
    ("happiness", "contempt"),
)


def same(label: str, other: str) -> bool:
    """Whether two labels, maybe of two vocabularies, are one class: "happiness" is "positive"."""
    return other == label or COMPOSITE.get(other) == label or COMPOSITE.get(label) == other


def hard(label: str, known: Iterable[str]) -> frozenset[str]:
    """Those of the `known` labels that are hard to tell from `label`; all other classes where none of them is."""
    others = frozenset(each for each in known if not same(label, each))
    found = frozenset(each for each in others if _neighbours(label, each))
    return found or others


def _neighbours(one: str, other: str) -> bool:
    both = ((one, other), (other, one))
    return any(_of(a, first) and _of(b, second) for a, b in NEIGHBOURS for first, second in both)


def _of(emotion: str, label: str) -> bool:
    return label in (emotion, COMPOSITE.get(emotion))
