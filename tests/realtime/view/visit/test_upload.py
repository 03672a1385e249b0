import struct
import threading
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest

from realtime.view.visit import capacity
from realtime.view.visit.send_queue import SendQueue
from realtime.view.visit.upload import NO_ROOM, NO_ROOM_S, Upload
from realtime.view.visit.viewer import Viewer

JPEG = b"\xff\xd8 a picture"


def test_pictures_go_up_and_their_states_come_back_to_their_visitor_alone(serve, browse, recogniser):
    page = serve()
    ada, bob = browse(page), browse(page)
    name, other = ada.enter()["camera"], bob.enter()["camera"]
    ada.send(7, t=1.5)
    state = ada.until("state")
    assert (state["camera"], state["frame"], len(state["faces"])) == (name, 7, 1)
    sent = recogniser.pictures[0]
    assert (sent.camera, sent.number, sent.t, sent.jpeg) == (name, 7, 1.5, JPEG)
    assert [told for told in bob.quiet() if told["kind"] == "state"] == []
    bob.send(8)
    assert bob.until("state")["camera"] == other


@pytest.mark.promise(
    "pictures of a visitor, too large or too many",
    "dropped, counted and told",
    "40 at 5 a second: at most 15 go up",
)
def test_pictures_that_are_too_large_or_too_many_are_dropped(serve, browse, recogniser):
    ada = browse(serve("view.most_hz=5", "streams.longest_kb=4"))
    ada.enter()
    ada.send(1, JPEG + bytes(4000))
    assert "4000" in ada.until("problem", what="too-large")["text"]
    recogniser.calm.set()
    for number in range(40):
        ada.send(number)
    assert "5" in ada.until("problem", what="too-fast")["text"]
    ada.quiet()
    assert 5 <= len(recogniser.pictures) <= 15


def test_a_camera_for_which_there_is_no_time_waits_and_begins_by_itself(
    serve, browse, recogniser, make, eventually, monkeypatch
):
    monkeypatch.setattr(capacity, "OVER_S", 0.5)
    page = serve("view.least_hz=1000")
    ada, bob = browse(page), browse(page)
    name = ada.enter()["camera"]
    bob.enter()
    recogniser.publisher.meta(make.meta(0.0, camera=name, left_out="half of the frames"))
    going = threading.Event()

    def see():
        for number in range(10_000):
            if going.wait(0.05):
                return
            ada.send(number)

    sending = threading.Thread(target=see)
    sending.start()
    try:
        time.sleep(0.8)
        bob.send(1)
        assert "below 1000 (view.least_hz)" in bob.until("problem", what="full")["text"]
        assert {picture.camera for picture in recogniser.pictures} == {name}
        going.set()
        ada.close()
        eventually(lambda: bob.send(2) or any(told["kind"] == "state" for told in bob.quiet(0.1)))
    finally:
        going.set()
        sending.join()


@pytest.mark.promise(
    "pictures of one who has no place yet",
    "none goes up",
    "0 of 1",
)
def test_a_visitor_who_waits_cannot_send_pictures(serve, browse, recogniser):
    page = serve("view.visitors=1")
    ada, bob = browse(page), browse(page)
    ada.enter()
    bob.say("hello")
    bob.until("wait")
    bob.send(1)
    bob.quiet()
    assert recogniser.pictures == []


def test_many_at_once_do_not_mix_up_their_pictures(serve, browse, recogniser):
    page = serve()
    browsers = [browse(page) for _ in range(4)]
    names = [browser.enter()["camera"] for browser in browsers]

    def play(browser, name):
        for number in range(1, 21):
            browser.send(number)
            with suppress(TimeoutError):  # a state may be lost; a page goes on after a second
                states.append((name, number, browser.until("state", timeout=1.0)))
            time.sleep(1 / 60)

    states = []
    threads = [threading.Thread(target=play, args=each) for each in zip(browsers, names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(states) >= 70
    for name, number, state in states:
        assert (state["camera"], state["frame"]) == (name, number)


class Pictures:
    """A browser's camera before a recogniser that takes every picture, on a clock that the test moves."""

    def __init__(self, settings):
        self.now_s, self._told = 0.0, []
        link = SimpleNamespace(there=True, send=lambda _: True)
        problems = SimpleNamespace(tell=lambda what, text: self._told.append(text), refuse=None)
        button = SimpleNamespace(write=lambda message, moments: None)
        self._upload = Upload("visitor-1", settings, link, problems, clock=lambda: self.now_s)
        self._viewer = Viewer(SendQueue(), problems, self._upload, button)

    def send(self, seconds, state=None):
        """Five a second, each answered by `state` where there is one; what the browser is told meanwhile."""
        self._told.clear()
        for number in range(5 * seconds):
            self.now_s += 0.2
            assert self._upload.take(struct.pack("<Id", number, 1.0) + JPEG, watched=True)[0] == "passed"
            if state is not None:
                self._viewer.hear(state, "")
        return list(self._told)


def test_a_visitor_without_an_answer_to_pictures_is_told_so_once(settings, make):
    pictures, state = Pictures(settings()), make.state(1, camera="visitor-1")
    shortly = int(NO_ROOM_S)
    assert pictures.send(shortly) == []
    assert pictures.send(3 * shortly) == [NO_ROOM]
    assert pictures.send(3 * shortly, state) == []
    pictures.now_s += 100.0
    assert pictures.send(shortly) == [], "nothing was sent meanwhile"
    assert pictures.send(3 * shortly) == [NO_ROOM]
    assert pictures.send(3 * shortly, make.state(1, camera="sample")) == [], "it was told"
    assert pictures.send(3 * shortly) == []
