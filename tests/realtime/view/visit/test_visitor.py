import time
from collections import Counter

import pytest
from websockets.exceptions import ConnectionClosed

from realtime.schema.message import AskLeave
from realtime.view.visit import visitor
from realtime.view.visit.token_bucket import BURST


def test_a_visitor_is_named_unguessably_and_told_what_there_is(serve, browse, recogniser, make, eventually):
    page = serve()
    first, second = browse(page), browse(page)
    recogniser.publisher.meta(make.meta(0.0, camera="sample", heads=("cmn", "other")))
    welcome = first.enter()
    welcome = welcome if welcome["cameras"] else first.until("welcome", cameras=["sample"], heads=["cmn", "other"])
    assert welcome["camera"].startswith("visitor-")
    assert len(welcome["camera"]) >= len("visitor-") + 16
    assert {key: welcome[key] for key in ("most_hz", "longest_kb", "calibrate_s")} == {
        "most_hz": 65.0,
        "longest_kb": 512,
        "calibrate_s": 3.0,
    }
    assert second.enter()["camera"] != welcome["camera"]


@pytest.mark.promise(
    "a visitor asks for another one's camera by name",
    "refused, and its name is told to nobody",
    "1 of 1",
)
def test_another_visitors_camera_cannot_be_chosen(serve, browse):
    page = serve()
    ada, bob = browse(page), browse(page)
    name = ada.enter()["camera"]
    ada.send(1)
    ada.until("state")
    bob.enter()
    bob.say("hello", camera=name)
    refused = bob.until("problem", what="refused")
    assert "there is no camera" in refused["text"]
    assert name not in refused["text"]
    ada.send(2)
    assert [told for told in bob.quiet() if told["kind"] == "state"] == []


def test_what_comes_before_hello_does_nothing(serve, browse, recogniser):
    ada = browse(serve("view.idle_s=0.5"))
    ada.say("neutral")
    assert "hello" in ada.until("problem", what="refused")["text"]
    ada.send(1)
    with pytest.raises(ConnectionClosed, match="no hello"):
        ada.quiet(5.0)
    assert recogniser.pictures == []


def test_the_recogniser_forgets_a_visitor_who_goes_or_stops(serve, browse, recogniser, eventually):
    page = serve()
    ada, bob = browse(page), browse(page)
    names = [ada.enter()["camera"], bob.enter()["camera"]]
    for browser in (ada, bob):
        browser.send(1)
        browser.until("state")
    ada.say("leave")
    bob.close()
    eventually(lambda: {ask.camera for ask in recogniser.of(AskLeave)} == set(names))
    ada.send(2)
    ada.quiet(0.1)
    assert len(recogniser.pictures) == 2, "a picture that was on its way began a new stream"
    ada.say("hello")
    ada.quiet(0.1)
    ada.send(3)
    assert ada.until("state")["frame"] == 3


@pytest.mark.promise(
    "texts of a visitor without end",
    "beyond 20 a second dropped, and the sender is held up",
    "1 visitor; the other goes on",
)
def test_texts_that_are_too_many_are_dropped_and_the_rest_goes_on(serve, browse, all_problems_told):
    ada = browse(serve())
    ada.enter()
    began = time.monotonic()
    for _ in range(300):
        ada.say("hello", camera="nowhere")
    told = [ada.until("problem")["what"] for _ in range(300)]
    took_s = time.monotonic() - began
    assert Counter(told)["refused"] <= BURST + 20 * took_s + 1
    assert Counter(told)["too-fast"] >= 150
    time.sleep(0.2)
    ada.say("neutral")
    ada.until("calibrating")


def test_a_page_that_has_nothing_to_tell_says_that_it_is_there(serve, browse, monkeypatch):
    monkeypatch.setattr(visitor, "ALIVE_S", 0.1)
    browser = browse(serve())
    browser.enter()
    for _ in range(2):
        browser.until("alive")
