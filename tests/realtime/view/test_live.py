import json
import struct
import threading
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from realtime.message import AskLeave, AskMoment, AskNeutral, AskPicture, AskWish

JPEG = b"\xff\xd8 a picture"


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


def test_pictures_go_up_and_their_states_come_back_to_their_visitor_alone(serve, browse, recogniser):
    page = serve()
    ada, bob = browse(page), browse(page)
    name, other = ada.enter()["camera"], bob.enter()["camera"]
    ada.send(7, JPEG, t=1.5)
    state = ada.until("state")
    assert (state["camera"], state["frame"], len(state["faces"])) == (name, 7, 1)
    sent = recogniser.pictures[0]
    assert (sent.camera, sent.number, sent.t, sent.jpeg) == (name, 7, 1.5, JPEG)
    assert [told for told in bob.quiet() if told["kind"] == "state"] == []
    bob.send(8, JPEG)
    assert bob.until("state")["camera"] == other


def test_another_visitors_camera_cannot_be_chosen(serve, browse):
    page = serve()
    ada, bob = browse(page), browse(page)
    name = ada.enter()["camera"]
    ada.send(1, JPEG)
    ada.until("state")
    bob.enter()
    bob.say("hello", camera=name)
    refused = bob.until("problem", what="refused")
    assert name in refused["text"]
    ada.send(2, JPEG)
    assert [told for told in bob.quiet() if told["kind"] == "state"] == []


def test_the_servers_camera_is_shown_only_while_it_is_watched(serve, browse, recogniser, eventually):
    page = serve()
    ada = browse(page)
    recogniser.see("sample", 1, JPEG)
    ada.enter()
    eventually(lambda: not recogniser.of(AskPicture))
    ada.say("hello", camera="sample")
    frames = []
    for frame in range(2, 200):
        recogniser.see("sample", frame, JPEG + bytes([frame]))
        for told in ada.quiet(0.02):
            if isinstance(told, tuple):
                frames.append(told[0])
                assert told == (told[0], pytest.approx(told[0] / 10), JPEG + bytes([told[0]]))
        if len(frames) >= 3:
            break
    assert frames == sorted(set(frames))
    assert len(frames) >= 3
    ada.say("leave")
    ada.quiet(0.2)
    asked = len(recogniser.of(AskPicture))
    for more in range(frame + 1, frame + 20):
        recogniser.see("sample", more, JPEG)
        time.sleep(0.005)
    assert not any(isinstance(told, tuple) for told in ada.quiet(0.2))
    assert len(recogniser.of(AskPicture)) == asked


def test_wishes_reach_a_camera_once_it_is_there_and_again_when_it_begins_anew(serve, browse, recogniser, eventually):
    ada = browse(serve())
    name = ada.enter(landmarks=True, pictures=True, head="cmn")["camera"]
    assert recogniser.of(AskWish) == []
    ada.send(0, JPEG)
    (wish,) = eventually(lambda: recogniser.of(AskWish))
    assert (wish.camera, wish.landmarks, wish.pictures, wish.head) == (name, True, True, "cmn")
    time.sleep(1.2)
    ada.send(1, JPEG)
    assert eventually(lambda: recogniser.of(AskWish)[1:])[0].landmarks
    ada.say("hello", head="nonsense")
    assert "nonsense" in ada.until("problem", what="refused")["text"]


def test_neutral_and_moments_are_asked_for_and_refusals_are_told(serve, browse, recogniser):
    ada = browse(serve())
    name = ada.enter()["camera"]
    ada.say("neutral")
    assert ada.until("calibrating")["seconds"] == 3.0
    assert recogniser.of(AskNeutral)[0].camera == name
    ada.say("moment", event=12)
    moment = ada.until("moment")
    assert (moment["event"], moment["times"], moment["exaggerated"]) == (12, 4.0, "")
    assert len(moment["onset"]) > 100
    assert recogniser.of(AskMoment)[0].event == 12
    ada.say("moment", event=99)
    assert "99" in ada.until("problem", what="refused")["text"]


WRONG = [
    "nonsense",
    "{}",
    '{"do":"dance"}',
    '{"do":"hello","camera":7}',
    '{"do":"hello","shoes":1}',
    "[" * 3000,
    json.dumps({"do": "hello", "camera": "x" * 5000}),
    b"",
    b"\0" * 11,
    struct.pack("<Id", 1, 1.0) + b"no jpeg",
    struct.pack("<Id", 1, float("nan")) + JPEG,
    struct.pack("<Id", 1, -1.0) + JPEG,
]


def test_what_is_wrong_is_answered_and_the_rest_goes_on(serve, browse, monkeypatch):
    monkeypatch.setattr("realtime.view.guest.COMPLAIN_S", 0.0)
    ada = browse(serve("view.most_hz=100000"))
    ada.enter()
    for number, said in enumerate(WRONG):
        ada.socket.send(said)
        assert ada.until("problem")["what"] == "malformed", said
        ada.send(number, JPEG)
        assert ada.until("state")["frame"] == number


def test_what_comes_before_hello_does_nothing(serve, browse, recogniser):
    ada = browse(serve("view.idle_s=0.5"))
    ada.say("neutral")
    assert "hello" in ada.until("problem", what="refused")["text"]
    ada.send(1, JPEG)
    with pytest.raises(ConnectionClosed, match="no hello"):
        ada.quiet(5.0)
    assert recogniser.pictures == []


def test_pictures_that_are_too_large_or_too_many_are_dropped(serve, browse, recogniser):
    ada = browse(serve("view.most_hz=5", "streams.longest_kb=4"))
    ada.enter()
    ada.send(1, JPEG + bytes(4000))
    assert "4000" in ada.until("problem", what="too-large")["text"]
    recogniser.calm.set()
    for number in range(40):
        ada.send(number, JPEG)
    assert "5" in ada.until("problem", what="too-fast")["text"]
    ada.quiet()
    assert 5 <= len(recogniser.pictures) <= 15


def test_one_more_visitor_waits_and_comes_in_when_a_place_is_free(serve, browse):
    page = serve("view.visitors=1")
    ada, bob, eve = browse(page), browse(page), browse(page)
    ada.enter()
    bob.say("hello")
    wait = bob.until("wait")
    assert (wait["ahead"], wait["why"].startswith("1 of 1 places are taken")) == (0, True)
    eve.say("hello")
    assert eve.until("wait")["ahead"] == 1
    ada.close()
    bob.until("welcome")
    assert eve.until("wait")["ahead"] == 0
    bob.send(1, JPEG)
    assert bob.until("state")["frame"] == 1


def test_a_visitor_who_waits_cannot_send_pictures(serve, browse, recogniser):
    page = serve("view.visitors=1")
    ada, bob = browse(page), browse(page)
    ada.enter()
    bob.say("hello")
    bob.until("wait")
    bob.send(1, JPEG)
    bob.quiet()
    assert recogniser.pictures == []


def test_an_idle_visitor_makes_room_for_one_who_waits(serve, browse):
    page = serve("view.visitors=1", "view.idle_s=0.5")
    ada = browse(page)
    ada.enter()
    time.sleep(0.8)
    assert ada.quiet(0.1) == [], "nobody waited"
    bob = browse(page)
    bob.say("hello")
    bob.until("welcome")
    assert ada.until("wait")["ahead"] == 0


def test_the_recogniser_forgets_a_visitor_who_goes_or_stops(serve, browse, recogniser, eventually):
    page = serve()
    ada, bob = browse(page), browse(page)
    names = [ada.enter()["camera"], bob.enter()["camera"]]
    for browser in (ada, bob):
        browser.send(1, JPEG)
        browser.until("state")
    ada.say("leave")
    bob.close()
    eventually(lambda: {ask.camera for ask in recogniser.of(AskLeave)} == set(names))
    ada.send(2, JPEG)
    ada.quiet(0.1)
    assert len(recogniser.pictures) == 2, "a picture that was on its way began a new stream"
    ada.say("hello")
    ada.quiet(0.1)
    ada.send(3, JPEG)
    assert ada.until("state")["frame"] == 3


def test_a_slow_browser_gets_every_event_and_the_newest_state(serve, browse, recogniser, make):
    page = serve()
    slow = browse(page, max_queue=1)
    name = slow.enter()["camera"]
    slow.send(1, JPEG)
    slow.until("state")
    crowd = tuple(make.face(id, 2.0, landmarks=((1.0, 2.0),) * 468) for id in range(1, 5))
    states = 800
    for frame in range(2, states + 2):
        recogniser.publisher.state(make.state(frame, *crowd, camera=name))
        if frame % 8 == 0:
            recogniser.publisher.event(make.event(frame // 8, 1.0, camera=name))
        time.sleep(0.001)
    heard = slow.quiet(1.0)
    events = [told["id"] for told in heard if told["kind"] == "event"]
    frames = [told["frame"] for told in heard if told["kind"] == "state"]
    assert events == list(range(1, states // 8 + 1))
    assert frames == sorted(frames)
    assert frames[-1] == states + 1
    assert len(frames) < states, "a browser that does not read was sent every state"


def test_silence_of_the_recogniser_is_told_and_so_is_its_return(serve, browse, recogniser, begin_again):
    ada = browse(serve())
    ada.enter()
    recogniser.close()
    gone = ada.until("problem", what="recogniser-gone")
    assert "realtime" in gone["text"]
    begin_again(recogniser)
    ada.until("back")
    ada.send(5, JPEG)
    assert ada.until("state")["frame"] == 5


def test_messages_beyond_all_measure_end_only_the_one_who_sent_them(serve, browse):
    page = serve("streams.longest_kb=4")
    ada, bob = browse(page), browse(page)
    ada.enter()
    bob.enter()
    ada.send(1, JPEG + bytes(100_000))
    with pytest.raises(ConnectionClosed):
        ada.quiet(5.0)
    bob.send(1, JPEG)
    assert bob.until("state")["frame"] == 1


def test_many_at_once_do_not_mix_up_their_pictures(serve, browse, recogniser):
    page = serve()
    browsers = [browse(page) for _ in range(4)]
    names = [browser.enter()["camera"] for browser in browsers]

    def play(browser, name):
        for number in range(1, 21):
            browser.send(number, JPEG)
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
