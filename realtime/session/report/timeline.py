"""The score of one face over time as a drawing, with its threshold, its events and the gaps.

What is told by colour is told by shape as well: an event's onset and offset are broken lines, its apex a whole one
under its mark (see `marks`); what is inside is shaded, hatched where it is macro. A gap is a bar without these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from realtime.markup import BLUE, GREY, INK, Markup, svg, words
from realtime.schema.message import Event
from realtime.session.report.digest import COLUMNS, Curve, FaceDigest, Gap
from realtime.session.report.marks import colour, mark

LEFT, RIGHT, TOP, HEIGHT, BOTTOM = 34, 14, 34, 130, 24  # user units around and of the field
WIDTH = LEFT + COLUMNS + RIGHT
#: Steps of the time axis in seconds: those a clock has.
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MOST_TICKS = 12
#: A face that was away for longer leaves a hole in its curve.
BREAK_S = 0.5
#: Between two lines of a hatched span, in user units.
HATCH = 6
#: Below this many units from its neighbour, an event's number would cover that one's.
ROOM = 16


def timeline(
    name: str,
    face: FaceDigest,
    span: tuple[float, float],
    events: Sequence[Event],
    gaps: Iterable[Gap],
    anchors: Mapping[int, str] | None = None,
) -> Markup:
    """A drawing called `name`; `events` are those of the face, `gaps` its camera's, `span` the times of both ends.

    `anchors` says by id where in the page an event is told: it is a link to there.
    """
    scale = _Scale(span, 1.1 * max(face.curve.peak, face.threshold, 1.0))
    said = f"{name}: highest score {face.curve.peak:.2f}, threshold {face.threshold:g}, {len(events)} events"
    return svg(
        WIDTH,
        TOP + HEIGHT + BOTTOM,
        *_gaps(scale, gaps),
        *_axes(scale),
        _threshold(scale, face.threshold),
        _curve(scale, face.curve),
        *_events(scale, events, anchors or {}),
        name=said,
        inside=bool(anchors),
    )


def clock(t: float, digits: int = 0) -> str:
    """Seconds as m:ss, or h:mm:ss from an hour on, with so many decimals."""
    whole, rest = divmod(round(t, digits), 60)
    hours, minutes = divmod(int(whole), 60)
    seconds = f"{rest:0{2 if digits == 0 else digits + 3}.{digits}f}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


class _Scale:
    """From seconds and scores to user units."""

    def __init__(self, span: tuple[float, float], most: float) -> None:
        self.span, self.most = span, most

    def x(self, t: float) -> float:
        first, last = self.span
        share = (t - first) / max(last - first, 1e-9)
        return LEFT + COLUMNS * min(max(share, 0.0), 1.0)

    def y(self, score: float) -> float:
        return TOP + HEIGHT * (1.0 - min(max(score, 0.0), self.most) / self.most)

    def ticks(self) -> Iterable[float]:
        first, last = self.span
        step = next((step for step in STEPS if (last - first) / step <= MOST_TICKS), 86400)
        number = -(-first // step)
        while (t := number * step) <= last:
            yield t
            number += 1


def _axes(scale: _Scale) -> Iterable[str]:
    bottom, right = TOP + HEIGHT, LEFT + COLUMNS
    yield f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="{GREY}"/>'
    yield words(LEFT - 4, bottom, "0", "end") + words(LEFT - 4, TOP + 8, f"{scale.most:.0f}", "end")
    ticks = list(scale.ticks())
    digits = 1 if len(ticks) > 1 and ticks[1] - ticks[0] < 1 else 0
    for t in ticks:
        x = scale.x(t)
        yield f'<path d="M{x:.1f} {bottom}v4" stroke="{GREY}"/>' + words(
            round(x, 1), bottom + 16, clock(t, digits), "middle"
        )


def _curve(scale: _Scale, curve: Curve) -> str:
    """Up and down in turn through the lowest and highest of each column, so that neighbours join where near."""
    path: list[str] = []
    before, up = float("-inf"), True
    for t, low, high in curve:
        if t - before > max(BREAK_S, 1.5 * curve.width_s):
            path.append("M")
        ends = dict.fromkeys((low, high) if up else (high, low))  # once where they are the same
        path += [f"{scale.x(t):.1f} {scale.y(score):.1f}" for score in ends]
        before, up = t, not up
    return f'<path d="{" ".join(path)}" fill="none" stroke="{BLUE}" stroke-width="1.2" stroke-linejoin="round"/>'


def _threshold(scale: _Scale, threshold: float) -> str:
    y = scale.y(threshold)
    line = f'<path d="M{LEFT} {y:.1f}h{COLUMNS}" stroke="{INK}" stroke-dasharray="2 3"/>'
    return line + words(LEFT - 4, round(y + 4, 1), f"{threshold:g}", "end")


def _gaps(scale: _Scale, gaps: Iterable[Gap]) -> Iterable[str]:
    """A bar for each, and one for several that a pixel cannot part."""
    bars: list[tuple[float, float]] = []
    for gap in gaps:
        left, right = scale.x(gap.after_s), scale.x(gap.before_s)
        right = max(right, left + 1.5)
        if bars and left <= bars[-1][1]:
            left, right = bars.pop()[0], right
        bars.append((left, right))
    return [_bar(left, right, GREY, 0.5) for left, right in bars]


def _bar(left: float, right: float, colour: str, opacity: float) -> str:
    size = f'x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{HEIGHT}"'
    return f'<rect {size} fill="{colour}" fill-opacity="{opacity:g}"/>'


def _events(scale: _Scale, events: Sequence[Event], anchors: Mapping[int, str]) -> Iterable[str]:
    free = 0.0
    first, last = scale.span
    inside = (event for event in events if first <= event.apex_s <= last)  # one may have begun before the recording
    for event in sorted(inside, key=lambda event: event.apex_s):
        x = scale.x(event.apex_s)
        drawn = _event(scale, event)
        if event.id in anchors:
            link = f'href="#{escape(anchors[event.id])}" aria-label="{escape(_said(event))}"'
            drawn = f'<a class="to-event" {link}>{drawn}</a>'
        yield drawn
        if x >= free and event.stage != "withdrawn":
            yield words(round(x, 1), TOP - 18, f"{event.id}", "middle")
            free = x + ROOM


def _event(scale: _Scale, event: Event) -> str:
    paint = colour(event)
    if event.stage == "withdrawn":  # no more than a mark: what turned out to be nothing should not be looked at first
        return f"<g><title>{escape(_said(event))}</title>{mark(event, scale.x(event.apex_s), TOP - 9)}</g>"
    ends = [event.onset_s] if event.offset_s is None else [event.onset_s, event.offset_s]
    broken = "".join(f"M{scale.x(t):.1f} {TOP}v{HEIGHT}" for t in ends)
    left, right, apex = scale.x(ends[0]), scale.x(ends[-1]), scale.x(event.apex_s)
    return (
        f"<g><title>{escape(_said(event))}</title>"
        f"{_bar(left, right, paint, 0.12 if event.kind == 'macro' else 0.22)}"
        f"{_hatched(left, right, paint) if event.kind == 'macro' else ''}"
        f'<path d="{broken}" stroke="{paint}" stroke-opacity="0.6" stroke-dasharray="3 2"/>'
        f'<path d="M{apex:.1f} {TOP}v{HEIGHT}" stroke="{paint}"/>{mark(event, apex, TOP - 9)}</g>'
    )


def _said(event: Event) -> str:
    return f"event {event.id}: {event.kind}, {event.label}, {event.stage}, apex at {clock(event.apex_s, 2)}"


def _hatched(left: float, right: float, paint: str) -> str:
    """Lines that rise from the bottom to the right, cut where the bar ends."""
    path = []
    for begin in range(int(left) - HEIGHT, int(right), HATCH):
        first, last = max(begin, left), min(begin + HEIGHT, right)
        if first < last:
            path.append(
                f"M{first:.1f} {TOP + HEIGHT - (first - begin):.1f}L{last:.1f} {TOP + HEIGHT - (last - begin):.1f}"
            )
    return f'<path d="{"".join(path)}" stroke="{paint}" stroke-opacity="0.4"/>'
