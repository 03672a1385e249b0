"""What a first walk through a session finds, so that a second one knows what it is about to meet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from realtime.message import Event, Meta, State
from realtime.session.read import Record


@dataclass(slots=True)
class Survey:
    """Names in the order in which they were first met, and which answer about an event is the last."""

    expressions: dict[str, None] = field(default_factory=dict)  #: labels of faces
    probabilities: dict[tuple[str, str], None] = field(default_factory=dict)  #: engine and label, of events
    latencies: dict[str, None] = field(default_factory=dict)  #: stages
    last: dict[tuple[str, int], int] = field(default_factory=dict)  #: by camera and id of an event, its last `seq`


def survey(records: Iterable[Record]) -> Survey:
    """Walk through them once."""
    found = Survey()
    for record in records:
        match record.message:
            case State(faces=faces):
                for face in faces:
                    found.expressions.update(dict.fromkeys(face.expression))
            case Event() as event:
                found.last[event.camera, event.id] = event.seq
                names = ((engine, label) for engine, shares in event.probabilities.items() for label in shares)
                found.probabilities.update(dict.fromkeys(names))
            case Meta(latency_ms=latencies):
                found.latencies.update(dict.fromkeys(latencies))
    return found
