"""A session's folder: written from several threads, cut off anywhere, on disks that fail, and read piece by piece."""

import json
import os
import signal
import stat
import struct
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from itertools import islice, pairwise

import msgpack
import msgspec
import pytest

from realtime import session
from realtime.config import ROOT, load
from realtime.errors import SessionError
from realtime.schema.message import Event, Meta, MomentPictures, State, decode
from realtime.session import layout

#: A process that records 200 states and a meta a second until it is killed, and says how far it is.
ENDLESS = """
import sys, time
from pathlib import Path
from realtime.config import load
from realtime.schema.message import State
from realtime.session import Recorder

recorder = Recorder(Path(sys.argv[1]), load(), [], video=True)
for frame in range(10**9):
    recorder.write(State(t=frame / 200, camera="0", frame=frame, gap=0, latency_ms=None, faces=()))
    recorder.picture(frame / 200, frame, b"\\xff\\xd8" + bytes(100) + b"\\xff\\xd9")
    print(frame, flush=True)
    time.sleep(0.005)
"""

#: A process whose files may not grow beyond some bytes, as on a full disk.
FULL = """
import logging, resource, sys
from pathlib import Path
from realtime.config import load
from realtime.schema.message import State
from realtime.session import RecordingOutlet, Recorder

class Counting:
    sent = 0
    def state(self, state):
        self.sent += 1

logging.basicConfig(stream=sys.stderr, format="%(message)s")
recorder = Recorder(Path(sys.argv[1]), load(), [], video=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
outlet = Counting()
recorded = RecordingOutlet(outlet, recorder)
for frame in range(1000):
    recorded.state(State(t=frame / 200, camera="0", frame=frame, gap=0, latency_ms=None, faces=()))
    recorder.picture(frame / 200, frame, bytes(10))
recorder.close()
print(outlet.sent, recorder.stopped)
"""


def run(program, *words, **options):
    return subprocess.Popen([sys.executable, "-c", program, *map(str, words)], cwd=ROOT, text=True, **options)


def test_what_was_sent_is_read_again_with_its_time(play, make):
    records = list(play())
    states = [r for r in records if isinstance(r.message, State)]
    assert [r.message.frame for r in states] == [f for f in range(200) if not 60 <= f < 63]
    assert all(r.at_s == pytest.approx(0.5 + r.message.t) for r in states)
    assert states[10].message == make.state(10, states[10].message.faces[0])
    assert [(r.message.seq, r.message.id, r.message.stage) for r in records if isinstance(r.message, Event)] == [
        (1, 1, "early"),
        (2, 1, "final"),
        (3, 2, "withdrawn"),
    ]
    metas = [r.message for r in records if isinstance(r.message, Meta)]
    assert [meta.events for meta in metas] == [0, 0, 3, 3]  # as the publisher numbered them so far
    assert all(before.at_s <= after.at_s for before, after in pairwise(records))


def test_the_outlet_still_gets_everything_and_gives_the_numbers(outlet, make, room, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorded = session.RecordingOutlet(outlet, recorder)
        recorded.state(make.state(0))
        assert recorded.event(make.event(1, 2.0)).seq == 1
        recorded.meta(make.meta(1.0))
    assert [type(message) for message in outlet.sent] == [State, Event, Meta]


def test_the_header_says_when_what_and_with_what(play, room):
    found = play()
    header = found.header
    assert (header.format, header.camera) == (1, "room-1")
    assert header.began_unix_s - header.began_monotonic_s == pytest.approx(1_700_000_000)
    assert msgspec.convert(header.config, type(room)) == room
    assert header.glimpse
    for name in ("encoder", "cmn"):
        assert found.engines[name] == json.loads((ROOT / "engines" / name / "manifest.json").read_text())


@pytest.mark.promise(
    "a session that others could read",
    "mode 0700",
    "2 of 2",
)
def test_the_folder_is_its_owners_alone(play, make, room, tmp_path):
    assert stat.S_IMODE(play().folder.stat().st_mode) == 0o700
    (tmp_path / "there").mkdir(mode=0o755)
    session.Recorder(tmp_path / "there", room, [], video=False).close()
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == 0o700


def test_the_bytes_are_as_the_format_says(play):
    """Read with struct and msgpack alone, from the words of the docstring."""
    found = play()
    data = (found.folder / "messages.bin").read_bytes()
    place, heard = 0, []
    while place < len(data):
        length, at_s = struct.unpack_from("<Id", data, place)
        topic, _, body = data[place + 12 : place + 12 + length].partition(b"\0")
        heard.append((at_s, topic.decode(), msgpack.unpackb(body)))
        place += 12 + length
    assert [(at_s, message["t"]) for at_s, _, message in heard] == [(r.at_s, r.message.t) for r in found]
    assert {topic for _, topic, _ in heard} == {"state/room-1", "event/room-1/micro", "meta"}


@pytest.mark.promise(
    "a session that was cut off anywhere",
    "read up to there",
    "5 places of 5",
)
@pytest.mark.parametrize("cut", [1, 7, 12, 13, 40])
def test_a_record_that_was_cut_off_is_read_past(play, cut):
    found = play()
    whole = list(found)
    path = found.folder / "messages.bin"
    last = len(whole) - 1
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - cut)
    assert list(session.read(found.folder)) == whole[:last]


def test_bytes_that_are_no_message_are_named_by_their_place(play):
    found = play()
    path = found.folder / "messages.bin"
    data = path.read_bytes()
    first = 12 + struct.unpack_from("<I", data)[0]
    path.write_bytes(data[:first] + struct.pack("<Id", 2**31, 0.0) + b"x" * 2_000_000)
    with pytest.raises(SessionError, match=rf"messages\.bin is damaged at byte {first}\b"):
        list(session.read(found.folder))
    path.write_bytes(data[: first + 12] + b"?" + data[first + 13 :])
    with pytest.raises(SessionError, match=rf"damaged at byte {first}\b.*no Glimpse topic"):
        list(session.read(found.folder))


@pytest.mark.promise(
    "killed with -9 while recording",
    "nothing that was written is lost; it is read",
    "1 of 1",
)
def test_a_killed_process_loses_nothing_that_it_wrote(tmp_path):
    process = run(ENDLESS, tmp_path / "s", stdout=subprocess.PIPE)
    said = [int(line) for line in islice(process.stdout, 150)]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    said += [int(line) for line in process.stdout.read().split()]
    found = session.read(tmp_path / "s")
    frames = [record.message.frame for record in found]
    assert frames[: len(said)] == said
    assert len(frames) <= len(said) + 1
    stills = list(found.stills())
    assert [still.frame for still in stills[: len(said)]] == said
    assert found.jpeg(stills[-1]) == b"\xff\xd8" + bytes(100) + b"\xff\xd9"


@pytest.mark.promise(
    "the disk is full while recording",
    "the stream goes on; what was written can be read",
    "1 of 1",
)
def test_a_full_disk_ends_the_recording_with_one_error_and_not_the_stream(tmp_path):
    process = run(FULL, tmp_path / "s", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert out.startswith("1000 "), err
    assert "File too large" in out
    assert err.count("\n") == 1
    assert "recording has stopped, the live stream goes on" in err
    frames = [record.message.frame for record in session.read(tmp_path / "s")]
    assert frames == list(range(len(frames)))
    assert 50 < len(frames) < 1000


def test_a_folder_that_cannot_be_written_is_one_error(room, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SessionError, match=r"cannot be written.*record into a folder that can"):
        session.Recorder(tmp_path / "file" / "s", room, [], video=False)


@pytest.mark.promise(
    "a session recorded over another",
    "refused",
    "2 of 2",
)
def test_a_session_is_not_written_over_another_nor_among_other_files(play, room, tmp_path):
    found = play()
    before = (found.folder / "messages.bin").read_bytes()
    with pytest.raises(SessionError, match="holds a session already"):
        session.Recorder(found.folder, room, [], video=False)
    assert (found.folder / "messages.bin").read_bytes() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("")
    with pytest.raises(SessionError, match="not empty"):
        session.Recorder(tmp_path / "mine", room, [], video=False)


def test_after_closing_nothing_more_is_written(play, room, make, tmp_path):
    recorder = session.Recorder(tmp_path / "s", room, [], video=True)
    recorder.close()
    recorder.write(make.state(0))
    recorder.picture(0.0, 0, make.jpeg(0))
    recorder.moment(1, MomentPictures(onset=b"", apex=b"", exaggerated=b"", times=4.0))
    recorder.close()
    assert list(session.read(tmp_path / "s")) == []
    assert not (tmp_path / "s" / "moments").exists()


def test_several_threads_write_whole_records_in_the_order_of_time(room, make, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=True) as recorder:

        def write(camera):
            for frame in range(300):
                recorder.write(make.state(frame, make.face(1, 1.0), camera=camera))
                recorder.picture(frame / 50, frame, make.jpeg(frame))

        threads = [threading.Thread(target=write, args=(f"c{i}",)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = session.read(tmp_path / "s")
    records = list(found)
    assert all(before.at_s <= after.at_s for before, after in pairwise(records))
    for i in range(4):
        assert [r.message.frame for r in records if r.message.camera == f"c{i}"] == list(range(300))
    assert [found.jpeg(still) for still in found.stills()] == [make.jpeg(still.frame) for still in found.stills()]


def test_pictures_are_found_by_frame_and_play_as_a_film(play, make):
    found = play(video=True)
    stills = list(found.stills())
    assert [still.frame for still in stills] == [r.message.frame for r in found if isinstance(r.message, State)]
    assert all(still.t == still.frame / make.rate_hz for still in stills)
    assert found.jpeg(stills[70]) == make.jpeg(73)
    try:
        counted = subprocess.run(
            ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames,width",
             "-of", "csv=p=0", found.folder / "pictures.mjpeg"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("no ffprobe here")
    assert counted.stdout.strip() == f"mjpeg,64,{len(stills)}"


def test_an_index_of_pictures_that_was_cut_off_is_read_up_to_there(play):
    found = play(video=True)
    whole = list(found.stills())
    index, film = found.folder / "pictures.csv", found.folder / "pictures.mjpeg"
    with index.open("r+b") as file:
        file.truncate(index.stat().st_size - 3)
    assert list(found.stills()) == whole[:-1]
    with film.open("r+b") as file:
        file.truncate(film.stat().st_size // 2)
    assert list(found.stills()) == [s for s in whole if s.offset + s.bytes <= film.stat().st_size]


def test_a_damaged_index_of_pictures_is_one_error(play):
    found = play(video=True)
    with (found.folder / "pictures.csv").open("a") as file:
        file.write("1,2,x,4\n")
    with pytest.raises(SessionError, match=r"pictures\.csv is damaged at '1,2,x,4"):
        list(found.stills())


def test_without_video_there_are_no_pictures(play):
    found = play()
    assert not found.video
    assert list(found.stills()) == []


def test_the_pictures_of_an_event_are_kept_and_replaced(play, room, make, tmp_path):
    assert play().moment(1) == MomentPictures(onset=make.jpeg(1), apex=make.jpeg(2), exaggerated=make.jpeg(3), times=4)
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        for apex in (b"early", b"final"):
            recorder.moment(7, MomentPictures(onset=b"o", apex=apex, exaggerated=b"", times=2.0))
    found = session.read(tmp_path / "s")
    assert found.moment(7) == MomentPictures(onset=b"o", apex=b"final", exaggerated=b"", times=2.0)
    assert found.moment(8) is None
    assert sorted(path.name for path in (found.folder / layout.MOMENTS).glob("*.jpg")) == [
        "7-apex.jpg",
        "7-exaggerated.jpg",
        "7-onset.jpg",
    ]


def test_a_folder_without_a_session_is_one_error(tmp_path):
    with pytest.raises(SessionError, match=r"holds no session.*run --record"):
        session.read(tmp_path)


@pytest.mark.promise(
    "a corrupt session",
    "one line that says what",
    "3 of 3",
)
def test_a_session_of_another_format_or_changed_by_hand_is_refused(play):
    found = play()
    path = found.folder / "session.json"
    tree = json.loads(path.read_text())
    path.write_text(json.dumps({"format": 2, "new": True}))
    with pytest.raises(SessionError, match="format 2, and I read 1"):
        session.read(found.folder)
    path.write_text(json.dumps(tree | {"camera": 3}))
    with pytest.raises(SessionError, match=r"session\.json.*camera"):
        session.read(found.folder)
    path.write_text(json.dumps(tree | {"later": "addition"}))
    assert session.read(found.folder).header == found.header


def test_a_long_session_is_never_in_memory_at_once(room, make, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        for frame in range(5000):
            recorder.write(make.state(frame, make.face(1, 1.0)))
    found = session.read(tmp_path / "s")
    assert (found.folder / "messages.bin").stat().st_size > 1_500_000
    tracemalloc.start()
    assert sum(1 for _ in found) == 5000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 300_000


def test_an_archive_holds_the_folder_and_is_its_owners_alone(play, tmp_path):
    found = play(video=True)
    target = session.archive(found.folder, tmp_path / "session.zip")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(target) as bundle:
        assert bundle.testzip() is None
        bundle.extractall(tmp_path / "out")
        how = {info.filename.partition("/")[2]: info.compress_type for info in bundle.infolist()}
    again = session.read(tmp_path / "out" / found.folder.name)
    assert list(again) == list(found)
    assert again.header == found.header
    assert again.moment(1) == found.moment(1)
    assert how["pictures.mjpeg"] == how["moments/1-apex.jpg"] == zipfile.ZIP_STORED
    assert how["messages.bin"] == zipfile.ZIP_DEFLATED


def test_an_archive_that_cannot_be_written_leaves_nothing_behind(play, tmp_path):
    with pytest.raises(SessionError, match="cannot be written"):
        session.archive(play().folder, tmp_path / "nowhere" / "s.zip")
    with pytest.raises(SessionError, match="holds no session"):
        session.archive(tmp_path, tmp_path / "s.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recorded"]


def test_a_message_with_all_landmarks_fits(room, make, tmp_path):
    points = tuple((float(i), float(i)) for i in range(468))
    with session.Recorder(tmp_path / "s", load(), [], video=False) as recorder:
        recorder.write(make.state(0, make.face(1, 1.0, landmarks=points)))
    (record,) = session.read(tmp_path / "s")
    assert record.message.faces[0].landmarks == points
    assert decode((tmp_path / "s" / "messages.bin").read_bytes()[12:])[1] == record.message
