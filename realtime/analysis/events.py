"""The events of a file as JSON: the last answer about each, and how many were withdrawn."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from realtime.schema.message import Event

#: Of a message, what says how it was published.
LEFT_OUT = ("schema", "t", "camera", "seq", "run", "stage", "emitted_s", "reason")


def told(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Those that stayed, in the order of their onsets."""
    stayed = sorted((event for event in events if event.stage != "withdrawn"), key=lambda event: event.onset_s)
    return [
        {name: value for name, value in msgspec.to_builtins(event).items() if name not in LEFT_OUT} for event in stayed
    ]


def write(path: Path, file: str, seconds: float, frames: int, events: Iterable[Event], version: str) -> None:
    """`file` by its name, how long it plays, and its events, whose times are seconds from its beginning."""
    known = list(events)
    whole = {
        "file": file,
        "glimpse": version,
        "seconds": round(seconds, 3),
        "frames": frames,
        "withdrawn": sum(event.stage == "withdrawn" for event in known),
        "events": told(known),
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
