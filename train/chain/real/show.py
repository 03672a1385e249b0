"""The report on real faces as text: Markdown tables, which read well in a terminal too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from realtime.labels import MEGC3
from train.chain.labels import OTHER
from train.chain.real.background import Background
from train.chain.real.outcome import Figures
from train.chain.show import NONE, line, rule


def lines(named: Sequence[Figures], others: Sequence[Figures], around: Background | None) -> Iterator[str]:
    """Expressions with a class, then the others, then confusions and what was false."""
    yield line("speed", "strength", "expressions", "of micro length", "told", "as micro", "as macro", "taken back",
                "named in three", "UAR", "among seven", "neutral", "apex error ms, median")  # fmt: skip
    yield rule(13)
    yield from (line(*_row(each)) for each in named)
    if others:
        yield ""
        yield line("others: speed", "strength", "movements", "told", "as micro", "as macro", "taken back")
        yield rule(7)
        yield from (line(*_other(each)) for each in others)
    yield ""
    yield line("told, in truth", "speed", "strength", *MEGC3, OTHER)
    yield rule(7)
    yield from (row for each in named for row in _confusion(each))
    if around:
        yield ""
        yield from _background(around)


def _row(found: Figures) -> tuple[object, ...]:
    return (
        f"{found.speed:g}", f"{found.strength:.2g}", found.marks, found.short, _of(found.told, found.marks),
        _of(found.micro, found.marks), _of(found.told - found.micro, found.marks), _of(found.taken_back, found.marks),
        _of(found.named, found.told), NONE if found.uar is None else f"{found.uar:.2f}",
        _of(found.fine_right, found.fine), found.neutral,
        NONE if found.apex_error_ms is None else f"{found.apex_error_ms:.0f}",
    )  # fmt: skip


def _other(found: Figures) -> tuple[object, ...]:
    told = (_of(count, found.marks) for count in (found.told, found.micro, found.told - found.micro, found.taken_back))
    return (f"{found.speed:g}", f"{found.strength:.2g}", found.marks, *told)


def _confusion(found: Figures) -> Iterator[str]:
    for truth, said in found.confusion.items():
        yield line(truth, f"{found.speed:g}", f"{found.strength:.2g}", *said.values())


def _background(found: Background) -> Iterator[str]:
    yield line("unmarked minutes", "false micro a minute", "false macro a minute", "taken back a minute", "neutral")
    yield rule(5)
    rates = (found.micro_per_minute, found.macro_per_minute, found.taken_back_per_minute)
    yield line(f"{found.minutes:.2f}", *(f"{rate:.2f}" for rate in rates), f"{found.neutral} of {found.events} events")
    clips = Counter(alarm.clip for alarm in found.alarms)
    if clips:
        yield ""
        yield "false in " + ", ".join(f"{clip} {count}" for clip, count in clips.most_common())


def _of(count: int, all_: int) -> str:
    return f"{count} of {all_} ({count / all_:.0%})" if all_ else NONE
