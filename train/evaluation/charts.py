"""Two drawings as SVG text that needs nothing beside it: curves over epochs, and a confusion matrix.

Their ink is that of the text around them, so they can be read on light and on dark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from realtime.markup import BLUE, GREY, svg, words
from train.evaluation.metrics import Indices

WIDTH, HEIGHT, MARGIN = 420, 220, 44  # user units; MARGIN holds the numbers at the axes
CELL, NAMES = 64, 110
DEEPEST = 0.55  # opacity of a cell: with more of it, ink is hard to read


def curves(title: str, series: Mapping[str, Sequence[float]]) -> str:
    """One line for each of `series`, value over epoch from 1 on; values that are not finite leave a gap."""
    finite = [value for values in series.values() for value in values if math.isfinite(value)]
    longest = max((len(values) for values in series.values()), default=0)
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    room = (high - low) or 1.0

    def place(epoch: int, value: float) -> str:
        x = MARGIN + (WIDTH - 2 * MARGIN) * (epoch / max(longest - 1, 1))
        return f"{x:.1f},{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / room:.1f}"

    lines = [
        f'<polyline points="{" ".join(place(i, values[i]) for i in run)}" fill="none" stroke="{BLUE}" '
        f'stroke-opacity="0.6"><title>{escape(name)}</title></polyline>'
        for name, values in series.items()
        for run in _runs(values)
    ]
    bottom, right = HEIGHT - MARGIN, WIDTH - MARGIN
    return svg(
        WIDTH,
        HEIGHT,
        f'<path d="M{MARGIN} {MARGIN}V{bottom}H{right}" fill="none" stroke="{GREY}"/>',
        *lines,
        words(MARGIN, MARGIN - 16, title, "start"),
        words(MARGIN - 4, MARGIN + 4, f"{high:.3g}", "end"),
        words(MARGIN - 4, bottom, f"{low:.3g}", "end"),
        words(MARGIN, bottom + 16, "1", "middle"),
        words(right, bottom + 16, str(longest), "middle"),
        words(WIDTH / 2, bottom + 30, "epoch", "middle"),
        name=f"{title} over epochs",
    )


def confusion(table: Indices, labels: Sequence[str]) -> str:
    """Rows are the truth, columns what was said; a cell's shade is its share of its row."""
    parts = [words(NAMES + CELL * len(labels) / 2, 14, "said", "middle")]
    for i, label in enumerate(labels):
        parts.append(words(NAMES + CELL * (i + 0.5), 34, label, "middle"))
        parts.append(words(NAMES - 8, 40 + CELL * (i + 0.5) + 4, label, "end"))
        parts += [_cell(i, j, int(count), int(table[i].sum())) for j, count in enumerate(table[i])]
    return svg(NAMES + CELL * len(labels) + 10, 50 + CELL * len(labels), *parts, name="confusion matrix")


def _cell(row: int, column: int, count: int, total: int) -> str:
    x, y, share = NAMES + CELL * column, 40 + CELL * row, count / max(total, 1)
    fill = f'stroke="{GREY}" fill="{BLUE}" fill-opacity="{DEEPEST * share:.3f}"'
    square = f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" {fill}/>'
    return square + words(x + CELL / 2, y + CELL / 2 + 4, str(count), "middle")


def _runs(values: Sequence[float]) -> list[list[int]]:
    """Stretches of places whose values are finite."""
    runs: list[list[int]] = [[]]
    for i, value in enumerate(values):
        if math.isfinite(value):
            runs[-1].append(i)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
