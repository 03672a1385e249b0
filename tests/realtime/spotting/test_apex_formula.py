import numpy as np
import pytest
from mouthed_face import mouthed_face

from realtime.errors import DataError
from realtime.faces import landmarks as lm
from realtime.spotting.apex_formula import Registration, change, rectangles, region_means, regions


@pytest.fixture(scope="module")
def face():
    return mouthed_face()


def test_the_regions_are_the_ten_of_the_figure(face):
    assert rectangles(face) == {
        "left mouth corner": (34, 88, 54, 108),
        "right mouth corner": (74, 88, 94, 108),
        "chin": (54, 102, 74, 122),
        "left nose wing": (34, 68, 54, 88),
        "right nose wing": (74, 68, 94, 88),
        "left eye": (10, 40, 30, 60),
        "right eye": (98, 40, 118, 60),
        "glabella": (54, 24, 74, 44),
        "left brow": (34, 24, 54, 44),
        "right brow": (74, 24, 94, 44),
    }


def test_a_region_is_the_part_of_it_that_is_in_the_picture_and_refused_where_that_is_none(face):
    low = face.copy()
    low[lm.CHIN] = (64, 140, 0)
    rows, columns = regions(low, 128, 128)[2]
    assert (rows, columns) == (slice(120, 128), slice(54, 74))
    low[lm.CHIN] = (64, 160, 0)
    with pytest.raises(DataError, match=r"'chin'.* 128 x 128 px"):
        regions(low, 128, 128)


def test_the_mean_of_a_region_is_that_of_its_pixels_for_one_frame_and_for_many(face):
    ratios = np.random.default_rng(1).uniform(0, 9, (3, 128, 128)).astype(np.float32)
    boxes = [tuple(map(round, box)) for box in rectangles(face).values()]

    def mean(one, left, top, right, bottom):
        return np.mean([one[y, x] for x in range(left, right) for y in range(top, bottom)])

    wanted = [[mean(one, *box) for box in boxes] for one in ratios]
    found = region_means(ratios, regions(face, 128, 128))
    assert found == pytest.approx(np.array(wanted), rel=1e-5)
    assert region_means(ratios[1], regions(face, 128, 128)) == pytest.approx(found[1])


def test_a_change_of_nothing_is_one():
    same = np.full((2, 3), 7.0, np.float32)
    assert change(same, same).tolist() == [[1.0] * 3] * 2
    assert change(same, same + 4).tolist() == [[5.0] * 3] * 2


def test_a_frame_is_brought_to_where_the_first_one_stood():
    still = np.kron(np.random.default_rng(2).uniform(60, 200, (16, 16)), np.ones((8, 8))).astype(np.uint8)
    picture = np.repeat(still[:, :, None], 3, 2)
    placed = Registration(picture)
    shifted = np.roll(picture, 2, axis=1)
    inner = np.s_[16:112, 16:112]
    before = np.abs(shifted[..., 0].astype(float) - still)[inner].mean()
    assert np.abs(placed.of(shifted) - placed.first)[inner].mean() < 0.4 * before
    assert np.abs(placed.of(picture) - placed.first).max() < 1.0
