"""The report of the whole chain as text: Markdown tables, which read well in a terminal too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from train.chain.outcome import AtRate, KindOutcome
from train.spotting.detection_scores import GROUPS, Delay

NONE = "-"


def lines(rows: Sequence[AtRate]) -> Iterator[str]:
    """Rate by rate, then what lies under false alarms, recognition and reliability of the first rate."""
    yield from _spotting(rows)
    yield ""
    yield from _together(rows)
    first = rows[0]
    yield ""
    yield from _under(rows)
    yield ""
    yield from _recognition(first)
    yield ""
    yield from _reliability(first)


def _spotting(rows: Sequence[AtRate]) -> Iterator[str]:
    yield line(
        "Hz", "kind", "videos", "minutes", "true", "found", "false", "F1", "apex error ms, median",
        "after onset ms, p50 / p95", "after apex ms, p50 / p95", "false a minute",
    )  # fmt: skip
    yield rule(12)
    for row in rows:
        for group, part in row.parts.items():
            s = part.spotting
            yield line(
                _rate(row), group, row.videos, f"{row.minutes:.1f}", s.found + s.missed, s.found, s.false,
                f"{part.f1:.3f}", _number(s.apex_error_median_ms, 0), _delay(s.after_onset), _delay(s.after_apex),
                f"{s.false_per_minute:.2f}",
            )  # fmt: skip


def _together(rows: Sequence[AtRate]) -> Iterator[str]:
    head = ("F1 spot", "F1 recognise", "STRS", "expected calibration error", "micro taken back a minute")
    yield line("Hz", "kind", *head)
    yield rule(7)
    for row in rows:
        for group, part in row.parts.items():
            error = part.reliability.expected_error if part.reliability else None
            back = f"{row.taken_back_per_minute:.2f}" if group == "micro" else ""
            figures = (_number(part.f1_recognise), _number(part.strs), _number(error))
            yield line(_rate(row), group, f"{part.f1:.3f}", *figures, back)


def _under(rows: Sequence[AtRate]) -> Iterator[str]:
    names = list(dict.fromkeys(name for row in rows for name in (*row.happened, *_all_under(row))))
    if not names:
        yield "no false alarm"
        return
    yield line("Hz", "false alarms under", *names)
    yield rule(2 + len(names))
    yield line("", "how often it happens", *(rows[0].happened.get(name, "") for name in names))
    for row in rows:
        for group in ("micro", "macro"):
            under = row.parts[group].under
            yield line(_rate(row), group, *(under.get(name, 0) for name in names))


def _all_under(row: AtRate) -> list[str]:
    return [name for group in GROUPS for name in row.parts[group].under]


def _recognition(row: AtRate) -> Iterator[str]:
    parts = [(group, part) for group, part in row.parts.items() if part.recognition]
    if not parts:
        yield "no event with a label was found"
        return
    yield line("found events", "engine", "events", "UF1", "UAR", "accuracy", "classes")
    yield rule(7)
    for group, part in parts:
        for name, found in part.recognition.items():
            counts = ", ".join(f"{label} {count}" for label, count in found.counts.items())
            yield line(group, name, found.events, *map(_number, (found.uf1, found.uar, found.accuracy)), counts)


def _reliability(row: AtRate) -> Iterator[str]:
    part: KindOutcome = row.parts["micro"]
    if part.reliability is None:
        yield "no micro-expression was told"
        return
    yield line("confidence, micro", "answers", "mean confidence", "right")
    yield rule(4)
    for each in part.reliability.bins:
        yield line(f"{each.low:.1f} to {each.high:.1f}", each.answers, _number(each.confidence), _number(each.right))


def _rate(row: AtRate) -> str:
    low, high = row.seen_hz
    return f"{row.rate_hz:g}" if row.rate_hz else f"own, {low:.0f}" + (f" to {high:.0f}" if high - low > 0.5 else "")


def _delay(delay: Delay | None) -> str:
    return NONE if delay is None else f"{1e3 * delay.median_s:.0f} / {1e3 * delay.p95_s:.0f}"


def _number(value: float | None, digits: int = 3) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def line(*cells: object) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


def rule(count: int) -> str:
    """What stands below the head of a table of `count` columns."""
    return line(*["---"] * count)
