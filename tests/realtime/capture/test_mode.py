"""When compressed pictures are asked for, and what is said of what was given."""

import logging

import cv2
import pytest
from msgspec import structs

from realtime.capture.mode import Mode, granted, plausible, tell, wanted
from realtime.config import load

CONFIG = load().source
NAN = float("nan")


@pytest.mark.parametrize(
    ("format", "width", "height", "rate_hz", "compressed"),
    [
        ("auto", 640, 480, 60.0, True),
        ("auto", 640, 480, 30.0, False),
        ("auto", 640, 480, 30.1, True),
        ("auto", 320, 240, 60.0, True),  # USB 2 carries it, yet webcams do not give it
        ("auto", 1280, 720, 30.0, True),  # 55 MB/s
        ("auto", 1280, 720, 13.0, False),  # 24 MB/s, of 24.6
        ("auto", 1280, 720, 14.0, True),
        ("mjpg", 640, 480, 30.0, True),
        ("raw", 1920, 1080, 60.0, False),
    ],
)
def test_compressed_pictures_are_asked_for_where_raw_ones_would_be_too_slow(format, width, height, rate_hz, compressed):
    config = structs.replace(CONFIG, format=format, width=width, height=height, rate_hz=rate_hz)
    assert wanted(config) == Mode("MJPG" if compressed else "", width, height, rate_hz)


def test_the_default_configuration_asks_for_what_gives_its_60_frames():
    assert wanted(CONFIG).format == "MJPG"


@pytest.mark.parametrize(
    ("code", "format"),
    [
        (cv2.VideoWriter.fourcc(*"YUYV"), "YUYV"),
        (cv2.VideoWriter.fourcc(*"Y16 "), "Y16 "),
        (0.0, "an unknown format"),
        (-1.0, "an unknown format"),
    ],
)
def test_what_a_driver_states_is_read_back(code, format):
    stated = {
        cv2.CAP_PROP_FOURCC: code, cv2.CAP_PROP_FRAME_WIDTH: 640.0, cv2.CAP_PROP_FRAME_HEIGHT: 360.0,
        cv2.CAP_PROP_FPS: 29.97,
    }  # fmt: skip
    assert granted(stated.__getitem__) == Mode(format, 640, 360, 29.97)


@pytest.mark.parametrize(
    ("stated_hz", "taken_hz"), [(30.0, 30.0), (0.0, 60.0), (NAN, 60.0), (90000.0, 60.0), (-1.0, 60.0)]
)
def test_a_rate_that_cannot_be_is_not_believed(stated_hz, taken_hz):
    assert plausible(stated_hz, 60.0) == taken_hz


def told(caplog, asked, given):
    with caplog.at_level(logging.INFO):
        tell(2, asked, given)
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_what_was_asked_and_what_was_given_stand_in_one_line(caplog):
    asked, given = Mode("MJPG", 640, 480, 60.0), Mode("MJPG", 640, 360, 59.94)
    assert told(caplog, asked, given) == [
        ("INFO", "camera 2: asked for MJPG 640x480 at 60 frames/s, given MJPG 640x360 at 59.94 frames/s")
    ]


@pytest.mark.parametrize(("given", "other"), [("YUYV", "mjpg"), ("MJPG", "raw")])
def test_a_lower_rate_is_a_warning_that_says_what_to_try(caplog, given, other):
    _, (level, text) = told(caplog, Mode("", 640, 480, 60.0), Mode(given, 1280, 720, 30.0))
    assert level == "WARNING"
    assert text == (
        f"camera 2 gives 30 frames/s, not 60, as {given} 1280x720; try source.format={other}, a smaller source.width "
        "and source.height, or more light"
    )


@pytest.mark.parametrize("rate_hz", [60.0, 59.94, 120.0, 0.0, -1.0, NAN])
def test_a_rate_as_high_as_asked_or_unknown_is_no_warning(caplog, rate_hz):
    assert len(told(caplog, Mode("", 640, 480, 60.0), Mode("YUYV", 640, 480, rate_hz))) == 1
