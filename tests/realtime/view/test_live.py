import json
import struct
import threading
import time
from collections import Counter
from contextlib import suppress

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from realtime.schema.message import AskLeave, AskMoment, AskNeutral, AskPicture, AskWish, Refused
from realtime.view.bucket import BURST
from realtime.view.page import MOST_OF_ONE

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
    assert "there is no camera" in refused["text"]
    assert name not in refused["text"]
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
    wish, engine = eventually(lambda: recogniser.of(AskWish)[1:] and recogniser.of(AskWish))
    assert (wish.camera, wish.landmarks, wish.pictures, wish.head) == (name, True, True, None)
    assert (engine.camera, engine.landmarks, engine.pictures, engine.head) == (name, None, None, "cmn")
    time.sleep(1.2)
    ada.send(1, JPEG)
    assert eventually(lambda: recogniser.of(AskWish)[2:])[0].landmarks
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
    '{"do":"moment","event":-1}',
    f'{{"do":"moment","event":{2**53}}}',
    f'{{"do":"moment","event":{10**30}}}',
    '{"do":"moment","event":1e400}',
    struct.pack("<Id", 1, float("nan")) + JPEG,
    struct.pack("<Id", 1, float("inf")) + JPEG,
    struct.pack("<Id", 1, 1e300) + JPEG,
    struct.pack("<Id", 1, -1.0) + JPEG,
]


def test_what_is_wrong_is_answered_and_the_rest_goes_on(serve, browse, monkeypatch):
    monkeypatch.setattr("realtime.view.guest.COMPLAIN_S", 0.0)
    monkeypatch.setattr("realtime.view.guest.TEXTS_HZ", 100_000.0)
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


def answered_by(recogniser, kind, answer):
    """Have questions of this kind answered by `answer`."""
    before = recogniser.answer
    recogniser.answer = lambda asked: answer(asked, before) if isinstance(asked, kind) else before(asked)


def test_texts_that_are_too_many_are_dropped_and_the_rest_goes_on(serve, browse, monkeypatch):
    monkeypatch.setattr("realtime.view.guest.COMPLAIN_S", 0.0)
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


def test_the_questions_of_one_visitor_do_not_hold_up_another(serve, browse, recogniser, monkeypatch):
    monkeypatch.setattr("realtime.view.guest.TEXTS_HZ", 100_000.0)

    def slowly(asked, before):
        time.sleep(0.1)
        return before(asked)

    answered_by(recogniser, AskMoment, slowly)
    page = serve()
    ada, bob = browse(page), browse(page)
    ada.enter()
    bob.enter()
    for _ in range(100):
        ada.say("moment", event=12)
    assert ada.until("problem", what="too-fast")
    began = time.monotonic()
    bob.say("neutral")
    bob.until("calibrating")
    assert time.monotonic() - began < 3.0
    assert ada.until("moment")["event"] == 12
    ada.quiet(0.5)
    ada.say("moment", event=13)
    assert ada.until("moment", event=13), "once they are answered others may be asked"


def test_one_who_reads_nothing_is_hung_up_on_while_a_message_is_on_its_way(serve, browse, recogniser, make, eventually):
    page = serve()
    deaf = browse(page, max_queue=1, close_timeout=0.5)
    name = deaf.enter()["camera"]
    for id in range(1, 6001):
        recogniser.publisher.event(make.event(id, 1.0, camera=name))
        if id % 50 == 0:
            time.sleep(0.005)
    eventually(lambda: "glimpse_visitors 0.0" in httpx.get(page.url + "metrics").text, 10.0)


def test_no_refusal_names_another_visitor(serve, browse, recogniser):
    names = []
    said = Refused(why="")
    answered_by(recogniser, AskNeutral, lambda *_: Refused(why=f"not watched; there are {', '.join(names)}, sample"))
    page = serve()
    ada, bob = browse(page), browse(page)
    names += [ada.enter()["camera"], bob.enter()["camera"]]
    bob.say("neutral")
    said = bob.until("problem", what="refused")["text"]
    assert names[0] not in said
    assert names[1] in said
    assert "sample" in said


def test_one_address_cannot_fill_the_line(serve, browse):
    page = serve("view.visitors=1")
    for _ in range(1 + MOST_OF_ONE):
        browse(page).say("hello")
    one_more = browse(page)
    with pytest.raises(ConnectionClosed, match="of your address"):
        one_more.quiet(5.0)
    elsewhere = browse(page, source_address=("127.0.0.2", 0))
    elsewhere.say("hello")
    assert elsewhere.until("wait")["ahead"] == MOST_OF_ONE


def test_the_first_watcher_of_a_shared_camera_chooses_its_engine_and_calibrates(serve, browse, recogniser, eventually):
    page = serve()
    ada, bob = browse(page), browse(page)
    recogniser.see("sample", 1, JPEG)
    ada.enter(camera="sample", head="cmn")
    eventually(lambda: recogniser.see("sample", 2, JPEG) or recogniser.of(AskWish))
    bob.enter(camera="sample", landmarks=True)
    eventually(lambda: recogniser.see("sample", 3, JPEG) or any(wish.landmarks for wish in recogniser.of(AskWish)))
    bob.say("hello", camera="sample", landmarks=True, head="other")
    words = "somebody else watches this camera and chose its engine"
    assert words in bob.until("problem", what="refused")["text"]
    time.sleep(1.1)  # or the same complaint is not made again
    bob.say("neutral")
    assert words in bob.until("problem", what="refused")["text"]
    ada.say("hello", camera="sample", head="cmn", pictures=True)  # keeps the place
    ada.say("neutral")
    ada.until("calibrating")
    assert {wish.head for wish in recogniser.of(AskWish)} <= {None, "cmn"}
    ada.say("leave")
    time.sleep(0.2)
    bob.say("neutral")
    bob.until("calibrating")


def test_the_refusal_of_a_wish_reaches_the_one_who_wished(serve, browse, recogniser, eventually):
    asked, free = threading.Event(), threading.Event()

    def late(wish, before):
        if wish.head:
            asked.set()
            free.wait(2.0)
        return before(wish)

    answered_by(recogniser, AskWish, late)
    page = serve()
    ada, bob = browse(page), browse(page)
    recogniser.see("sample", 1, JPEG)
    ada.enter(camera="sample")
    eventually(lambda: recogniser.see("sample", 2, JPEG) or recogniser.of(AskWish))
    recogniser.see("sample", 3, JPEG)
    ada.say("hello", camera="sample", head="nonsense")
    assert asked.wait(5.0)
    bob.enter(camera="sample")
    free.set()
    assert "nonsense" in ada.until("problem", what="refused")["text"]
    assert not [told for told in bob.quiet() if not isinstance(told, tuple) and told["kind"] == "problem"]


def test_a_visitor_without_an_answer_to_pictures_is_told_so_once(serve, browse, recogniser, monkeypatch):
    monkeypatch.setattr("realtime.view.own.NO_ROOM_S", 0.8)
    monkeypatch.setattr("realtime.view.own.PAUSE_S", 0.4)
    ada = browse(serve())
    ada.enter()

    def told(seconds):
        found, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            ada.send(1, JPEG)
            found += [each["text"] for each in ada.quiet(0.05) if each["kind"] == "problem"]
        return found

    assert told(1.0) == []
    recogniser.calm.set()
    (said,) = told(2.0)  # once
    assert "no room at the recogniser" in said
    recogniser.calm.clear()
    assert told(0.5) == []
    recogniser.calm.set()
    time.sleep(1.0)
    assert told(0.3) == [], "nothing was sent meanwhile"
