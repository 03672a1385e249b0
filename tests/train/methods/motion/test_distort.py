import pytest
import torch

from train.methods.motion.config import MotionAugment
from train.methods.motion.distort import distort, gains, late, warp

SIDE = 28
NOTHING = MotionAugment(turn_deg=0, scale=0, shift=0, gain=0, drift=0, noise=0, stretch=0, late=0)


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def spot(x, y, right, down, count=16, frames=3):
    """Events (B, N, 2, S, S) that move a spot around (x, y), of a crop from -1 to 1, more and more."""
    axis = (torch.arange(SIDE) + 0.5) * 2 / SIDE - 1
    near = torch.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / (2 * 0.25**2))
    field = torch.stack([right * near, down * near])
    return torch.stack([field * (i + 1) / frames for i in range(frames)]).expand(count, -1, -1, -1, -1).clone()


def centre(lengths):
    """Where (S, S) lies, from -1 to 1."""
    axis = (torch.arange(SIDE) + 0.5) * 2 / SIDE - 1
    weights = lengths / lengths.sum()
    return float((weights * axis).sum()), float((weights * axis[:, None]).sum())


def test_without_amounts_an_event_stays_or_is_mirrored_with_its_directions():
    events = spot(0.4, 0.2, 0.01, -0.02)
    mirrored = events.flip(-1) * torch.tensor([-1.0, 1.0]).view(2, 1, 1)
    seen = set()
    for event, found in zip(events, distort(events, NOTHING, generator()), strict=True):
        same = torch.allclose(found, event, atol=1e-6)
        assert same or torch.allclose(found, mirrored[0], atol=1e-6)
        seen.add(same)
    assert seen == {True, False}


def test_what_is_turned_moves_where_it_has_gone_to():
    """A spot that moves away from the middle still does so, wherever the face was turned to."""
    for found in warp(spot(0.5, 0.0, 0.01, 0.0), 30.0, 0.0, 0.0, generator()):
        u, v = found[-1]
        x, y = centre(torch.hypot(u, v))
        peak = torch.hypot(u, v).argmax()
        assert torch.hypot(u, v).max() == pytest.approx(0.01, rel=0.08)
        assert float(u.flatten()[peak] * y - v.flatten()[peak] * x) == pytest.approx(0.0, abs=2e-4)
        assert float(u.flatten()[peak] * x + v.flatten()[peak] * y) > 0


def test_what_grows_moves_farther():
    for found in warp(spot(0.4, 0.3, 0.01, 0.02), 0.0, 0.2, 0.0, generator(2)):
        x, y = centre(found[-1, 1])
        assert float(found[-1, 0].abs().max()) == pytest.approx(0.01 * abs(x) / 0.4, rel=0.08)
        assert float(found[-1, 1].abs().max()) == pytest.approx(0.02 * y / 0.3, rel=0.08)


def test_all_frames_of_an_event_are_warped_alike():
    found = warp(spot(0.3, 0.3, 0.01, 0.02), 10.0, 0.1, 0.05, generator(3))
    assert torch.allclose(found[:, 0] * 3, found[:, 2], atol=1e-6)


def test_a_late_reference_has_the_first_field_already():
    events = spot(0.0, 0.0, 0.01, 0.0)
    found = late(events, 0.5, generator())
    whole = [torch.equal(a, b) for a, b in zip(events, found, strict=True)]
    assert 0 < sum(whole) < len(whole)
    changed = found[whole.index(False)]
    assert not changed[0].any()
    assert torch.allclose(changed[2], events[0, 2] - events[0, 0])
    assert torch.equal(late(events, 0.0, generator()), events)


def test_gains_are_positive_smooth_and_around_one():
    found = gains(torch.zeros(64, 3, 2, SIDE, SIDE), 0.3, generator())
    assert found.shape == (64, 1, 1, SIDE, SIDE)
    assert float(found.min()) > 0
    assert float(found.log().mean()) == pytest.approx(0.0, abs=0.05)
    assert float(found.diff(dim=-1).abs().mean()) < 0.1


@pytest.mark.parametrize("amount", ["drift", "noise"])
def test_what_is_added_is_a_share_of_the_events_own_size(amount):
    changed = MotionAugment(**{name: 0.5 if name == amount else 0 for name in MotionAugment.__struct_fields__})
    weak, strong = spot(0.0, 0.3, 0.01, 0.02), spot(0.0, 0.3, 1.0, 2.0)
    a, b = (distort(events, changed, generator()) - distort(events, NOTHING, generator()) for events in (weak, strong))
    assert torch.allclose(100 * a, b, rtol=1e-3, atol=1e-4)
    assert 0.02 < float(b.square().mean().sqrt() / strong.square().mean().sqrt()) < 1.0


def test_every_draw_comes_from_the_generator():
    augment = MotionAugment(turn_deg=5, scale=0.1, shift=0.05, gain=0.3, drift=0.3, noise=0.5, stretch=0.4, late=0.3)
    events = spot(0.3, 0.3, 0.01, 0.02)
    kept = events.clone()
    first, again, other = (distort(events, augment, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(events, kept)
