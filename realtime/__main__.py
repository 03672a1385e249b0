"""The command line: python -m realtime run | listen | bench | build | check | demo."""

from __future__ import annotations

import os
import signal

if __name__ == "__main__":
    # First of all, because a KeyboardInterrupt inside an import ends in any other error; and until a pipeline
    # runs, nothing is open that needs an orderly end.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

# The matrices here are tiny; OpenBLAS would keep a second thread spinning for them. Read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import logging
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from realtime import show
from realtime.config import Backend, Config, GpuBackend, load
from realtime.console import INTERRUPTED, application, errors_told, print_json
from realtime.errors import ConfigError
from realtime.message import Event, Message

app = application(
    "python -m realtime",
    "Glimpse watches faces, finds micro- and macro-expressions as they happen, and publishes them over ZeroMQ.",
)

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML file with the keys that differ from configs/realtime.toml.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change one key; may be given several times.")
]
Seconds = Annotated[float | None, typer.Option(min=0.0, help="Stop after so many seconds; without it, at the end.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens to stderr.")]


@app.command()
def run(
    source: Annotated[str, typer.Option(help="Camera number, video file, picture, or folder of pictures.")] = "0",
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Seconds = None,
    fast: Annotated[bool, typer.Option("--fast", help="Play a file as fast as possible, not in real time.")] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Watch a camera or a file and publish what is found; prints each event and a closing table.

    Listen from any other terminal with `python -m realtime listen`. Ctrl-C ends it cleanly.
    """
    with errors_told(_told(verbose), as_json):
        _run(_load(config, override), source, seconds, fast=fast, as_json=as_json)


@app.command()
def listen(
    config: ConfigFile = None,
    override: Overrides = None,
    events: Annotated[bool, typer.Option("--events", help="Only events, not the state of every frame.")] = False,
    seconds: Seconds = None,
    state_port: Annotated[int | None, typer.Option(help="Port of the state socket; else publish.state_port.")] = None,
    events_port: Annotated[int | None, typer.Option(help="Port of the events; else publish.events_port.")] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Print what a running Glimpse publishes, one line a message. Waits for one that is not there yet."""
    with errors_told(_told(verbose), as_json):
        publish = _load(config, override).publish
        ports = (state_port or publish.state_port, events_port or publish.events_port)
        for message in _heard(publish.host, *ports, states=not events, seconds=seconds):
            _print(msgspec.json.encode(message).decode() if as_json else show.line(message))


@app.command()
def bench(
    source: Annotated[str | None, typer.Option(help="Video file; it is repeated as long as it takes.")] = None,
    engines: Annotated[
        bool, typer.Option("--engines", help="Instead of a file: every engine, by every backend that runs here.")
    ] = False,
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Annotated[
        float, typer.Option(min=2.0, help="Of a file, half as fast as possible, half in real time; or of all engines.")
    ] = 60.0,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Measure this machine: frames a second, latency and memory with everything on, or the engines one by one.

    With --engines, each package is opened by each backend, which builds its plan on a GPU, checked as by `check`, and
    timed at batches of 1, 4 and 16. Exit code 1 if one does not answer as it was exported.
    """
    with errors_told(_told(verbose), as_json):
        settings = _load(config, override)
        if engines == (source is not None):
            raise ConfigError("bench measures one of two things: give --source FILE, or --engines")
        if source is None:
            _bench_engines(settings, seconds, as_json=as_json)
        else:
            _bench(settings, source, seconds, as_json=as_json)


@app.command()
def build(
    engine: Annotated[list[Path], typer.Argument(help="Folders of engine packages, such as engines/*.")],
    backend: Annotated[
        GpuBackend, typer.Option(help="tensorrt builds for the GPU at hand; tensorrt-rtx needs none.")
    ] = "tensorrt",
    capability: Annotated[
        str | None, typer.Option(help="With tensorrt-rtx: for GPUs of this compute capability, such as 8.6, alone.")
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Build TensorRT's plans into engines.cache, where the live system looks for them; the log shows how far it is.

    A plan that is there and fits is left as it is. Naming the nodes, it fails for packages that TensorRT cannot read.
    """
    from realtime.build import build as make
    from realtime.build import lines

    with errors_told("realtime", as_json, level=logging.DEBUG if verbose else logging.INFO):
        built = make([folder.resolve() for folder in engine], _load(config, override).engines, backend, capability)
        if as_json:
            print_json(built)
        else:
            _print(*lines(built))


@app.command()
def check(
    engine: Annotated[Path, typer.Argument(help="Folder of an engine package, such as engines/encoder.")],
    backend: Annotated[
        Backend | None, typer.Option(help="On exactly this, and nothing in its place; else as engines.device says.")
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Replay an engine's golden inputs on this machine and show how far its answers are from torch's."""
    from realtime.check import check as replay
    from realtime.check import lines

    with errors_told(_told(verbose), as_json):
        report = replay(engine.resolve(), _load(config, override).engines, backend)
        if as_json:
            print_json(report.to_dict())
        else:
            _print(*lines(report))
        if not report.ok:
            raise typer.Exit(1)


@app.command()
def demo(
    source: Annotated[
        str | None, typer.Option(help="Camera or file to watch instead of the bundled sample, which alone is scored.")
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Seconds = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Play the sample stream, or watch a camera; a subscriber in another process hears the events."""
    from realtime.demo import FREE_PORTS, Demo

    with errors_told(_told(verbose), as_json):
        settings = _load(config, [*(() if source else FREE_PORTS), *(override or [])])
        played = Demo(settings, _unheard if as_json else _print_event, *([source] if source else []))
        if not as_json:
            _print(f"{source or 'The sample stream, 25 s,'} plays; a second process subscribes and hears:")
        with _interruptible(played.pipeline.stop):
            found = played.run(seconds)
        if as_json:
            print_json(found.to_dict())
        else:
            _print(*found.lines(source or "sample stream"))
        if played.pipeline.stopped:
            raise typer.Exit(INTERRUPTED)


def _bench(settings: Config, source: str, seconds: float, *, as_json: bool) -> None:
    from realtime.bench import bench as measure
    from realtime.summary import lines

    found = measure(settings, source, seconds)
    if as_json:
        print_json({**msgspec.to_builtins(found.fast), **msgspec.to_builtins(found)})
        return
    for title, summary in (("as fast as possible", found.fast), ("in real time", found.realtime)):
        _print(*lines(summary, title))
    _print(f"memory then        {found.rss_early_mb:.0f} MB early, {found.rss_late_mb:.0f} MB at the end")


def _bench_engines(settings: Config, seconds: float, *, as_json: bool) -> None:
    from realtime.bench_engines import bench_engines, lines

    found = bench_engines(settings.engines, seconds)
    if as_json:
        print_json(found)
    else:
        _print(*lines(found))
    if not found.ok:
        raise typer.Exit(1)


def _run(settings: Config, spec: str, seconds: float | None, *, fast: bool, as_json: bool) -> None:
    from realtime.pipeline import Pipeline, engines
    from realtime.publish import Publisher
    from realtime.source import open_source
    from realtime.summary import lines

    source = open_source(spec, settings.source, fast=fast)
    with Publisher(settings.publish) as publisher:
        told = None if as_json else _print_event
        pipeline = Pipeline(settings, source, publisher, engines(settings), told)
        if not as_json:
            _print(f"state on {publisher.state_address}, events on {publisher.events_address}; Ctrl-C ends")
        with _interruptible(pipeline.stop):
            summary = pipeline.run(seconds)
    if as_json:
        print_json(msgspec.to_builtins(summary))
    else:
        _print(*lines(summary, spec))
    if pipeline.stopped:
        raise typer.Exit(INTERRUPTED)


def _heard(host: str, state_port: int, events_port: int, *, states: bool, seconds: float | None) -> Iterator[Message]:
    """Messages of a running Glimpse until `seconds` are over or the process is told to end."""
    from realtime.publish import Subscriber

    signal.signal(signal.SIGTERM, _interrupt)
    with Subscriber(host, state_port, events_port, states=states, events=True) as subscriber:
        until = math.inf if seconds is None else time.monotonic() + seconds
        if subscriber.ready(1e9 if seconds is None else seconds):
            print("listening", file=sys.stderr, flush=True)
        while time.monotonic() < until:
            received = subscriber.receive(0.1)
            if received is not None:
                yield received.message


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


@contextmanager
def _interruptible(stop: Any) -> Iterator[None]:
    """The first Ctrl-C, or SIGTERM, asks for a clean end; a second one does not wait."""

    def asked(number: int, _: Any) -> None:
        stop()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _told(verbose: bool) -> str:
    return "realtime" if verbose else ""


def _load(path: Path | None, overrides: list[str] | None) -> Config:
    return load(path, overrides or ())


def _print(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)


def _unheard(_: Event) -> None:
    """With --json the events come at the end, with everything else."""


def _print_event(event: Event) -> None:
    _print(show.line(event))


if __name__ == "__main__":
    app()
