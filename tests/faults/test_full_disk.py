"""A disk without room: what is recorded, reported or exported then is either whole or said not to be."""

import resource
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from messages import ROOM, event, face, state
from typer.testing import CliRunner

from realtime import live
from realtime.__main__ import app
from realtime.config import load
from realtime.errors import SessionError
from realtime.session import Recorder, archive, layout, read

#: Bytes that any one file may have.
ROOM_LEFT = 9_000


class Stage:
    """A live process that publishes a few states to whoever records them, and nothing else."""

    stopped = False

    def __init__(self, config, recorder, earlier):
        self.streams, self._recorder = self, recorder
        addresses = ("state_address", "events_address", "address", "private_address")
        self.publisher = self.answers = self.inbox = SimpleNamespace(**dict.fromkeys(addresses, "nowhere"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stop(self):
        pass

    def run(self, source, seconds, told):
        for frame in range(20):
            self._recorder.write(state(frame, face(1, 1.0)))


@contextmanager
def full():
    """No file can grow any further."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_LEFT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def folder(tmp_path):
    """A session whose report and tables need more room than there will be."""
    with Recorder(tmp_path / "s", load(overrides=[f"publish.camera={ROOM}"]), [], video=True) as recorder:
        for frame in range(300):
            recorder.write(state(frame, face(1, 1.0)))
        recorder.write(event(1, 0.2))
        recorder.picture(0.0, 0, bytes(range(256)) * 100)
    return tmp_path / "s"


@pytest.mark.promise(
    "the disk is full while `run` records", "it ends with exit code 2 and one line", "exit code 0 before; 2 of 2"
)
@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_a_run_whose_session_is_not_whole_says_so_at_its_end(tmp_path, monkeypatch, more):
    monkeypatch.setattr(live, "Live", Stage)
    create = Recorder._create

    def endless(self, name):
        return self._files.enter_context(open("/dev/full", "wb")) if name == layout.MESSAGES else create(self, name)

    monkeypatch.setattr(Recorder, "_create", endless)
    words = ["run", "--source", "none", "--record", str(tmp_path / "s"), *more]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "not whole" in errors[0]
    assert "No space left on device" in errors[0]
    assert "Traceback" not in done.output


def test_a_run_whose_session_is_whole_ends_well(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "Live", Stage)
    done = CliRunner().invoke(app, ["run", "--source", "none", "--record", str(tmp_path / "s"), "--json"])
    assert done.exit_code == 0
    assert len(list(read(tmp_path / "s"))) == 20


@pytest.mark.promise(
    "the disk is full while a report, a table or an archive is written",
    "exit code 2 and one line; what was there stays as it was, and nothing half is left",
    "an empty report before; 3 of 3",
)
@pytest.mark.parametrize("what", ["report", "export", "archive"])
def test_what_cannot_be_whole_takes_no_place(folder, tmp_path, what):
    out = tmp_path / "out"
    out.mkdir()
    old = {out / name: name for name in ("page.html", "states.csv", "s.zip")}
    for path, text in old.items():
        path.write_text(text)
    with full():
        if what == "archive":
            with pytest.raises(SessionError, match="cannot be written"):
                archive(folder, out / "s.zip")
        else:
            words = {"report": ["--out", str(out / "page.html")], "export": ["--to", "csv", "--out", str(out)]}[what]
            done = CliRunner().invoke(app, [what, str(folder), *words])
            assert done.exit_code == 2
            assert done.stderr.startswith("error: ")
            assert done.stderr.count("\n") == 1
    assert {path: path.read_text() for path in out.iterdir()} == old
