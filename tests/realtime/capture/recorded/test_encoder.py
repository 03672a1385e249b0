"""Videos that are written: read back by the decoder, they show the same pictures at the same times."""

import numpy as np
import pytest

from realtime.capture.recorded import encoder
from realtime.capture.recorded.decoder import Decoder
from realtime.capture.recorded.encoder import VideoWriter
from realtime.errors import SourceError


def grey(level, width=65, height=49):
    return np.full((height, width, 3), level, np.uint8)


def read(path):
    decoder = Decoder(path, 8000, 8000)
    found = list(iter(decoder.read, None))
    decoder.close()
    return found


@pytest.mark.parametrize("codec", encoder.CODECS)
def test_pictures_come_back_at_their_own_times(codec, tmp_path, monkeypatch):
    try:
        encoder.av.codec.Codec(codec, "w")
    except encoder.UnknownCodecError:
        pytest.skip(f"this FFmpeg has no {codec}")
    monkeypatch.setattr(encoder, "CODECS", ("no-such-encoder", codec))
    times, levels = (0.0, 0.04, 0.1, 0.11, 0.4), (20, 60, 120, 180, 230)
    written = VideoWriter(tmp_path / "a b é.mp4", (65, 49), 25.0)
    assert written.codec == codec
    for t, level in zip(times, levels, strict=True):
        written.write(t, grey(level))
    written.close()
    found = read(tmp_path / "a b é.mp4")
    assert [t for t, _ in found] == pytest.approx(times, abs=1e-3)
    assert {image.shape for _, image in found} == {(48, 64, 3)}  # 4:2:0 has even sides
    assert [image.mean() for _, image in found] == pytest.approx(levels, abs=4)


def test_times_that_fall_back_do_not_end_a_video(tmp_path):
    written = VideoWriter(tmp_path / "a.mp4", (64, 48), 30.0)
    for t in (0.0, 0.1, 0.1, 0.05, 0.2):
        written.write(t, grey(90))
    written.close()
    assert len(read(tmp_path / "a.mp4")) == 5


def test_what_cannot_be_written_is_one_error(tmp_path, monkeypatch):
    written = VideoWriter(tmp_path / "nowhere" / "a.mp4", (64, 48), 30.0)
    written.write(0.0, grey(9))  # which waits in the encoder
    with pytest.raises(SourceError, match=r"cannot be written as .*; leave out --annotate"):
        written.close()
    monkeypatch.setattr(encoder, "CODECS", ("no-such-encoder",))
    with pytest.raises(SourceError, match="none of the encoders no-such-encoder"):
        VideoWriter(tmp_path / "a.mp4", (64, 48), 30.0)
