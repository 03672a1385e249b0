import threading
import time

import pytest

from realtime.schema.message import AskPicture, AskWish

JPEG = b"\xff\xd8 a picture"


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
    ada.send(0)
    wish, engine = eventually(lambda: recogniser.of(AskWish)[1:] and recogniser.of(AskWish))
    assert (wish.camera, wish.landmarks, wish.pictures, wish.head) == (name, True, True, None)
    assert (engine.camera, engine.landmarks, engine.pictures, engine.head) == (name, None, None, "cmn")
    time.sleep(1.2)
    ada.send(1)
    assert eventually(lambda: recogniser.of(AskWish)[2:])[0].landmarks
    ada.say("hello", head="nonsense")
    assert "nonsense" in ada.until("problem", what="refused")["text"]


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

    recogniser.script(AskWish, late)
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
