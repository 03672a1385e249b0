"""Recordings: their times, pace and ends, and what is said when there is no frame to be had."""

import logging
import shutil
import threading
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec import structs

from realtime.capture import source as sources
from realtime.capture.colour import rgb
from realtime.capture.recorded import playback as playbacks
from realtime.capture.recorded.folder import ImageFolder
from realtime.capture.recorded.playback import MediaClock, Playback, Recorded
from realtime.capture.recorded.video import VideoFile
from realtime.capture.source import open_source
from realtime.config import SourceConfig
from realtime.errors import SourceError

CONFIG = SourceConfig(
    queue_frames=3, width=64, height=48, rate_hz=50.0, format="raw", largest_px=1000, scaled_px=960,
    late_s=0.1, reopen_first_s=0.5, reopen_most_s=2.0,
)  # fmt: skip
CLIPS = Path(__file__).resolve().parents[3] / "../shared/clips"
NO_CAMERA = 97
RED, BLUE = (200, 30, 40), (40, 30, 200)  # RGB


@pytest.fixture
def clip(tmp_path):
    """Writes a clip of one colour (RGB) and returns its path."""

    def write(name, codec="MJPG", rate_hz=30.0, frames=12, colour=RED):
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate_hz, (64, 48))
        for _ in range(frames):
            writer.write(np.full((48, 64, 3), colour[::-1], np.uint8))
        writer.release()
        return path

    return write


@pytest.fixture
def pictures(tmp_path):
    """Writes pictures of one grey level each, given by name, and returns their folder."""

    def write(**levels):
        for name, level in levels.items():
            cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((6, 8), level, np.uint8))
        return tmp_path

    return write


def read(path, *, fast=True):
    source = open_source(str(path), CONFIG, fast=fast)
    try:
        return list(source.frames())
    finally:
        source.close()


def shared(name):
    if not (CLIPS / name).exists():
        pytest.skip(f"{name} is not in {CLIPS}")
    return CLIPS / name


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [("a.mp4", "mp4v", 30.0), ("b.mp4", "mp4v", 29.97), ("c.avi", "MJPG", 59.94), ("d.mkv", "MJPG", 30.0)],
)
def test_a_constant_rate_gives_index_over_rate_within_a_millisecond(clip, name, codec, rate_hz):
    frames = read(clip(name, codec, rate_hz))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.t for frame in frames] == pytest.approx([i / rate_hz for i in range(12)], abs=1e-3)
    assert {frame.gap for frame in frames} == {0}


@pytest.mark.parametrize("colour", [RED, BLUE])
def test_colours_are_rgb(clip, colour):
    frame = read(clip("a.avi", colour=colour))[0]
    assert frame.image.shape == (48, 64, 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.mean(axis=(0, 1)) == pytest.approx(colour, abs=6)  # what JPEG leaves of it


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 1), (2, 2, 4)])
def test_grey_and_transparent_pictures_become_rgb(shape):
    image = np.full(shape, 7, np.uint8)
    if shape[-1] == 4:
        image[..., :] = (10, 20, 30, 128)  # BGRA
    wanted = (30, 20, 10) if shape[-1] == 4 else (7, 7, 7)
    assert np.array_equal(rgb(image), np.broadcast_to(np.uint8(wanted), (2, 2, 3)))


def test_a_picture_of_two_channels_is_refused():
    with pytest.raises(SourceError, match="2 channels, uint8; wanted grey, BGR or BGRA"):
        rgb(np.zeros((2, 2, 2), np.uint8))


@pytest.mark.promise(
    "a lying clock in a file: times that fall, stand still, are negative",
    "times from zero that increase",
    "8 kinds of 8",
)
@pytest.mark.parametrize(
    ("positions_s", "wanted_s"),
    [
        ([-0.02, 0.03, 0.07], [0.0, 0.05, 0.09]),  # an edit list
        ([0.0, 0.0, 0.0, 0.0], [0.0, 0.1, 0.2, 0.3]),  # a raw stream
        ([-7e12, -7e12, -7e12], [0.0, 0.1, 0.2]),  # no time stamps at all
        ([-7e12, 5.0, 5.1], [0.0, 0.1, 0.2]),  # none on the first
        ([0.0, 0.1, 0.0, 0.3, 0.4], [0.0, 0.1, 0.2, 0.3, 0.4]),  # none on one
        ([0.0, 0.1, 0.2, 0.0, 0.1], [0.0, 0.1, 0.2, 0.3, 0.4]),  # two files joined
        ([0.0, 0.1, 0.4, 0.45], [0.0, 0.1, 0.4, 0.45]),  # a variable rate stays one
        ([0.0, float("nan"), 0.2], [0.0, 0.1, 0.2]),
    ],
)
def test_positions_of_every_kind_become_times_from_zero_that_increase(positions_s, wanted_s):
    clock = MediaClock(rate_hz=10.0)
    assert [clock.time(position) for position in positions_s] == pytest.approx(wanted_s)


def test_a_stream_without_time_stamps_plays_at_its_rate(tmp_path):
    path = tmp_path / "raw.mjpeg"
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), 99, np.uint8))[1].tobytes()
    path.write_bytes(picture * 5)
    assert [frame.t for frame in read(path)] == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16])  # 25 is ffmpeg's own


def test_real_time_releases_each_frame_when_it_is_due_and_fast_does_not_wait(clip):
    path = clip("a.avi", rate_hz=30.0, frames=10)
    begun = time.monotonic()
    frames = read(path, fast=False)
    assert min(frame.grabbed - begun - frame.t for frame in frames) > -0.002
    fast = read(path, fast=True)
    assert fast[-1].grabbed - fast[0].grabbed < fast[-1].t
    assert [frame.t for frame in fast] == [frame.t for frame in frames]


def test_a_slow_consumer_gets_every_frame_where_none_is_left_out_grabbed_when_it_was_due(clip):
    patient = structs.replace(CONFIG, late_s=0.0)
    source = open_source(str(clip("a.avi", rate_hz=60.0, frames=8)), patient, fast=False)
    frames = []
    for frame in source.frames():
        time.sleep(0.03)
        frames.append(frame)
    assert [frame.index for frame in frames] == list(range(8))
    assert frames[-1].grabbed - frames[0].grabbed == pytest.approx(frames[-1].t)
    assert time.monotonic() - frames[0].grabbed > 0.2 > frames[-1].t  # so its delay shows


def test_what_comes_too_late_of_a_recording_in_real_time_is_left_out_as_a_gap(clip):
    source = open_source(str(clip("a.avi", rate_hz=60.0, frames=40)), CONFIG, fast=False)
    frames = []
    for frame in source.frames():
        time.sleep(0.25 if frame.index == 2 else 0.0)
        frames.append(frame)
    assert source.dropped == 40 - len(frames) > 3
    assert all(after.index == before.index + 1 + after.gap for before, after in pairwise(frames))
    assert any(frame.gap for frame in frames)
    source = open_source(str(clip("a.avi", rate_hz=60.0, frames=40)), CONFIG, fast=True)
    assert [frame.gap for frame in source.frames() if not time.sleep(0.005)] == [0] * 40


def test_a_file_that_is_decoded_too_slowly_still_shows_some_of_it():
    playback = Playback(Path("slow.avi"), CONFIG, fast=False)

    def pictures():
        for number in range(120):
            yield Recorded(number / 1000, np.zeros((4, 4, 3), np.uint8))
            time.sleep(0.005)

    frames = list(playback.frames(pictures()))
    assert len(frames) >= 5
    assert max(frame.gap for frame in frames) == playbacks.MOST_LEFT_OUT


def test_close_ends_a_recording_that_waits(clip):
    source = open_source(str(clip("a.avi", rate_hz=1.0, frames=20)), CONFIG, fast=False)
    threading.Timer(0.05, source.close).start()
    begun = time.monotonic()
    assert len(list(source.frames())) == 1
    assert time.monotonic() - begun < 0.9  # the second frame was due after 1 s


@pytest.mark.promise(
    "a stream that is cut within a frame",
    "what is there is given, and a warning",
    "1 of 1",
)
def test_a_file_cut_in_the_middle_of_a_frame_gives_what_is_there_and_warns(clip, caplog):
    path = clip("a.avi", frames=30)
    whole = path.read_bytes()
    begin = whole.index(b"movi")
    path.write_bytes(whole[: begin + (len(whole) - begin) // 2])
    with caplog.at_level(logging.WARNING):
        frames = read(path)
    assert 0 < len(frames) < 30
    assert f"{len(frames)} of 30 announced frames" in caplog.text


def test_a_whole_file_gives_no_warning(clip, caplog):
    with caplog.at_level(logging.WARNING):
        read(clip("a.avi"))
    assert caplog.text == ""


def test_a_missing_file_is_named_with_the_place_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=f"no such file or folder: {tmp_path}/none.mp4"):
        open_source("none.mp4", CONFIG, fast=True)


@pytest.mark.promise(
    "a file that is no video",
    "one error that names it",
    "1 of 1",
)
@pytest.mark.parametrize("content", [b"", b"hello" * 100])
def test_a_file_that_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "junk.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"junk\.mp4 cannot be decoded; wanted a video such as mp4"):
        open_source(str(path), CONFIG, fast=True)


@pytest.mark.promise(
    "a file of zero length in pictures",
    "one error",
    "1 of 1",
)
def test_a_video_without_frames_is_refused(clip):
    with pytest.raises(SourceError, match="no frame that can be decoded"):
        open_source(str(clip("empty.avi", frames=0)), CONFIG, fast=True)


def test_pictures_come_in_the_order_of_their_numbers_at_the_configured_rate(pictures):
    folder = pictures(img10=30, img2=20, img1=10)
    (folder / "notes.txt").write_text("not a picture")
    (folder / "._img3.png").write_bytes(b"what a file system leaves")
    frames = read(folder)
    assert [frame.image[0, 0].tolist() for frame in frames] == [[10] * 3, [20] * 3, [30] * 3]
    assert [frame.t for frame in frames] == pytest.approx([0.0, 0.02, 0.04])


def test_pictures_in_real_time_are_released_when_they_are_due(pictures):
    folder = pictures(a=1, b=2, c=3)
    begun = time.monotonic()
    assert read(folder, fast=False)[-1].grabbed - begun > 0.038


def test_one_picture_is_a_recording_of_one_frame(pictures):
    frames = read(pictures(only=5) / "only.png")
    assert [(frame.t, frame.index) for frame in frames] == [(0.0, 0)]


@pytest.mark.promise(
    "the size of pictures changes under way",
    "they go on, and it is told once",
    "1 of 1",
)
def test_a_change_of_size_is_delivered_and_logged_once(pictures, caplog):
    folder = pictures(a=1, d=4)
    cv2.imwrite(str(folder / "b.png"), np.zeros((10, 12), np.uint8))
    with caplog.at_level(logging.WARNING):
        frames = read(folder)
    assert [frame.image.shape[:2] for frame in frames] == [(6, 8), (10, 12), (6, 8)]
    assert caplog.text.count("size changes from (6, 8) to (10, 12)") == 1
    assert len(caplog.records) == 1


def test_a_picture_that_cannot_be_read_is_named(pictures):
    folder = pictures(a=1)
    (folder / "b.png").write_bytes(b"torn")
    with pytest.raises(SourceError, match=r"b\.png cannot be read as a picture"):
        read(folder)


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"holds no pictures; wanted files that end in \.jpg"):
        open_source(str(tmp_path), CONFIG, fast=True)


@pytest.mark.parametrize("spec", [str(NO_CAMERA), f"/dev/video{NO_CAMERA}"])
def test_an_absent_camera_is_named_with_what_can_be_done(spec, capfd):
    with pytest.raises(SourceError, match=f"camera {NO_CAMERA} does not open; cameras under /dev: .*Plug one in"):
        open_source(spec, CONFIG, fast=False)
    assert capfd.readouterr().err == ""


@pytest.fixture
def plugged(tmp_path):
    """The folder where Linux would list one camera, and how that is plugged in as another number."""
    folder = tmp_path / "video4linux"

    def plug(number, name="HD Webcam"):
        shutil.rmtree(folder, ignore_errors=True)
        (folder / f"video{number}").mkdir(parents=True)
        (folder / f"video{number}" / "name").write_text(f"{name}\n")

    plug(NO_CAMERA)
    return folder, plug


def test_a_part_of_a_name_opens_that_camera(plugged):
    with pytest.raises(SourceError, match=f"camera {NO_CAMERA} does not open"):
        open_source("webcam", CONFIG, fast=False, cameras=plugged[0])


def test_a_file_or_folder_of_that_name_wins_over_a_camera(plugged, pictures, monkeypatch):
    monkeypatch.chdir(pictures(a=1).parent)
    pictures(a=1).rename("webcam")
    assert isinstance(open_source("webcam", CONFIG, fast=True, cameras=plugged[0]), ImageFolder)


def test_a_link_to_a_camera_is_that_camera_even_while_it_leads_nowhere(tmp_path):
    (tmp_path / "usb-camera").symlink_to(f"/dev/video{NO_CAMERA}")
    with pytest.raises(SourceError, match=f"camera {NO_CAMERA} does not open"):
        open_source(str(tmp_path / "usb-camera"), CONFIG, fast=False)


@pytest.mark.parametrize("spec", ["none.mp4", "thinkpad"])
def test_what_is_neither_file_nor_camera_is_told_with_the_cameras_that_are_there(plugged, spec):
    with pytest.raises(SourceError, match=f'no such file or folder: .*/{spec}, .* {NO_CAMERA} "HD Webcam"'):
        open_source(spec, CONFIG, fast=True, cameras=plugged[0])


def test_a_camera_of_a_name_is_found_again_under_another_number(plugged, monkeypatch):
    folder, plug = plugged
    opened, back = [], threading.Event()

    class Plugged:
        rate_hz = CONFIG.rate_hz

        def __init__(self, number, config):
            opened.append(number)
            self.grabs = 0

        def grab(self):
            self.grabs += 1
            if len(opened) == 2:
                back.set()
            elif self.grabs == 2:
                plug(NO_CAMERA + 1)
                return False
            return True

        def picture(self):
            return np.zeros((6, 8, 3), np.uint8)

        def close(self):
            pass

    monkeypatch.setattr(sources, "CvDevice", Plugged)
    quick = structs.replace(CONFIG, late_s=0.1, reopen_first_s=0.01)
    source = open_source("HD Webcam", quick, fast=False, cameras=folder)
    assert back.wait(10.0)
    source.close()
    assert opened == [NO_CAMERA, NO_CAMERA + 1]


def test_a_spec_is_opened_as_what_it_names(clip, pictures):
    video = clip("a.avi")
    folder = pictures(a=1)
    assert isinstance(open_source(str(video), CONFIG, fast=True), VideoFile)
    assert isinstance(open_source(str(folder), CONFIG, fast=True), ImageFolder)
    assert isinstance(open_source(str(folder / "a.png"), CONFIG, fast=True), ImageFolder)


@pytest.mark.parametrize(
    ("name", "count", "rate_hz", "size"),
    [
        ("single_face.mp4", 72, 30.0, (360, 640)),
        ("strong_expressions.mp4", 472, 23.976, (360, 640)),
        ("face_noface.mov", 169, 26.4, (540, 960)),
        ("noface_face.mov", 169, 26.5, (540, 960)),
        ("no_face.mp4", 95, 23.67, (540, 960)),
        ("head-pose-face-detection-female.gif", 23, 12.04, (270, 480)),
        ("head-pose-face-detection-male.gif", 62, 12.0, (270, 480)),
        ("head-pose-face-detection-female-and-male.gif", 56, 12.0, (270, 480)),
        ("multi_face.jpg", 1, 50.0, (667, 1000)),
    ],
)
def test_real_clips_give_all_their_frames_in_order(name, count, rate_hz, size):
    source = open_source(str(shared(name)), CONFIG, fast=True)
    times = []
    for frame in source.frames():
        assert frame.image.shape == (*size, 3)
        times.append(frame.t)
    source.close()
    assert len(times) == count
    assert times[0] == 0.0
    assert (np.diff(times) > 0).all()
    assert source.rate_hz == pytest.approx(rate_hz, abs=0.02)
    assert times[-1] == pytest.approx((count - 1) / rate_hz, rel=0.02)


@pytest.mark.parametrize(("name", "rate_hz"), [("single_face.mp4", 30.0), ("strong_expressions.mp4", 24000 / 1001)])
def test_real_clips_of_constant_rate_keep_it_within_a_millisecond(name, rate_hz):
    times = [frame.t for frame in read(shared(name))]
    assert times == pytest.approx([i / rate_hz for i in range(len(times))], abs=1e-3)
