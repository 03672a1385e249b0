"""How fast this machine is: the bundled sample, as fast as it goes, through everything, for a few seconds."""

from __future__ import annotations

import msgspec

from realtime.capture.source import open_source
from realtime.config import Config
from realtime.demo.truth import VIDEO
from realtime.doctor.finding import Finding
from realtime.errors import GlimpseError
from realtime.live import Live
from realtime.pipeline.summary import Summary

#: A first picture takes longer than all others: what is shorter says nothing.
LEAST_FRAMES = 30
#: A camera's pictures come in bursts, and the page wants a core now and then.
SPARE = 1.25


def speed(config: Config, seconds: float) -> Finding:
    """What a run of `seconds` came to, at free ports of this machine, with nothing recorded."""
    replace = msgspec.structs.replace
    free = dict.fromkeys(("state_port", "events_port", "replay_port", "frames_port"), 0)
    alone = replace(config, publish=replace(config.publish, host="127.0.0.1", keys="", **free))
    try:
        source = open_source(str(VIDEO), config.source, fast=True)
        try:
            with Live(alone) as live:
                summary = live.run(source, seconds)
        finally:
            source.close()
    except GlimpseError as error:
        return Finding("speed", "stop", " ".join(str(error).split()))
    return judge_speed(summary, config.source.rate_hz)


def judge_speed(summary: Summary | None, asked_hz: float) -> Finding:
    """What a run as fast as possible says of a camera of `asked_hz`."""
    if summary is None or summary.frames < LEAST_FRAMES:
        return Finding("speed", "look", "too few frames to tell", "give --seconds 10")
    if not summary.faces:
        return Finding("speed", "stop", f"no face in {summary.frames} frames of the sample", "report this")
    shown = f"{summary.fps:.0f} frames/s of one 640x360 face, everything on, {summary.rss_mb:.0f} MB"
    if summary.fps < asked_hz:
        todo = f"set source.rate_hz to {least_rate(summary.fps):g}, or close other programs; frames are left out else"
        return Finding("speed", "look", f"{shown}; the camera is asked for {asked_hz:g}", todo)
    if summary.fps < SPARE * asked_hz:
        return Finding("speed", "look", f"{shown}; just enough for {asked_hz:g}", "a second face will be too much")
    return Finding("speed", "ok", shown)


def least_rate(fps: float) -> float:
    """The highest of the rates that cameras have which leaves some time."""
    return next((rate for rate in (60.0, 50.0, 30.0, 25.0) if rate * SPARE <= fps), 15.0)
