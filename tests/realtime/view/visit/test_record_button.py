import io
import logging
import threading
import time
import zipfile

import httpx
import pytest

from realtime import session
from realtime.schema.message import AskMoment, Event, State
from realtime.view.recording import recorder
from realtime.view.recording.private_folder import PREFIX

pytestmark = pytest.mark.usefixtures("disk")


JPEG = b"\xff\xd8 a picture "


def written(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def play(ada, recogniser, make, name):
    for number in range(10):
        ada.send(number, JPEG + bytes([number]))
        ada.until("state", frame=number)
        time.sleep(1 / 60)
    recogniser.publisher.event(make.event(5, 0.1, camera=name))
    ada.until("event")


def unpacked(page, url, folder):
    answer = httpx.get(page.url + url)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(folder)
    (found,) = folder.iterdir()
    return session.read(found)


@pytest.mark.promise(
    "pictures that the page leaves on the disk",
    "nothing is written unless somebody records",
    "0 files",
)
def test_nothing_is_written_unless_somebody_records(serve, browse, recogniser, make, disk):
    page = serve(front=True)
    assert "gradio" in httpx.get(page.url).text
    ada, bob = browse(page), browse(page)
    play(ada, recogniser, make, ada.enter(pictures=True)["camera"])
    recogniser.see("sample", 1, JPEG)
    bob.enter(camera="sample")
    recogniser.see("sample", 2, JPEG)
    bob.until("picture")
    ada.say("moment", event=5)
    ada.until("moment")
    assert written(disk) == []
    assert not list(disk.glob(f"{PREFIX}*"))


def test_a_visitor_takes_a_session_along(serve, browse, recogniser, make, disk, tmp_path, eventually):
    page = serve()
    ada, bob = browse(page), browse(page)
    name = ada.enter(pictures=True)["camera"]
    bob.enter()
    ada.say("record", on=True, video=True)
    assert ada.until("recording")["on"]
    play(ada, recogniser, make, name)
    bob.send(77)
    bob.until("state")
    eventually(lambda: recogniser.of(AskMoment))
    time.sleep(0.1)
    (private,) = disk.glob(f"{PREFIX}*")
    assert private.stat().st_mode & 0o077 == 0
    ada.say("record", on=False)
    assert not ada.until("recording")["on"]
    told = ada.until("recorded")
    assert len(told["url"].removeprefix("session/").removesuffix(".zip")) >= 32
    found = unpacked(page, told["url"], tmp_path / "unpacked")
    messages = [record.message for record in found]
    assert told["messages"] == len(messages)
    assert {message.camera for message in messages} == {"browser"}
    assert [message.frame for message in messages if isinstance(message, State)] == list(range(10))
    assert [message.id for message in messages if isinstance(message, Event)] == [5]
    assert name.encode() not in b"".join(path.read_bytes() for path in written(tmp_path / "unpacked"))
    assert [(still.frame, found.jpeg(still)) for still in found.stills()] == [(n, JPEG + bytes([n])) for n in range(10)]
    assert found.moment(5) is not None
    assert len(written(disk)) == 1, "only the zip is left"


def test_a_session_without_video_or_leave_holds_no_picture(serve, browse, recogniser, make, tmp_path):
    page = serve()
    ada = browse(page)
    name = ada.enter()["camera"]
    ada.say("record", on=True)
    play(ada, recogniser, make, name)
    ada.say("leave")
    found = unpacked(page, ada.until("recorded")["url"], tmp_path / "unpacked")
    assert list(found)
    assert not any(JPEG in path.read_bytes() for path in written(tmp_path / "unpacked"))
    assert recogniser.of(AskMoment) == []


def test_a_visitor_who_goes_and_a_page_that_ends_leave_nothing(serve, browse, recogniser, make, disk, eventually):
    page = serve()
    ada, bob = browse(page), browse(page)
    ada.enter()
    bob.enter()
    for browser in (ada, bob):
        browser.say("record", on=True)
        browser.send(1)
        browser.until("state")
    ada.close()
    bob.say("record", on=False)
    url = bob.until("recorded")["url"]
    eventually(lambda: len(written(disk)) == 1)
    assert httpx.get(page.url + url).status_code == 200
    assert httpx.get(page.url + "session/guess.zip").status_code == 404
    page.close()
    assert not list(disk.iterdir())


def test_a_recording_that_lasts_too_long_ends_and_is_offered(serve, browse, monkeypatch):
    monkeypatch.setattr(recorder, "LONGEST_S", 0.5)
    ada = browse(serve())
    ada.enter()
    ada.say("record", on=True)
    assert "ends after" in ada.until("problem")["text"]
    assert ada.until("recorded")["url"]


@pytest.mark.promise(
    "a recording of a visitor that grows without end",
    "ends at view.longest_recording_mb, and can be fetched",
    "1 of 1",
)
def test_a_recording_that_grows_too_large_ends_and_is_offered(serve, browse, tmp_path):
    page = serve("view.longest_recording_mb=1")
    ada = browse(page)
    ada.enter()
    ada.say("record", on=True, video=True)
    for number in range(15):
        ada.send(number, JPEG + bytes(100_000))
        ada.until("state", frame=number)
        time.sleep(1 / 60)
    assert "view.longest_recording_mb" in ada.until("problem")["text"]
    assert list(unpacked(page, ada.until("recorded")["url"], tmp_path / "unpacked"))


def test_the_newest_session_of_a_visitor_takes_the_place_of_the_one_before(serve, browse, disk):
    page = serve()
    ada = browse(page)
    ada.enter()
    urls = []
    for _ in range(2):
        ada.say("record", on=True)
        ada.until("recording", on=True)
        ada.say("record", on=False)
        urls.append(ada.until("recorded")["url"])
    assert [httpx.get(page.url + url).status_code for url in urls] == [404, 200]
    assert len(written(disk)) == 1


def test_the_pictures_of_an_event_stay_out_of_a_later_recording(serve, browse, recogniser, make, tmp_path):
    asked, free, before = threading.Event(), threading.Event(), recogniser.answer

    def late(question):
        if isinstance(question, AskMoment):
            asked.set()
            free.wait(2.0)
        return before(question)

    recogniser.answer = late
    page = serve()
    ada = browse(page)
    name = ada.enter(pictures=True)["camera"]
    ada.say("record", on=True)
    play(ada, recogniser, make, name)
    assert asked.wait(5.0)
    ada.say("record", on=False)
    ada.until("recorded")
    ada.say("record", on=True)
    ada.until("recording", on=True)
    ada.send(50)
    free.set()
    ada.until("state", frame=50)
    ada.say("moment", event=6)
    ada.until("moment", event=6)
    ada.say("record", on=False)
    assert unpacked(page, ada.until("recorded")["url"], tmp_path / "unpacked").moment(5) is None


def test_the_log_says_that_a_recording_went_with_its_visitor(serve, browse, eventually, caplog):
    caplog.set_level(logging.INFO)
    ada = browse(serve())
    ada.enter()
    ada.say("record", on=True)
    ada.until("recording")
    ada.close()
    eventually(lambda: "thrown away" in caplog.text)
