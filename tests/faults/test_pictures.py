"""Pictures that would cost more to decode than they are worth, or reach a decoder that nobody meant."""

import time

import cv2
import numpy as np
import pytest

from realtime.capture.remote import decoded
from realtime.config import load
from realtime.errors import SourceError

STREAMS = load().streams


def jpeg(side_px, *options):
    smooth = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (side_px, side_px, 3), np.uint8), (0, 0), 2.0)
    return cv2.imencode(".jpg", smooth, options)[1].tobytes()


def with_scans(scans):
    """A progressive JPEG, black, that says its last, empty scan again and again."""
    black = cv2.imencode(".jpg", np.zeros((480, 480, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    last = black[black.rindex(b"\xff\xda") : -2]
    return black[:-2] + last * (scans - black.count(b"\xff\xda")) + black[-2:]


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded():
    """Each scan takes as long as a picture: 36,000 of them fit into 511 kB, and took 19 s of a thread, or minutes."""
    bomb, began = with_scans(2000), time.monotonic()
    with pytest.raises(SourceError, match="2000 scans, at most 12"):
        decoded(bomb, STREAMS)
    assert time.monotonic() - began < 0.2


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)])
def test_what_cameras_and_browsers_make_has_few_scans(options):
    assert decoded(jpeg(256, *options), STREAMS).shape == (256, 256, 3)
    assert decoded(with_scans(12), STREAMS).shape == (480, 480, 3)
