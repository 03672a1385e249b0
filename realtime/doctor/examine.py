"""All checks in the order of a report: what is installed, the machine, what Glimpse runs on, and what it looks at."""

from __future__ import annotations

from collections.abc import Iterator

from realtime.config import Config
from realtime.doctor.camera import camera
from realtime.doctor.clock import clock
from realtime.doctor.disk import disk
from realtime.doctor.engines import engines
from realtime.doctor.finding import Finding, Report
from realtime.doctor.processor import processor
from realtime.doctor.secrets import secrets
from realtime.doctor.sockets import running, sockets
from realtime.doctor.software import installed, software
from realtime.doctor.speed import speed

#: A source of this name is none here: cameras elsewhere alone.
ELSEWHERE = "none"


def examine(config: Config, source: str, seconds: float) -> Report:
    """Look at everything; the camera and the speed are looked at for `seconds` each, and left out for 0."""
    return Report(tuple(_findings(config, source, seconds)))


def _findings(config: Config, source: str, seconds: float) -> Iterator[Finding]:
    there = running(config.publish)
    yield from software()
    yield from processor()
    yield from engines(config.engines, installed())
    if seconds and source != ELSEWHERE:
        yield from camera(source, config.source, seconds, watched=bool(there))
    if seconds:
        yield speed(config, seconds)
    yield sockets(config, runs=there is not None)
    yield from secrets(config)
    yield disk(config)
    yield clock()
