"""How fast a face moves: in units that no camera's rate changes, at evenly spaced moments, without the head's part."""

import cv2
import numpy as np
import pytest

from realtime.representation.apex_field import FIELD, ApexField
from realtime.representation.clip_and_flow import ClipAndFlow
from realtime.representation.clip_images import ClipImages
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import CropImages
from realtime.representation.flow_clip import FlowClip, chain, consecutive, stretched

SIZE, SIDE, LENGTH_S = 128, 32, 0.4
MADE = FlowClip(SIZE, SIDE, (16, 32), 0.03, 64)
MOUTH = (64, 98, 10)
REST = cv2.resize(np.random.default_rng(1).uniform(0, 255, (24, 24)).astype(np.float32), (SIZE, SIZE))


def colour(picture):
    return np.repeat(np.clip(picture, 0, 255).round().astype(np.uint8)[..., None], 3, axis=2)


def moved(down):
    """The face at rest with its mouth moved smoothly by so many pixels."""
    x, y = np.meshgrid(*[np.arange(SIZE, dtype=np.float32)] * 2)
    near = np.exp(-(((x - MOUTH[0]) ** 2 + (y - MOUTH[1]) ** 2) / (2 * MOUTH[2] ** 2))).astype(np.float32)
    return colour(cv2.remap(REST, x, y - down * near, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def movement(rate_hz, most_px, begin=0.0):
    """A mouth that goes down by `most_px` and up again within `LENGTH_S`."""
    times = np.arange(begin, LENGTH_S + 1e-9, 1 / rate_hz)
    return EventFrames(times, images=[moved(most_px * np.sin(np.pi * t / LENGTH_S) ** 2) for t in times])


def flow_of(event, made=MADE, steps=16):
    return made.of_event(event, 0.2)[f"flow_{steps}"][0]


def apart(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(other)


@pytest.mark.parametrize("rate_hz", [60, 100, 200])
def test_one_movement_is_nearly_the_same_at_any_frame_rate(rate_hz):
    slow, fast = (flow_of(movement(rate, 3.0)) for rate in (30, rate_hz))
    assert apart(fast, slow) < 0.12
    assert np.linalg.norm(fast) / np.linalg.norm(slow) == pytest.approx(1.0, abs=0.05)


def test_speeds_are_in_eye_distances_a_second_down_first_and_up_again():
    event = movement(60, 3.0)
    found = flow_of(event)
    assert (found.shape, found.dtype) == ((2, 16, SIDE, SIDE), np.float32)
    row, column = np.unravel_index(np.abs(found[1]).max(0).argmax(), (SIDE, SIDE))
    assert (abs(row - 98 * SIDE / SIZE) < 2, abs(column - 64 * SIDE / SIZE) < 2) == (True, True)
    down = found[1, :, row, column]
    assert (down[1:7] > 0).all()
    assert (down[9:15] < 0).all()
    whole = ApexField(SIZE, 28, 0.0).of_event(event, 0.2)[FIELD][0, 1].max()  # from the onset to the apex at once
    assert down[:8].sum() * LENGTH_S / 16 == pytest.approx(whole, rel=0.25)


def test_a_cut_that_comes_late_leaves_what_follows_as_it_was():
    whole, late = flow_of(movement(60, 3.0), steps=32), flow_of(movement(60, 3.0, begin=0.1), steps=32)
    end = np.linspace(0.2, 0.35, 8)
    seen = [
        flow[1, [int(32 * (t - begin) / (LENGTH_S - begin)) for t in end]] for flow, begin in ((whole, 0), (late, 0.1))
    ]
    assert apart(seen[1], seen[0]) < 0.25


def test_all_scales_are_of_one_pass_and_the_finer_one_passes_through_the_coarser():
    found = MADE.of_event(movement(60, 3.0), 0.2)
    assert list(found) == ["flow_16", "flow_32"]
    coarse, fine = found["flow_16"][0], found["flow_32"][0]
    assert apart((fine[:, ::2] + fine[:, 1::2]) / 2, coarse) < 0.05


def test_a_head_that_moves_as_a_whole_and_a_face_at_rest_are_nothing():
    shifts = [np.float32([[1, 0, 2 * t], [0, 1, -t]]) for t in range(4)]
    head = [colour(cv2.warpAffine(REST, by, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)) for by in shifts]
    times = np.arange(4) / 30
    there = np.abs(flow_of(movement(30, 3.0))).max()
    assert np.abs(flow_of(EventFrames(times, images=head))[..., 8:24, 8:24]).max() < 0.2 * there
    assert np.abs(flow_of(EventFrames(times, images=[colour(REST)] * 4))).max() < 1e-3 * there


def test_outside_of_the_face_is_nothing():
    assert np.abs(flow_of(movement(30, 3.0))[..., :2, :2]).max() == 0.0


def test_one_frame_has_no_movement():
    alone = EventFrames(np.array([0.5]), images=[moved(0.0)])
    assert not flow_of(alone).any()


def test_a_chain_leaves_out_what_is_too_near_and_ends_with_the_last_frame():
    assert chain(np.arange(7) / 100, 0.03, 64) == [0, 3, 6]
    assert chain(np.arange(9) / 100, 0.03, 64) == [0, 3, 8]  # 6 and 8 are 20 ms apart
    assert chain(np.arange(5) / 25, 0.03, 64) == [0, 1, 2, 3, 4]
    assert chain(np.array([0.0, 0.01]), 0.03, 64) == [0, 1]
    assert chain(np.array([0.7]), 0.03, 64) == [0]
    long = chain(np.arange(240) / 60, 0.03, 16)
    assert 15 <= len(long) - 1 <= 16
    assert (long[0], long[-1]) == (0, 239)


def test_steps_are_interpolated_between_the_middles_of_pairs_and_held_outside():
    middles, speeds = np.array([0.1, 0.3]), np.stack([np.full((2, 1, 1), value) for value in (1.0, 3.0)])
    found = stretched(middles, speeds.astype(np.float32), 0.0, 0.4, 8)[0, :, 0, 0]
    wanted = [np.interp(0.4 * (i + 0.5) / 8, middles, [1.0, 3.0]) for i in range(8)]
    assert found == pytest.approx(wanted, abs=1e-6)


def test_pairs_stand_at_their_middles():
    event = movement(60, 3.0)
    middles, speeds = consecutive(event.times, event.images, MADE)
    assert middles == pytest.approx((np.arange(12) * 2 + 1) / 60)
    assert speeds.shape == (12, 2, SIDE, SIDE)


def test_crops_of_another_size_are_refused_once_by_both_modes():
    assert list(MADE.misfits(None, SIZE)) == []
    both = ClipAndFlow(ClipImages(4, CropImages(SIZE, 32, (0, 0, 0), (1, 1, 1))), MADE)
    assert list(both.misfits(None, SIZE)) == []
    for made in (MADE, both):
        [crops] = made.misfits(None, 64)
        assert "crops of 128 px" in crops


def test_both_modes_are_of_the_same_event():
    clip = ClipImages(4, CropImages(SIZE, 32, (0, 0, 0), (1, 1, 1)))
    event = movement(30, 3.0)
    found = ClipAndFlow(clip, MADE).of_event(event, 0.2)
    for part in (clip, MADE):
        for name, row in part.of_event(event, 0.2).items():
            assert np.array_equal(found[name], row)
