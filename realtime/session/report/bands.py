"""Shares over time as bands below each other, one for each expression or action unit, under the same time axis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from realtime.markup import GREY, Markup, svg, words
from realtime.session.report.digest import COLUMNS, Curve

LEFT, RIGHT = 34, 14  # user units, as of the timeline above them
HIGH, APART = 26, 6
#: A face that was away for longer, or a unit that was not read, leaves a hole.
BREAK_S = 0.5

Points = Sequence[tuple[float, float]]  #: time and share


def bands(
    name: str, curves: Mapping[str, Iterable[Points]], span: tuple[float, float], colour: str, columns: int = COLUMNS
) -> Markup:
    """A drawing called `name` of what is in `curves`, each in unbroken pieces; shares are 0..1, times those of `span`.

    `columns` is how wide the field is.
    """
    scale = _BandScale(span, columns)
    parts = [_band(label, of, scale, at * (HIGH + APART), colour) for at, (label, of) in enumerate(curves.items())]
    return svg(LEFT + columns + RIGHT, len(curves) * (HIGH + APART), *parts, name=name)


def pieces(curve: Curve) -> Iterator[Points]:
    """The highest shares of a thinned curve, parted where it has a hole."""
    piece: list[tuple[float, float]] = []
    for t, _, high in curve:
        if piece and t - piece[-1][0] > max(BREAK_S, 1.5 * curve.width_s):
            yield piece
            piece = []
        piece.append((t, high))
    if piece:
        yield piece


class _BandScale(NamedTuple):
    """From seconds to user units."""

    span: tuple[float, float]
    columns: int

    def x(self, t: float) -> float:
        share = (t - self.span[0]) / max(self.span[1] - self.span[0], 1e-9)
        return LEFT + self.columns * min(max(share, 0.0), 1.0)


def _band(label: str, curve: Iterable[Points], scale: _BandScale, top: float, colour: str) -> str:
    bottom = top + HIGH
    areas = "".join(_area(points, scale, bottom) for points in curve)
    return (
        f'<path d="{areas}" fill="{colour}" fill-opacity="0.45" stroke="{colour}"/>'
        f'<path d="M{LEFT} {bottom}h{scale.columns}" stroke="{GREY}" stroke-opacity="0.6"/>'
        f'<g class="halo">{words(LEFT + 4, top + 12, label)}</g>'
    )


def _area(points: Points, scale: _BandScale, bottom: float) -> str:
    placed = [(scale.x(t), bottom - HIGH * min(max(share, 0.0), 1.0)) for t, share in points]
    path = " ".join(f"{x:.1f} {y:.1f}" for x, y in placed)
    return f"M{placed[0][0]:.1f} {bottom}L{path}L{placed[-1][0]:.1f} {bottom}Z"
