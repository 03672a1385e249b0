"""Messages of the wire as tests want them, whole, with what a test names changed; and where they may be sent."""

import msgspec

from realtime.config import load
from realtime.schema.message import Engine, Event, FaceQuality, FaceState, HeadPose, Meta, Percentiles, State, UnitMoved

#: Sockets at any free ports, and every state is sent.
PUBLISH = msgspec.structs.replace(
    load().publish, state_port=0, events_port=0, replay_port=0, frames_port=0, rate_hz=0.0, linger_s=0.2
)
RATE_HZ = 50
ROOM = "room-1"


def face(id, score, reasons=(), **changes):
    values = {
        "id": id,
        "box": (10.5, 20.0, 100.0, 120.0),
        "landmarks": None,
        "pose": HeadPose(yaw=1.5, pitch=-2.0, roll=0.25),
        "quality": FaceQuality(size_px=70.0, sharpness=90.0, brightness=128.0, reasons=reasons),
        "score": score,
        "threshold": 4.5,
        "expression": {"neutral": 0.75, "happiness": 0.25},
    }
    return FaceState(**values | changes)


def state(frame, *faces, **changes):
    values = {"t": frame / RATE_HZ, "camera": ROOM, "frame": frame, "gap": 0, "latency_ms": 10.0 + frame % 5}
    return State(**values | changes, faces=faces)


def event(id, apex_s, stage="final", kind="micro", camera=ROOM, **changes):
    values = {
        "t": apex_s + 0.15,
        "camera": camera,
        "id": id,
        "face": 1,
        "kind": kind,
        "stage": stage,
        "onset_s": apex_s - 0.1,
        "apex_s": apex_s,
        "offset_s": apex_s + 0.12 if stage == "final" else None,
        "emitted_s": apex_s + 0.15,
        "label": "surprise",
        "confidence": 0.8125,
        "probabilities": {"cmn": {"surprise": 0.75, "negative": 0.25}},
        "quality": (),
        "rate_hz": float(RATE_HZ),
        "reason": "unsure" if stage == "withdrawn" else "",
    }
    return Event(**values | changes)


def unit(words, **changes):
    values = {"unit": "12", "side": "left", "left": 0.32, "right": 0.11, "words": words}
    return UnitMoved(**values | changes)


def meta(t, **changes):
    values = {
        "t": t,
        "camera": ROOM,
        "engines": (
            Engine(name="encoder", sha256="0" * 64, labels=("neutral", "happiness"), precision="bf16", backend="cpu"),
        ),
        "rate_hz": float(RATE_HZ),
        "latency_ms": {"total": Percentiles(p50=11.0, p95=16.0, p99=20.0)},
        "frames": round(t * RATE_HZ),
        "gaps": 3,
        "dropped": 0,
        "faces": 1,
        "shortest_event_s": 0.08,
        "version": "0.1.0",
    }
    return Meta(**values | changes)
