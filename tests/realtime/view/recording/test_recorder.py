import threading

import pytest

from realtime.view.recording import recorder
from realtime.view.recording.store import RecordingStore

pytestmark = pytest.mark.usefixtures("disk")


def test_pictures_for_which_the_disk_is_too_slow_are_left_out_and_counted(settings, monkeypatch):
    recordings = RecordingStore(settings())
    slow = recordings.begin("browser", [], video=True)
    free = threading.Event()
    monkeypatch.setattr(slow._recorder, "picture", lambda *_: free.wait())
    for number in range(recorder.WAITING + 50):
        slow.picture(0.0, number, b"\xff\xd8 a picture")
    assert 50 - 1 <= slow.left_out <= 50
    assert slow.stopped == ""
    monkeypatch.setattr(recorder, "MOST_WAITING", recorder.WAITING - 10)
    assert "disk" in slow.stopped
    free.set()
    slow.discard()
    recordings.close()
