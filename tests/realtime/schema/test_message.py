import json
import math
import random
from dataclasses import replace
from pathlib import Path

import jsonschema
import msgpack
import msgspec
import numpy as np
import pytest
from messages import meta

from realtime import schema
from realtime.errors import MessageError
from realtime.records import Box, Expression, Face, MovedUnit, Pose, Quality
from realtime.schema.message import (
    LONGEST_BYTES,
    AskEvents,
    Event,
    Events,
    Picture,
    State,
    decode,
    encode,
    event_from,
    face_state,
    points,
    shortest_event_s,
    topic_of,
)

EXPRESSION = Expression(
    id=7,
    face=1,
    kind="micro",
    stage="final",
    onset_s=12.2,
    apex_s=12.31,
    offset_s=12.45,
    emitted_s=12.5,
    label="surprise",
    confidence=0.81,
    probabilities={"cmn": {"negative": 0.1, "positive": 0.09, "surprise": 0.81}},
    quality=("small",),
    reason="",
    units=(MovedUnit("12", "left", 0.32, 0.11, "lip corners up, left more than right"),),
)
FACE = Face(
    id=1,
    t=12.5,
    box=Box(10.0, 20.0, 110.0, 120.0),
    landmarks=np.random.default_rng(0).uniform(0, 640, (468, 3)).astype(np.float32),
    pose=Pose(1.0, -2.0, 3.0),
    quality=Quality(70.0, 90.0, 128.0, ()),
)
EVENT = event_from(EXPRESSION, "0", 60.0)
STATE = State(
    t=12.5,
    camera="0",
    frame=750,
    gap=0,
    latency_ms=8.5,
    faces=(face_state(FACE, 3.2, 7.0, {"neutral": 0.6, "happiness": 0.4}, points(FACE.landmarks)),),
)
META = meta(13.0, camera="0")
MESSAGES = [STATE, EVENT, META]  # these are published, and say their time
PICTURE = Picture(t=1.5, camera="visitor-3f9ac2d1", number=7, jpeg=b"\xff\xd8\xff\xe0")
ASK = AskEvents(id=3, since=41)
ANSWER = Events(id=3, first=1, last=42, events=(EVENT,))
ALL = [*MESSAGES, PICTURE, ASK, ANSWER]


def packed(topic: str, **fields: object) -> bytes:
    """What another program could send: a message of ours with `fields` changed or added."""
    kinds = {"state": STATE, "event": EVENT, "meta": META, "frame": PICTURE, "ask": ASK, "answer": ANSWER}
    message = kinds[topic.partition("/")[0]]
    return topic.encode() + b"\0" + msgpack.packb({**msgspec.to_builtins(message), **fields})


@pytest.mark.parametrize("message", ALL, ids=topic_of)
def test_a_message_comes_back_as_it_went(message):
    topic = topic_of(message)
    assert decode(encode(topic, message)) == (topic, message)


@pytest.mark.parametrize(
    ("message", "topic"),
    [(STATE, "state/0"), (META, "meta"), (EVENT, "event/0/micro")],
    ids=lambda value: str(value)[:6],
)
def test_a_frame_is_topic_nul_msgpack_and_any_msgpack_reads_it(message, topic):
    head, nul, body = encode(topic_of(message), message).partition(b"\0")
    assert (head, nul) == (topic.encode(), b"\0")
    assert msgpack.unpackb(body) == json.loads(msgspec.json.encode(message))


@pytest.mark.parametrize("message", [*MESSAGES, ASK, ANSWER], ids=topic_of)
def test_what_is_sent_keeps_to_the_published_schema(message):
    name = topic_of(message).partition("/")[0]
    body = msgpack.unpackb(encode(topic_of(message), message).partition(b"\0")[2])
    written = json.loads((schema.FOLDER / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(written)
    jsonschema.validate(body, written)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**body, "t": "soon", "id": "seven"}, written)


def test_the_schema_files_are_those_of_the_types(tmp_path: Path):
    schema.write_schemas(tmp_path)
    made = {path.name: path.read_text() for path in tmp_path.glob("*.json")}
    kept = {path.name: path.read_text() for path in schema.FOLDER.glob("*.json")}
    assert made == kept, 'out of date: python -c "from realtime.schema import write_schemas; write_schemas()"'


def test_every_message_says_its_version_and_its_time():
    for message in MESSAGES:
        body = msgpack.unpackb(encode(topic_of(message), message).partition(b"\0")[2])
        assert body["schema"] == 1
        assert body["t"] == message.t


@pytest.mark.promise(
    "another version of the wire",
    "refused with both numbers",
    "1 of 1",
)
def test_another_version_is_refused_with_what_to_do_even_where_its_fields_changed():
    with pytest.raises(MessageError, match="this is version 2, I read 1: update the one of version 1"):
        decode(packed("event/0/micro", schema=2))
    with pytest.raises(MessageError, match="version 2"):
        decode(b"event/0/micro\0" + msgpack.packb({"schema": 2, "time": 1}))
    with pytest.raises(MessageError, match="version 0, I read 1: update the one of version 0"):
        decode(packed("meta", schema=0))


def plain(message) -> dict:
    return msgpack.unpackb(encode(topic_of(message), message).partition(b"\0")[2])


def test_fields_that_a_later_program_added_are_skipped():
    for message in ALL:
        topic = topic_of(message)
        added = topic.encode() + b"\0" + msgpack.packb({**plain(message), "mood": [1, {"a": 2}]})
        assert decode(added) == (topic, message)


def test_a_field_of_another_type_is_named():
    with pytest.raises(MessageError, match=r"confidence"):
        decode(packed("event/0/micro", confidence="sure"))


@pytest.mark.parametrize("topic", ["state/1", "meta", "event/0/macro"])
def test_a_message_under_the_topic_of_another_is_refused(topic):
    with pytest.raises(MessageError):
        decode(topic.encode() + b"\0" + encode("event/0/micro", EVENT).partition(b"\0")[2])
    with pytest.raises(MessageError, match="topic"):
        encode(topic, EVENT)


@pytest.mark.parametrize("topic", [b"", b"weather", b"state", b"state/", b"state/a b", b"event/0/nano", b"m\xc3\xa9ta"])
def test_an_unknown_topic_is_refused(topic):
    with pytest.raises(MessageError, match="no Glimpse topic"):
        decode(topic + b"\0\x80")


@pytest.mark.promise(
    "a camera's name that is long, or no name",
    "refused, at most 64 characters",
    "6 of 6",
)
@pytest.mark.parametrize("camera", ["", "a/b", "a\0b", "a\n", "é", "x" * 65])
def test_a_camera_whose_name_would_break_the_topic_cannot_be_sent(camera):
    state = msgspec.structs.replace(STATE, camera=camera)
    with pytest.raises(MessageError, match=r"publish\.camera"):
        encode(topic_of(state), state)


@pytest.mark.promise(
    "a message of more than 1 MiB",
    "refused before it is decoded, both ways",
    "1 of 1 each",
)
def test_too_long_is_refused_both_ways():
    with pytest.raises(MessageError, match="at most"):
        decode(packed("meta", more="x" * LONGEST_BYTES))
    with pytest.raises(MessageError, match="at most"):
        encode("meta", msgspec.structs.replace(META, version="x" * LONGEST_BYTES))


def test_thirty_faces_with_landmarks_are_not_too_long():
    crowd = msgspec.structs.replace(STATE, faces=STATE.faces * 30)
    assert len(encode("state/0", crowd)) < LONGEST_BYTES / 3


def malformed():
    chance = random.Random(1)
    whole = [encode(topic_of(message), message) for message in ALL]
    for data in whole:
        yield from (data[:length] for length in range(0, len(data), max(1, len(data) // 300)))
        for _ in range(1000):
            changed = bytearray(data)
            for _ in range(chance.randint(1, 4)):
                changed[chance.randrange(min(len(data), 400))] = chance.randrange(256)
            yield bytes(changed)
    for topic in (b"", b"meta\0", b"state/0\0", b"event/0/micro\0", b"frame/0\0", b"ask\0", b"answer\0"):
        yield from (topic + chance.randbytes(chance.randint(0, 60)) for _ in range(1000))
        yield topic + b"\x82\xa6schema\x01\xa1z" + b"\x91" * 500_000  # nested without end
        yield topic + b"\xdd\xff\xff\xff\xff"  # claims four thousand million items
        yield topic + b"\x81\xa5faces\xdd\xff\xff\xff\xff"


def refused(data: bytes) -> bool:
    try:
        decode(data)
    except MessageError:
        return True
    return False


@pytest.mark.promise(
    "any bytes as a message",
    "nothing but our own error",
    "more than 5,000 mutations, by a fixed seed",
)
def test_no_bytes_raise_anything_but_message_error():
    assert sum(refused(data) for data in malformed()) > 5000


def test_numpy_numbers_travel_as_plain_ones():
    probabilities = {"cmn": {"surprise": np.float32(0.5), "negative": np.float64(0.25)}}
    expression = replace(EXPRESSION, id=np.int64(7), onset_s=np.float32(12.25), probabilities=probabilities)
    _, event = decode(encode("event/0/micro", event_from(expression, "0", np.float32(60))))
    assert isinstance(event, Event)
    assert (event.id, event.onset_s, event.rate_hz) == (7, 12.25, 60.0)
    assert event.probabilities == {"cmn": {"surprise": 0.5, "negative": 0.25}}
    assert type(event.probabilities["cmn"]["surprise"]) is float


def test_an_array_is_refused_by_name():
    with pytest.raises(MessageError, match="ndarray"):
        encode("event/0/micro", msgspec.structs.replace(EVENT, confidence=np.ones(2)))


def test_an_event_says_all_that_the_answer_said():
    for field in ("id", "face", "kind", "stage", "onset_s", "apex_s", "offset_s", "label", "confidence", "quality"):
        assert getattr(EVENT, field) == getattr(EXPRESSION, field)
    assert (EVENT.t, EVENT.camera, EVENT.rate_hz) == (EXPRESSION.emitted_s, "0", 60.0)


def test_an_event_does_not_change_with_the_answer_that_it_came_from():
    probabilities = {"cmn": {"surprise": 0.5}}
    event = event_from(replace(EXPRESSION, probabilities=probabilities), "0", 60.0)
    probabilities["cmn"]["surprise"] = 0.9
    assert event.probabilities == {"cmn": {"surprise": 0.5}}


def test_an_event_says_which_units_moved_and_one_of_an_older_glimpse_says_none():
    found = decode(encode("event/0/micro", EVENT))[1]
    [unit] = found.units
    assert (unit.unit, unit.side, unit.left, unit.right) == ("12", "left", 0.32, 0.11)
    assert unit.words == "lip corners up, left more than right"
    older = msgspec.to_builtins(EVENT)
    del older["units"]
    assert decode(b"event/0/micro\0" + msgspec.msgpack.encode(older))[1] == msgspec.structs.replace(EVENT, units=())


def test_an_open_event_has_no_offset_yet():
    early = replace(EXPRESSION, stage="early", offset_s=None)
    assert decode(encode("event/0/micro", event_from(early, "0", 60.0)))[1].offset_s is None


def test_landmarks_are_pairs_to_a_tenth_of_a_pixel_or_left_out():
    face = STATE.faces[0]
    assert np.abs(np.array(face.landmarks) - FACE.landmarks[:, :2]).max() <= 0.05 + 1e-4
    assert face.landmarks == tuple((round(x, 1), round(y, 1)) for x, y in face.landmarks)
    assert face_state(FACE, 0.0, 7.0, {}, None).landmarks is None


def test_a_face_says_where_it_is_and_what_its_picture_is_worth():
    face = STATE.faces[0]
    assert face.box == (10.0, 20.0, 110.0, 120.0)
    assert (face.pose.yaw, face.pose.pitch, face.pose.roll) == (1.0, -2.0, 3.0)
    assert (face.quality.size_px, face.quality.sharpness, face.quality.brightness) == (70.0, 90.0, 128.0)
    assert (face.score, face.threshold, face.expression["happiness"]) == (3.2, 7.0, 0.4)


@pytest.mark.parametrize(("rate_hz", "milliseconds"), [(60, 67), (30, 133), (200, 20)])
def test_the_shortest_event_follows_from_the_rate(rate_hz, milliseconds):
    assert math.isclose(1000 * shortest_event_s(rate_hz), milliseconds, abs_tol=0.5)


def test_without_a_rate_the_shortest_event_is_unknown():
    assert shortest_event_s(0.0) is None
