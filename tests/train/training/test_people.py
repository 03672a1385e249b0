import numpy as np
import pytest

from train.training.people import shares


def test_each_person_counts_by_the_root_of_how_long_and_what_is_theirs_by_its_own_size():
    long = np.array([81.0, 3.0, 6.0])
    found = shares(["long", "short", "short"], long, long)
    assert found.tolist() == pytest.approx([9 / 12, 3 / 12 * 3 / 9, 3 / 12 * 6 / 9])
    roots = shares(["long", "short", "short"], long, np.sqrt(long))
    assert roots[0] == pytest.approx(9 / 12)
    assert roots[2] / roots[1] == pytest.approx(np.sqrt(2))


def test_of_nobody_there_are_no_shares():
    assert shares([], np.zeros(0), np.zeros(0)).shape == (0,)
