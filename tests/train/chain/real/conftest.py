"""Clips of a few seconds from the bundled stream, and the two tables that mark them."""

import csv

import cv2
import pytest

from realtime.demo import truth
from realtime.engine.package.manifest import sha256
from train.chain.real.marks import DIGITS


@pytest.fixture(scope="session")
def filmed(tmp_path_factory):
    """A folder with the first seconds of the sample, in which a micro-expression of surprise is at 4.0, 4.15, 4.37."""
    folder = tmp_path_factory.mktemp("filmed")
    source = cv2.VideoCapture(str(truth.VIDEO))
    rate = truth.load().rate_hz
    size = tuple(int(source.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    writer = cv2.VideoWriter(str(folder / "short.avi"), cv2.VideoWriter_fourcc(*"MJPG"), rate, size)
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 98)
    for _ in range(round(5.5 * rate)):
        writer.write(source.read()[1])
    writer.release()
    source.release()
    return folder


@pytest.fixture
def marked(tmp_path):
    """Writes the tables for clips of a folder: rows of clips (clip, person, people) and of marks."""

    def write(folder, clips, marks):
        rows = [(*row, sha256(folder / row[0])[:DIGITS]) if len(row) == 3 else row for row in clips]
        for name, header, content in (
            ("clips.csv", ("clip", "person", "people", "sha256"), rows),
            ("marks.csv", ("clip", "onset", "apex", "held", "offset", "class", "label", "note"), marks),
        ):
            with (tmp_path / name).open("w", newline="") as file:
                csv.writer(file).writerows([header, *content])
        return tmp_path

    return write
