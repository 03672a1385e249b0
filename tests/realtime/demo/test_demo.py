"""What the demo says of the pass that it heard."""

from types import SimpleNamespace

import pytest

from realtime.config import load
from realtime.demo import demo, truth

SLOW = "This computer is too slow for the camera, so the face's points are not sent."


@pytest.fixture
def heard(monkeypatch, make):
    """What the demo makes of these messages, which come between the sample's first states and its last one."""

    def hear(*messages, seen=1):
        faces = [make.face(id, 1.0) for id in range(seen)]
        last = round((truth.load().seconds + 1.0) * make.rate_hz)
        *begin, end = (make.state(frame, *faces, camera=demo.CAMERA) for frame in (*range(50), last))
        told = iter([*begin, *messages, end])
        scripted = SimpleNamespace(receive=lambda _: SimpleNamespace(message=next(told)), close=lambda: None)
        monkeypatch.setattr(demo, "Subscriber", lambda *_, **__: scripted)
        with demo.Demo(load().publish, lambda _: None, lambda: 1.0, lambda: True) as listening:
            return listening.first()

    return hear


def test_it_closes_with_what_was_left_out_at_the_end(heard, make):
    played = heard(make.meta(1.0, camera=demo.CAMERA), make.meta(24.0, camera=demo.CAMERA, left_out=SLOW))
    assert played.lines()[-1] == SLOW
    assert played.lines().count(SLOW) == 1
    assert played.to_dict()["left_out"] == SLOW


def test_what_was_taken_back_before_the_end_and_what_another_camera_lacks_is_not_told(heard, make):
    slow, fast = make.meta(1.0, camera=demo.CAMERA, left_out=SLOW), make.meta(24.0, camera=demo.CAMERA)
    played = heard(slow, fast, make.meta(24.5, camera="other", left_out=SLOW))
    assert SLOW not in played.lines()
    assert played.to_dict()["left_out"] == ""
    assert heard().to_dict()["left_out"] == ""


def test_why_nothing_was_found_stands_below_the_score_too(heard):
    played = heard(seen=0)
    assert "no face was found" in played.lines()[-1]
    assert played.lines()[-1] == played.summary.note
