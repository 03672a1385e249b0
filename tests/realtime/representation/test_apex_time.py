"""The apex and the time around it: two inputs, alike at every rate, whatever of the event there is."""

import numpy as np
import pytest

from realtime.representation.apex_time import FLOW, ApexTime
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import IMAGES
from realtime.representation.grey_clip import grey_picture
from realtime.representation.movement.fields import normalised
from realtime.representation.movement.orientations import orientations

MADE = ApexTime(48, 24, 28, 0.16, 64, 4, 8, 5e-4, 8.0)
AXIS = (np.arange(28) + 0.5) / 28
ACROSS, DOWN = np.meshgrid(AXIS, AXIS)


def moved(times, apex=0.3):
    """How a face has moved by `times`: one corner rises from 0.1 s to the apex and sinks, another turns meanwhile."""
    rise = np.interp(times, [0.1, apex, apex + 0.2], [0, 1, 0])[:, None, None]
    lips = np.exp(-((ACROSS - 0.3) ** 2 + (DOWN - 0.7) ** 2) / 0.02)
    brow = np.exp(-((ACROSS - 0.6) ** 2 + (DOWN - 0.3) ** 2) / 0.02)
    turn = 3 * times[:, None, None]
    return 0.02 * np.stack([rise * brow * np.cos(turn), -rise * lips + rise * brow * np.sin(turn)], 1)


def event(rate_hz, begin=0.1, end=0.5):
    times = np.arange(begin, end + 1e-9, 1 / rate_hz)
    images = np.random.default_rng(2).integers(0, 256, (len(times), 48, 48, 3)).astype(np.uint8)
    return EventFrames(times, images=list(images), fields=moved(times).astype(np.float32))


def test_the_picture_is_the_frame_nearest_to_the_apex_in_grey():
    seen = event(20)
    for apex, frame in ((0.3, 4), (0.31, 4), (0.34, 5)):
        found = MADE.of_event(seen, apex)[IMAGES]
        assert found.shape == (1, 1, 24, 24)
        assert np.array_equal(found[0, 0], grey_picture(seen.images[frame], 24))


def test_a_step_is_the_histogram_of_the_field_at_its_moment():
    """With a frame at every step, fields are neither interpolated nor averaged."""
    times = 0.3 + np.linspace(-0.16, 0.16, 64)
    fields = moved(times).astype(np.float32)
    found = MADE.of_event(EventFrames(times, images=np.zeros((64, 48, 48, 3), np.uint8), fields=fields), 0.3)[FLOW]
    wanted = orientations(normalised(fields, "both", 5e-4, 8.0)[:, :2], 4, 8)
    assert found.shape == (1, 64, 128)
    np.testing.assert_allclose(found[0], wanted, atol=2e-3)


@pytest.mark.parametrize("rate_hz", [30, 60, 100])
def test_two_cameras_show_one_movement_alike(rate_hz):
    fast, slow = (MADE.of_event(event(rate), 0.3)[FLOW] for rate in (200, rate_hz))
    assert np.linalg.norm(slow - fast) < 0.1 * np.linalg.norm(fast)
    other = MADE.of_event(event(200), 0.4)[FLOW]  # another apex is no such small thing
    assert np.linalg.norm(other - fast) > 0.3 * np.linalg.norm(fast)


def test_how_strong_a_movement_is_makes_no_difference():
    seen = event(60)
    stronger = EventFrames(seen.times, images=seen.images, fields=3 * seen.fields)
    np.testing.assert_allclose(MADE.of_event(stronger, 0.3)[FLOW], MADE.of_event(seen, 0.3)[FLOW], atol=1e-4)


def test_outside_of_what_was_seen_the_first_and_the_last_frame_are_repeated():
    cut = MADE.of_event(event(200, 0.24, 0.36), 0.3)[FLOW][0]
    steps = 0.3 + np.linspace(-0.16, 0.16, 64)
    before, after = cut[steps < 0.235], cut[steps > 0.365]
    assert len(before) > 15 < len(after)
    for side, repeated in ((before, before[0]), (after, after[-1])):
        assert (side == repeated).all()
        assert side.any()
    alone = MADE.of_event(event(200, 0.3, 0.301), 0.3)[FLOW][0]  # of one frame, all steps are that one
    assert (alone == alone[0]).all()


def test_fields_of_another_side_and_other_crops_do_not_fit():
    assert list(MADE.misfits(None, 48)) == []
    assert len(list(ApexTime(48, 24, 14, 0.16, 64, 2, 8, 5e-4, 8.0).misfits(None, 64))) == 2
