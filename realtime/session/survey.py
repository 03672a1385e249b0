"""What a first walk through a session finds, so that a second one knows what it is about to meet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from realtime.schema.message import Event, Meta, State
from realtime.session import limits
from realtime.session.read import Record


@dataclass(slots=True)
class SessionSurvey:
    """Names in the order in which they were first met, how long it was, and which answer about an event is the last."""

    expressions: dict[str, None] = field(default_factory=dict)  #: labels of faces
    probabilities: dict[tuple[str, str], None] = field(default_factory=dict)  #: engine and label, of events
    latencies: dict[str, None] = field(default_factory=dict)  #: stages
    last: dict[tuple[str, int], int] = field(default_factory=dict)  #: by camera and id of an event, its last `seq`
    spans: dict[str, tuple[float, float]] = field(
        default_factory=dict
    )  #: by camera, the times of its first and last frame
    faces: Counter[tuple[str, int]] = field(default_factory=Counter)  #: frames by camera and id
    sentences: set[object] = field(default_factory=set)  #: engines at work, and what was left out

    def take(self, record: Record) -> None:
        """Meet one more; SessionError once there is more of anything than a recording has."""
        self._meet(record)
        limits.check_count(self.faces, limits.MOST_FACES, "faces")
        limits.check_count(self.last, limits.MOST_EVENTS, "events")
        limits.check_count(self.expressions, limits.MOST_LABELS, "labels of faces")
        limits.check_count(self.probabilities, limits.MOST_LABELS, "labels of events")
        limits.check_count(self.latencies, limits.MOST_STAGES, "stages")
        limits.check_count(self.sentences, limits.MOST_SENTENCES, "engines and sentences")

    def _meet(self, record: Record) -> None:
        match record.message:
            case State(camera=camera, t=t, faces=faces):
                first, last = self.spans.get(camera, (math.inf, -math.inf))
                self.spans[camera] = min(first, t), max(last, t)
                for face in faces:
                    self.faces[camera, face.id] += 1
                    self.expressions.update(dict.fromkeys(face.expression))
            case Event() as event:
                self.last[event.camera, event.id] = event.seq
                names = ((engine, label) for engine, shares in event.probabilities.items() for label in shares)
                self.probabilities.update(dict.fromkeys(names))
            case Meta(latency_ms=latencies) as meta:
                self.latencies.update(dict.fromkeys(latencies))
                self.sentences.update(meta.engines, [meta.left_out])


def survey(records: Iterable[Record]) -> SessionSurvey:
    """Walk through them once."""
    found = SessionSurvey()
    for record in records:
        found.take(record)
    return found
