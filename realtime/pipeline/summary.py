"""What a run was: counts, rates, latencies, faces and events, for people and as JSON."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
import psutil

from realtime.pipeline.people import Presence
from realtime.pipeline.timing import Timings
from realtime.schema.message import Event, shortest_event_s

RECENT = 120  # frames over which the capture rate is measured
KEPT_EVENTS = 10_000
#: As pyproject.toml has it; "glimpse" itself is somebody else's on PyPI.
DISTRIBUTION = "glimpse-expressions"


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """`run` and `bench` give this with --json."""

    frames: int
    gaps: int
    fps: float
    latency_ms: dict[str, float]
    stages_ms: dict[str, dict[str, float]]
    faces: list[dict[str, float]]
    events: list[dict[str, Any]]
    rss_mb: float
    left_out: str = ""  #: what this computer had no time for at the end; "" where it had time for all
    note: str = ""  #: why nothing can have been found, what was wanted, and what to do; "" where something can


class RunCounter:
    """Gathers a run's numbers while it goes on."""

    def __init__(self) -> None:
        self.frames = self.gaps = 0
        self.timings = Timings()
        self.left_out = ""  #: what this computer has no time for
        self._began: float | None = None
        self._times: deque[float] = deque(maxlen=RECENT)
        self._presences: list[Presence] = []
        self._events: dict[int, Event] = {}

    def frame(self, t: float, gap: int) -> None:
        """Count one frame of time `t` (source's clock), `gap` lost before it."""
        self._began = self._began or time.perf_counter()
        self.frames, self.gaps = self.frames + 1, self.gaps + gap
        self._times.append(t)

    def face(self, presence: Presence) -> None:
        """A face has come; its record goes on being filled in."""
        self._presences.append(presence)

    def event(self, event: Event) -> None:
        """The newest answer about an event; one that is withdrawn is no event."""
        self._events.pop(event.id, None)
        if event.stage != "withdrawn" and len(self._events) < KEPT_EVENTS:
            self._events[event.id] = event

    @property
    def rate_hz(self) -> float:
        """Frames a second on the source's clock, over the newest ones; 0 while unknown."""
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def summary(self) -> Summary:
        """The numbers so far."""
        elapsed = time.perf_counter() - self._began if self._began else 0.0
        return Summary(
            frames=self.frames,
            gaps=self.gaps,
            fps=round(self.frames / elapsed, 2) if elapsed else 0.0,
            latency_ms=self.timings.percentiles_ms("total"),
            stages_ms={name: self.timings.percentiles_ms(name) for name in self.timings.names() if name != "total"},
            faces=[{"id": p.id, "first_s": round(p.first_s, 3), "last_s": round(p.last_s, 3)} for p in self._presences],
            events=list(map(plain, self._events.values())),
            rss_mb=rss_mb(),
            left_out=self.left_out,
            note=note(self.frames, self._presences, self.rate_hz),
        )


def note(frames: int, presences: Sequence[Presence], rate_hz: float) -> str:
    """What a run without events owes whoever reads it: that nobody was there to judge, or not for long enough."""
    if not frames:
        return ""
    if not presences:
        return f"no face was found in {frames} frames; wanted one that is seen from eyes to mouth: turn it, or light it"
    longest = max(presence.last_s - presence.first_s for presence in presences)
    wanted = shortest_event_s(rate_hz)
    if wanted is not None and longest >= wanted:
        return ""
    seen = f"{longest:.2f} s, at {rate_hz:.0f} frames a second" if longest else "a single frame"
    least = "several frames" if wanted is None else f"at least {wanted:.2f} s"
    return f"too short to judge: a face was seen for {seen}; wanted {least}: cut before the onset and after the offset"


def plain(event: Event) -> dict[str, Any]:
    """An event as the command line's JSON gives it."""
    names = ("id", "face", "kind", "onset_s", "apex_s", "offset_s", "emitted_s", "label", "confidence")
    return {name: _short(getattr(event, name)) for name in names} | {
        "probabilities": {k: {c: _short(p) for c, p in v.items()} for k, v in event.probabilities.items()},
        "quality": list(event.quality),
    }


def rss_mb(pid: int | None = None) -> float:
    """Memory of a process, this one if none is named, that lies in RAM, in MB (10^6 bytes); 0 once it is gone."""
    try:
        return round(float(psutil.Process(pid).memory_info().rss) / 1e6, 1)
    except psutil.NoSuchProcess:
        return 0.0


def lines(summary: Summary, title: str) -> Iterable[str]:
    """The closing table, and what is to be known below it."""
    yield from table(summary, title)
    yield from remarks(summary)


def table(summary: Summary, title: str) -> Iterable[str]:
    """The numbers alone."""
    latency = summary.latency_ms
    yield f"-- {title} " + "-" * max(60 - len(title), 2)
    yield f"frames             {summary.frames}    gaps {summary.gaps}    {summary.fps:.1f} frames a second"
    yield f"latency            p50 {latency['p50']:.1f} ms   p95 {latency['p95']:.1f} ms   p99 {latency['p99']:.1f} ms"
    for name, stage in summary.stages_ms.items():
        yield f"  {name:<16} p50 {stage['p50']:.2f} ms  p95 {stage['p95']:.2f} ms  p99 {stage['p99']:.2f} ms"
    yield f"faces              {len(summary.faces)}"
    yield f"events             {len(summary.events)}"
    yield f"memory             {summary.rss_mb:.0f} MB"


def remarks(summary: Summary) -> Iterable[str]:
    """Sentences, where there is something to say."""
    if summary.left_out:
        yield summary.left_out
    if summary.note:
        yield summary.note


def _short(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


@cache
def version() -> str:
    """Glimpse's version, as pyproject.toml has it; read once: every meta says it, and later no file may open."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown (realtime run from a folder)"
