import numpy as np
import pytest

from realtime.representation.movement.fields import EYES, FIELD_PX, moments, normalised, sampled, strain

SIDE = FIELD_PX


def grid():
    """x and y of the cells, in cells."""
    return np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))


def bump(x, y, right, down, radius=3.0):
    """A field (2, S, S) that moves a spot around (x, y), of a crop of side 1."""
    across, below = grid()
    near = np.exp(-((across - x * SIDE) ** 2 + (below - y * SIDE) ** 2) / (2 * radius**2))
    return np.stack([right * near, down * near]).astype(np.float32)


def rising(field, frames=4):
    return np.stack([field * (i + 1) / frames for i in range(frames)])


def test_moments_are_even_and_end_at_the_apex():
    assert moments(1.0, 1.4, 4) == pytest.approx([1.1, 1.2, 1.3, 1.4])
    assert moments(1.0, 1.0, 3).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 60.0, 200.0])
def test_what_rises_evenly_is_found_at_every_rate(rate_hz):
    times = np.arange(0.0, 0.5, 1 / rate_hz)
    fields = times[:, None, None, None] * np.ones((2, 3, 3), np.float32)
    wanted = moments(0.0, 0.24, 6)
    found = sampled(times, fields, wanted)
    assert (found.shape, found.dtype) == ((6, 2, 3, 3), np.float32)
    assert found[:, 0, 0, 0] == pytest.approx(wanted, abs=0.006)


def test_frames_between_moments_are_averaged_with_falling_weights():
    times = np.arange(9) / 100
    fields = np.random.default_rng(1).normal(0, 1, (9, 2, 3, 3)).astype(np.float32)
    found = sampled(times, fields, np.array([0.0, 0.04, 0.08]))
    weights = np.array([0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0])
    assert found[1] == pytest.approx(np.tensordot(weights / weights.sum(), fields, 1), abs=1e-6)


def test_beyond_the_frames_the_nearest_one_stands():
    times = np.array([1.0, 1.1])
    fields = np.stack([np.full((2, 3, 3), level, np.float32) for level in (5, 7)])
    assert [sampled(times, fields, np.array([t]))[0, 0, 0, 0] for t in (0.2, 9.0)] == [5.0, 7.0]
    assert sampled(times[:1], fields[:1], np.array([0.2, 1.0, 1.0]))[:, 0, 0, 0].tolist() == [5.0] * 3


@pytest.mark.parametrize(
    ("matrix", "size"),
    [
        ([[5, -3], [0, 0], [0, 0]], 0.0),  # shift
        ([[0, 0], [0, 1], [-1, 0]], 0.0),  # a small rotation: u = -y, v = x
        ([[0, 0], [1, 0], [0, 0]], 1.0),  # stretched across: u_x
        ([[0, 0], [1, 0], [0, 1]], np.sqrt(2)),  # grown: u_x = v_y
        ([[0, 0], [0, 0], [1, 0]], np.sqrt(0.5)),  # sheared: u_y
    ],
    ids=["shift", "rotation", "stretch", "growth", "shear"],
)
def test_strain_of_known_fields(matrix, size):
    x, y = grid()
    field = np.tensordot(np.stack([np.ones_like(x), x, y], 2), np.array(matrix, np.float32), 1)
    assert strain(np.moveaxis(field, 2, 0)) == pytest.approx(np.full((SIDE, SIDE), size), abs=1e-4)


def test_strain_is_what_going_through_the_cells_gives():
    fields = np.random.default_rng(3).normal(0, 1, (4, 2, 6, 7)).astype(np.float32)
    found = strain(fields)
    for event, row, column in np.ndindex(4, 4, 5):
        (u, v), r, c = fields[event], row + 1, column + 1
        u_x, v_x = (u[r, c + 1] - u[r, c - 1]) / 2, (v[r, c + 1] - v[r, c - 1]) / 2
        u_y, v_y = (u[r + 1, c] - u[r - 1, c]) / 2, (v[r + 1, c] - v[r - 1, c]) / 2
        wanted = np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2)
        assert found[event, r, c] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("scale", ["each", "both"])
def test_how_strong_a_movement_is_makes_no_difference_above_the_floor(scale):
    event = rising(bump(0.3, 0.75, 0.01, -0.02))
    weak, strong = (normalised(event * factor, scale, 1e-5, 8.0) for factor in (1.0, 7.0))
    assert (weak.shape, weak.dtype) == ((4, 3, SIDE, SIDE), np.float32)
    assert weak == pytest.approx(strong, abs=1e-4)
    assert np.abs(weak[3]).max() > 2 * np.abs(weak[0]).max()  # but how it grows does


def test_each_or_both_of_u_and_v_are_brought_to_one_size():
    event = rising(bump(0.3, 0.75, 0.01, -0.03))
    each, both = (normalised(event, scale, 1e-6, 99.0) for scale in ("each", "both"))
    assert np.square(each[:, 0]).mean() == pytest.approx(np.square(each[:, 1]).mean(), rel=1e-4)
    assert np.square(both[:, 1]).mean() == pytest.approx(9 * np.square(both[:, 0]).mean(), rel=1e-3)
    assert both[:, 2] == pytest.approx(each[:, 2])


def test_a_movement_below_the_floor_stays_small_and_none_stays_none():
    assert np.abs(normalised(rising(bump(0.5, 0.5, 1e-5, 1e-5)), "each", 5e-4, 8.0)).max() < 0.1
    assert not normalised(np.zeros((2, 4, 2, SIDE, SIDE), np.float32), "each", 5e-4, 8.0).any()


def test_a_blink_leaves_the_brow_as_large_as_it_was():
    brow = rising(bump(0.3, 0.2, 0.0, -0.01, radius=1.0))
    blink = sum(bump(x, y, 0.0, 0.2, radius=0.4) for x, y in EYES)
    alone, together = (normalised(event, "each", 5e-4, 8.0)[:, :, :7] for event in (brow, brow + blink))
    assert together == pytest.approx(alone, rel=0.15, abs=0.05)


def test_what_is_outside_the_face_is_not_seen_and_nothing_is_endless():
    outside, inside = bump(0.02, 0.02, 0.5, 0.5, radius=1.0), bump(0.5, 0.6, 0.0, 0.01, radius=0.5)
    found = normalised(rising(outside + inside), "each", 5e-4, 4.0)
    assert not found[..., :2, :2].any()
    assert np.abs(found).max() == 4.0


def test_events_are_normalised_alone_as_in_company():
    events = np.random.default_rng(2).normal(0, 0.01, (3, 4, 2, SIDE, SIDE)).astype(np.float32)
    kept = events.copy()
    together = normalised(events, "both", 5e-4, 8.0)
    assert np.array_equal(together[1], normalised(events[1], "both", 5e-4, 8.0))
    assert np.array_equal(events, kept)
