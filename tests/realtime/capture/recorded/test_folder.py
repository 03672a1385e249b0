"""Holes among numbered pictures: they take their time, whatever is a number in a name and whatever is none."""

import cv2
import numpy as np
import pytest

from realtime import config
from realtime.capture.recorded.folder import ImageFolder
from realtime.capture.recorded.picture import read_picture
from realtime.errors import SourceError

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


@pytest.mark.promise("a damaged PNG", "our one line, without a decoder's own", "a line of libpng's before it; now none")
def test_a_damaged_png_is_told_before_a_decoder_complains(tmp_path, capfd):
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
    data = bytearray(cv2.imencode(".png", noise)[1].tobytes())
    (tmp_path / "whole.png").write_bytes(data)
    assert np.array_equal(read_picture(tmp_path / "whole.png", 4000)[..., ::-1], noise)
    data[200:260] = bytes(60)
    (tmp_path / "damaged.png").write_bytes(data)
    with pytest.raises(SourceError, match=r"damaged\.png cannot be read as a picture, it is damaged"):
        read_picture(tmp_path / "damaged.png", 4000)
    assert capfd.readouterr().err == ""
