"""Messages as rows of four tables; the columns say their units.

    states   a row for each face of each frame; a frame without a face has one row, whose face is empty
    events   a row for each event that stayed: the last answer about it. `units` are the action units that moved, as
             unit:side:left:right, such as 12:left:0.320:0.110, with a space between
    answers  a row for each answer, early and withdrawn ones too; `last` marks the one that replaced all others
    meta     a row for each second or so

Landmarks are left out: 936 columns of them would drown the rest. They stand in the session itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from realtime.schema.message import Event, FaceState, Meta, State, UnitMoved
from realtime.session.read import Record
from realtime.session.survey import SessionSurvey

Row = dict[str, Any]
#: Column -> what its cells are; any of them may be empty.
Columns = dict[str, type]

STATES, EVENTS, ANSWERS, META = "states", "events", "answers", "meta"
#: Columns that say how something was published, which is no news where a file was looked at.
OF_PUBLISHING = frozenset(("published_s", "seq", "camera", "latency_ms", "stage", "emitted_s", "reason"))


def columns(found: SessionSurvey) -> dict[str, Columns]:
    """The columns of every table, by its name, for a session in which `found` was met."""
    probabilities: Columns = {_probability(*names): float for names in found.probabilities}
    return {
        STATES: _STATE | _FACE | {_expression(label): float for label in found.expressions},
        EVENTS: {name: kind for name, kind in _EVENT.items() if name != "last"} | probabilities,
        ANSWERS: _EVENT | probabilities,
        META: _META | {_latency(stage, share): float for stage in found.latencies for share in _SHARES},
    }


def rows(record: Record, found: SessionSurvey) -> Iterator[tuple[str, Row]]:
    """The rows of a record, each with the name of its table; a column that is not in a row is empty."""
    at = {"published_s": record.at_s}
    match record.message:
        case State() as state:
            frame = at | _frame(state)
            for face in state.faces:
                yield STATES, frame | _face(face)
            if not state.faces:
                yield STATES, frame
        case Event() as event:
            last = found.last[event.camera, event.id] == event.seq
            row = at | _event(event, last=last)
            yield ANSWERS, row
            if last and event.stage != "withdrawn":
                yield EVENTS, row
        case Meta() as meta:
            yield META, at | _meta(meta)


_SHARES = ("p50", "p95", "p99")
_STATE: Columns = {
    "published_s": float, "camera": str, "t_s": float, "frame": int, "gap_frames": int, "latency_ms": float
}  # fmt: skip
_FACE: Columns = {
    "face": int, "box_left_px": float, "box_top_px": float, "box_width_px": float, "box_height_px": float,
    "yaw_deg": float, "pitch_deg": float, "roll_deg": float, "eye_distance_px": float, "sharpness_grey2": float,
    "brightness_grey": float, "quality": str, "score": float, "threshold": float,
}  # fmt: skip
_EVENT: Columns = {
    "published_s": float, "seq": int, "camera": str, "id": int, "face": int, "kind": str, "stage": str, "last": bool,
    "t_s": float, "onset_s": float, "apex_s": float, "offset_s": float, "emitted_s": float, "label": str,
    "confidence": float, "rate_hz": float, "quality": str, "reason": str, "units": str, "units_in_words": str,
}  # fmt: skip
_META: Columns = {
    "published_s": float, "camera": str, "t_s": float, "rate_hz": float, "frames": int, "gaps_frames": int,
    "dropped_frames": int, "faces": int, "events": int, "subscribers": int, "shortest_event_s": float,
    "engines": str, "version": str,
}  # fmt: skip


def _frame(state: State) -> Row:
    return {
        "camera": state.camera,
        "t_s": state.t,
        "frame": state.frame,
        "gap_frames": state.gap,
        "latency_ms": state.latency_ms,
    }


def _face(face: FaceState) -> Row:
    left, top, width, height = face.box
    return {
        "face": face.id,
        "box_left_px": left,
        "box_top_px": top,
        "box_width_px": width,
        "box_height_px": height,
        "yaw_deg": face.pose.yaw,
        "pitch_deg": face.pose.pitch,
        "roll_deg": face.pose.roll,
        "eye_distance_px": face.quality.size_px,
        "sharpness_grey2": face.quality.sharpness,
        "brightness_grey": face.quality.brightness,
        "quality": " ".join(face.quality.reasons),
        "score": face.score,
        "threshold": face.threshold,
    } | {_expression(label): share for label, share in face.expression.items()}


def _event(event: Event, *, last: bool) -> Row:
    row = {name: getattr(event, name) for name in _EVENT if hasattr(event, name)}
    row |= {"t_s": event.t, "last": last, "quality": " ".join(event.quality)}
    row |= {"units": " ".join(map(_unit, event.units)), "units_in_words": "; ".join(u.words for u in event.units)}
    return row | {
        _probability(engine, label): share
        for engine, shares in event.probabilities.items()
        for label, share in shares.items()
    }


def _unit(unit: UnitMoved) -> str:
    """Such as 12:left:0.320:0.110: number, side, and how strongly left and right."""
    return f"{unit.unit}:{unit.side}:{unit.left:.3f}:{unit.right:.3f}"


def _meta(meta: Meta) -> Row:
    row = {name: getattr(meta, name) for name in _META if hasattr(meta, name)}
    engines = (f"{engine.name} {engine.backend} {engine.precision}" for engine in meta.engines)
    row |= {"t_s": meta.t, "gaps_frames": meta.gaps, "dropped_frames": meta.dropped, "engines": ", ".join(engines)}
    return row | {
        _latency(stage, share): getattr(taken, share) for stage, taken in meta.latency_ms.items() for share in _SHARES
    }


def _expression(label: str) -> str:
    return f"expression_{label}"


def _probability(engine: str, label: str) -> str:
    return f"probability_{engine}_{label}"


def _latency(stage: str, share: str) -> str:
    return f"latency_{stage}_{share}_ms"
