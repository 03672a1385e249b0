import cv2
import numpy as np
import pytest
from mouthed_face import mouthed_face

from realtime.errors import DataError
from realtime.faces import landmarks as lm
from realtime.spotting.apex_formula import rectangles
from train.methods.apexnet.apex_formula import find_apex, region_scores, register

SIDE = 128
NAMES = list(rectangles(np.zeros((lm.COUNT, 2), np.float32)))


@pytest.fixture(scope="module")
def face():
    return mouthed_face()


def brightened(face, name, levels):
    """Flat frames whose region `name` is `levels` brighter."""
    frames = np.full((len(levels), SIDE, SIDE), 100.0, np.float32)
    left, top, right, bottom = (round(edge) for edge in rectangles(face)[name])
    frames[:, top:bottom, left:right] += np.asarray(levels, np.float32)[:, None, None]
    return frames


def texture():
    rough = np.random.default_rng(1).uniform(0, 255, (SIDE, SIDE)).astype(np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), 3)
    return (smooth - smooth.mean()) * (50 / smooth.std()) + 128


def picture(grey):
    return np.repeat(np.clip(np.rint(grey), 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def moved(grey, x, y=0.0):
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return cv2.warpAffine(grey, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        # levels 0 4 9 9 3 1, lag 2: steps to the frame two before 0 4 9 5 6 8
        ("onset", [1 / 1, 5 / 5, 10 / 10, 10 / 6, 4 / 7, 2 / 9]),
        ("offset", [2 / 1, 4 / 5, 9 / 10, 9 / 6, 3 / 7, 1 / 9]),
        ("both", [3 / 1, 9 / 5, 19 / 10, 19 / 6, 7 / 7, 3 / 9]),
    ],
)
def test_scores_are_the_formula_worked_out_by_hand(face, terms, wanted):
    found = region_scores(brightened(face, "glabella", [0, 4, 9, 9, 3, 1]), face, lag=2, terms=terms)
    assert found.shape == (6, 10)
    assert found[:, NAMES.index("glabella")] == pytest.approx(wanted)
    elsewhere = np.delete(found, NAMES.index("glabella"), axis=1)
    assert elsewhere == pytest.approx(2.0 if terms == "both" else 1.0)


def test_a_frame_that_has_none_lag_before_it_takes_the_first(face):
    found = region_scores(brightened(face, "chin", [0, 5, 7]), face, lag=3, terms="onset")
    assert found[:, NAMES.index("chin")] == pytest.approx([1.0, 1.0, 1.0])


def test_the_ratio_is_taken_for_each_pixel_before_the_mean(face):
    frames = brightened(face, "chin", [0, 0, 0])
    frames[1:, 102:112, 54:74] += 8  # half of the chin's box, from the second frame on
    found = region_scores(frames, face, lag=1, terms="onset")
    assert found[2, NAMES.index("chin")] == pytest.approx((9 / 1 + 1) / 2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("terms", ["onset", "both"])
def test_the_apex_of_a_movement_that_rests_at_its_height_is_found(face, name, terms):
    levels = [0, 2, 6, 12, 18, 22, 24, 24, 24, 24, 22, 18, 12, 6, 2, 0]
    images = [picture(frame) for frame in brightened(face, name, levels)]
    assert find_apex(images, face, lag=3, terms=terms) == 9
    assert region_scores(register(images), face, lag=3, terms=terms)[9].argmax() == NAMES.index(name)


@pytest.mark.parametrize("terms", ["onset", "both"])
def test_noise_does_not_make_the_first_frame_the_apex(face, terms):
    levels = [0, 2, 6, 12, 18, 22, 24, 24, 24, 24, 22, 18, 12, 6, 2, 0]
    frames = brightened(face, "glabella", levels)
    found, first = [], []
    for seed in range(12):
        noisy = frames + np.random.default_rng(seed).normal(0.0, 3.0, frames.shape).astype(np.float32)
        images = [picture(frame) for frame in noisy]
        found.append(find_apex(images, face, lag=3, terms=terms))
        first.append(int(region_scores(register(images), face, lag=3, terms=terms).mean(1).argmax()))
    assert set(found) <= {8, 9, 10}
    assert 0 in first or terms == "onset"  # which without a frame before it has no change to be held against


def test_registering_takes_the_heads_movement_away_and_leaves_the_faces(face):
    still = texture()
    shifted = picture(moved(still, 1.7, -0.8))
    inner = np.s_[16:112, 16:112]
    before = np.abs(shifted[..., 0].astype(float) - picture(still)[..., 0])[inner].mean()
    frames = register([picture(still), shifted])
    assert np.abs(frames[1] - frames[0])[inner].mean() < 0.15 * before
    raised = still.copy()
    raised[24:44, 34:54] = moved(still, 0, -2.5)[24:44, 34:54]
    frames = register([picture(still), picture(raised)])
    difference = np.abs(frames[1] - frames[0])
    assert difference[28:40, 38:50].mean() > 8 * difference[60:100, 20:108].mean()


def test_a_nod_after_the_expression_does_not_pass_for_its_apex(face):
    still = texture()
    raise_px = [0, 0.6, 1.6, 2.6, 3.0, 3.0, 3.0, 3.0, 2.2, 1.0, 0.2, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    nod_px = [0] * 10 + [0, 0.8, 1.8, 2.4, 2.4, 2.4, 2.4, 2.4, 1.2, 0]
    greys = []
    for up, down in zip(raise_px, nod_px, strict=True):
        grey = still.copy()
        grey[24:44, 34:54] = moved(still, 0, -up)[24:44, 34:54]
        greys.append(moved(grey, 0, down))
    unregistered = region_scores(np.stack(greys), face, lag=3, terms="both").mean(1)
    assert int(unregistered.argmax()) in range(13, 18)
    assert find_apex([picture(grey) for grey in greys], face, lag=3, terms="both") in range(4, 8)


def test_a_region_is_cut_at_the_pictures_edge_and_refused_beyond(face):
    low = face.copy()
    low[lm.CHIN] = (64, 140, 0)
    frames = brightened(face, "glabella", [0, 1])
    assert np.isfinite(region_scores(frames, low, lag=1, terms="both")).all()
    low[lm.CHIN] = (64, 160, 0)
    with pytest.raises(DataError, match=r"'chin'.* 128 x 128 px"):
        region_scores(frames, low, lag=1, terms="both")


def test_a_clip_of_one_frame_is_its_own_apex_and_one_of_none_is_refused(face):
    assert find_apex([picture(texture())], face, lag=3, terms="both") == 0
    with pytest.raises(DataError, match="0 frames"):
        find_apex([], face, lag=3, terms="both")
