"""A scripted session, recorded on a clock that the test moves: seconds of play in no time."""

import math
from types import SimpleNamespace

import cv2
import msgspec
import numpy as np
import pytest
from messages import RATE_HZ, ROOM, event, face, meta, state, unit

from realtime import session
from realtime.config import ROOT, load
from realtime.schema.message import Event, MomentPictures
from realtime.session import write

PACKAGES = [ROOT / "engines" / name for name in ("encoder", "cmn")]


def jpeg(shade):
    return cv2.imencode(".jpg", np.full((48, 64, 3), shade % 256, np.uint8))[1].tobytes()


class Numbered:
    """An outlet that keeps what it is sent."""

    def __init__(self):
        self.sent = []

    def state(self, state):
        self.sent.append(state)

    def event(self, event):
        self.sent.append(msgspec.structs.replace(event, seq=1 + sum(isinstance(m, Event) for m in self.sent)))
        return self.sent[-1]

    def meta(self, meta):
        self.sent.append(msgspec.structs.replace(meta, events=sum(isinstance(m, Event) for m in self.sent)))
        return self.sent[-1]


@pytest.fixture(scope="session")
def make():
    """Makers of messages and pictures."""
    return SimpleNamespace(
        face=face, state=state, event=event, unit=unit, meta=meta, jpeg=jpeg, camera=ROOM, rate_hz=RATE_HZ,
        packages=PACKAGES,
    )  # fmt: skip


@pytest.fixture
def outlet():
    return Numbered()


@pytest.fixture
def room():
    """A configuration of the camera that sessions are recorded from."""
    return load(overrides=[f"publish.camera={ROOM}", "spotter.open=0.11"])  # which no search will find


@pytest.fixture
def clock(monkeypatch):
    """What a recorder takes for the time; set `now` to move it."""
    held = SimpleNamespace(now=1000.0)
    fake = SimpleNamespace(monotonic=lambda: held.now, time=lambda: 1_700_000_000.0 + held.now)
    monkeypatch.setattr(write, "time", fake)
    return held


@pytest.fixture
def play(clock, room, tmp_path):
    """Record `seconds` of a face whose score swings, with a gap, an event in two answers, and one that is withdrawn."""

    def record(folder=tmp_path / "recorded", *, seconds=4.0, video=False):
        with session.Recorder(folder, room, PACKAGES, video=video) as recorder:
            recorded = session.RecordingOutlet(Numbered(), recorder)
            for frame in range(round(seconds * RATE_HZ)):
                if 60 <= frame < 63:
                    continue
                clock.now = 1000.5 + frame / RATE_HZ
                score = 2.0 + 2.0 * math.sin(frame / 7.0) + (6.0 if frame == 100 else 0.0)
                faces = () if frame < 5 else (face(1, score, ("dark",) if frame % 2 else ()),)
                recorded.state(state(frame, *faces, gap=3 if frame == 63 else 0))
                if video:
                    recorder.picture(frame / RATE_HZ, frame, jpeg(frame))
                if frame == 105:
                    recorded.event(event(1, 2.0, "early"))
                if frame == 112:
                    recorded.event(event(1, 2.0))
                    recorder.moment(1, MomentPictures(onset=jpeg(1), apex=jpeg(2), exaggerated=jpeg(3), times=4.0))
                if frame == 130:
                    recorded.event(event(2, 2.5, "withdrawn"))
                if frame % RATE_HZ == RATE_HZ - 1:
                    recorded.meta(meta((frame + 1) / RATE_HZ))
        return session.read(folder)

    return record
