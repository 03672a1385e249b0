"""States, events and meta as CSV and Parquet, read back by other readers."""

import csv
import stat
import sys
import tracemalloc

import pytest

from realtime.errors import SessionError
from realtime.schema.message import Event, Meta, MomentPictures, State
from realtime.session import Recorder, read
from realtime.session.tables import export as tables
from realtime.session.tables.export import export
from realtime.session.tables.rows import OF_PUBLISHING, STATES


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_parquet(path):
    return pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()


def plain(row):
    """What CSV makes of a row: text, and nothing for None."""
    return {name: "" if value is None else str(value) for name, value in row.items()}


@pytest.fixture
def session(play):
    return play()


def test_states_are_a_row_for_each_face_and_frame(session, tmp_path):
    written = export(session, "csv", tmp_path / "out")
    states = [r for r in session if isinstance(r.message, State)]
    found = read_csv(tmp_path / "out" / "states.csv")
    assert len(found) == len(states) == written[tmp_path / "out" / "states.csv"] == 197
    empty, row = found[2], found[50]
    assert (empty["frame"], empty["face"], empty["score"]) == ("2", "", "")
    message = states[50].message
    (face,) = message.faces
    assert {name: row[name] for name in ("camera", "frame", "face", "gap_frames", "quality")} == {
        "camera": "room-1", "frame": "50", "face": "1", "gap_frames": "0", "quality": ""
    }  # fmt: skip
    assert found[51]["quality"] == "dark"
    assert float(row["published_s"]) == states[50].at_s
    assert float(row["t_s"]) == message.t
    assert float(row["latency_ms"]) == message.latency_ms
    assert float(row["score"]) == face.score
    assert float(row["threshold"]) == 4.5
    assert [float(row[f"box_{name}_px"]) for name in ("left", "top", "width", "height")] == list(face.box)
    assert [float(row[f"{name}_deg"]) for name in ("yaw", "pitch", "roll")] == [1.5, -2.0, 0.25]
    assert (float(row["expression_neutral"]), float(row["expression_happiness"])) == (0.75, 0.25)
    (gap,) = [row for row in found if row["gap_frames"] != "0"]
    assert (gap["frame"], gap["gap_frames"]) == ("63", "3")


def test_two_faces_are_two_rows(room, make, tmp_path):
    with Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorder.write(make.state(0, make.face(1, 1.0), make.face(2, 3.0)))
    export(read(tmp_path / "s"), "csv", tmp_path / "out")
    rows = read_csv(tmp_path / "out" / "states.csv")
    assert [(row["frame"], row["face"], row["score"]) for row in rows] == [("0", "1", "1.0"), ("0", "2", "3.0")]


@pytest.mark.promise(
    "an export mixes early, final and withdrawn answers",
    "events: a row an event that stayed; answers: all of them",
    "3 rows for 1 event before, 1 now",
)
def test_an_event_that_stayed_is_one_row_with_its_last_answer(session, tmp_path):
    export(session, "csv", tmp_path / "out")
    [row] = read_csv(tmp_path / "out" / "events.csv")
    answers = read_csv(tmp_path / "out" / "answers.csv")
    [last] = [answer for answer in answers if answer["id"] == row["id"] and answer["last"] == "True"]
    assert row["stage"] == "final"
    assert row == {name: cell for name, cell in last.items() if name != "last"}


def test_a_table_can_be_left_out_renamed_and_freed_of_columns(session, tmp_path):
    written = export(session, "csv", tmp_path / "out", {STATES: "frames"}, OF_PUBLISHING)
    assert set(written) == set((tmp_path / "out").iterdir()) == {tmp_path / "out" / "frames.csv"}
    row = read_csv(tmp_path / "out" / "frames.csv")[50]
    assert (row["frame"], row["face"]) == ("50", "1")
    assert not OF_PUBLISHING & set(row)


def test_answers_are_all_of_them_and_the_last_is_marked(session, tmp_path):
    export(session, "csv", tmp_path / "out")
    found = read_csv(tmp_path / "out" / "answers.csv")
    assert [(row["seq"], row["id"], row["stage"], row["last"]) for row in found] == [
        ("1", "1", "early", "False"),
        ("2", "1", "final", "True"),
        ("3", "2", "withdrawn", "True"),
    ]
    early, final, withdrawn = found
    events = [r.message for r in session if isinstance(r.message, Event)]
    assert (early["offset_s"], float(final["offset_s"])) == ("", events[1].offset_s)
    assert [float(final[name]) for name in ("t_s", "onset_s", "apex_s", "emitted_s", "confidence", "rate_hz")] == [
        events[1].t, events[1].onset_s, events[1].apex_s, events[1].emitted_s, 0.8125, 50.0
    ]  # fmt: skip
    assert (final["probability_cmn_surprise"], final["probability_cmn_negative"]) == ("0.75", "0.25")
    assert (withdrawn["reason"], withdrawn["label"], withdrawn["kind"]) == ("unsure", "surprise", "micro")


def test_the_units_that_moved_are_two_columns_for_programs_and_for_people(room, make, tmp_path):
    units = (
        make.unit("lip corners up, left more than right"),
        make.unit("jaw down", unit="26", side="both", right=0.32),
    )
    with Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorder.write(make.event(1, 2.0, seq=1, units=units))
        recorder.write(make.event(2, 3.0, seq=2))
    export(read(tmp_path / "s"), "csv", tmp_path / "out")
    some, none = read_csv(tmp_path / "out" / "events.csv")
    assert some["units"] == "12:left:0.320:0.110 26:both:0.320:0.320"
    assert some["units_in_words"] == "lip corners up, left more than right; jaw down"
    assert (none["units"], none["units_in_words"]) == ("", "")


def test_events_of_two_cameras_with_one_id_are_two(room, make, tmp_path):
    with Recorder(tmp_path / "s", room, [], video=False) as recorder:
        for seq, camera in ((1, "a"), (2, "b")):
            recorder.write(make.event(1, 2.0, camera=camera, seq=seq))
    export(read(tmp_path / "s"), "csv", tmp_path / "out")
    assert [row["last"] for row in read_csv(tmp_path / "out" / "answers.csv")] == ["True", "True"]


def test_meta_has_rates_counts_and_latencies(session, tmp_path):
    export(session, "csv", tmp_path / "out")
    found = read_csv(tmp_path / "out" / "meta.csv")
    metas = [r.message for r in session if isinstance(r.message, Meta)]
    assert [float(row["t_s"]) for row in found] == [meta.t for meta in metas]
    assert [int(row["frames"]) for row in found] == [50, 100, 150, 200]
    assert [(row["gaps_frames"], row["dropped_frames"], row["events"]) for row in found][2] == ("3", "0", "3")
    assert [found[0][f"latency_total_{share}_ms"] for share in ("p50", "p95", "p99")] == ["11.0", "16.0", "20.0"]
    assert found[0]["engines"] == "encoder cpu bf16"


def test_parquet_says_the_same_with_types(session, tmp_path):
    export(session, "csv", tmp_path / "csv")
    export(session, "parquet", tmp_path / "parquet")
    for name in ("states", "events", "answers", "meta"):
        rows = read_parquet(tmp_path / "parquet" / f"{name}.parquet")
        assert [plain(row) for row in rows] == read_csv(tmp_path / "csv" / f"{name}.csv")
    row = read_parquet(tmp_path / "parquet" / "states.parquet")[50]
    assert {name: type(row[name]) for name in ("frame", "t_s", "camera", "score", "expression_neutral")} == {
        "frame": int, "t_s": float, "camera": str, "score": float, "expression_neutral": float
    }  # fmt: skip
    assert read_parquet(tmp_path / "parquet" / "answers.parquet")[1]["last"] is True


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_chunks_leave_no_seam(session, tmp_path, monkeypatch, kind):
    reader = {"csv": read_csv, "parquet": read_parquet}[kind]
    export(session, kind, tmp_path / "whole")
    monkeypatch.setattr(tables, "CHUNK", 7)
    export(session, kind, tmp_path / "pieces")
    for name in ("states", "events", "answers", "meta"):
        assert reader(tmp_path / "pieces" / f"{name}.{kind}") == reader(tmp_path / "whole" / f"{name}.{kind}")


def test_an_export_of_a_long_session_is_never_in_memory_at_once(room, make, tmp_path, monkeypatch):
    with Recorder(tmp_path / "s", room, [], video=False) as recorder:
        for frame in range(5000):
            recorder.write(make.state(frame, make.face(1, 1.0)))
    monkeypatch.setattr(tables, "CHUNK", 100)
    session = read(tmp_path / "s")
    tracemalloc.start()
    export(session, "csv", tmp_path / "out")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "out" / "states.csv").stat().st_size > 500_000
    assert most < 1_500_000  # all rows at once take eight times as much


def test_a_session_without_a_message_makes_tables_without_rows(room, tmp_path):
    Recorder(tmp_path / "s", room, [], video=False).close()
    for kind, reader in (("csv", read_csv), ("parquet", read_parquet)):
        assert set(export(read(tmp_path / "s"), kind, tmp_path / kind).values()) == {0}
        assert reader(tmp_path / kind / f"states.{kind}") == []


def test_a_new_folder_is_its_owners_alone(session, tmp_path):
    export(session, "csv", tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_without_pyarrow_one_error_names_the_extra_before_anything_is_written(session, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(SessionError, match=r"\.\[parquet\].*--to csv"):
        export(session, "parquet", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    export(session, "csv", tmp_path / "out")


def test_a_folder_that_cannot_be_written_is_one_error(session, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SessionError, match=r"cannot be written.*--out"):
        export(session, "csv", tmp_path / "file")


def test_labels_that_appear_late_have_columns_from_the_beginning(room, make, tmp_path):
    with Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorder.write(make.state(0, make.face(1, 1.0, expression={})))
        recorder.write(make.state(1, make.face(1, 1.0, expression={"fear": 0.5})))
        recorder.moment(1, MomentPictures(onset=b"", apex=b"", exaggerated=b"", times=1.0))
    export(read(tmp_path / "s"), "csv", tmp_path / "out")
    assert [row["expression_fear"] for row in read_csv(tmp_path / "out" / "states.csv")] == ["", "0.5"]
