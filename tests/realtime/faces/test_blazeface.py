"""Anchors, decoding and suppression, against slow loops; what the detectors find is in test_landmarker."""

import math

import numpy as np
import pytest

from realtime.faces import blazeface
from realtime.faces.blazeface import GRIDS, FaceDetector, anchors, decoded, merged
from realtime.faces.public_models import FULL_RANGE, SHORT_RANGE


def slow_anchors(side_px, strides, each):
    """As MediaPipe's SsdAnchors: layers of the same stride go together, `each` anchors a layer."""
    places, layer = [], 0
    while layer < len(strides):
        stride = strides[layer]
        together = sum(each for later in strides[layer:] if later == stride)
        for y in range(side_px // stride):
            for x in range(side_px // stride):
                places += [((x + 0.5) * stride / side_px, (y + 0.5) * stride / side_px)] * together
        layer += together // each
    return places


@pytest.mark.parametrize(
    ("model", "strides", "each", "count"), [(SHORT_RANGE, (8, 16, 16, 16), 2, 896), (FULL_RANGE, (4,), 1, 2304)]
)
def test_anchors_lie_in_the_middle_of_their_cells(model, strides, each, count):
    found = anchors(GRIDS[model])
    assert found.shape == (count, 2)
    assert found == pytest.approx(np.array(slow_anchors(model.side_px, strides, each)))


def drawn(seed, count=200, side_px=128):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(0, 20, (count, 16)).astype(np.float32)
    return numbers, rng.normal(0, 3, count).astype(np.float32), rng.random((count, 2)).astype(np.float32), side_px


def slow_decoded(numbers, logits, places, side_px, confidence):
    rows, scores = [], []
    for row, logit, (x, y) in zip(numbers.tolist(), logits.tolist(), places.tolist(), strict=True):
        score = 1 / (1 + math.exp(-logit))
        middle_x, middle_y, width, height = (
            row[0] / side_px + x,
            row[1] / side_px + y,
            row[2] / side_px,
            row[3] / side_px,
        )
        if score < confidence or width < 0 or height < 0:
            continue
        points = [v / side_px + (x, y)[k % 2] for k, v in enumerate(row[4:])]
        box = [middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2]
        rows.append(box + points)
        scores.append(score)
    return np.array(rows), np.array(scores)


@pytest.mark.parametrize("confidence", [0.5, 0.9])
def test_numbers_are_decoded_from_their_anchor(confidence):
    rows, scores = decoded(*drawn(0), confidence)
    wanted, likely = slow_decoded(*drawn(0), confidence)
    assert 5 < len(rows) < 120
    assert rows == pytest.approx(wanted, abs=1e-5)
    assert scores == pytest.approx(likely, abs=1e-6)


def test_logits_beyond_all_reason_are_certain_and_raise_no_warning():
    numbers, _, places, side_px = drawn(1, count=2)
    numbers[:, 2:4] = 9.0
    _, scores = decoded(numbers, np.array([1e9, -1e9], np.float32), places, side_px, 1e-36)
    assert scores == pytest.approx([1.0, 0.0])


def slow_shared(a, b):
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(across, 0.0) * max(down, 0.0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def slow_merged(rows, scores):
    left, faces = sorted(range(len(rows)), key=lambda k: -scores[k]), []
    while left:
        same = [k for k in left if slow_shared(rows[k], rows[left[0]]) > 0.3]
        total = sum(scores[k] for k in same)
        faces.append([sum(rows[k][c] * scores[k] for k in same) / total for c in range(16)])
        left = [k for k in left if k not in same]
    return faces


def test_boxes_of_one_face_become_one_weighted_by_how_sure_they_are():
    rng = np.random.default_rng(3)
    middles = rng.choice([(0.2, 0.3), (0.6, 0.5), (0.85, 0.2)], 40) + rng.normal(0, 0.02, (40, 2))
    half = rng.uniform(0.08, 0.12, (40, 1))
    rows = np.concatenate([middles - half, middles + half, rng.random((40, 12))], axis=1).astype(np.float32)
    scores = rng.uniform(0.5, 1.0, 40).astype(np.float32)
    found = merged(rows, scores)
    assert found == pytest.approx(np.array(slow_merged(rows.tolist(), scores.tolist())), abs=1e-5)
    assert len(found) == 3


def test_nothing_merged_is_nothing_and_a_box_of_no_size_is_not_looked_at_forever():
    assert merged(np.zeros((0, 16), np.float32), np.zeros(0, np.float32)).shape == (0, 16)
    assert merged(np.zeros((1, 16), np.float32), np.ones(1, np.float32)).shape == (1, 16)


class Scripted:
    """A network that sees one face, 40 px wide in its middle, whose eyes are level."""

    def __init__(self, model):
        self.picture = np.full((model.side_px, model.side_px, 3), 77, np.uint8)
        self.count = len(anchors(GRIDS[model]))
        self.nearest = int(np.abs(anchors(GRIDS[model]) - 0.5).sum(axis=1).argmin())
        self.place = anchors(GRIDS[model])[self.nearest] * model.side_px

    def run(self):
        numbers, logits = np.zeros((1, self.count, 16), np.float32), np.full((1, self.count, 1), -9.0, np.float32)
        middle = len(self.picture) / 2 - self.place
        numbers[0, self.nearest, :8] = (*middle, 40, 40, middle[0] - 10, middle[1], middle[0] + 10, middle[1])
        logits[0, self.nearest] = 9.0
        return numbers, logits


@pytest.mark.parametrize("shape", [(300, 600, 3), (600, 300, 3), (48, 48, 3)])
@pytest.mark.parametrize("model", [SHORT_RANGE, FULL_RANGE])
def test_the_whole_frame_is_seen_with_its_middle_in_the_middle_and_black_beside_it(model, shape):
    network, image = Scripted(model), np.full(shape, 200, np.uint8)
    [region] = FaceDetector(model, network, 0.5).find(image)
    assert (region.x, region.y) == pytest.approx((shape[1] / 2, shape[0] / 2), abs=1e-3)
    assert region.side == pytest.approx(
        blazeface.around((0, 0, 40, 40), (0, 0), (1, 0)).side * max(shape) / model.side_px, rel=1e-4
    )
    assert region.angle == pytest.approx(0.0, abs=1e-6)
    seen = network.picture[..., 0] > 100
    assert seen.mean() == pytest.approx(min(shape[:2]) / max(shape[:2]), abs=0.03)
    assert network.picture[seen].min() == 200 or shape == (48, 48, 3)
    assert network.picture[~seen].max(initial=0) < 101
