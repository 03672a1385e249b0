import numpy as np
import pytest

from realtime.recognition.encode import PacedEncoder
from realtime.records import Crop, Pose
from train.clips.paced import due, paced
from train.clips.stored import store


class Seen:
    """An encoder that keeps when it was asked."""

    def __init__(self):
        self.times = []

    def see(self, crops):
        self.times += [crop.t for crop in crops]
        return [None] * len(crops)


@pytest.mark.parametrize("camera_hz", [25.0, 30.0, 60.0, 100.0, 200.0])
@pytest.mark.parametrize("rate_hz", [10.0, 30.0])
def test_it_sees_the_very_frames_that_the_live_encoder_sees(camera_hz, rate_hz):
    uneven = np.random.default_rng(0).normal(0.0, 0.05, 150)
    times = 1.7 + (np.arange(150) + uneven) / camera_hz
    encoder = Seen()
    live = PacedEncoder(encoder, rate_hz)
    for t in times.tolist():
        live.see([Crop(1, t, None, None, None, Pose(0.0, 0.0, 0.0))])
    assert times[due(times, rate_hz)].tolist() == encoder.times
    assert len(encoder.times) <= 1.1 * rate_hz * np.ptp(times) + 1


def test_every_frame_is_seen_at_no_rate():
    assert due(np.arange(9) / 200, 0.0).all()


def test_a_clip_is_thinned_on_a_grid_that_begins_with_it_and_not_with_its_event(drawn, tmp_path):
    (clip, *_) = store(drawn(people=1, frames=40), tmp_path)
    rate_hz = 1.0 / np.diff(clip.times()).mean()
    found = paced(clip, 0.0, rate_hz / 3)
    inside = clip.cut()
    kept = np.flatnonzero(np.isin(inside.times, clip.times()[::3]))
    assert found.times.tolist() == inside.times[kept].tolist()
    assert np.array_equal(found.crops, [inside.crops[row] for row in kept])
    assert found.sample == inside.sample


def test_an_event_that_would_keep_a_single_frame_stays_whole(drawn, tmp_path):
    (clip, *_) = store(drawn(people=1), tmp_path)
    assert paced(clip, 0.03, 1.0).times.tolist() == clip.cut(0.03).times.tolist()
