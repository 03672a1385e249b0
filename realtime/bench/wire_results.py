"""What `bench --wire` finds, as records and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from realtime.errors import PublishError


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds that half and 95 of a hundred stay below, and the longest."""

    p50: float
    p95: float
    max: float


class Ages(msgspec.Struct, frozen=True, kw_only=True):
    """How old the states are that a reader gets which takes 30 ms for each, at `rate_hz` messages a second."""

    rate_hz: float
    read: int
    age_ms: Spread


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to send every state to so many `subscribers` in another process: the median of some runs.

    `cpu_ms` is the CPU time of the pipeline's process for each frame of the sample as fast as possible, `send_us`
    that of a publisher which does nothing else for each state: both leave the subscribers' own work out. `fps`
    does not, where all cores are busy.
    """

    subscribers: int
    fps: float
    cpu_ms: float
    send_us: float


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """From an event's sending to a reader in another process that has it decoded."""

    events: int
    latency_ms: Spread


class Hearer(msgspec.Struct, frozen=True, kw_only=True):
    """A reader of events: how many it never got, how many came twice or out of order, and how late they were."""

    lost: int
    disordered: int
    latency_ms: Spread


class Soak(msgspec.Struct, frozen=True, kw_only=True):
    """Two readers of events beside one that hangs, one that restarts every second and one that sends garbage.

    `refused` is how many pieces of `garbage` were read and refused; others never got so far. `send_ms` is the
    longest that the publisher took for one message; memory is its process'.
    """

    seconds: float
    events: int
    hearers: tuple[Hearer, ...]
    restarts: int
    garbage: int
    refused: int
    send_ms: float
    rss_early_mb: float
    rss_late_mb: float


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; `loads` are without and with the crowd."""

    ages: tuple[Ages, ...]
    loads: tuple[Load, Load]
    latency: Latency
    soak: Soak


def spread(seconds: Sequence[float]) -> Spread:
    """Of durations in seconds."""
    if not seconds:
        raise PublishError(
            "a reader heard nothing at all: is this machine too busy, or its loopback interface blocked?"
        )
    p50, p95, longest = np.percentile(np.array(seconds) * 1e3, (50, 95, 100)).round(3).tolist()
    return Spread(p50=p50, p95=p95, max=longest)


def lines(found: Wire) -> Iterator[str]:
    """What was promised, and under it what was found."""
    yield "a state is never older than 50 ms where a reader takes 30 ms for each"
    for one in found.ages:
        yield f"  {one.rate_hz:3.0f} a second         {_told(one.age_ms)} old when it is read"
    without, crowded = found.loads
    yield f"{crowded.subscribers} readers of every state cost the pipeline less than 5 %"
    yield f"  CPU ms for a frame   {_change(without.cpu_ms, crowded.cpu_ms)}: the readers' own is not in it"
    yield f"  frames a second      {_change(without.fps, crowded.fps)}: the readers run on the same cores"
    of_a_core = 60.0 * (crowded.send_us - without.send_us) / 1e4
    yield f"  CPU us for a state   {without.send_us:.0f} without, {crowded.send_us:.0f} with, by a publisher alone:"
    yield f"                       {of_a_core:.1f} % of a core more at 60 a second"
    yield "an event is heard less than 5 ms after it is sent"
    yield f"  {found.latency.events} events           {_told(found.latency.latency_ms)}"
    soak = found.soak
    yield f"{soak.seconds:.0f} s beside one that hangs, one that restarts and one that sends garbage lose no event"
    for hearer in soak.hearers:
        kept = f"{hearer.lost} lost, {hearer.disordered} out of order"
        yield f"  {soak.events} events           {kept}, {_told(hearer.latency_ms)}"
    yield f"  {soak.restarts} restarts, {soak.garbage} pieces of garbage, of which {soak.refused} were read and refused"
    memory = f"{soak.rss_early_mb:.0f} MB before, {soak.rss_late_mb:.0f} after"
    yield f"  the publisher        {soak.send_ms:.1f} ms at most for a message, {memory}"


def _told(spread: Spread) -> str:
    return f"p50 {spread.p50:.2f}, p95 {spread.p95:.2f}, at most {spread.max:.2f} ms"


def _change(before: float, after: float) -> str:
    return f"{before:.2f} without, {after:.2f} with, {100 * (after / before - 1):+.1f} %"
