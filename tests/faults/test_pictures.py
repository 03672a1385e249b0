"""Pictures that would cost more to decode than they are worth, or reach a decoder that nobody meant."""

import time
from contextlib import suppress

import cv2
import numpy as np
import pytest

from realtime.capture.recorded.picture import read_picture
from realtime.capture.remote import decoded
from realtime.capture.source import open_source
from realtime.config import load
from realtime.errors import DataError, SourceError
from train.datasets.annotation import recorded

SOURCE, STREAMS = load().source, load().streams


def jpeg(side_px, *options):
    smooth = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (side_px, side_px, 3), np.uint8), (0, 0), 2.0)
    return cv2.imencode(".jpg", smooth, options)[1].tobytes()


def with_scans(scans):
    """A progressive JPEG, black, that says its last, empty scan again and again."""
    black = cv2.imencode(".jpg", np.zeros((480, 480, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    last = black[black.rindex(b"\xff\xda") : -2]
    return black[:-2] + last * (scans - black.count(b"\xff\xda")) + black[-2:]


@pytest.mark.promise(
    "a JPEG bomb of scans", "refused before it is decoded", "19 s of a thread for 511 kB before; now refused at once"
)
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


def written(kind, width, height):
    """A picture in a form that OpenCV writes, as bytes."""
    return cv2.imencode(kind, np.full((height, width, 3), 90, np.uint8))[1].tobytes()


KINDS = (".jpg", ".png", ".bmp", ".webp", ".tif", ".ppm")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_read_whatever_its_name_says(kind, tmp_path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(written(kind, 30, 20))
    assert read_picture(path, 30).shape == (20, 30, 3)


@pytest.mark.promise(
    "a picture whose header states a side of 16,000 or 60,000 px", "refused before it is decoded", "6 kinds of 6"
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_side_that_is_too_long_is_refused_before_it_is_decoded(kind, tmp_path, monkeypatch):
    path = tmp_path / f"picture{kind}"
    path.write_bytes(written(kind, 60_000 if kind in (".png", ".ppm", ".bmp") else 16_000, 1))
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(SourceError, match=r"000 x 1 px.*at most 8192 px"):
        read_picture(path, 8192)


JPEG_2000 = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
OTHERS = (b"GIF89a", b"v/1\x01", b"#?RADIANCE\n", b"\x59\xa6\x6a\x95", b"\0\0\0\x20ftypavif", b"", b"text", b"II+\0")


@pytest.mark.promise(
    "a picture of another kind than its name says",
    "reaches no decoder that nobody meant",
    "JPEG 2000 and 8 others, under 2 names: none of 20",
)
@pytest.mark.parametrize("head", [*JPEG_2000, *OTHERS])
@pytest.mark.parametrize("name", ["picture.jpg", "picture.tif"])
def test_the_first_bytes_and_not_the_name_say_which_decoder_it_reaches(head, name, tmp_path, monkeypatch):
    """OpenCV 4.11 has more of them than anybody needs, among them one of JPEG 2000 with a hole (CVE-2025-53644)."""
    path = tmp_path / name
    path.write_bytes(head + bytes(200))
    monkeypatch.setattr(cv2, "imdecode", None)
    monkeypatch.setattr(cv2, "imread", None)
    with pytest.raises(SourceError, match="wanted JPEG, PNG, BMP, WebP, TIFF or PNM"):
        read_picture(path, 8192)
    with pytest.raises(SourceError, match="wanted JPEG, PNG, BMP, WebP, TIFF or PNM"):
        list(open_source(str(path), SOURCE, fast=True).frames())
    with pytest.raises(DataError, match="wanted JPEG, PNG, BMP, WebP, TIFF or PNM"):
        recorded.read_picture(path)


@pytest.mark.promise(
    "a picture that is cut off", "nothing but our own error", "every length up to 120 bytes of 6 kinds"
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_header_that_is_cut_off_is_refused_and_nothing_else_happens(kind, tmp_path):
    whole = written(kind, 30, 20)
    path = tmp_path / f"picture{kind}"
    for length in range(min(len(whole), 120)):
        path.write_bytes(whole[:length])
        with suppress(SourceError):
            read_picture(path, 8192)


@pytest.mark.promise("a video with a side of 9,000 px", "refused where it is opened", "1 of 1")
def test_a_video_with_a_side_that_is_too_long_is_refused_where_it_is_opened(tmp_path):
    path = tmp_path / "long.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (9000, 16))
    writer.write(np.zeros((16, 9000, 3), np.uint8))
    writer.release()
    with pytest.raises(SourceError, match=r"9000 x 16 px.*source\.largest_px"):
        open_source(str(path), SOURCE, fast=True)


@pytest.mark.promise(
    "a PNG of a few kB whose chunk states 4 GB",
    "refused before it is decoded",
    "5 chunks of 5; 4 GB and 2.4 s for 5 kB before",
)
@pytest.mark.parametrize("wrong", ["IHDR", "first", "last", "no end", "no chunk"])
def test_a_png_whose_chunk_is_longer_than_the_file_is_refused_before_room_is_made(wrong, tmp_path, monkeypatch):
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    png = bytearray(cv2.imencode(".png", noise)[1].tobytes())
    (tmp_path / "a.png").write_bytes(png)
    assert read_picture(tmp_path / "a.png", 100).shape == (64, 64, 3)
    data = [at - 4 for at in range(len(png)) if png[at : at + 4] == b"IDAT"]
    if wrong in ("IHDR", "first", "last"):
        at = {"IHDR": 8, "first": data[0], "last": data[-1]}[wrong]
        png[at : at + 4] = b"\xf0\0\0\0"
    else:
        del png[{"no end": len(png) - 12, "no chunk": 8}[wrong] :]
    monkeypatch.setattr(cv2, "imdecode", None)
    (tmp_path / "a.png").write_bytes(png)
    with pytest.raises(SourceError, match="cannot be read as a picture"):
        read_picture(tmp_path / "a.png", 100)
