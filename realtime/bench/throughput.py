"""How fast Glimpse is here: the face mesh alone, a file as fast as possible, then in real time; and where time goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial

import msgspec

from realtime.bench.mesh import MeshAlone, meshes_alone
from realtime.bench.mesh import lines as mesh_lines
from realtime.bench.threads import Snapshot, ThreadCost, costs, snapshot
from realtime.capture.around import Around
from realtime.capture.repeat import Repeated
from realtime.capture.source import Source, open_source
from realtime.config import Config
from realtime.engine.engine import Engine
from realtime.engine.factory import instruction_sets
from realtime.pipeline.pipeline import Pipeline
from realtime.pipeline.summary import Summary, rss_mb
from realtime.pipeline.summary import lines as summary_lines
from realtime.pipeline.timing import Timings
from realtime.publish import Unheard
from realtime.recognition.heads import engines
from realtime.recognition.recognise import Judges
from realtime.records import Frame

MESH_SHARE = 0.2  # of the seconds, for the face mesh alone
OURS = ("encode", "spot", "publish", "tell")  #: the stages of the thread that calls the pipeline


class StageCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage took for each frame, on the mean: `waits_ms` is what its own thread did not compute."""

    name: str
    wall_ms: float
    cpu_ms: float
    waits_ms: float


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a run went, for each frame."""

    cpu_ms: float  #: of all threads
    lock_wait_ms: float  #: that the pipeline's own thread waited for Python's lock, as far as is known
    stages: list[StageCost]
    threads: list[ThreadCost]


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """Both runs; memory at the first tenth and at the end, to see whether it grows."""

    fast: Summary
    realtime: Summary
    mesh: MeshAlone  #: MediaPipe's, or where that is not installed, our own engine's
    meshes: list[MeshAlone]  #: of every engine that is installed
    of_face_mesh: float  #: frames a second as fast as possible, of those of `mesh`
    fast_cost: Spent
    realtime_cost: Spent
    instruction_sets: dict[str, int]  #: of how many kernels of the encoder
    rss_early_mb: float
    rss_late_mb: float


class TimedSource(Around):
    """A source for `seconds` of the machine's time; it looks at the memory after a tenth, at threads at both ends."""

    def __init__(self, source: Source, seconds: float) -> None:
        super().__init__(source)
        self._seconds = seconds
        self.rss_early_mb = 0.0
        self.before = self.after = Snapshot(0.0, {})

    def frames(self) -> Iterator[Frame]:
        began = time.monotonic()
        self.before = snapshot()
        for frame in self._source.frames():
            elapsed = time.monotonic() - began
            if elapsed > self._seconds:
                break
            if elapsed > 0.1 * self._seconds and not self.rss_early_mb:
                self.rss_early_mb = rss_mb()
            yield frame
        self.after = snapshot()


def bench(config: Config, spec: str, seconds: float) -> Bench:
    """A fifth of `seconds` for the face mesh, the rest half as fast as possible, half in real time; everything on."""
    pair = engines(config)
    meshes = meshes_alone(config, partial(_played, config, spec, fast=True), seconds * MESH_SHARE)
    each = seconds * (1.0 - MESH_SHARE) / 2
    fast, fast_cost, early = _run(config, _played(config, spec, each, fast=True), pair)
    real, real_cost, _ = _run(config, _played(config, spec, each, fast=False), pair)
    return Bench(
        fast=fast,
        realtime=real,
        mesh=meshes[0],
        meshes=meshes,
        of_face_mesh=round(fast.fps / meshes[0].fps, 3),
        fast_cost=fast_cost,
        realtime_cost=real_cost,
        instruction_sets=instruction_sets(pair[0]),
        rss_early_mb=early,
        rss_late_mb=rss_mb(),
    )


def lines(found: Bench) -> Iterable[str]:
    """For people."""
    yield from mesh_lines(found.meshes)
    yield from (*summary_lines(found.fast, "as fast as possible"), *_cost_lines(found.fast_cost))
    yield from (*summary_lines(found.realtime, "in real time"), *_cost_lines(found.realtime_cost))
    yield f"of face mesh       {found.of_face_mesh:.2f} of {found.mesh.engine}'s frames a second, as fast as possible"
    yield f"kernels            {', '.join(f'{name} {count}' for name, count in found.instruction_sets.items())}"
    yield f"memory then        {found.rss_early_mb:.0f} MB early, {found.rss_late_mb:.0f} MB at the end"


def _cost_lines(cost: Spent) -> Iterator[str]:
    yield f"CPU a frame        {cost.cpu_ms:.2f} ms in all threads; waits for Python's lock {cost.lock_wait_ms:.2f} ms"
    for stage in cost.stages:
        yield f"  {stage.name:<16} {stage.wall_ms:.2f} ms: computing {stage.cpu_ms:.2f}, waiting {stage.waits_ms:.2f}"
    for thread in cost.threads:
        yield f"  thread {thread.name:<12} {thread.cpu_ms:.2f} CPU-ms, {thread.core_wait_ms:.2f} ms waiting for a core"


def _played(config: Config, spec: str, seconds: float, *, fast: bool) -> TimedSource:
    return TimedSource(Repeated(partial(open_source, spec, config.source, fast=fast)), seconds)


def _run(config: Config, source: TimedSource, pair: tuple[Engine, Judges]) -> tuple[Summary, Spent, float]:
    pipeline = Pipeline(config, source, Unheard(), pair)
    summary = pipeline.run()
    return summary, _cost(source, pipeline.counts.timings, summary.frames), source.rss_early_mb


def _cost(source: TimedSource, timings: Timings, frames: int) -> Spent:
    stages = [_stage(name, timings, frames) for name in timings.names() if name not in ("queue", "total")]
    threads = costs(source.before, source.after, frames)
    here = threading.current_thread().name
    for_core = sum(thread.core_wait_ms for thread in threads if thread.name == here)
    waits = sum(stage.waits_ms for stage in stages if stage.name in OURS)
    return Spent(
        cpu_ms=round((source.after.cpu_s - source.before.cpu_s) * 1e3 / max(frames, 1), 3),
        lock_wait_ms=round(max(waits - for_core, 0.0), 3),
        stages=stages,
        threads=threads,
    )


def _stage(name: str, timings: Timings, frames: int) -> StageCost:
    wall, cpu = (1e3 * seconds / max(frames, 1) for seconds in timings.sums(name))
    return StageCost(name=name, wall_ms=round(wall, 3), cpu_ms=round(cpu, 3), waits_ms=round(max(wall - cpu, 0.0), 3))
