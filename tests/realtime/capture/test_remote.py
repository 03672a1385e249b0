"""Pictures as a browser sends them."""

import threading
import time
from itertools import pairwise

import cv2
import msgspec
import numpy as np
import pytest

from realtime.capture.recorded.jpeg import jpeg_size
from realtime.capture.remote import Remote, decoded
from realtime.capture.remote_clock import CameraClock
from realtime.config import load
from realtime.errors import SourceError
from realtime.pipeline.moments import jpeg
from realtime.schema.message import Picture

CONFIG = msgspec.structs.replace(load().streams, silent_s=0.2)


def image(level=120, width=64, height=48):
    return np.full((height, width, 3), (level, level // 2, 20), np.uint8)


def picture(number, t, data=None):
    return Picture(camera="visitor-1", t=t, number=number, jpeg=jpeg(image(number), 90) if data is None else data)


def frames_of(*pictures, config=CONFIG):
    remote = Remote("visitor-1", msgspec.structs.replace(config, queue_frames=max(len(pictures), 1)))
    for each in pictures:
        remote.push(each)
    return list(remote.frames())


def test_a_frame_has_the_cameras_number_and_its_time_since_the_first():
    found = frames_of(picture(7, 100.0), picture(8, 100.02), picture(9, 100.05))
    assert [(frame.index, frame.gap) for frame in found] == [(7, 0), (8, 0), (9, 0)]
    assert [frame.t for frame in found] == pytest.approx([0.0, 0.02, 0.05])
    assert all(abs(time.monotonic() - frame.grabbed) < 5.0 for frame in found)


def test_the_colours_are_rgb():
    (frame,) = frames_of(picture(0, 1.0, jpeg(image(200), 95)))
    assert frame.image.shape == (48, 64, 3)
    np.testing.assert_allclose(frame.image[24, 32], (200, 100, 20), atol=6)


def test_pictures_that_were_never_sent_are_a_gap():
    assert [frame.gap for frame in frames_of(picture(3, 1.0), picture(6, 1.1), picture(7, 1.2))] == [0, 2, 0]


def test_what_had_to_make_room_is_a_gap():
    remote = Remote("visitor-1", msgspec.structs.replace(CONFIG, queue_frames=2))
    for number in range(5):
        remote.push(picture(number, float(number)))
    found = list(remote.frames())
    assert [frame.index for frame in found] == [3, 4]
    remote = Remote("visitor-1", msgspec.structs.replace(CONFIG, queue_frames=2))
    frames = remote.frames()
    remote.push(picture(0, 0.0))
    assert next(frames).gap == 0
    for number in range(1, 6):
        remote.push(picture(number, float(number)))
    assert [(frame.index, frame.gap) for frame in frames] == [(4, 3), (5, 0)]


@pytest.mark.promise(
    "a picture from elsewhere that cannot be decoded",
    "a gap, and told",
    "1 of 1",
)
def test_what_is_no_picture_is_a_gap_and_is_logged(caplog):
    found = frames_of(picture(0, 1.0), picture(1, 1.1, b"\xff\xd8 no picture"), picture(2, 1.2))
    assert [(frame.index, frame.gap) for frame in found] == [(0, 0), (2, 1)]
    assert "picture 1 left out" in caplog.text


def test_a_picture_that_is_not_newer_is_left_out():
    assert [frame.index for frame in frames_of(picture(0, 1.0), picture(1, 1.0), picture(2, 0.5), picture(3, 1.5))] == [
        0,
        3,
    ]


def test_a_camera_chosen_anew_counts_from_0_without_a_gap():
    found = frames_of(picture(50, 1.0), picture(0, 1.5), picture(1, 1.6))
    assert [(frame.index, frame.gap) for frame in found] == [(50, 0), (0, 0), (1, 0)]


def test_it_ends_when_it_is_silent_and_at_once_when_it_is_closed():
    began = time.monotonic()
    assert frames_of() == []
    assert time.monotonic() - began > 0.15
    remote = Remote("visitor-1", msgspec.structs.replace(CONFIG, silent_s=60.0))
    threading.Timer(0.1, remote.close).start()
    assert list(remote.frames()) == []
    assert time.monotonic() - began < 20.0


@pytest.mark.parametrize(("width", "height"), [(64, 48), (1, 1), (1920, 1080), (17, 333)])
@pytest.mark.parametrize("options", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 4]])
def test_the_size_is_read_from_the_header(width, height, options):
    _, data = cv2.imencode(".jpg", image(width=width, height=height), options)
    assert jpeg_size(data.tobytes()) == (width, height)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"GIF89a", b"\xff\xd8\xff\xc0", b"\xff\xd8\xff\xe0\x00\x00" * 9])
def test_what_is_no_jpeg_has_no_size(data):
    assert jpeg_size(data) is None
    with pytest.raises(SourceError, match="wanted a JPEG"):
        decoded(data, CONFIG)


def hiding(jpeg, before):
    """`jpeg`, a large one, with a small frame header in a comment, and `before` in front of its own header."""
    at = jpeg.index(b"\xff\xc0")
    fake = b"\xff\xc0\x00\x11\x08\x00\x10\x00\x10" + bytes(12)
    return jpeg[:at] + before + jpeg[at:] + fake


@pytest.mark.parametrize("before", [b"\xff", b"\xff\xff\xff", b"\xff\x01", b"\xff\xd0", b"\xff\xc8\x00\x04\x00\x00"])
def test_a_header_that_is_hidden_from_a_look_is_not_decoded(before, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(SourceError, match=r"wanted a JPEG"):
        decoded(hiding(jpeg(image(width=4000, height=4000), 50), before), CONFIG)


def test_what_the_decoder_cannot_take_is_left_out(monkeypatch):
    def refuse(*_):
        raise cv2.error("too many pixels")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    assert frames_of(picture(0, 1.0)) == []


@pytest.mark.promise(
    "a number of a picture that is made up",
    "no gap of billions",
    "1 of 1",
)
def test_a_number_that_is_made_up_is_no_gap_of_billions():
    assert frames_of(picture(0, 1.0), picture(8_000_000_000, 1.1))[-1].gap <= 250_000


@pytest.mark.promise(
    "a picture from elsewhere that is too large, by bytes or side",
    "refused before it is decoded",
    "2 of 2",
)
def test_a_picture_beyond_the_limits_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(SourceError, match=r"2000 x 10 px, wanted .* at most 1920 px"):
        decoded(jpeg(image(width=2000, height=10), 50), CONFIG)
    with pytest.raises(SourceError, match="bytes, at most 512 kB"):
        decoded(bytes(600_000), CONFIG)


@pytest.mark.promise(
    "a JPEG from elsewhere that ends early",
    "the stream goes on",
    "every 97th byte of one",
)
def test_a_jpeg_that_ends_early_never_ends_the_stream():
    whole = jpeg(np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8), 90)
    cut = [picture(number, float(number), whole[: 97 * number]) for number in range(1, len(whole) // 97)]
    last = len(cut) + 1
    found = frames_of(*cut, picture(last, float(last), whole))
    assert all(frame.image.shape == (48, 64, 3) for frame in found)
    assert found[-1].index == last


@pytest.mark.promise(
    "a camera's clock leaps, either way",
    "its pictures are still seen, and the leap is told",
    "deaf for ever before; now no picture lost, of 4 leaps up to 1.7e308 s",
)
def test_a_clock_that_leaps_leaves_nobody_deaf(caplog):
    """Whichever way it leaps and however far: times go on as the pictures arrive, and that is said once."""
    for leap in (1e3, -1e3, 1.7e308, -1.7e308):
        caplog.clear()
        times = [1.0 + 0.01 * number + (leap if number >= 3 else 0.0) for number in range(10)]
        found = paced(*times)
        assert len(found) >= 9, leap
        assert all(before.t < after.t <= before.t + 1.0 for before, after in pairwise(found)), leap
        assert caplog.text.count("its clock") == 1, leap


@pytest.mark.promise(
    "one picture captured in the future",
    "those after it are seen",
    "1 of 1",
)
def test_one_picture_from_the_future_leaves_nobody_deaf():
    found = paced(1.0, 1.01, 9e12, 1.03, 1.04, 1.05)
    assert [frame.index for frame in found][-3:] == [3, 4, 5]
    assert found[-1].t < 1.0


@pytest.mark.promise("stamps of -1.7e308 and 1.7e308 s", "no time is published that is no number", "inf before")
def test_times_that_differ_by_more_than_there_are_numbers_are_finite():
    assert all(np.isfinite(frame.t) for frame in paced(-1.7e308, 1.7e308, -1.7e308, 0.0))


def test_a_small_step_back_is_left_out_until_it_lasts(caplog):
    """Pictures that overtook each other are left out without a word; a clock that was set back is not."""
    assert [frame.index for frame in paced(1.0, 1.01, 0.9, 1.02)] == [0, 1, 3]
    assert "its clock" not in caplog.text
    clock = CameraClock("visitor-1", leap_s=60.0)
    stamps = [1.0 + 0.25 * number - (5.0 if number >= 3 else 0.0) for number in range(12)]
    times = [clock.time(stamp, 0.25 * number) for number, stamp in enumerate(stamps)]
    assert times == [0.0, 0.25, 0.5, *[None] * 4, *(0.25 * number for number in range(7, 12))]
    assert "its clock" in caplog.text


def paced(*times, every_s=0.01):
    """The frames of pictures with these times, which arrive one after the other."""
    remote = Remote("visitor-1", msgspec.structs.replace(CONFIG, queue_frames=len(times)))
    for number, t in enumerate(times):
        remote.push(picture(number, t))
        time.sleep(every_s)
    return list(remote.frames())


@pytest.mark.promise(
    "pictures that cannot be decoded", "their camera makes room after silent_s", "kept its place before"
)
def test_a_camera_of_which_no_picture_can_be_decoded_for_long_has_failed():
    broken = jpeg(image(), 90)[:200]
    remote = Remote("visitor-1", msgspec.structs.replace(CONFIG, silent_s=0.2, queue_frames=1))
    stop = threading.Event()

    def send():
        for number in range(1000):
            remote.push(picture(number, float(number), broken))
            if stop.wait(0.02):
                return

    sending = threading.Thread(target=send)
    sending.start()
    try:
        with pytest.raises(SourceError, match=r"no picture of camera visitor-1 could be decoded for 0.2 s"):
            list(remote.frames())
    finally:
        stop.set()
        sending.join()
