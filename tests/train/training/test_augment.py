import math

import pytest
import torch

from train.training.augment import (
    StillAugment,
    grey,
    hide_patch,
    light,
    moved_clips,
    moved_flows,
    noise,
    pairs,
    resized_crop,
    similarities,
    similarity,
    soften,
    tint,
    turned,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(count=6, side=32, seed=1):
    return torch.rand(count, 1, side, side, generator=generator(seed))


def smooth(side=64):
    """A blob right of the middle, so that turning and mirroring show."""
    axis = torch.linspace(-1, 1, side)
    return torch.exp(-((axis[None] - 0.4) ** 2 + axis[:, None] ** 2) / 0.05)[None, None]


def centre(x):
    """Centre of mass (right, down) of (1, 1, S, S), in [-1, 1]."""
    axis = (torch.arange(x.shape[-1]) + 0.5) / x.shape[-1] * 2 - 1
    mass = x[0, 0] / x.sum()
    return float((mass.sum(0) * axis).sum()), float((mass.sum(1) * axis).sum())


def test_the_same_generator_gives_the_same_pictures_and_another_others():
    augment = StillAugment(12.0, 0.1, 0.05, 0.35, 0.15, 0.4, 0.5, 0.05)
    x = pictures()
    assert torch.equal(augment(x, generator(3)), augment(x, generator(3)))
    assert not torch.equal(augment(x, generator(3)), augment(x, generator(4)))


def test_pictures_become_coloured_and_stay_in_range():
    x = pictures(16)
    before = x.clone()
    y = StillAugment(30.0, 0.3, 0.2, 0.9, 0.5, 1.0, 1.0, 0.3)(x, generator())
    assert y.shape == (16, 3, 32, 32)
    assert float(y.min()) >= 0.0
    assert float(y.max()) <= 1.0
    assert torch.equal(x, before)


def test_without_amounts_a_picture_is_itself_or_its_mirror_image():
    x = pictures(20)
    y = similarity(x, 0.0, 0.0, 0.0, generator())
    same = torch.isclose(y, x, atol=1e-5).flatten(1).all(1)
    mirrored = torch.isclose(y, x.flip(3), atol=1e-5).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert same.any()
    assert mirrored.any()


def test_turns_and_shifts_stay_within_their_limits():
    blob = smooth()
    for seed in range(40):
        right, down = centre(similarity(blob, 20.0, 0.0, 0.0, generator(seed)))
        assert math.hypot(right, down) == pytest.approx(0.4, abs=0.02)
        assert abs(math.degrees(math.atan2(down, abs(right)))) <= 20.5
        right, down = centre(similarity(blob, 0.0, 0.0, 0.1, generator(seed)))
        assert abs(abs(right) - 0.4) <= 0.21  # a tenth of the side is 0.2 of the half
        assert abs(down) <= 0.21


def test_scales_stay_within_their_limits():
    blob = smooth()
    for seed in range(20):
        right, _ = centre(similarity(blob, 0.0, 0.1, 0.0, generator(seed)))
        assert 0.4 * math.exp(-0.11) <= abs(right) <= 0.4 * math.exp(0.11)


def test_what_is_softened_loses_its_detail_and_keeps_its_brightness():
    x = pictures(200)
    y = soften(x, 0.5, generator(2))
    changed = (y != x).flatten(1).any(1)
    assert float(changed.float().mean()) == pytest.approx(0.5, abs=0.1)

    def detail(pictures):
        return pictures.diff(dim=3).abs().mean((1, 2, 3))

    assert (detail(y)[changed] < detail(x)[changed]).all()
    assert y.mean((1, 2, 3)) == pytest.approx(x.mean((1, 2, 3)), abs=0.02)
    assert torch.equal(soften(x, 0.0, generator(2)), x)


def test_a_hidden_patch_is_one_rectangle_of_the_mean():
    x = pictures(50, side=40)
    y = hide_patch(x, 1.0, generator())
    for before, after in zip(x[:, 0], y[:, 0], strict=True):
        changed = before != after
        rows, columns = changed.any(1), changed.any(0)
        assert torch.equal(changed, rows[:, None] & columns[None])
        assert 0 < int(rows.sum()) <= 17  # up to two fifths of 40
        assert 0 < int(columns.sum()) <= 17
        assert torch.allclose(after[changed], before.mean())


def test_patches_are_hidden_as_often_as_told():
    x = pictures(2000, side=8)
    share = (hide_patch(x, 0.4, generator()) != x).flatten(1).any(1).float().mean()
    assert float(share) == pytest.approx(0.4, abs=0.05)
    assert torch.equal(hide_patch(x, 0.0, generator()), x)


def test_no_tint_repeats_the_grey_level():
    x = pictures().clamp(1e-3, 1.0)
    assert torch.allclose(tint(x, 0.0, 0.0, generator()), x.expand(-1, 3, -1, -1), atol=1e-6)


def test_tint_keeps_the_order_of_grey_levels_and_contrast_alone_keeps_grey():
    levels = torch.linspace(0.2, 0.8, 64).view(1, 1, 8, 8)
    coloured = tint(levels, 0.3, 0.3, generator(2)).flatten(2)
    assert (coloured.diff(dim=2) >= 0).all()
    assert not torch.equal(coloured[:, 0], coloured[:, 1])
    grey = tint(levels, 0.3, 0.0, generator(2))
    assert torch.equal(grey[:, 0], grey[:, 1])
    assert torch.equal(grey[:, 0], grey[:, 2])


def test_grey_pictures_have_one_colour_and_the_others_stay():
    x = torch.rand(400, 3, 4, 4, generator=generator(2))
    y = grey(x, 0.3, generator(3))
    changed = (y != x).flatten(1).any(1)
    assert float(changed.float().mean()) == pytest.approx(0.3, abs=0.08)
    luma = 0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2]
    assert all(torch.allclose(y[changed, colour], luma[changed]) for colour in range(3))


def test_a_crop_of_a_clip_is_the_same_in_all_its_frames_and_another_in_the_next_clip():
    still = torch.rand(1, 3, 1, 24, 24, generator=generator(4)).expand(2, 3, 5, 24, 24)
    y = resized_crop(still, (0.3, 0.9), 16, generator(5))
    assert y.shape == (2, 3, 5, 16, 16)
    assert torch.equal(y, y[:, :, :1].expand_as(y))
    assert not torch.allclose(y[0], y[1])


def test_a_crop_covers_its_share_of_the_picture_and_lies_inside_it():
    axis = torch.linspace(-1, 1, 201)  # a picture of coordinates tells where it was cut
    x = torch.stack([axis[None].expand(201, 201), axis[:, None].expand(201, 201)])[None, :, None].expand(
        300, -1, -1, -1, -1
    )
    y = resized_crop(x, (0.25, 0.5), 9, generator(6))[:, :, 0]
    across, down = y[:, 0, 0, -1] - y[:, 0, 0, 0], y[:, 1, -1, 0] - y[:, 1, 0, 0]
    share = (across.abs() * down).div(4 * (8 / 9) ** 2)  # pixels' centres lie half a pixel inside
    assert float(share.min()) == pytest.approx(0.25, abs=0.02)
    assert float(share.max()) == pytest.approx(0.5, abs=0.02)
    ratio = across.abs() / down
    assert 0.73 < float(ratio.min()) < 0.8
    assert 1.25 < float(ratio.max()) < 1.36
    assert float((across < 0).float().mean()) == pytest.approx(0.5, abs=0.1)  # mirrored
    assert float(y.abs().max()) <= 1.0


def pairs_of(count=24, side=24):
    x = torch.rand(count, 1, 4, 4, generator=torch.Generator().manual_seed(5))
    return torch.nn.functional.interpolate(x, size=(side, side), mode="bicubic", align_corners=True).repeat(1, 2, 1, 1)


def test_two_pictures_of_a_face_are_moved_alike():
    x = pairs_of()
    moved = pairs(x, 10.0, 0.1, 0.05, 0.0, torch.Generator().manual_seed(1))
    assert torch.allclose(moved[:, 0], moved[:, 1])
    assert float((moved - x).abs().mean()) > 0.02


def test_the_second_slips_against_the_first_and_is_never_mirrored_alone():
    x = pairs_of()
    moved = pairs(x, 10.0, 0.1, 0.05, 0.01, torch.Generator().manual_seed(1))
    alike = pairs(x, 10.0, 0.1, 0.05, 0.0, torch.Generator().manual_seed(1))
    slipped = (moved[:, 0] - moved[:, 1]).abs().mean((1, 2))
    assert float(slipped.min()) > 0.0
    assert float(slipped.max()) < 0.1
    assert torch.allclose(moved[:, 0], alike[:, 0])


def test_light_and_noise_are_no_larger_than_asked():
    x, g = pairs_of().clamp(0.1, 0.9), torch.Generator().manual_seed(1)
    lit = light(x, 0.3, g)
    assert torch.allclose(lit[:, 0], lit[:, 1])
    assert torch.allclose(light(x, 0.0, g), x, atol=1e-6)
    noisy = (noise(x, 0.05, g) - x).std((1, 2, 3))
    assert float(noisy.min()) < 0.01
    assert 0.04 < float(noisy.max()) < 0.06


def test_turning_leaves_a_picture_where_it_is_and_mirrors_none():
    x = smooth().expand(12, -1, -1, -1)
    found = [centre(one[None]) for one in turned(x, 20.0, generator(1))]
    right, down = centre(smooth())
    assert all(abs(math.hypot(*place) - right) < 0.02 for place in found)
    assert all(place[0] > 0.9 * right for place in found)
    assert min(place[1] for place in found) < down - 0.05 < down + 0.05 < max(place[1] for place in found)
    assert torch.allclose(turned(x, 0.0, generator(1)), x, atol=1e-5)


def test_one_draw_moves_pictures_and_flow_of_a_clip_alike_and_a_mirror_turns_its_arrows():
    blob = smooth(32)
    mirror = torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    pictures = moved_clips(blob[:, :, None].expand(1, 3, 4, 32, 32), mirror)
    flow = moved_flows(torch.stack([2.0 * blob[:, 0], 3.0 * blob[:, 0]], 1)[:, :, None].expand(1, 2, 4, 32, 32), mirror)
    for frame in range(4):
        assert torch.allclose(pictures[0, 1, frame], blob[0, 0].flip(1), atol=1e-5)
        assert torch.allclose(flow[0, 0, frame], -2.0 * blob[0, 0].flip(1), atol=1e-5)
        assert torch.allclose(flow[0, 1, frame], 3.0 * blob[0, 0].flip(1), atol=1e-5)


def test_what_flows_is_still_what_lies_between_two_pictures_that_were_moved():
    theta = similarities(1, 40.0, 0.2, 0.1, generator(2))
    down = torch.zeros(1, 2, 1, 64, 64)
    down[:, 1] = 4.0  # px, everywhere
    before, after = smooth(), smooth().roll(4, 2)
    there = [centre(moved_clips(x[:, :, None], theta)[:, :, 0]) for x in (before, after)]
    arrow = [(b - a) * 32 for a, b in zip(*there, strict=True)]
    assert moved_flows(down, theta)[0, :, 0, 32, 32].tolist() == pytest.approx(arrow, abs=0.1)


def test_half_of_the_draws_mirror_and_none_where_that_is_not_asked_for():
    signs = torch.linalg.det(similarities(200, 10.0, 0.1, 0.0, generator())[..., :2]).sign()
    assert 60 < int((signs < 0).sum()) < 140
    kept = similarities(50, 10.0, 0.1, 0.0, generator(), mirrored=False)
    assert bool((torch.linalg.det(kept[..., :2]) > 0).all())
