"""What the epochs of a training were like, as curve.csv and for TensorBoard. The only door to tensorboardX."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from tensorboardX import SummaryWriter

CURVE = "curve.csv"  #: its name in the folder of a training
FLUSH_S = 2  # how soon a page that watches the training sees a new epoch


class Curves:
    """The curves of one run; `tensorboard --logdir runs` names it by its folder. To be closed, as a context."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._told = folder, 0
        self._writer: SummaryWriter | None = None

    def write(self, rows: Sequence[Mapping[str, float]]) -> None:
        """`rows` of all epochs, with their number as "epoch". They replace all that was told by an earlier process."""
        with (self._folder / CURVE).open("w", newline="") as file:
            table = csv.DictWriter(file, rows[0].keys())
            table.writeheader()
            table.writerows(rows)
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), purge_step=1, flush_secs=FLUSH_S)
        for row in rows[self._told :]:
            for name in row.keys() - {"epoch"}:
                self._writer.add_scalar(name, row[name], int(row["epoch"]))
        self._told = len(rows)

    def __enter__(self) -> Curves:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
