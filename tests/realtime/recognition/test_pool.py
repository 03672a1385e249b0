"""The log-linear pool, with figures worked by hand."""

import numpy as np
import pytest

from realtime.recognition.pool import pool

FLOOR = 0.01


def shares(**given):
    return given


def test_two_of_equal_weight_meet_in_the_geometric_mean():
    # sqrt(0.8 * 0.5) : sqrt(0.2 * 0.5) = 2 : 1
    found = pool([shares(a=0.8, b=0.2), shares(a=0.5, b=0.5)], [1.0, 1.0], FLOOR)
    assert found == pytest.approx({"a": 2 / 3, "b": 1 / 3})


def test_weights_are_exponents_that_sum_to_one():
    # Odds of 8 with a weight of 2/3 and odds of 1 with a weight of 1/3: 8^(2/3) = 4.
    said = [shares(a=8 / 9, b=1 / 9), shares(a=0.5, b=0.5)]
    assert pool(said, [2.0, 1.0], FLOOR) == pytest.approx({"a": 0.8, "b": 0.2})
    assert pool(said, [0.5, 0.25], FLOOR) == pytest.approx({"a": 0.8, "b": 0.2})  # only their ratio matters


def test_those_who_agree_are_together_as_sure_as_each():
    assert pool([shares(a=0.7, b=0.3)] * 3, [1.0, 2.0, 3.0], FLOOR) == pytest.approx({"a": 0.7, "b": 0.3})


def test_what_is_sharpened_has_its_odds_to_that_power():
    said = [shares(a=0.8, b=0.2), shares(a=0.5, b=0.5)]  # odds of 2, see above
    assert pool(said, [1.0, 1.0], FLOOR, 2.0) == pytest.approx({"a": 0.8, "b": 0.2})  # the product of experts
    assert pool(said, [1.0, 1.0], FLOOR, 3.0) == pytest.approx({"a": 8 / 9, "b": 1 / 9})
    assert pool([shares(a=0.7, b=0.3)] * 2, [1.0, 2.0], FLOOR, 2.0)["a"] == pytest.approx(0.49 / 0.58)


def test_sharpened_or_not_what_is_likeliest_stays_so_and_so_does_whether_it_is_none():
    rng = np.random.default_rng(3)
    for _ in range(50):
        said = [dict(zip("abcn", p, strict=True)) for p in rng.dirichlet(np.ones(4), 2)]
        said.append(dict(zip("abc", rng.dirichlet(np.ones(3)), strict=True)))
        plain, sharp = (pool(said, [1.0, 2.0, 0.5], FLOOR, sharpness) for sharpness in (1.0, 2.5))
        assert max("abc", key=plain.__getitem__) == max("abc", key=sharp.__getitem__)
        assert (plain["n"] > 0.5) == (sharp["n"] > 0.5)
        assert sum(sharp.values()) == pytest.approx(1.0)


def test_one_alone_stays_as_it_is():
    assert pool([shares(a=1.0, b=0.0)], [5.0], FLOOR) == {"a": 1.0, "b": 0.0}


def test_nobodys_zero_is_a_veto():
    # sqrt(0.5 * 1) : sqrt(0.5 * 0.01) = 10 : 1
    assert pool([shares(a=0.5, b=0.5), shares(a=1.0, b=0.0)], [1.0, 1.0], FLOOR) == pytest.approx(
        {"a": 10 / 11, "b": 1 / 11}
    )
    # (0.01 * 0.9 * 0.9) against (0.99 * 0.1 * 0.1): two who are sure outvote one who is certain.
    found = pool([shares(a=0.0, b=1.0), shares(a=0.9, b=0.1), shares(a=0.9, b=0.1)], [1.0, 1.0, 1.0], FLOOR)
    assert found["a"] == pytest.approx(0.0081 ** (1 / 3) / (0.0081 ** (1 / 3) + 0.01 ** (1 / 3)))


def test_with_none_on_all_sides_it_is_the_formula_over_all_labels():
    rng = np.random.default_rng(5)
    labels, weights = ["negative", "positive", "surprise", "none"], [1.0, 0.5, 2.0]
    said = rng.dirichlet(np.ones(4) * 3, 3)
    powers = [np.prod([p[c] ** (w / 3.5) for p, w in zip(said, weights, strict=True)]) for c in range(4)]
    found = pool([dict(zip(labels, p, strict=True)) for p in said], weights, 0.0001)
    assert list(found) == labels
    assert list(found.values()) == pytest.approx(np.array(powers) / sum(powers))


def test_an_engine_without_none_says_nothing_about_it():
    knows = shares(negative=0.2, positive=0.2, surprise=0.4, none=0.2)
    not_so = shares(negative=1 / 7, positive=4 / 7, surprise=2 / 7)
    # If it is something: (1/4, 1/4, 1/2) and (1, 4, 2) / 7, whose products are as 1 : 4 : 4, and their roots 1 : 2 : 2.
    found = pool([not_so, knows], [1.0, 1.0], FLOOR)
    assert found == pytest.approx({"negative": 0.16, "positive": 0.32, "surprise": 0.32, "none": 0.2})
    assert pool([not_so, knows], [9.0, 1.0], FLOOR)["none"] == pytest.approx(0.2)


def test_none_is_pooled_among_those_who_know_it_with_their_weights_alone():
    # Odds of none of 4 and 1, of equal weight: 2. The third, of whatever weight, leaves them.
    said = [shares(a=0.1, b=0.1, none=0.8), shares(a=0.25, b=0.25, none=0.5), shares(a=0.9, b=0.1)]
    found = pool(said, [1.0, 1.0, 7.0], FLOOR)
    assert found["none"] == pytest.approx(2 / 3)
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["a"] / found["b"] == pytest.approx(9 ** (7 / 9))


def test_a_label_that_one_knows_alone_keeps_its_share():
    # sqrt(0.4 / 0.5 * 0.2) : sqrt(0.1 / 0.5 * 0.8) = 1 : 1
    found = pool([shares(fear=0.4, anger=0.1, contempt=0.5), shares(anger=0.8, fear=0.2)], [1.0, 1.0], FLOOR)
    assert found == pytest.approx({"fear": 0.25, "anger": 0.25, "contempt": 0.5})


def test_who_is_certain_of_none_says_nothing_of_the_rest():
    found = pool([shares(a=0.0, b=0.0, none=1.0), shares(a=0.8, b=0.2)], [1.0, 1.0], FLOOR)
    assert found["none"] == 1.0
    found = pool([shares(a=0.0, b=0.0, none=1.0), shares(a=0.2, b=0.2, none=0.6), shares(a=0.8, b=0.2)], [1] * 3, FLOOR)
    assert found["a"] / found["b"] == pytest.approx(4 ** (1 / 3))
