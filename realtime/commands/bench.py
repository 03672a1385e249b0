"""`python -m realtime bench`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import typer

from realtime.config import Config, load
from realtime.console.console import errors_told
from realtime.console.options import AsJson, ConfigFile, Overrides, Verbose, answer, told
from realtime.errors import ConfigError


def bench(
    source: Annotated[
        str | None, typer.Option(help="Video file, or sample: the bundled stream; it is repeated as long as it takes.")
    ] = None,
    streams: Annotated[
        int,
        typer.Option(min=0, help="With --source: how many such cameras at once, up to this number, stay within 50 ms."),
    ] = 0,
    isa: Annotated[
        Literal["", "avx2"], typer.Option(help="Limit OpenVINO to this instruction set, which ordinary computers have.")
    ] = "",
    engines: Annotated[
        bool, typer.Option("--engines", help="Instead of a file: every engine, by every backend that runs here.")
    ] = False,
    wire: Annotated[
        bool, typer.Option("--wire", help="Instead of a file: states and events on their way, and who misuses them.")
    ] = False,
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Annotated[
        float,
        typer.Option(min=2.0, help="Of a file, of each number of streams, of all engines, or of the wire's soak."),
    ] = 60.0,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Measure this machine: frames a second, latency and memory with everything on, or the engines one by one.

    With --source, the face mesh alone runs for a fifth of the time, the rest is half as fast as possible, half in real
    time; the table says for each stage what it computes and what it waits for, and what the mesh alone would do.

    With --engines, each package is opened by each backend, which builds its plan on a GPU, checked as by `check`, and
    timed at batches of 1, 4 and 16. Exit code 1 if one does not answer as it was exported.

    With --wire: how old states are where they are read slowly, what 50 subscribers cost, how soon an event is heard,
    and whether one is lost while others hang, restart and send garbage.
    """
    with errors_told(told(verbose), as_json):
        settings = load(config, override)
        if engines + wire + (source is not None) != 1:
            raise ConfigError("bench measures one of three things: give --source FILE, --engines, or --wire")
        if streams and source is None:
            raise ConfigError("--streams says how many cameras play a file; give --source FILE as well")
        if isa:
            _limit(isa)
        if wire:
            _bench_wire(settings, seconds, as_json=as_json)
        elif source is None:
            _bench_engines(settings, seconds, as_json=as_json)
        elif streams:
            _bench_streams(settings, _file(source), streams, seconds, as_json=as_json)
        else:
            _bench(settings, _file(source), seconds, as_json=as_json)


def _file(source: str) -> str:
    from realtime.demo.truth import VIDEO

    return str(VIDEO) if source == "sample" else source


def _limit(isa: str) -> None:
    from realtime.engine.backends.openvino import limit_instructions

    limit_instructions(isa)


def _bench(settings: Config, source: str, seconds: float, *, as_json: bool) -> None:
    from realtime.bench.throughput import bench as measure
    from realtime.bench.throughput import lines

    found = measure(settings, source, seconds)
    answer({**msgspec.to_builtins(found.fast), **msgspec.to_builtins(found)}, lines(found), as_json=as_json)


def _bench_streams(settings: Config, source: str, most: int, seconds: float, *, as_json: bool) -> None:
    from realtime.bench.streams import bench_streams, lines

    found = bench_streams(settings, source, most, seconds)
    answer(found, lines(found), as_json=as_json)


def _bench_engines(settings: Config, seconds: float, *, as_json: bool) -> None:
    from realtime.bench.engines import bench_engines, lines

    found = bench_engines(settings.engines, seconds)
    answer(found, lines(found), as_json=as_json)
    if not found.ok:
        raise typer.Exit(1)


def _bench_wire(settings: Config, seconds: float, *, as_json: bool) -> None:
    from realtime.bench.wire import bench_wire
    from realtime.bench.wire_results import lines

    found = bench_wire(settings, seconds)
    answer(found, lines(found), as_json=as_json)
