"""A webcam that gives 60 frames/s as MJPG alone, played as OpenCV and V4L2 have it: what is asked, granted and said."""

import itertools
import logging

import cv2
import numpy as np
import pytest
from msgspec import structs

from realtime.capture.device import CvDevice
from realtime.config import load
from realtime.errors import SourceError

CONFIG = structs.replace(load().source, format="auto", width=640, height=480, rate_hz=60.0)
NAMES = {
    cv2.CAP_PROP_FOURCC: "format",
    cv2.CAP_PROP_FRAME_WIDTH: "width",
    cv2.CAP_PROP_FRAME_HEIGHT: "height",
    cv2.CAP_PROP_FPS: "rate",
}
ASKED = {
    cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
    cv2.CAP_PROP_FRAME_WIDTH: 640,
    cv2.CAP_PROP_FRAME_HEIGHT: 480,
    cv2.CAP_PROP_FPS: 60.0,
}


class Webcam:
    """In the place of cv2.VideoCapture. A new format or size brings back the driver's own rate, after which OpenCV asks
    for the one that was granted last; the width waits for the height."""

    compresses = True  #: whether it has MJPG
    mute = False  #: whether it hangs as MJPG
    damaged = 0  #: first pictures that are torn
    opened = ()  #: all so far

    def __init__(self, number):
        self.there = number == 0 and not any(other.there for other in self.opened)
        self.opened.append(self)
        self.calls = []
        self.format, self.size, self.width, self.granted = "YUYV", (640, 480), None, 30.0
        self.grabs = 0

    def isOpened(self):  # noqa: N802
        return self.there

    def set(self, key, value):
        self.calls.append(NAMES[key])
        if key == cv2.CAP_PROP_FOURCC and self.compresses:
            self.format = int(value).to_bytes(4, "little").decode()
        elif key == cv2.CAP_PROP_FRAME_WIDTH:
            self.width = value
        elif key == cv2.CAP_PROP_FRAME_HEIGHT and self.width:
            self.size = (self.width, value)
        elif key == cv2.CAP_PROP_FPS:
            self.granted = min(value, self.fastest)
        self.granted = min(self.granted, self.fastest)
        return True

    @property
    def fastest(self):
        return 60.0 if self.format == "MJPG" else 30.0 if self.size[0] <= 640 else 10.0

    def get(self, key):
        return {
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*self.format)),
            cv2.CAP_PROP_FRAME_WIDTH: float(self.size[0]),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self.size[1]),
            cv2.CAP_PROP_FPS: self.granted,
        }[key]

    def grab(self):
        self.grabs += 1
        return not (self.mute and self.format == "MJPG")

    def retrieve(self):
        if self.grabs <= self.damaged:
            return False, None
        return True, np.full((*self.size[::-1], 3), (10, 20, 30), np.uint8)

    def release(self):
        self.there = False


@pytest.fixture
def webcam(monkeypatch):
    """The class, whose attributes a test may change; camera 0 is one, and there is no other."""
    fresh = type("Fresh", (Webcam,), {"opened": []})
    monkeypatch.setattr(cv2, "VideoCapture", fresh)
    return fresh


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_sixty_frames_are_had_by_asking_for_the_format_first_and_the_rate_last(webcam, caplog):
    with caplog.at_level(logging.INFO):
        device = CvDevice(0, CONFIG)
    assert webcam.opened[0].calls == ["format", "width", "height", "rate"]
    assert device.rate_hz == 60.0
    assert "asked for MJPG 640x480 at 60 frames/s, given MJPG 640x480 at 60 frames/s" in caplog.text
    assert warnings(caplog) == []


@pytest.mark.parametrize("order", itertools.permutations(ASKED))
def test_the_played_webcam_gives_30_to_whoever_asks_for_the_rate_before_the_format(order):
    camera = type("Fresh", (Webcam,), {"opened": []})(0)
    for key in order:
        camera.set(key, ASKED[key])
    first = order.index(cv2.CAP_PROP_FPS) < order.index(cv2.CAP_PROP_FOURCC)
    assert camera.granted == (30.0 if first else 60.0)


def test_raw_pictures_are_left_as_they_come_where_they_are_fast_enough(webcam):
    device = CvDevice(0, structs.replace(CONFIG, rate_hz=30.0))
    assert webcam.opened[0].calls == ["width", "height", "rate"]
    assert device.rate_hz == 30.0


def test_a_camera_without_mjpg_gives_what_it_can_and_says_so(webcam, caplog):
    webcam.compresses = False
    with caplog.at_level(logging.INFO):
        device = CvDevice(0, CONFIG)
    assert device.rate_hz == 30.0
    assert "asked for MJPG 640x480 at 60 frames/s, given YUYV 640x480 at 30 frames/s" in caplog.text
    [warning] = warnings(caplog)
    assert "gives 30 frames/s, not 60, as YUYV 640x480; try source.format=mjpg, a smaller" in warning


def test_a_camera_that_hangs_as_mjpg_is_opened_again_as_it_comes_and_says_so(webcam, caplog):
    webcam.mute = True
    with caplog.at_level(logging.INFO):
        device = CvDevice(0, CONFIG)
    first, second = webcam.opened
    assert not first.there  # given back before it was opened again, which would have failed
    assert second.calls == ["width", "height", "rate"]
    assert device.grab()
    assert device.rate_hz == 30.0
    assert first.grabs == 1  # each takes seconds where a camera hangs
    said, slower = warnings(caplog)
    assert said == "camera 0 gives no picture as MJPG; it is opened again in its own format"
    assert "gives 30 frames/s" in slower
    assert "asked for its own format 640x480 at 60 frames/s, given YUYV 640x480 at 30" in caplog.text


@pytest.mark.parametrize(("damaged", "opened"), [(0, 1), (1, 1), (4, 1), (5, 2)])
def test_a_few_torn_pictures_at_first_are_no_reason_to_leave_a_format(webcam, damaged, opened):
    webcam.damaged = damaged
    CvDevice(0, CONFIG)
    assert len(webcam.opened) == opened


def test_pictures_are_rgb(webcam):
    device = CvDevice(0, CONFIG)
    assert device.grab()
    assert device.picture().shape == (480, 640, 3)
    assert device.picture()[0, 0].tolist() == [30, 20, 10]


def test_a_camera_that_is_away_is_an_error_before_anything_is_asked_of_it(webcam):
    with pytest.raises(SourceError, match="camera 1 does not open"):
        CvDevice(1, CONFIG)
    assert webcam.opened[0].calls == []
