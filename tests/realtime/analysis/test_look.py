"""Files, looked at with the engines that are shipped: what lies in their folders, and what becomes of bad ones."""

import csv
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from itertools import islice

import numpy as np
import psutil
import pytest

from realtime.analysis import place
from realtime.analysis.look import FileTask, Wanted, look
from realtime.analysis.team import Team, workers
from realtime.analysis.upright import Glanced, lies
from realtime.capture.recorded.decoder import Decoder
from realtime.capture.recorded.encoder import VideoWriter
from realtime.capture.source import open_source
from realtime.config import ROOT, load
from realtime.demo import truth
from realtime.errors import SourceError
from realtime.recognition.heads import engines

CONFIG = load(overrides=["engines.precision=f32"])
SCRIPTED = truth.load()
BEFORE_S, FRAMES = 2.5, 240  # of the clip


def cut(path, first_s, last_s):
    """A piece of the bundled sample."""
    source = open_source(str(truth.VIDEO), CONFIG.source, fast=True)
    first, last = (round(t * source.rate_hz) for t in (first_s, last_s))
    encoder = None
    for frame in islice(source.frames(), first, last):
        height, width = frame.image.shape[:2]
        encoder = encoder or VideoWriter(path, (width, height), source.rate_hz)
        encoder.write(frame.t - first_s, frame.image)
    source.close()
    encoder.close()
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Four seconds around the second event of the sample, called as people call files."""
    onset = SCRIPTED.events[1].onset
    return cut(tmp_path_factory.mktemp("clips") / "Besuch im Café.mp4", onset - BEFORE_S, onset - BEFORE_S + 4.0)


@pytest.fixture(scope="module")
def looked(clip, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    shares = []
    task = FileTask(clip, out / "results", out / ".part")
    return look(task, Wanted(annotated=True), CONFIG, engines(CONFIG), shares.append), out / "results", shares


def test_a_file_becomes_tables_a_report_and_an_annotated_video(looked, clip):
    found, folder, shares = looked
    names = {"annotated.mp4", "events.csv", "events.json", "frames.csv", "report.html"}
    assert {path.name for path in folder.iterdir()} == names <= place.OURS
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (folder.parent / ".part").exists()
    assert (found.frames, found.faces, found.error) == (FRAMES, 1, "")
    assert found.seconds == pytest.approx(4.0, abs=0.02)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0, abs=0.02)
    frames = list(csv.DictReader((folder / "frames.csv").open(newline="")))
    assert len(frames) == FRAMES
    assert float(frames[60]["t_s"]) == pytest.approx(1.0, abs=1e-3)
    report = (folder / "report.html").read_text()
    assert f"<h1>{clip.name}</h1>" in report
    assert report.count('class="player"') == found.events


def test_events_are_final_ones_and_the_same_in_both_tables(looked):
    found, folder, _ = looked
    rows = list(csv.DictReader((folder / "events.csv").open(newline="")))
    said = json.loads((folder / "events.json").read_text())
    assert found.events == len(rows) == len(said["events"]) >= 1
    assert said["withdrawn"] == found.withdrawn
    for row, event in zip(rows, said["events"], strict=True):
        assert (int(row["id"]), row["label"], float(row["onset_s"])) == (event["id"], event["label"], event["onset_s"])
        assert event["onset_s"] < event["apex_s"] < event["offset_s"]
    true = SCRIPTED.events[1]
    assert min(abs(event["apex_s"] - (true.apex - true.onset + BEFORE_S)) for event in said["events"]) < 0.1


def test_an_annotated_video_shows_each_picture_at_its_time_above_the_curve(looked, clip):
    _, folder, _ = looked
    drawn, plain = (Decoder(path, 8000, 8000) for path in (folder / "annotated.mp4", clip))
    pairs = list(zip(iter(drawn.read, None), iter(plain.read, None), strict=True))
    assert len(pairs) == FRAMES
    for (t, image), (own_t, own) in islice(pairs, 20, FRAMES, 70):
        assert t == pytest.approx(own_t, abs=1e-3)
        assert image.shape[1] == own.shape[1]
        assert image.shape[0] > own.shape[0] + 40
        difference = np.abs(image[: own.shape[0]].astype(int) - own).mean(axis=2)
        assert np.median(difference) < 6  # the picture itself
        assert difference.max() > 60  # a box
    for each in (drawn, plain):
        each.close()


def test_what_is_no_video_leaves_nothing_behind(tmp_path):
    for name, content in (("a.mp4", b"no video"), ("b.mp4", None)):
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(SourceError, match=name):
            look(FileTask(file, tmp_path / "out" / "x", tmp_path / "out" / ".x"), Wanted(), CONFIG, None, print)
    assert not (tmp_path / "out").exists()


@pytest.mark.promise(
    "a video lies on its side and its file does not say so",
    "the run's note says so, with what to do",
    "no face found before",
)
def test_a_picture_that_lies_on_its_side_is_told():
    source = Glanced(open_source(str(truth.VIDEO), CONFIG.source, fast=True))
    list(islice(source.frames(), 70))
    source.close()
    assert len(source.pictures) == 2  # a second apart
    lying = lies([np.rot90(picture) for picture in source.pictures], CONFIG)
    assert "lies on its side, and its file does not say so; turn it with" in lying
    assert lies(source.pictures, CONFIG) == ""
    assert lies([np.full((120, 160, 3), 90, np.uint8)], CONFIG) == ""


def analyse(*words, out):
    command = [sys.executable, "-m", "realtime", "analyse", *map(str, words), "--out", str(out)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.promise(
    "one of several files cannot be read",
    "the others are done; it is one line without a decoder's noise; exit code 1",
    "1 of 1",
)
def test_a_file_that_fails_does_not_stop_the_others(clip, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:3000])
    process = analyse(clip, broken, tmp_path / "none.mp4", "--json", out=tmp_path / "out")
    printed, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (1, "")
    good, bad, none = json.loads(printed)
    assert (good["error"], good["frames"]) == ("", FRAMES)
    assert "broken.mp4" in bad["error"]
    assert "no such file" in none["error"]
    assert "\n" not in bad["error"] + none["error"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [clip.stem]


@pytest.mark.promise(
    "Ctrl-C while files are looked at", "exit code 130, no process and no half of a result left", "1 of 1"
)
def test_ctrl_c_leaves_no_process_and_no_half_of_a_result(tmp_path):
    process = analyse(truth.VIDEO, out=tmp_path / "out")
    until = time.monotonic() + 60
    while not list(tmp_path.glob("out/.*.part/session/messages.bin")) and time.monotonic() < until:
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.rstrip().endswith("stopped; what was half done is removed")
    assert list((tmp_path / "out").iterdir()) == []
    assert psutil.wait_procs(children, timeout=10)[1] == []


@pytest.mark.promise("a decoder takes the process with it", "that file fails with one line", "1 of 1")
def test_a_worker_that_dies_takes_its_own_file_with_it_alone(tmp_path):
    task = FileTask(truth.VIDEO, tmp_path / "out", tmp_path / ".part")
    with Team([task], 1, CONFIG, Wanted(), lambda *_: None, verbose=False) as team:
        [worker] = team._workers
        threading.Timer(0.3, os.kill, (worker.process.pid, signal.SIGKILL)).start()
        [found] = team.run()
    assert "ended (by signal 9); is the file damaged?" in found.error


def test_there_are_no_more_workers_than_files_and_cores():
    assert workers(1) == 1
    assert 1 <= workers(1000) <= os.cpu_count()
