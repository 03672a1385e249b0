"""What Prometheus reads. Cameras are told apart by their kind alone: visitors' names would never end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from realtime.schema.message import Event, Meta, Published
from realtime.view.access.waiting_room import WaitingRoom
from realtime.view.upstream.camera_names import is_browser_camera
from realtime.view.upstream.link import RecogniserLink
from realtime.view.visit.protocol import Fate

Kind = Literal["server", "browser"]
#: Counts of a meta, which begin anew with each stream.
COUNTS = {
    "frames": "frames that were watched",
    "gaps": "frames that a camera lost",
    "dropped": "frames that nobody had time for",
}
#: Sums over the newest metas of the cameras of a kind.
SUMS: dict[str, tuple[str, Callable[[list[Meta]], float]]] = {
    "cameras": ("cameras that are watched", len),
    "faces": ("faces that are seen", lambda metas: sum(meta.faces for meta in metas)),
    "rate_hz": ("lowest rate of capture", lambda metas: min((meta.rate_hz for meta in metas), default=0.0)),
    "encoder_hz": (
        "lowest rate at which the encoder may look",
        lambda metas: min((meta.encoder_hz for meta in metas), default=0.0),
    ),
    "left_out": ("whether something is left out for lack of time", lambda metas: any(meta.left_out for meta in metas)),
}


class Metrics:
    """Counts of this page since it was started, and how things are now."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._last: dict[str, Meta] = {}
        self._counts = {name: self._counter(name, about, "camera") for name, about in COUNTS.items()}
        self._events = self._counter("events", "answers about facial events", "camera", "kind", "stage")
        self._pictures = self._counter("pictures_in", "pictures from browsers, by what became of them", "fate")
        self._bytes = self._counter("bytes_in", "bytes of those pictures")

    def watch(self, link: RecogniserLink, room: WaitingRoom) -> None:
        """Read what is now from these."""
        self.registry.register(_Now(link, room))

    def hear(self, message: Published) -> None:
        """A message of the recogniser."""
        if isinstance(message, Event):
            self._events.labels(kind_of(message.camera), message.kind, message.stage).inc()
        elif isinstance(message, Meta):
            self._count(message)

    def picture(self, fate: Fate, size: int) -> None:
        """A picture came from a browser."""
        self._pictures.labels(fate).inc()
        self._bytes.inc(size)

    def forget_but(self, cameras: Iterable[str]) -> None:
        """Forget every camera but these."""
        self._last = {camera: self._last[camera] for camera in cameras if camera in self._last}

    def text(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"glimpse_{name}", about, labels, registry=self.registry)

    def _count(self, meta: Meta) -> None:
        last = self._last.get(meta.camera)
        self._last[meta.camera] = meta
        for name, counter in self._counts.items():
            new, old = getattr(meta, name), getattr(last, name) if last else 0
            counter.labels(kind_of(meta.camera)).inc(new - old if new >= old else new)


class _Now:
    """How things are when they are asked for; of several cameras of a kind the worst."""

    def __init__(self, link: RecogniserLink, room: WaitingRoom) -> None:
        self._link, self._room = link, room

    def collect(self) -> Iterator[Metric]:
        metas = list(self._link.newest.values())
        yield _gauge("up", "whether the recogniser was heard lately", self._link.there)
        yield _gauge("visitors", "visitors with a place", len(self._room.inside))
        yield _gauge("waiting", "visitors who wait for one", len(self._room.waiting))
        yield _gauge("subscribers", "who listens to events", max((meta.subscribers for meta in metas), default=0))
        yield _gauge("missed", "events that never came here", self._link.missed)
        yield _gauge("malformed", "messages that could not be read here", self._link.malformed)
        yield from _by_kind(metas)
        yield _latencies(metas)
        yield _engines(metas)


def kind_of(camera: str) -> Kind:
    """Whose camera it is."""
    return "browser" if is_browser_camera(camera) else "server"


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"glimpse_{name}", about, value=value)


def _by_kind(metas: list[Meta]) -> Iterator[Metric]:
    for name, (about, summed) in SUMS.items():
        family = GaugeMetricFamily(f"glimpse_{name}", about, labels=["camera"])
        for kind in ("server", "browser"):
            family.add_metric([kind], summed([meta for meta in metas if kind_of(meta.camera) == kind]))
        yield family


def _latencies(metas: list[Meta]) -> Metric:
    family = GaugeMetricFamily(
        "glimpse_latency_ms",
        "how long a stage takes, waiting in queues being stages too",
        labels=["camera", "stage", "percentile"],
    )
    worst: dict[tuple[str, str, str], float] = {}
    for meta in metas:
        for stage, found in meta.latency_ms.items():
            for percentile in ("p50", "p95", "p99"):
                labels = (kind_of(meta.camera), stage, percentile)
                worst[labels] = max(worst.get(labels, 0.0), getattr(found, percentile))
    for where, value in worst.items():
        family.add_metric(where, value)
    return family


def _engines(metas: list[Meta]) -> Metric:
    family = GaugeMetricFamily(
        "glimpse_engine_info", "engines at work", labels=["name", "backend", "precision", "sha256", "fallback"]
    )
    for one in {engine for meta in metas for engine in meta.engines}:
        family.add_metric([one.name, one.backend, one.precision, one.sha256, str(one.fallback is not None).lower()], 1)
    return family
