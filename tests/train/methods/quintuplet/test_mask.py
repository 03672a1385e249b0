"""Where units act: their centres, the maps that are taught, and that a network finds them on faces it never saw."""

import dataclasses
import math

import msgspec
import numpy as np
import pytest
import torch

from realtime.faces import landmarks as lm
from realtime.units import WORDS
from train.methods.quintuplet.au_centres import CENTRES, UNITS, centres, maps
from train.methods.quintuplet.mask import MaskNet, attention
from train.methods.quintuplet.mask_job import MaskJob
from train.registry import METHODS

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
QUINTUPLET = METHODS["quintuplet"]


@pytest.fixture
def face(drawn_face):
    """Landmarks (468, 2) of a face in the middle of 128 px, with brows, eyes, nose and mouth where faces have them."""
    points = drawn_face(64.0, 50.0, 67.0)[:, :2]
    sides = ((lm.LEFT_BROW, lm.LEFT_EYE, lm.LEFT_LOWER_LID, lm.LEFT_NOSE_WING, lm.LEFT_MOUTH, -1.0),
             (lm.RIGHT_BROW, lm.RIGHT_EYE, lm.RIGHT_LOWER_LID, lm.RIGHT_NOSE_WING, lm.RIGHT_MOUTH, 1.0))  # fmt: skip
    for brow, eye, lid, wing, corner, side in sides:
        points[list(brow)] = [(64 + side * x, 38) for x in (38, 32, 25, 18, 12)]
        corners = points[list(lm.RIGID)].copy()
        points[list(eye)], points[list(lid)] = (64 + side * 23, 50), (64 + side * 23, 53)
        points[list(lm.RIGID)] = corners
        points[wing], points[corner] = (64 + side * 11, 76), (64 + side * 17, 97)
    return points


def test_every_unit_that_is_known_in_words_has_a_place():
    assert sorted(int(unit) for units in UNITS for unit in units.split("+")) == sorted(map(int, WORDS))


def test_units_of_two_sides_have_a_centre_on_each_and_lie_where_they_act(face):
    found = dict(zip(UNITS, centres(face), strict=True))
    for units, sides in CENTRES.items():
        assert found[units].shape == (len(sides), 2)
    middle = face[list(lm.NOSE_BRIDGE), 0].mean()
    assert all(left[0] < middle < right[0] for left, right in (each for each in found.values() if len(each) == 2))
    assert found["12+14+15+20"] == pytest.approx(face[[lm.LEFT_MOUTH, lm.RIGHT_MOUTH]])
    assert found["6"][0, 1] > face[list(lm.LEFT_LOWER_LID), 1].mean()
    assert found["1"][0, 1] < face[list(lm.LEFT_BROW[3:]), 1].mean()


def test_maps_are_what_a_slow_loop_says(face):
    found = maps(face, 128, 12, 0.06)
    for row, places in zip(found, centres(face), strict=True):
        for y in range(12):
            for x in range(12):
                at = ((x + 0.5) / 12, (y + 0.5) / 12)
                squared = min((px / 128 - at[0]) ** 2 + (py / 128 - at[1]) ** 2 for px, py in places)
                assert row[y, x] == pytest.approx(math.exp(-squared / (2 * 0.06**2)), abs=1e-5)


def test_attention_keeps_a_share_of_everything_and_all_where_any_unit_is_sure():
    logits = torch.full((1, 3, 4, 4), -30.0)
    logits[0, 1, 2, 3] = 30.0
    found = attention(logits, 0.2)
    assert found.shape == (1, 1, 4, 4)
    assert float(found[0, 0, 2, 3]) == pytest.approx(1.0)
    assert float(found[0, 0, 0, 0]) == pytest.approx(0.2)


def test_the_network_sees_a_picture_and_keeps_its_side():
    assert MaskNet(10, 4)(torch.randn(2, 3, 32, 32)).shape == (2, 10, 32, 32)


def test_it_learns_where_units_are_on_a_face_that_it_never_saw(recipe_of, acted):
    """Whose centres are marked by a bright spot, which moves from clip to clip."""
    config = recipe_of("quintuplet").method
    steps = replace(config.mask.optimiser, batch=4, rate=0.01)
    light = replace(config.augment, turn_deg=0.0, light=0.0, tint=0.0)
    config = replace(config, augment=light, mask=replace(config.mask, epochs=60, planes=4, optimiser=steps))
    clips = [_marked(clip, seed) for seed, clip in enumerate(acted(("negative",), 16))]
    torch.manual_seed(1)
    job = MaskJob(config, MaskNet(len(UNITS), 4), QUINTUPLET.representation(config), clips[:-2], 1)
    optimiser = torch.optim.Adam(job.network.parameters(), 0.01)
    for epoch in range(job.epochs):
        for batch in job.batches(epoch):
            optimiser.zero_grad()
            job.loss(batch).backward()
            optimiser.step()
    unseen = MaskJob(config, job.network, job.made, clips[-2:], 2)
    [(pictures, taught)] = unseen.batches(0)
    with torch.no_grad():
        found = job.network(pictures).sigmoid()
    assert float(torch.corrcoef(torch.stack([found.flatten(), taught.flatten()]))[0, 1]) > 0.8


def _marked(clip, seed):
    """All landmarks in one place, where the picture is white."""
    side = clip.images.shape[1]
    x, y = np.random.default_rng(seed).uniform(0.25 * side, 0.75 * side, 2)
    images = (clip.images // 3).copy()
    images[:, round(y) - 4 : round(y) + 4, round(x) - 4 : round(x) + 4] = 255
    return dataclasses.replace(clip, images=images, landmarks=np.full((468, 2), (x, y), np.float32))
