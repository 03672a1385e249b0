import numpy as np
import pytest

from realtime.records import Frame
from train.chain.slowed import SlowedSource
from train.clips.exposures import exposures


class Flat:
    """A source of flat pictures, as grey as their number, at uneven times."""

    def __init__(self, times):
        self.times, self.rate_hz, self.live, self.closed = times, 200.0, False, False

    def frames(self):
        for i, t in enumerate(self.times):
            yield Frame(np.full((2, 3, 3), i, np.uint8), float(t), i, 0, 0.0)

    def close(self):
        self.closed = True


def jittered(seed, count=201):
    return np.arange(count) / 200 + np.random.default_rng(seed).uniform(0.0, 0.002, count)


@pytest.mark.parametrize("rate_hz", [100.0, 60.0, 30.0, 25.0, 23.976])
@pytest.mark.parametrize("times", [np.arange(200) / 200, jittered(1), jittered(2) + 0.5])
def test_frame_by_frame_it_is_what_the_whole_clip_gives(times, rate_hz):
    weights, middles = exposures(times, rate_hz, 0.0)
    found = list(SlowedSource(Flat(times), rate_hz).frames())
    assert [frame.t for frame in found] == pytest.approx(middles.tolist(), abs=1e-9)
    assert [frame.index for frame in found] == list(range(len(middles)))
    assert [int(frame.image[0, 0, 0]) for frame in found] == pytest.approx(weights @ np.arange(len(times)), abs=0.51)
    assert {(frame.image.shape, frame.image.dtype, frame.gap) for frame in found} == {((2, 3, 3), np.dtype("u1"), 0)}


def test_a_single_frame_has_no_exposure_and_closing_closes_the_source():
    source = Flat([0.0])
    slowed = SlowedSource(source, 30.0)
    assert list(slowed.frames()) == []
    slowed.close()
    assert source.closed
    assert slowed.rate_hz == 30.0


def test_a_rate_between_two_frames_may_show_one_frame_in_several_exposures():
    found = list(SlowedSource(Flat([0.0, 0.1, 0.2]), 9.0).frames())
    assert [int(frame.image[0, 0, 0]) for frame in found] == [0, 1]
