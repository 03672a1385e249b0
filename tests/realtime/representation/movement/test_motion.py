import cv2
import numpy as np
import pytest

from realtime.representation.movement import motion
from realtime.representation.movement.fields import FIELD_PX
from realtime.representation.movement.motion import EYES, Flow, head_fit, layout, measure, residual

SIZE = 128
BROW, MOUTH = (0.385, 0.285), (0.340, 0.765)  # centres in a crop of side 1


@pytest.fixture(scope="module")
def place():
    return layout(SIZE)


def texture(size=SIZE, margin=16):
    """Grey noise, smooth enough to have a shift of less than a pixel."""
    grain = np.random.default_rng(6).integers(0, 256, (size + 2 * margin, size + 2 * margin)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(grain, (0, 0), 2.0), None, 0, 255, cv2.NORM_MINMAX)


def affine(place, matrix):
    """The field (S, S, 2) of an affine movement: rows of `matrix` (3, 2) are shift, growth across and down."""
    return (place.plane @ np.asarray(matrix, np.float32)).reshape(SIZE, SIZE, 2)


def bump(centre, displacement, radius=5.0):
    """A field that moves a round spot around `centre`, given in crops of side 1."""
    down, across = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    squared = (across - centre[0] * SIZE) ** 2 + (down - centre[1] * SIZE) ** 2
    return (np.exp(-squared / (2 * radius**2))[..., None] * np.asarray(displacement)).astype(np.float32)


@pytest.mark.parametrize(("right", "down"), [(0.0, 0.0), (1.0, 0.0), (0.0, -2.0), (3.0, 1.5), (-0.4, 0.3)])
def test_flow_finds_a_known_shift_to_a_tenth_of_a_pixel(right, down):
    wide = texture()
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    before, now = wide[16:-16, 16:-16], cv2.warpAffine(wide, matrix, wide.shape, flags=cv2.INTER_CUBIC)[16:-16, 16:-16]
    found = Flow()(np.ascontiguousarray(before), np.ascontiguousarray(now))
    assert (found.shape, found.dtype) == ((SIZE, SIZE, 2), np.float32)
    assert np.median(found[16:-16, 16:-16], axis=(0, 1)) == pytest.approx((right, down), abs=0.1)


def test_flow_of_a_picture_to_itself_is_nothing():
    picture = np.ascontiguousarray(texture()[16:-16, 16:-16])
    assert np.abs(Flow()(picture, picture)).max() < 1e-3


def test_flow_does_not_depend_on_what_was_compared_before():
    wide = texture()
    a, b, c = (np.ascontiguousarray(wide[i : i + SIZE, i : i + SIZE]) for i in (8, 10, 20))
    used = Flow()
    used(a, c)
    assert np.array_equal(used(a, b), Flow()(a, b))


@pytest.mark.parametrize(
    "matrix",
    [
        [[3, -2], [0, 0], [0, 0]],
        [[0, 0], [2, 0], [0, 2]],
        [[0, 0], [0, 1.5], [-1.5, 0]],
        [[1, 2], [0.7, -0.4], [0.3, 1.1]],
    ],
    ids=["shift", "nearer", "roll", "affine"],
)
def test_what_the_head_does_is_taken_away(place, matrix):
    field = affine(place, matrix)
    fit = head_fit(field.reshape(-1, 2), place)
    assert fit == pytest.approx(np.array(matrix), abs=1e-3)
    assert np.abs(residual(field, fit, place)).max() < 5e-3
    found = measure(1.0, field, place)
    assert np.abs(found.field).max() < 1e-4


def test_the_heads_movement_is_in_eye_distances(place):
    found = measure(1.0, affine(place, [[3, 4], [0, 0], [0, 0]]), place)
    assert found.head == pytest.approx(5.0 / place.eye_px, rel=1e-4)
    assert place.eye_px == pytest.approx((0.762 - 0.238) * SIZE, rel=1e-5)


def test_a_moving_brow_does_not_pass_for_a_moving_head(place):
    field = affine(place, [[1, 2], [0, 0], [0, 0]]) + bump(BROW, (0, -4), 8.0)
    assert head_fit(field.reshape(-1, 2), place)[0] == pytest.approx((1, 2), abs=0.1)


@pytest.mark.parametrize("centre", [BROW, MOUTH, *EYES])
def test_a_movement_in_one_place_is_seen_there(place, centre):
    found = measure(2.5, bump(centre, (0.0, 2.0), 4.0), place)
    row, column = np.unravel_index(found.field[1].argmax(), (FIELD_PX, FIELD_PX))
    assert ((column + 0.5) / FIELD_PX, (row + 0.5) / FIELD_PX) == pytest.approx(centre, abs=1 / FIELD_PX)
    assert found.t == 2.5
    assert found.field[1].max() > 0.5 * 2.0 / place.eye_px
    down, across = (np.mgrid[:FIELD_PX, :FIELD_PX] + 0.5) / FIELD_PX
    far = np.hypot(across - centre[0], down - centre[1]) > 0.2
    assert np.abs(found.field[:, far]).max() < 0.1 * found.field.max()


def test_a_movement_is_as_large_beside_a_moving_head(place):
    local = bump(MOUTH, (1.5, -1.5), 4.0)
    alone = measure(1.0, local, place)
    together = measure(1.0, local + affine(place, [[2, 1], [0.5, 0], [0, 0.5]]), place)
    assert together.field == pytest.approx(alone.field, abs=1e-3)


@pytest.mark.parametrize("size", [48, 112, 128])
def test_the_field_is_the_mean_of_what_the_head_did_not_do_in_each_cell(size):
    made = layout(size)
    flow = np.random.default_rng(5).normal(0, 1, (size, size, 2)).astype(np.float32)
    found = measure(0.0, flow, made).field
    rest = residual(flow, head_fit(flow.reshape(-1, 2), made), made)
    assert (found.shape, found.dtype) == ((2, FIELD_PX, FIELD_PX), np.float32)
    edges = np.arange(FIELD_PX + 1) * size / FIELD_PX
    begin, end = np.maximum(edges[:-1, None], np.arange(size)), np.minimum(edges[1:, None], np.arange(1, size + 1))
    shares = np.clip(end - begin, 0, 1)
    shares /= shares.sum(1, keepdims=True)  # (FIELD_PX, size): how much of a cell is of each pixel
    wanted = np.einsum("ir,rcd,jc->dij", shares, rest, shares) / made.eye_px
    assert found == pytest.approx(wanted, abs=1e-4)


def test_the_fit_is_weighted_least_squares(place):
    """Against the same rounds in float64 by numpy's solver, whose weights multiply residuals."""
    field = np.random.default_rng(2).normal(0, 1, (SIZE * SIZE, 2)).astype(np.float32)
    design, observed = place.plane[place.nodes].astype(float), field[place.nodes].astype(float)
    weights = np.ones(len(observed))
    for _ in range(motion.FIT_ROUNDS):
        root = np.sqrt(weights)[:, None]
        fit = np.linalg.lstsq(design * root, observed * root, rcond=None)[0]
        apart = np.hypot(*(observed - design @ fit).T)
        weights = 1 / (1 + (apart / (1.5 * np.median(apart) + 1e-3)) ** 2)
    assert head_fit(field, place) == pytest.approx(fit, abs=1e-4)


@pytest.mark.parametrize("size", [32, 64, 112, 128, 224])
def test_every_node_lies_inside_the_crop(size):
    made = layout(size)
    assert made.nodes.min() >= 0
    assert made.nodes.max() < size * size
    assert made.cells.shape == (FIELD_PX * FIELD_PX, 3)


def test_the_heads_fit_leaves_out_the_eyes_and_the_mouth(place):
    down, across = np.divmod(place.nodes, SIZE)
    for x, y in EYES:
        assert (np.maximum(np.abs(across - x * SIZE), np.abs(down - y * SIZE)) > motion.HALF * SIZE - 1).all()
    assert down.max() < 0.66 * SIZE
