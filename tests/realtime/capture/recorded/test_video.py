"""Files as cameras and phones leave them: turned, deep, large, of variable rate, with sound, cut off, misnamed."""

import logging
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from realtime import config
from realtime.capture.recorded.video import VideoFile
from realtime.errors import SourceError

SOURCE = config.load(overrides=["source.scaled_px=256", "source.largest_px=4000"]).source
TIMES = tuple(k / 30 for k in range(6))
LEFT, RIGHT = (200, 30, 40), (40, 30, 200)  # RGB
#: The first four numbers of a matrix (ISO 14496-12, 8.3.2), by the degrees that it turns a picture clockwise.
MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def halves(width=64, height=48):
    """Red on the left, blue on the right."""
    image = np.empty((height, width, 3), np.uint8)
    image[:, : width // 2], image[:, width // 2 :] = LEFT, RIGHT
    return image


@pytest.fixture
def film(tmp_path):
    """Writes a video of `halves` and returns its path."""

    def write(
        name="a.mp4", codec="libx264", pixels="yuv420p", size=(64, 48), times=tuple(k / 30 for k in range(6)), **has
    ):
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=Fraction(30))
            stream.width, stream.height, stream.pix_fmt = *size, pixels
            if not name.endswith("avi"):  # which has one rate for all
                stream.codec_context.time_base = Fraction(1, 3000)
            for t in times:
                frame = av.VideoFrame.from_ndarray(halves(*size), format="rgb24")
                frame.pts, frame.time_base = round(t * 3000), Fraction(1, 3000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


def turned(path, degrees):
    """The file with a matrix that asks players to turn it clockwise, as a phone's that was held upright."""
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd")
    a, b, c, d = MATRICES[degrees]
    at = header + 4 + 4 + 20 + 8 + 8  # version and flags, times and ids, reserved, layer to reserved
    struct.pack_into(">9i", content, at, a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


def frames_of(path, settings=SOURCE):
    source = VideoFile(path, settings, fast=True)
    try:
        return list(source.frames())
    finally:
        source.close()


def is_colour(pixel, colour):
    return pixel.tolist() == pytest.approx(colour, abs=60)  # a GIF of 256 colours leaves no more


@pytest.mark.promise("a phone's video with rotation in its metadata", "it is read upright", "4 of 4 quarters")
@pytest.mark.parametrize(
    ("degrees", "shape", "first", "last"),
    [
        (0, (48, 64), LEFT, RIGHT),
        (90, (64, 48), LEFT, RIGHT),  # clockwise: what was left is above
        (180, (48, 64), RIGHT, LEFT),
        (270, (64, 48), RIGHT, LEFT),
    ],
)
def test_what_the_metadata_turns_is_turned(film, degrees, shape, first, last):
    image = frames_of(turned(film(), degrees))[0].image
    assert image.shape == (*shape, 3)
    assert image.flags.c_contiguous
    assert is_colour(image[4, 4], first)
    assert is_colour(image[-5, -5], last)


@pytest.mark.promise("a variable rate, first gap 0.7 s, times below zero", "times as filmed, from zero", "2 of 2")
@pytest.mark.parametrize("begins", [0.0, 0.5])
def test_a_variable_rate_keeps_its_times(film, begins):
    times = [begins + t for t in (0.0, 0.7, 0.733, 0.8, 0.82)]
    assert [frame.t for frame in frames_of(film(times=times))] == pytest.approx([t - begins for t in times], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "libx265", "yuv420p10le"),  # as phones do, deep
        ("a.mov", "libx264", "yuv422p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.mkv", "ffv1", "yuv444p"),
        ("a.gif", "gif", "rgb8"),
        ("ein Gesicht: 脸 1.mp4", "libx264", "yuv420p"),
    ],
)
def test_what_cameras_and_phones_write_is_read(film, name, codec, pixels):
    frames = frames_of(film(name, codec, pixels))
    assert len(frames) == 6
    assert is_colour(frames[0].image[24, 8], LEFT)
    assert is_colour(frames[-1].image[24, -8], RIGHT)


@pytest.mark.promise("a video in BT.709", "it keeps its colours, as one in BT.601 does", "2 of 2")
@pytest.mark.parametrize(("matrix", "red", "blue"), [(1, 0.2126, 0.0722), (6, 0.299, 0.114)])
def test_colours_are_those_of_the_matrix_that_the_file_names(tmp_path, matrix, red, blue):
    r, g, b = (40, 180, 60)
    light = red * r + (1 - red - blue) * g + blue * b  # H.273, 8.3
    planes = (
        16 + 219 / 255 * light,
        128 + 112 / 255 * (b - light) / (1 - blue),
        128 + 112 / 255 * (r - light) / (1 - red),
    )
    rows = np.repeat(np.rint(planes), (48, 12, 12)).astype(np.uint8)
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = matrix
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.tile(rows[:, None], 64), format="yuv420p")))
        container.mux(stream.encode(None))
    assert frames_of(path)[0].image[20, 20].tolist() == pytest.approx((r, g, b), abs=3)


def test_4k_is_read_smaller_and_odd_sides_as_they_are(film):
    assert frames_of(film(size=(1024, 512)))[0].image.shape == (128, 256, 3)
    assert frames_of(film("odd.mkv", "ffv1", "yuv444p", size=(63, 47)))[0].image.shape == (47, 63, 3)


@pytest.mark.promise("a video of more pixels than are taken", "refused before it is decoded", "1 of 1")
def test_a_header_that_is_too_large_is_refused(film):
    with pytest.raises(SourceError, match=r"1024 x 512 px; wanted sides of at most 1000 px"):
        frames_of(film(size=(1024, 512)), config.load(overrides=["source.largest_px=1000"]).source)


def test_what_has_sound_alone_is_refused(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(SourceError, match=r"song\.mp4 has no pictures: it holds audio; wanted a video"):
        frames_of(path)


@pytest.mark.promise("a playlist or script under a video's name", "refused: it may name other files", "3 of 3")
@pytest.mark.parametrize(
    "content", ["#EXTM3U\n#EXTINF:1,\n{other}\n", "ffconcat version 1.0\nfile '{other}'\n", "<MPD></MPD>"]
)
def test_what_names_other_files_is_no_video(film, tmp_path, content):
    path = tmp_path / "list.mp4"
    path.write_text(content.format(other=film("secret.mp4")))
    with pytest.raises(SourceError, match=r"list\.mp4 cannot be decoded"):
        frames_of(path)


@pytest.mark.promise("a file that ends in the middle, or is damaged there", "what is there, and a warning", "2 of 2")
def test_damage_in_the_middle_costs_what_is_damaged(film, caplog):
    path = film("a.avi", "mjpeg", "yuvj420p", times=[k / 30 for k in range(20)])
    content = bytearray(path.read_bytes())
    middle = content.index(b"00dc", len(content) // 2)
    (size,) = struct.unpack_from("<I", content, middle + 4)
    content[middle + 8 : middle + 8 + size] = bytes(size)
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "realtime"):
        frames = frames_of(path)
    assert 18 <= len(frames) < 20
    assert "announced frames could be decoded" in caplog.text


def test_nothing_but_our_own_line_is_printed(film, capfd):
    path = film()
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(SourceError):
        frames_of(path)
    assert capfd.readouterr() == ("", "")


def test_how_long_it_plays_is_known_before_it_is_played(film):
    source = VideoFile(film(), SOURCE, fast=True)
    assert source.seconds == pytest.approx(0.2, abs=0.05)
    source.close()
    source.close()
    assert list(source.frames()) == []
