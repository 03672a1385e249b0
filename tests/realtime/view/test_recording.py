import asyncio
import io
import logging
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import httpx
import pytest

from realtime import session
from realtime.schema.message import AskMoment, Event, State
from realtime.view import recording
from realtime.view.recording import PREFIX, WAITING, Recordings, sweep

JPEG = b"\xff\xd8 a picture "


@pytest.fixture(autouse=True)
def disk(tmp_path, monkeypatch):
    """Everything temporary goes here."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder / "gradio"))
    return folder


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
    bob.send(77, JPEG)
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
        browser.send(1, JPEG)
        browser.until("state")
    ada.close()
    bob.say("record", on=False)
    url = bob.until("recorded")["url"]
    eventually(lambda: len(written(disk)) == 1)
    assert httpx.get(page.url + url).status_code == 200
    assert httpx.get(page.url + "session/guess.zip").status_code == 404
    page.close()
    assert not list(disk.iterdir())


def test_a_zip_is_removed_after_its_time(settings, disk):
    now = [0.0]
    recordings = Recordings(settings(), lambda: now[0])
    token = asyncio.run(recordings.finish(recordings.begin("browser", ["encoder", "nowhere"], video=False)))
    path = recordings.offered(token)
    assert path.stat().st_mode & 0o077 == 0
    now[0] = recording.KEPT_S - 1
    recordings.check()
    assert recordings.offered(token) == path
    now[0] = recording.KEPT_S + 1
    assert recordings.offered(token) is None
    recordings.check()
    assert not path.exists()


def test_a_recording_that_lasts_too_long_ends_and_is_offered(serve, browse, monkeypatch):
    monkeypatch.setattr(recording, "LONGEST_S", 0.5)
    ada = browse(serve())
    ada.enter()
    ada.say("record", on=True)
    assert "ends after" in ada.until("problem")["text"]
    assert ada.until("recorded")["url"]


def test_what_a_killed_page_left_is_swept_and_nothing_else(disk):
    code = (
        f"import tempfile, time; tempfile.tempdir = {str(disk)!r}\n"
        "from realtime import config\nfrom realtime.view.recording import Recordings\n"
        "Recordings(config.load()).begin('browser', [], video=True)\nprint('on', flush=True)\ntime.sleep(60)"
    )
    killed = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert killed.stdout.readline() == b"on\n"
    (left,) = disk.glob(f"{PREFIX}*")
    own = Path(tempfile.mkdtemp(prefix=recording._own_prefix()))
    other = disk / f"{PREFIX}of-somebody"
    other.mkdir()
    sweep()
    assert left.exists(), "it still runs"
    killed.kill()
    killed.wait()
    sweep()
    assert not left.exists()
    assert own.exists()
    assert other.exists()


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


def test_visitors_who_come_again_and_again_cannot_fill_the_disk(settings):
    async def finish_three():
        return [await recordings.finish(recordings.begin("browser", [], video=False)) for _ in range(3)]

    recordings = Recordings(settings("view.visitors=1"))
    oldest, *newer = asyncio.run(finish_three())
    assert recordings.offered(oldest) is None
    assert all(recordings.offered(token).exists() for token in newer)
    recordings.close()


def test_pictures_for_which_the_disk_is_too_slow_are_left_out_and_counted(settings, monkeypatch):
    recordings = Recordings(settings())
    slow = recordings.begin("browser", [], video=True)
    free = threading.Event()
    monkeypatch.setattr(slow._recorder, "picture", lambda *_: free.wait())
    for number in range(WAITING + 50):
        slow.picture(0.0, number, JPEG)
    assert 50 - 1 <= slow.left_out <= 50
    assert slow.stopped == ""
    monkeypatch.setattr(recording, "MOST_WAITING", WAITING - 10)
    assert "disk" in slow.stopped
    free.set()
    slow.discard()
    recordings.close()


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
    ada.send(50, JPEG)
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
