"""Holes among numbered pictures: they take their time, whatever is a number in a name and whatever is none."""

import cv2
import numpy as np
import pytest

from realtime import config
from realtime.capture.folder import ImageFolder

SOURCE = config.load(overrides=["source.rate_hz=50.0"]).source


def frames_of(folder, names):
    for name in names:
        cv2.imwrite(str(folder / f"{name}.png"), np.full((6, 8), 9, np.uint8))
    folder = ImageFolder(folder, SOURCE, fast=True)
    return folder.seconds, [(frame.t, frame.index, frame.gap) for frame in folder.frames()]


@pytest.mark.promise("pictures with missing numbers", "a hole is a gap and takes its time", "1 of 1")
def test_a_number_that_is_missing_is_a_gap(tmp_path):
    seconds, frames = frames_of(tmp_path, ["p_001", "p_002", "p_006", "p_007"])
    assert frames == [(0.0, 0, 0), (0.02, 1, 0), (0.1, 5, 3), (0.12, 6, 0)]
    assert seconds == pytest.approx(0.14)


def test_every_fifth_picture_is_a_step_and_no_hole(tmp_path):
    assert [gap for _, _, gap in frames_of(tmp_path, ["f0", "f5", "f10", "f20"])[1]] == [0, 0, 0, 1]


def test_milliseconds_in_names_that_drift_are_no_holes(tmp_path):
    names = [f"cam1-{round(1000 + 33.4 * k)}" for k in range(40)]
    assert {gap for _, _, gap in frames_of(tmp_path, names)[1]} == {0}


@pytest.mark.parametrize("names", [["a1", "b7"], ["1", "2", "10"], ["x", "y", "z"], ["a1", "a01", "a3"], ["only"]])
def test_names_that_say_no_rate_follow_each_other(tmp_path, names):
    assert {gap for _, _, gap in frames_of(tmp_path, names)[1]} == {0}
