"""A recorded session that somebody else made, to hang, burst or mislead whoever reads it."""

import csv
import os
import resource
import shutil
import subprocess
import sys

import msgpack
import msgspec
import pytest
from messages import ROOM, event, face, meta, state
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.config import ROOT, load
from realtime.errors import SessionError
from realtime.schema.message import MomentPictures, encode, topic_of
from realtime.session import Recorder, archive, layout, limits, read
from realtime.session.report import page
from realtime.session.survey import survey
from realtime.session.tables.export import export

SECRET = b"\xff\xd8 my own words \xff\xd9"


@pytest.fixture
def folder(tmp_path):
    """A session of twenty frames and one event with pictures, recorded with video."""
    room = load(overrides=[f"publish.camera={ROOM}"])
    with Recorder(tmp_path / "theirs", room, [ROOT / "engines" / "cmn"], video=True) as recorder:
        for frame in range(20):
            recorder.write(state(frame, face(1, 1.0)))
            recorder.picture(frame / 50, frame, SECRET)
        recorder.write(event(1, 0.2))
        recorder.write(meta(1.0))
        recorder.moment(1, MomentPictures(onset=b"\xff\xd8", apex=b"\xff\xd8", exaggerated=b"\xff\xd8", times=4.0))
    return tmp_path / "theirs"


@pytest.fixture
def mine(tmp_path):
    """A file of the user's own, which no session may read or change."""
    path = tmp_path / "mine.txt"
    path.write_bytes(SECRET)
    return path


def append(folder, message, at_s=1.0):
    add(folder, encode(topic_of(message), message), at_s)


def add(folder, frame, at_s=1.0):
    with (folder / layout.MESSAGES).open("ab") as file:
        file.write(layout.PREFIX.pack(len(frame), at_s) + frame)


def use_all(folder):
    """All that is ever done with a session, but for publishing it."""
    session = read(folder)
    page.page(session)
    export(session, "csv", folder.parent / "tables")
    for still in session.stills():
        session.jpeg(still)


def call(command, folder):
    """The command as it is typed, in a process of its own that may not hang or take more than 2 GB."""
    more = {"export": ["--out", folder.parent / "tables"], "replay": ["--speed", "100", "--seconds", "5"]}
    if command == "replay":
        more["replay"] += [w for k in ("state", "events", "replay", "frames") for w in ("--set", f"publish.{k}_port=0")]
    return subprocess.run(
        [sys.executable, "-m", "realtime", command, str(folder), *map(str, more.get(command, ()))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (2 << 30,) * 2),
    )


def refused(said):
    """Whether one line, without a traceback, says why."""
    assert "Traceback" not in said.stderr
    assert said.stderr.startswith("error: "), said.stderr
    assert said.stderr.count("\n") == 1, said.stderr
    return said.returncode == 2


@pytest.mark.promise("a session's report.html is a link", "no file of the user is changed", "any file before; now 0")
@pytest.mark.parametrize("there", [True, False])
def test_a_report_is_not_written_through_a_link(there, folder, mine):
    if not there:
        mine.unlink()
    (folder / page.REPORT).symlink_to(mine)
    with pytest.raises(SessionError, match=r"report\.html is a link"):
        page.write(read(folder))
    assert mine.exists() == there
    assert not there or mine.read_bytes() == SECRET
    said = CliRunner().invoke(app, ["report", str(folder)])
    assert said.exit_code == 2


@pytest.mark.promise("a table or an archive would be written over a link", "no file of the user is changed", "5 of 5")
@pytest.mark.parametrize("name", ["states.csv", "events.csv", "meta.csv", "states.parquet", "s.zip"])
def test_tables_and_archives_are_not_written_through_a_link(name, folder, mine):
    (folder / name).symlink_to(mine)
    kind = name.partition(".")[2]
    with pytest.raises(SessionError, match=f"{name} is a link"):
        archive(folder, folder / name) if kind == "zip" else export(read(folder), kind, folder)
    assert mine.read_bytes() == SECRET


def test_what_is_written_replaces_an_earlier_one_whole_and_leaves_nothing_beside_it(folder, monkeypatch):
    page.write(read(folder))
    before = (folder / page.REPORT).read_bytes()
    assert page.write(read(folder)).read_bytes() == before
    names = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr(os, "replace", _full)
    with pytest.raises(SessionError, match="No space left"):
        page.write(read(folder), folder / page.REPORT)
    assert (folder / page.REPORT).read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == names


def _full(*_):
    raise OSError(28, "No space left on device")


PARTS = [
    layout.HEADER, layout.MESSAGES, layout.PICTURES, layout.PICTURES_INDEX, "engines/cmn.json", "moments/1.json",
    "moments/1-onset.jpg", "moments/1-apex.jpg", "moments/1-exaggerated.jpg", layout.ENGINES, layout.MOMENTS,
]  # fmt: skip


@pytest.mark.promise("a link anywhere in a session", "followed nowhere", "11 places of 11 refused; read before")
@pytest.mark.parametrize("part", PARTS)
def test_a_link_in_a_session_is_refused(part, folder):
    elsewhere = folder.parent / "elsewhere"
    (folder / part).rename(elsewhere)
    (folder / part).symlink_to(elsewhere)
    with pytest.raises(SessionError, match=r"^[^\n]* is a link[^\n]*$"):
        use_all(folder)
    with pytest.raises(SessionError, match=r" is a link"):
        archive(folder, folder.parent / "s.zip")
    assert not (folder.parent / "s.zip").exists()


def test_the_users_own_link_to_a_session_is_followed(folder):
    (folder.parent / "here").symlink_to(folder)
    use_all(folder.parent / "here")
    assert page.write(read(folder.parent / "here")).exists()


@pytest.mark.promise("a pipe anywhere in a session", "nobody waits for it", "9 places of 9 refused; hung before")
@pytest.mark.parametrize("part", PARTS[:9])
def test_a_pipe_in_a_session_is_refused(part, folder):
    (folder / part).unlink()
    os.mkfifo(folder / part)
    commands = "import sys, test_sessions as t; from pathlib import Path; t.use_all(Path(sys.argv[1]))"
    where = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *map(str, (ROOT / "tests").glob("*/"))])}
    done = subprocess.run(
        [sys.executable, "-c", commands, str(folder)], capture_output=True, text=True, timeout=30, env=where
    )
    assert "SessionError" in done.stderr.splitlines()[-1]
    assert "is a pipe" in done.stderr


TIMES = [1e15, -1e15, float("nan"), float("inf"), float("-inf"), 1.7e308]


@pytest.mark.promise(
    "a session with a time of 1e15 s, NaN or infinity", "refused by all that read it", "report hung at 3 GB before"
)
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize(
    "message",
    [
        lambda t: msgspec.structs.replace(state(30, face(1, 1.0)), t=t),
        lambda t: msgspec.structs.replace(event(2, 0.3), apex_s=t),
        lambda t: msgspec.structs.replace(meta(2.0), t=t),
    ],
)
def test_a_time_that_cannot_be_is_refused(time, message, folder):
    append(folder, message(time))
    with pytest.raises(SessionError, match=r"messages\.bin is damaged at byte \d+"):
        list(read(folder))


@pytest.mark.parametrize("time", TIMES)
def test_a_time_of_publishing_that_cannot_be_is_refused(time, folder):
    append(folder, state(30), at_s=time)
    with pytest.raises(SessionError, match=r"messages\.bin is damaged at byte \d+"):
        list(read(folder))


@pytest.mark.promise(
    "a session with a time of 1e15 s, to each command", "one line, exit code 2", "report, export, replay: 3 of 3"
)
@pytest.mark.parametrize("command", ["report", "export", "replay"])
def test_each_command_refuses_it_in_one_line(command, folder):
    append(folder, msgspec.structs.replace(state(30), t=1e15))
    assert refused(call(command, folder))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), -1e300])
@pytest.mark.parametrize("where", ["score", "landmarks", "expression", "box"])
def test_numbers_that_cannot_be_are_refused(where, number, folder):
    values = {
        "score": number,
        "landmarks": ((1.0, 2.0),) * 467 + ((3.0, number),),
        "expression": {"neutral": number},
        "box": (1.0, 2.0, 3.0, number),
    }
    append(folder, state(30, msgspec.structs.replace(face(1, 1.0), **{where: values[where]})))
    with pytest.raises(SessionError, match="damaged"):
        list(read(folder))


def test_a_day_is_no_absurd_time(folder):
    append(folder, msgspec.structs.replace(state(30), t=86400.0 * 30), at_s=86400.0 * 30)
    use_all(folder)


DEEP = b"[" * 100_000 + b"]" * 100_000
SHALLOW = b"[" * 900 + b"]" * 900


def changed_header(**values):
    def change(folder):
        path = folder / layout.HEADER
        path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | values))

    return change


def manifest(data):
    return lambda folder: (folder / "engines" / "cmn.json").write_bytes(data)


def index(line):
    return lambda folder: (folder / layout.PICTURES_INDEX).write_text(layout.COLUMNS + line)


def many_engines(folder):
    for number in range(limits.MOST_ENGINES + 1):
        (folder / "engines" / f"{number}.json").write_text("{}")


def big(name):
    return lambda folder: os.truncate(folder / name, 1 << 40)


def deep_messages(folder):
    add(folder, b"meta\0" + b"\x91" * 100_000 + b"\x01")


def deep_unknown(folder):
    body = msgpack.packb({"schema": 1, "t": 1.0, "camera": "0"})
    add(folder, b"meta\0\x84" + body[1:] + b"\xa1x" + b"\x91" * 100_000 + b"\x01")


def odd_meta(**values):
    return lambda folder: add(folder, b"meta\0" + msgpack.packb(msgspec.to_builtins(meta(1.0)) | values))


def odd_event(folder):
    body = msgspec.to_builtins(event(2, 0.3)) | {"stage": "\x1b]0;title\x07\nerror: all is well" * 10_000}
    add(folder, f"event/{ROOM}/micro\0".encode() + msgpack.packb(body))


ODD = {
    "terminal codes and lines in an error": odd_event,
    "a sentence of 900 kB": odd_meta(left_out="x" * 900_000),
    "a meta of a camera with terminal codes": odd_meta(camera="\x1b]0;title\x07"),
    "an infinite rate": odd_meta(rate_hz=float("inf")),
    "a count of 2 ** 63": odd_meta(frames=2**63),
    "deep JSON in the header": lambda f: (f / layout.HEADER).write_bytes(b'{"format":1,"x":' + DEEP + b"}"),
    "900 deep in the configuration": changed_header(config=msgspec.Raw(b'{"a":' + SHALLOW + b"}")),
    "deep maps in a manifest": manifest(b'{"a":' * 900 + b"1" + b"}" * 900),
    "deep JSON in a manifest": manifest(b'{"a":' + DEEP + b"}"),
    "a manifest of other types": manifest(b'{"training":[1],"scores":{"a":1}}'),
    "scores without a protocol": manifest(b'{"scores":[{"name":"f1"}]}'),
    "data that are numbers": manifest(b'{"training":{"data":[1,2]}}'),
    "deep msgpack": deep_messages,
    "deep msgpack in an unknown field": deep_unknown,
    "a date that no calendar has": changed_header(began_unix_s=1e300),
    "a camera's name with terminal codes": changed_header(camera="\x1b]0;title\x07"),
    "a camera's name of a megabyte": changed_header(camera="x" * 500_000),
    "a moment of other JSON": lambda f: (f / "moments" / "1.json").write_bytes(DEEP),
    "a moment of absurd times": lambda f: (f / "moments" / "1.json").write_bytes(b'{"times":1e308}'),
    "a terabyte of header": big(layout.HEADER),
    "a terabyte of manifest": big("engines/cmn.json"),
    "a terabyte of picture": big("moments/1-apex.jpg"),
    "a terabyte of messages": big(layout.MESSAGES),
    "a terabyte of index": big(layout.PICTURES_INDEX),
    "thousands of engines": many_engines,
    "an engine's name that is no text": lambda f: (f / "engines" / "cmn.json").rename(f / "engines" / "\udcff.json"),
    "a line without end": index("1" * 1_000_000),
    "a picture before the file": index("1,0.1,-5,3\n"),
    "a picture of negative size": index("1,0.1,0,-1\n"),
    "a picture at no time": index("1,nan,0,3\n"),
    "a picture at an absurd time": index("1,1e15,0,3\n"),
    "a number of 4,000 digits": index("1" * 4000 + ",0.1,0,3\n"),
    "messages.bin is a folder": lambda f: ((f / layout.MESSAGES).unlink(), (f / layout.MESSAGES).mkdir()),
    "moments is a file": lambda f: (shutil.rmtree(f / "moments"), (f / "moments").write_text("")),
}


@pytest.mark.promise(
    "a session with deep JSON or msgpack, other types, lying lengths, terabytes",
    "one line and no traceback",
    "34 of 34; tracebacks before",
)
@pytest.mark.parametrize("what", ODD)
def test_a_session_that_is_none_is_refused_in_one_line(what, folder):
    ODD[what](folder)
    with pytest.raises(SessionError, match=r"^[^\n\x1b\x07]*$") as error:
        use_all(folder)
    assert len(str(error.value)) < 1000


@pytest.mark.promise(
    "a session with thousands of cameras, faces or labels", "refused before memory grows", "4 kinds of 4"
)
@pytest.mark.parametrize("kind", ["cameras", "faces", "labels", "stages"])
def test_more_names_than_any_session_has_are_refused(kind, folder):
    for number in range(12):
        names = [f"n{number}-{each}" for each in range(1000)]
        if kind == "cameras":
            for name in names[:100]:
                append(folder, msgspec.structs.replace(state(1), camera=name))
        if kind == "faces":
            append(folder, state(1, *(face(number * 1000 + each, 1.0) for each in range(1000))))
        if kind == "labels":
            one = msgspec.structs.replace(face(1, 1.0), expression=dict.fromkeys(names, 0.1))
            append(folder, state(1, one))
        if kind == "stages":
            taken = next(iter(meta(1.0).latency_ms.values()))
            append(folder, msgspec.structs.replace(meta(1.0), latency_ms=dict.fromkeys(names, taken)))
    with pytest.raises(SessionError, match=rf"more than \d+ .*{kind}"):
        survey(read(folder))


@pytest.mark.promise("pictures of events that would fill the memory", "shown up to a size, and said", "1 of 1")
def test_a_page_holds_no_more_pictures_than_can_be_opened(folder, monkeypatch):
    monkeypatch.setattr(limits, "MOST_SHOWN_BYTES", 9)
    append(folder, event(2, 0.3))
    for name in ("onset", "apex", "exaggerated"):
        (folder / "moments" / f"2-{name}.jpg").write_bytes(SECRET)
    shutil.copy(folder / "moments" / "1.json", folder / "moments" / "2.json")
    text = page.page(read(folder))
    assert text.count("data:image/jpeg") == 3
    assert "pictures of the other events are left out" in text


FORMULAS = ['=HYPERLINK("http://x","y")', "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"]


@pytest.mark.promise("a formula as a label, a reason, an engine's name", "text in a spreadsheet", "8 kinds of 8")
@pytest.mark.parametrize("formula", FORMULAS)
def test_a_spreadsheet_runs_nothing_of_a_table(formula, folder):
    append(folder, msgspec.structs.replace(event(2, 0.3), label=formula, reason=formula, quality=(formula,)))
    engine = msgspec.structs.replace(meta(1.0).engines[0], name=formula)
    append(folder, msgspec.structs.replace(meta(1.0), engines=(engine,), version=formula))
    export(read(folder), "csv", folder.parent / "tables")
    cells = [read_rows(folder.parent / "tables" / f"{name}.csv")[-1] for name in ("events", "meta")]
    assert [cells[0][name] for name in ("label", "reason", "quality")] == ["'" + formula] * 3
    assert cells[1]["version"] == "'" + formula
    assert cells[1]["engines"].startswith("'" + formula)


def test_numbers_below_zero_stay_numbers(folder):
    append(folder, msgspec.structs.replace(state(30, face(1, -1.5)), t=-0.25))
    export(read(folder), "csv", folder.parent / "tables")
    row = read_rows(folder.parent / "tables" / "states.csv")[-1]
    assert (row["t_s"], row["score"]) == ("-0.25", "-1.5")


def read_rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
