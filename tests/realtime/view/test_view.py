"""The supervisor with the true page, before a recogniser that is a script: each is killed, and comes back."""

import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed

ROOT = Path(__file__).resolve().parents[3]
PORTS = [f"--set=publish.{name}_port=0" for name in ("state", "events", "replay", "frames")]
UP_S = 60.0


class View:
    """`python -m realtime view` and what it prints."""

    def __init__(self, *arguments):
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "realtime", "view", "--set=view.port=0", *PORTS, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout))
        self._reader.start()

    @property
    def url(self):
        return next((found[0] for line in self.lines if (found := re.findall(r"https?://\S+", line))), None)

    def child(self, command):
        """The process that runs this command now."""
        for each in psutil.Process(self.process.pid).children(recursive=True):
            if command in each.cmdline():
                return each
        return None

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        code = self.process.wait(30)
        self._reader.join(10)
        return code


@pytest.fixture
def view():
    opened = []

    def open_view(*arguments):
        opened.append(View(*arguments))
        return opened[-1]

    yield open_view
    for each in opened:
        if each.process.poll() is None:
            each.end(signal.SIGKILL)


def healthy(url, code=200):
    try:
        return httpx.get(url + "health").status_code == code
    except httpx.TransportError:
        return False


@pytest.mark.promise(
    "page or recogniser is killed with -9 under a visitor",
    "the visitor is told, and goes on once it is back",
    "each of the two",
)
def test_either_process_is_killed_and_the_other_goes_on(view, play, browse, eventually, tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    session = play()
    running = view("--replay", str(session.folder))
    url = eventually(lambda: running.url, UP_S)
    eventually(lambda: healthy(url), UP_S)
    page = running.child("page")
    browser = browse(running)
    eventually(lambda: session.header.camera in (welcome := browser.enter())["cameras"] and welcome["recorded"], UP_S)
    browser.say("hello", camera=session.header.camera)
    assert browser.until("state")["camera"] == session.header.camera

    killed = []
    for _ in range(3):  # it may be back before it is missed, and later each time
        killed.append(eventually(lambda: (new := running.child("replay")) not in (None, *killed) and new, UP_S))
        killed[-1].kill()
        with suppress(TimeoutError):
            browser.until("problem", what="recogniser-gone", timeout=3.0)
            break
    assert healthy(url, 503)
    assert browser.until("back", timeout=UP_S)
    assert browser.until("state", timeout=UP_S)
    assert running.child("page") == page
    again = running.child("replay")
    assert again not in (None, *killed)

    page.kill()
    with pytest.raises(ConnectionClosed):
        browser.quiet(UP_S)
    eventually(lambda: healthy(url), UP_S)
    assert running.child("replay") == again
    said = "".join(running.lines)
    for name in ("recogniser", "page"):
        assert f"the {name} ended (killed by SIGKILL)" in said
        assert f"the {name} is started again" in said
    assert running.end() == 130
    assert list(temporary.iterdir()) == [], "neither the killed page's folders nor the last one's are left"


def test_what_cannot_work_is_one_clear_error_and_leaves_nothing_running(view, tmp_path):
    running = view("--replay", str(tmp_path / "nowhere"))
    assert running.process.wait(UP_S) == 2
    running.end() if running.process.poll() is None else running._reader.join(10)
    said = "".join(running.lines)
    assert "nowhere" in said
    assert "Traceback" not in said
