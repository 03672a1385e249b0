"""How fast the engine packages are on this machine, by each backend that runs here, and whether they answer right.

A figure of a network that answers wrongly is worth nothing, so each is checked before it is timed.
"""

from __future__ import annotations

import math
import os
import platform
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np

from realtime.config import ROOT, Backend, EnginesConfig
from realtime.engine.check import CheckReport, golden, replay
from realtime.engine.engine import Engine
from realtime.engine.factory import BACKENDS, open_with
from realtime.engine.package.manifest import GOLDEN, MANIFEST
from realtime.errors import EngineError, EngineLost
from realtime.pipeline.timing import Timings
from realtime.records import Floats

BATCHES = (1, 4, 16)
FEWEST_CALLS, WARM_CALLS = 5, 3
STREAM_HZ = 30.0
CPUS = Path("/proc/cpuinfo")


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures belong to."""

    cpu: str
    cores: int
    gpus: tuple[str, ...]  #: name and driver of each
    threads: int  #: that an engine on the CPU may take, `engines.threads`


class BatchSpeed(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that go through in one call."""

    rows: int
    calls: int
    p50_ms: float  #: of a call, arrays in memory to arrays in memory
    p99_ms: float
    rows_per_s: float


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """One package on one backend."""

    package: str
    backend: str  #: library and version
    precision: str
    open_s: float  #: to compile the network, or to build its plan or find it built
    check: CheckReport
    batches: tuple[BatchSpeed, ...]
    streams: int  #: of 30 frames a second that the best batch has rows for, if each frame is a row
    best_batch: int

    def figures(self) -> dict[str, object]:
        """The most important, one level deep."""
        calls = {f"p{q}_ms_of_{one.rows}": getattr(one, f"p{q}_ms") for one in self.batches for q in (50, 99)}
        return {"backend": self.backend, "precision": self.precision} | calls | {"streams": self.streams}


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """A backend that does not run a package here."""

    package: str
    backend: str
    reason: str
    failed: bool  #: though nothing is missing: no GPU, no library, no server


class EngineBench(msgspec.Struct, frozen=True, kw_only=True):
    """What `bench --engines` gives with --json."""

    machine: Hardware
    speeds: tuple[Speed, ...]
    absent: tuple[Absent, ...]

    @property
    def ok(self) -> bool:
        """Whether all that could run did, and answered as it was exported."""
        return all(speed.check.ok for speed in self.speeds) and not any(absent.failed for absent in self.absent)


def bench_engines(config: EnginesConfig, seconds: float) -> EngineBench:
    """Open, check and time every package of `config.folder` by every backend; `seconds` are shared by all of them."""
    folders = packages(config)
    tried = [_tried(folder, backend, config, seconds / len(folders)) for folder in folders for backend in BACKENDS]
    return EngineBench(
        machine=machine(config),
        speeds=tuple(found for found in tried if isinstance(found, Speed)),
        absent=tuple(found for found in tried if isinstance(found, Absent)),
    )


def packages(config: EnginesConfig) -> list[Path]:
    """Every engine package of the configured folder, by name; EngineError if there is none."""
    where = ROOT / config.folder
    found = sorted(path.parent for path in where.glob(f"*/{MANIFEST}"))
    if not found:
        raise EngineError(f"there is nothing to measure in {where}:", ["no engine package: check engines.folder"])
    return found


def speed(engine: Engine, folder: Path, open_s: float, seconds: float) -> Speed:
    """Check `engine`, the package in `folder`, then time it for `seconds`, or for a few runs if they take longer."""
    checked = replay(engine, folder)
    inputs, _ = golden(folder / GOLDEN, engine)
    batches = tuple(_batch(engine, inputs, rows, seconds / len(BATCHES)) for rows in BATCHES)
    best = max(batches, key=lambda batch: batch.rows_per_s)
    return Speed(
        package=engine.manifest.name,
        backend=engine.backend,
        precision=engine.precision,
        open_s=round(open_s, 3),
        check=checked,
        batches=batches,
        streams=math.floor(best.rows_per_s / STREAM_HZ),
        best_batch=best.rows,
    )


def machine(config: EnginesConfig) -> Hardware:
    """The machine that this runs on."""
    return Hardware(cpu=_cpu(), cores=os.cpu_count() or 1, gpus=_gpus(), threads=config.threads)


def lines(found: EngineBench) -> Iterator[str]:
    """A table: a line for each package and backend that runs, then those that do not, then the machine."""
    titles = "".join(f" {f'p50/p99 ms, {rows}':>20}" for rows in BATCHES)
    yield f"{'package':<16} {'backend':<24} {'precision':<9} {'check':<6}{titles} {'streams at 30/s':>22}"
    for one in found.speeds:
        calls = "".join(f" {f'{batch.p50_ms:.2f} / {batch.p99_ms:.2f}':>20}" for batch in one.batches)
        verdict, streams = "ok" if one.check.ok else "FAILED", f"{one.streams} (batch {one.best_batch})"
        yield f"{one.package:<16} {one.backend:<24} {one.precision:<9} {verdict:<6}{calls} {streams:>22}"
    for backend, failed, reason in dict.fromkeys((one.backend, one.failed, one.reason) for one in found.absent):
        yield f"{backend} {'FAILED' if failed else 'does not run here'}: {reason}"
    box = found.machine
    gpus = ", ".join(box.gpus) or "no GPU"
    yield f"on {box.cpu}, {box.cores} cores, engines.threads = {box.threads}, {gpus}"


def _tried(folder: Path, backend: Backend, config: EnginesConfig, seconds: float) -> Speed | Absent:
    began = time.perf_counter()
    try:
        engine = open_with(backend, folder, config)
        return speed(engine, folder, time.perf_counter() - began, seconds)
    except EngineError as error:
        failed = not isinstance(error, EngineLost)
        return Absent(package=folder.name, backend=backend, reason=str(error), failed=failed)


def _batch(engine: Engine, golden_inputs: Mapping[str, Floats], rows: int, seconds: float) -> BatchSpeed:
    """Time calls of `rows` golden rows, repeated as often as it takes."""
    inputs = {name: np.resize(array, (rows, *array.shape[1:])) for name, array in golden_inputs.items()}
    for _ in range(WARM_CALLS):
        engine.run(inputs)
    timings, calls, began = Timings(), 0, time.perf_counter()
    while calls < FEWEST_CALLS or time.perf_counter() - began < seconds:
        with timings.measure("call"):
            engine.run(inputs)
        calls += 1
    rows_per_s = round(rows * calls / (time.perf_counter() - began), 1)
    found = timings.percentiles_ms("call")
    return BatchSpeed(rows=rows, calls=calls, p50_ms=found["p50"], p99_ms=found["p99"], rows_per_s=rows_per_s)


def _cpu() -> str:
    try:
        stated = [line for line in CPUS.read_text().splitlines() if line.startswith("model name")]
    except OSError:  # not Linux
        stated = []
    return stated[0].partition(":")[2].strip() if stated else platform.processor() or platform.machine()


def _gpus() -> tuple[str, ...]:
    """Name and driver of each, as NVIDIA's own tool has them."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip().replace(", ", ", driver ") for line in told.splitlines() if line.strip())
