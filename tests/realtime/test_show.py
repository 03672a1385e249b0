import msgspec
import pytest
from messages import event, face, meta, state

from realtime.schema.message import Engine, Percentiles, UnitMoved
from realtime.show import line

EVENT = event(
    7, 12.31, t=12.345, camera="0", seq=3, onset_s=12.2, offset_s=12.45, emitted_s=12.345, confidence=0.81, rate_hz=60.0
)
FACE = face(1, 3.2, threshold=7.0, expression={"neutral": 0.19, "happiness": 0.81})
STATE = state(741, FACE, t=12.345, camera="0", latency_ms=8.46)
META = meta(
    13.0,
    camera="0",
    engines=(Engine(name="cmn", sha256="ab", labels=(), precision="f32", backend="openvino"),),
    rate_hz=60.0,
    latency_ms={"total": Percentiles(p50=8.0, p95=11.04, p99=19.0)},
    gaps=0,
    dropped=2,
    shortest_event_s=4 / 60,
    events=3,
)


def changed(message, **fields):
    return msgspec.structs.replace(message, **fields)


def test_an_event_is_one_line_of_columns():
    assert line(EVENT) == (
        "event    12.345 s  micro  surprise   0.81  "
        "onset    12.20  apex    12.31  offset    12.45  face  1  #7    (final)"
    )


def test_an_event_still_open_has_a_dash_for_its_offset():
    assert "offset        -  face" in line(changed(EVENT, stage="early", offset_s=None))


def test_a_withdrawn_event_says_why_and_a_poor_picture_too():
    text = line(changed(EVENT, stage="withdrawn", reason="unsure", quality=("small", "dark")))
    assert text.endswith("(withdrawn: unsure)  poor picture: small, dark")


def test_an_event_ends_with_what_moved():
    units = (UnitMoved(unit="12", side="both", left=0.3, right=0.3, words="lip corners up\x1b[2J"),)
    assert line(changed(EVENT, units=units)).endswith("(final)  lip corners up?[2J")


def test_columns_stay_where_they_are():
    short = line(EVENT)
    long = line(changed(EVENT, t=3723.5, onset_s=3723.1, apex_s=3723.2, offset_s=None, kind="macro", label="sadness"))
    assert short.index("(final)") == long.index("(final)")
    assert short.index("apex") == long.index("apex")


def test_a_state_says_what_each_face_does():
    assert line(STATE) == (
        "state    12.345 s  frame     741     8.5 ms  faces  1  | face  1  score 3.20 of 7.00  happiness  0.81"
    )


def test_a_state_without_faces_or_latency_is_a_line_too():
    assert line(changed(STATE, faces=(), latency_ms=None, gap=2)) == (
        "state    12.345 s  frame     741       - ms  faces  0  2 lost before"
    )


def test_a_face_that_no_engine_has_seen_has_a_dash():
    assert line(changed(STATE, faces=(changed(FACE, expression={}),))).endswith("-             -")


def test_meta_says_what_is_running_and_how_well():
    assert line(META) == (
        "meta     13.000 s   60.0 Hz  events from 67 ms  latency 8.0 11.0 19.0 ms  "
        "frames 650 gaps 0 dropped 2  faces 1  events 3  engines cmn (openvino f32)"
    )


def test_meta_of_a_beginning_is_a_line_too():
    text = line(changed(META, engines=(), latency_ms={}, shortest_event_s=None, rate_hz=0.0))
    assert "events from - ms  latency - ms" in text
    assert text.endswith("engines none")


def test_meta_ends_with_what_the_computer_has_no_time_for():
    slow = "This computer is too slow for the camera, so the face's points are not sent."
    assert line(changed(META, left_out=slow)) == f"{line(META)}  {slow}"
    assert line(changed(META, left_out="\x1b[2J")) == f"{line(META)}  ?[2J"


@pytest.mark.promise(
    "a label with escape sequences in a terminal",
    "cannot move the cursor",
    "1 of 1",
)
@pytest.mark.parametrize("label", ["sur\nprise", "\x1b[2J", "überrascht", "a\x7fb\x9b"])
def test_a_label_cannot_move_the_cursor_or_leave_ascii(label):
    text = line(changed(EVENT, label=label))
    assert text.isascii()
    assert text.isprintable()
