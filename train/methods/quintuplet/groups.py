"""Quintuplets: an anchor, and of its class and of a hard one a micro-expression and a macro-expression each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator

from train.methods.quintuplet.plutchik import hard, same

Row = tuple[bool, int]  #: whether of the macro-expressions, and which


class Groups:
    """Draws the partners of micro-expressions with these labels, of them and of macro-expressions with those labels."""

    def __init__(self, micro: Sequence[str], macro: Sequence[str]) -> None:
        self._micro, self._macro = list(micro), list(macro)
        self._near = {label: self._candidates(label, near=True) for label in set(micro)}
        self._hard = {label: self._candidates(label, near=False) for label in set(micro)}

    @property
    def members(self) -> int:
        """Of each group: three where there is no macro-expression."""
        return 5 if self._macro else 3

    def draw(self, anchor: int, generator: Generator) -> tuple[list[Row], list[bool]]:
        """Anchor, positive and hard negative micro-expression, the same of macro-expressions; which of the latter are.

        The positive is another clip than the anchor. For one that there is none of, the anchor stands.
        """
        label, sides = self._micro[anchor], (False, True) if self._macro else (False,)
        rows: list[Row] = [(False, anchor)]
        there = []
        for macro in sides:
            for among in (self._near[label], self._hard[label]):
                rows_there = [row for row in among[macro] if macro or row != anchor]
                there.append(bool(rows_there))
                rows.append((macro, _one(rows_there, generator)) if rows_there else (False, anchor))
        return rows, there + [False] * (4 - len(there))

    def _candidates(self, label: str, *, near: bool) -> tuple[list[int], list[int]]:
        found = []
        for labels in (self._micro, self._macro):
            wanted = {each for each in labels if same(label, each)} if near else hard(label, set(labels))
            found.append([row for row, each in enumerate(labels) if each in wanted])
        return found[0], found[1]


def _one(rows: Sequence[int], generator: Generator) -> int:
    return rows[int(torch.randint(len(rows), (), generator=generator))]
