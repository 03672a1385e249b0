"""Histograms of directions, against a loop over every place."""

import math

import numpy as np
import pytest

from realtime.representation.movement.orientations import orientations


def slowly(field, blocks, bins):
    """The histograms of one field (2, S, S), place by place: a list of blocks**2 * bins numbers."""
    side = field.shape[-1]
    step = side // blocks
    found = [0.0] * (blocks * blocks * bins)
    for row in range(side):
        for column in range(side):
            u, v = float(field[0, row, column]), float(field[1, row, column])
            turn = math.degrees(math.atan2(v, u)) % 360
            first = int(turn // (360 / bins))
            share = turn / (360 / bins) - first
            block = (row // step) * blocks + column // step
            for k, part in ((first % bins, 1 - share), ((first + 1) % bins, share)):
                found[block * bins + k] += part * math.hypot(u, v) / step**2
    return found


@pytest.mark.parametrize(("blocks", "bins", "side"), [(4, 8, 28), (2, 5, 6), (1, 3, 4)])
def test_every_place_adds_its_size_to_the_two_nearest_directions_of_its_block(blocks, bins, side):
    fields = np.random.default_rng(1).normal(0, 0.01, (3, 2, side, side)).astype(np.float32)
    found = orientations(fields, blocks, bins)
    assert (found.shape, found.dtype) == ((3, blocks * blocks * bins), np.float32)
    for row, field in zip(found, fields, strict=True):
        np.testing.assert_allclose(row, slowly(field, blocks, bins), atol=1e-7)


@pytest.mark.parametrize(("u", "v", "bin"), [(1, 0, 0), (0, 1, 2), (-1, 0, 4), (-1, -0.0, 4), (0, -1, 6), (1, 1, 1)])
def test_bins_turn_from_right_towards_down(u, v, bin):
    field = np.zeros((2, 4, 4), np.float32)
    field[0, :2, 2:], field[1, :2, 2:] = u, v  # the block above on the right
    wanted = np.zeros((4, 8))
    wanted[1, bin] = math.hypot(u, v)
    np.testing.assert_allclose(orientations(field, 2, 8).reshape(4, 8), wanted, atol=1e-6)


def test_a_face_at_rest_has_nothing_in_any_bin():
    assert not orientations(np.zeros((5, 2, 28, 28), np.float32), 4, 8).any()


def test_blocks_that_do_not_divide_the_field_are_refused():
    with pytest.raises(ValueError, match="a field of side 28 has no 5 equal blocks"):
        orientations(np.zeros((2, 28, 28), np.float32), 5, 8)
