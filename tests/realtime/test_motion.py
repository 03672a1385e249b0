import cv2
import numpy as np
import pytest

from realtime import motion
from realtime.fields import FIELD_PX
from realtime.motion import EYES, REGIONS, Flow, head_fit, layout, measure, residual

SIZE = 128
TOP = 0.3
NAMES = list(REGIONS)


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
    found = measure(1.0, field, place, TOP)
    assert found.regions.max() < 1e-4
    assert found.eyes < 1e-4


def test_the_heads_movement_is_in_eye_distances(place):
    found = measure(1.0, affine(place, [[3, 4], [0, 0], [0, 0]]), place, TOP)
    assert found.head == pytest.approx(5.0 / place.eye_px, rel=1e-4)
    assert place.eye_px == pytest.approx((0.762 - 0.238) * SIZE, rel=1e-5)


def test_a_moving_brow_does_not_pass_for_a_moving_head(place):
    centre = REGIONS["left inner brow"]
    field = affine(place, [[1, 2], [0, 0], [0, 0]]) + bump(centre, (0, -4), 8.0)
    assert head_fit(field.reshape(-1, 2), place)[0] == pytest.approx((1, 2), abs=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_a_movement_in_one_place_is_seen_there(place, name):
    found = measure(1.0, bump(REGIONS[name], (0.0, 2.0), 4.0), place, TOP)
    assert NAMES[int(found.regions.argmax())] == name
    assert found.regions.max() > 0.5 * 2.0 / place.eye_px
    far = [
        i
        for i, centre in enumerate(REGIONS.values())
        if np.hypot(*(np.array(centre) - REGIONS[name])) > 0.25  # boxes and spot cannot touch
    ]
    assert found.regions[far].max() < 0.1 * found.regions.max()


def test_a_blink_is_seen_in_the_eyes_and_not_in_the_regions(place):
    field = bump(EYES[0], (0, 3), 4.0) + bump(EYES[1], (0, 3), 4.0)
    found = measure(1.0, field, place, TOP)
    assert found.eyes > 2 * found.regions.max()


def test_a_movement_is_as_large_beside_a_moving_head(place):
    local = bump(REGIONS["left mouth corner"], (1.5, -1.5), 4.0)
    alone = measure(1.0, local, place, TOP)
    together = measure(1.0, local + affine(place, [[2, 1], [0.5, 0], [0, 0.5]]), place, TOP)
    assert together.regions == pytest.approx(alone.regions, abs=1e-3)


def test_a_measurement_is_what_going_through_the_pixels_gives(place):
    field = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 20, (SIZE, SIZE, 2)).astype(np.float32), (0, 0), 4)
    found = measure(2.5, field, place, TOP)
    rest = residual(field, head_fit(field.reshape(-1, 2), place), place)

    def displacement(*centres):
        half = round(motion.HALF * SIZE)
        lengths = [
            np.hypot(*rest[row, column]) / place.eye_px
            for x, y in centres
            for row in range(round(y * SIZE) - half, round(y * SIZE) + half)
            for column in range(round(x * SIZE) - half, round(x * SIZE) + half)
        ]
        largest = sorted(lengths, reverse=True)[: round(TOP * len(lengths))]
        return sum(largest) / len(largest)

    wanted = [displacement((x, min(y, 1 - round(motion.HALF * SIZE) / SIZE))) for x, y in REGIONS.values()]
    assert found.t == 2.5
    assert found.regions == pytest.approx(wanted, rel=1e-3)
    assert found.eyes == pytest.approx(displacement(*EYES), rel=1e-3)


@pytest.mark.parametrize("size", [48, 112, 128])
def test_the_field_is_the_mean_of_what_the_head_did_not_do_in_each_cell(size):
    made = layout(size)
    flow = np.random.default_rng(5).normal(0, 1, (size, size, 2)).astype(np.float32)
    found = measure(0.0, flow, made, TOP).field
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
def test_every_box_lies_inside_the_crop(size):
    made = layout(size)
    for indices in (made.regions, made.looked, made.nodes):
        assert indices.min() >= 0
        assert indices.max() < size * size
    assert made.regions.shape[0] == len(REGIONS)
    rows, columns = np.divmod(made.regions, size)
    width = 2 * max(round(motion.HALF * size), 2)
    assert (np.ptp(rows, axis=1) == width - 1).all()
    assert (np.ptp(columns, axis=1) == width - 1).all()


def test_the_heads_fit_leaves_out_the_eyes_and_the_mouth(place):
    assert not set(place.nodes) & set(place.looked[place.regions.size :])
    assert (place.nodes // SIZE).max() < 0.66 * SIZE


def test_the_mouths_rows_are_the_mouths():
    assert tuple(NAMES[row] for row in motion.MOUTH_ROWS) == motion.MOUTH
