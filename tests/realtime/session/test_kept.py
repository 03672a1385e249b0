"""Going on after sessions that ended: where the next one lies, and what is still known of their events."""

import msgspec
import pytest

from realtime import session
from realtime.session import layout


@pytest.fixture
def kept(make, room, tmp_path):
    """Makes a session of a run with so many events, of the camera that is recorded, and one more of a visitor's."""

    def make_one(name, run, count):
        with session.Recorder(tmp_path / name, room, [], video=False) as recorder:
            for seq in range(1, count + 1):
                recorder.keep(msgspec.structs.replace(make.event(seq, float(seq)), seq=seq, run=run))
            recorder.keep(msgspec.structs.replace(make.event(9, 9.0), camera="visitor-1", seq=count + 1, run=run))
        return tmp_path / name

    return make_one


def told(events):
    return [(event.run, event.seq) for event, _ in events]


def test_the_newest_events_of_all_sessions_are_known_in_order(kept):
    folders = [kept("monday", "a", 3), kept("monday-2", "b", 2)]
    assert told(session.kept_events(folders, 10)) == [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2)]
    assert told(session.kept_events(folders, 3)) == [("a", 3), ("b", 1), ("b", 2)]
    assert told(session.kept_events(folders, 0)) == []


def test_each_goes_beside_the_one_before(kept, tmp_path):
    assert session.going_on(tmp_path / "monday") == (tmp_path / "monday", [])
    first = kept("monday", "a", 1)
    assert session.going_on(first) == (tmp_path / "monday-2", [first])
    later = [kept(f"monday-{number}", "b", 1) for number in (2, 10)]
    for other in ("monday-old", "monday-1", "monday-02", "tuesday-7"):
        (tmp_path / other).mkdir()
    assert session.going_on(first) == (tmp_path / "monday-11", [first, *later])
    (tmp_path / "monday-11").mkdir()  # killed before it had begun
    assert session.going_on(first) == (tmp_path / "monday-11", [first, *later])


def test_an_event_that_was_cut_off_is_read_past(kept):
    folder = kept("monday", "a", 3)
    whole = (folder / layout.JOURNAL).read_bytes()
    (folder / layout.JOURNAL).write_bytes(whole[:-7])
    assert told(session.kept_events([folder], 10)) == [("a", 1), ("a", 2)]


@pytest.mark.parametrize("damage", ["noise", "a link", "gone"])
def test_a_session_that_cannot_be_read_costs_its_own_events_alone(damage, kept, tmp_path, caplog):
    folders = [kept("monday", "a", 1), kept("monday-2", "b", 1), kept("monday-3", "c", 1)]
    journal = folders[1] / layout.JOURNAL
    if damage == "noise":
        journal.write_bytes(b"\xff" * 200)
    elif damage == "a link":
        journal.unlink()
        journal.symlink_to(folders[0] / layout.JOURNAL)
    else:
        (folders[1] / layout.HEADER).unlink()
    assert told(session.kept_events(folders, 10)) == [("a", 1), ("c", 1)]
    assert "monday-2" in caplog.text


def test_a_session_without_events_has_no_journal(play, room, tmp_path):
    session.Recorder(tmp_path / "quiet", room, [], video=False).close()
    assert list(session.read(tmp_path / "quiet").journal()) == []
    assert not (tmp_path / "quiet" / layout.JOURNAL).exists()
