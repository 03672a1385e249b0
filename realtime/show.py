"""A message as one line of plain text, in fixed columns: for terminals, logs and `grep`."""

from __future__ import annotations

from collections.abc import Mapping

from realtime.schema.message import Engine, Event, FaceState, Meta, Published, State

NOTHING = "-"


def line(message: Published) -> str:
    """`message` in one line of printable ASCII, without a line's end; its first word is the kind of message."""
    if isinstance(message, State):
        return _ascii(_state(message))
    return _ascii(_event(message) if isinstance(message, Event) else _meta(message))


def _event(event: Event) -> str:
    stage = f"{event.stage}: {event.reason}" if event.reason else event.stage
    units = f"  {'; '.join(unit.words for unit in event.units)}" if event.units else ""
    poor = f"  poor picture: {', '.join(event.quality)}" if event.quality else ""
    return (
        f"event {event.t:9.3f} s  {event.kind}  {event.label:<10} {event.confidence:4.2f}  "
        f"onset {event.onset_s:8.2f}  apex {event.apex_s:8.2f}  offset {_number(event.offset_s, 8, 2)}  "
        f"face {event.face:2d}  #{event.id:<4d} ({stage}){units}{poor}"
    )


def _state(state: State) -> str:
    gap = f"  {state.gap} lost before" if state.gap else ""
    faces = "".join(f"  | {_face(face)}" for face in state.faces)
    return (
        f"state {state.t:9.3f} s  frame {state.frame:7d}  {_number(state.latency_ms, 6, 1)} ms  "
        f"faces {len(state.faces):2d}{faces}{gap}"
    )


def _face(face: FaceState) -> str:
    label, probability = _top(face.expression)
    return (
        f"face {face.id:2d}  score {face.score:4.2f} of {face.threshold:4.2f}  {label:<10} {_number(probability, 4, 2)}"
    )


def _meta(meta: Meta) -> str:
    total = meta.latency_ms.get("total")
    latency = f"{total.p50:.1f} {total.p95:.1f} {total.p99:.1f}" if total else NOTHING
    shortest = NOTHING if meta.shortest_event_s is None else f"{1000 * meta.shortest_event_s:.0f}"
    engines = ", ".join(map(_engine, meta.engines)) or "none"
    left_out = f"  {meta.left_out}" if meta.left_out else ""
    return (
        f"meta  {meta.t:9.3f} s  {meta.rate_hz:5.1f} Hz  events from {shortest} ms  latency {latency} ms  "
        f"frames {meta.frames} gaps {meta.gaps} dropped {meta.dropped}  faces {meta.faces}  events {meta.events}  "
        f"engines {engines}{left_out}"
    )


def _engine(engine: Engine) -> str:
    instead = f" because {engine.fallback}" if engine.fallback else ""
    return f"{engine.name} ({engine.backend} {engine.precision}{instead})"


def _top(expression: Mapping[str, float]) -> tuple[str, float | None]:
    """The likeliest label, the first of equals; nothing where no engine has looked yet."""
    if not expression:
        return NOTHING, None
    label = max(expression, key=expression.__getitem__)
    return label, expression[label]


def _number(value: float | None, width: int, digits: int) -> str:
    return f"{NOTHING:>{width}}" if value is None else f"{value:{width}.{digits}f}"


def _ascii(text: str) -> str:
    """Labels and names come from outside: a terminal must not take them for commands."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)
