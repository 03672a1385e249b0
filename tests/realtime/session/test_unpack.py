"""The page's own download, read as it is; and zip files made to burst a disk or to write elsewhere."""

import csv
import io
import stat
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.errors import SessionError
from realtime.session import archive, layout, limits
from realtime.session.unpack import opened


@pytest.fixture
def download(play, tmp_path):
    return archive(play(seconds=3.0).folder, tmp_path / "session.zip")


def parts_of(path):
    with zipfile.ZipFile(path) as bundle:
        return {part.filename: bundle.read(part) for part in bundle.infolist()}


def zipped(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in parts.items():
            bundle.writestr(name, data)
    return path


def refused(path, why):
    with pytest.raises(SessionError, match=why), opened(path):
        pytest.fail("it was read")


@pytest.mark.promise("`report` of the page's own download", "a page and tables as of the folder", "refused before")
def test_a_download_is_read_as_the_folder_that_it_was_made_of(download, play, tmp_path):
    folder = tmp_path / "recorded"
    with opened(download) as found, opened(folder) as whole:
        assert list(found) == list(whole)
        assert found.moment(1) == whole.moment(1)
        private = found.folder
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not private.exists()
    said = CliRunner().invoke(app, ["report", str(download)])
    assert said.exit_code == 0, said.output
    assert "<h2>Timeline</h2>" in (tmp_path / "session-report.html").read_text()


@pytest.mark.promise("whoever downloads a session has no Glimpse", "the zip holds events.csv, a row an event", "1 of 1")
def test_a_download_holds_its_events_as_a_table(download):
    [table] = [data for name, data in parts_of(download).items() if name.endswith("/events.csv")]
    [row] = csv.DictReader(io.StringIO(table.decode()))
    assert (row["id"], row["stage"], row["label"]) == ("1", "final", "surprise")


def test_what_is_no_part_of_a_session_is_not_unpacked(download, tmp_path):
    strange = {
        "../outside.txt": b"x", "/tmp/absolute": b"x", "recorded/../../outside.txt": b"x",
        "recorded/engines/../../x.json": b"x", "recorded/moments/1-onset.exe": b"x", "recorded/engines/a\\b.json": b"x",
    }  # fmt: skip
    made = zipped(tmp_path / "made.zip", parts_of(download) | strange)
    with opened(made) as found:
        there = {path.relative_to(found.folder).as_posix() for path in found.folder.rglob("*") if path.is_file()}
        assert len(list(found)) > 100
    assert not [name for name in there if "outside" in name or "exe" in name or "a\\b" in name]
    assert not Path(tmp_path / "outside.txt").exists()


def test_a_link_in_a_zip_is_refused(download, tmp_path):
    made = zipped(tmp_path / "made.zip", parts_of(download))
    with zipfile.ZipFile(made, "a") as bundle:
        link = zipfile.ZipInfo("recorded/moments/9-onset.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        bundle.writestr(link, "/etc/passwd")
    refused(made, "is no regular file")


@pytest.mark.promise("a zip that bursts the disk", "refused after a hundred times its size", "1 of 1")
def test_a_bomb_is_refused_while_it_is_unpacked(download, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_TIMES_UNPACKED", 20)
    bomb = zipped(tmp_path / "bomb.zip", {f"recorded/{layout.HEADER}": bytes(50_000_000)})
    assert bomb.stat().st_size < 100_000
    refused(bomb, "far larger unpacked than packed")


def test_a_zip_with_too_long_a_list_is_refused_before_the_list_is_read(download, monkeypatch):
    monkeypatch.setattr(limits, "MOST_LIST_BYTES", 100)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    refused(download, "lists more files than a session has; unpack it yourself")


@pytest.mark.parametrize("cut", [0.0, 0.3, 0.99])
def test_a_zip_that_was_cut_off_is_one_error(download, cut):
    download.write_bytes(download.read_bytes()[: int(cut * download.stat().st_size)])
    refused(download, "is no zip file")


def test_two_sessions_or_none_in_a_zip_are_one_error(download, tmp_path):
    parts = parts_of(download)
    two = parts | {name.replace("recorded/", "second/"): data for name, data in parts.items()}
    refused(zipped(tmp_path / "two.zip", two), "holds 2 sessions")
    refused(zipped(tmp_path / "none.zip", {"readme.txt": b""}), "holds 0 sessions")


def test_damaged_data_is_one_error(download):
    data = bytearray(download.read_bytes())
    data[200:400] = bytes(200)
    download.write_bytes(data)
    refused(download, "cannot be unpacked|damaged|holds no session|is no regular|changed by hand")
