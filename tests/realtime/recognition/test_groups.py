"""What engines of groups add to fine labels, with figures worked by hand or in slow loops."""

import numpy as np
import pytest

from realtime.labels import FERPLUS, MEGC3, NONE, VOCABULARIES
from realtime.recognition.groups import at_rest, group, grouped, refined, unknown

FLOOR = 0.01
FINE = {"neutral": 0.5, "happiness": 0.32, "surprise": 0.0, "sadness": 0.135, "fear": 0.045}


def random_shares(rng, labels):
    return dict(zip(labels, map(float, rng.dirichlet(np.ones(len(labels)) * 2)), strict=True))


def test_every_label_of_the_encoder_belongs_to_a_class_of_movements():
    assert {group(label) for label in FERPLUS} == set(VOCABULARIES["megc-3-none"])
    assert [group(label) for label in ("contempt", "repression", "happiness", "surprise", "neutral", "others")] == [
        "negative", "negative", "positive", "surprise", NONE, "others",
    ]  # fmt: skip


def test_a_group_has_the_shares_of_its_labels():
    assert grouped(FINE) == pytest.approx({NONE: 0.5, "positive": 0.32, "surprise": 0.0, "negative": 0.18})
    assert at_rest(FINE) == 0.5
    assert at_rest({"anger": 0.3, "happiness": 0.7}) == 1.0  # nobody says that it is not


def test_two_of_equal_weight_meet_in_the_geometric_mean_of_each_group():
    # sqrt of 0.5 * 0.02, 0.32 * 0.5, 0.01 * 0.04 and 0.18 * 0.44 is 0.1, 0.4, 0.02 and 0.2814...
    said = {"negative": 0.44, "positive": 0.5, "surprise": 0.04, NONE: 0.02}
    total = 0.1 + 0.4 + 0.02 + (0.18 * 0.44) ** 0.5
    found = refined(FINE, [said], [1.0, 1.0], FLOOR)
    assert list(found) == list(FINE)
    assert found["neutral"] == pytest.approx(0.1 / total)
    assert found["happiness"] == pytest.approx(0.4 / total)
    assert found["sadness"] == pytest.approx(0.75 * (0.18 * 0.44) ** 0.5 / total)
    assert found["fear"] == pytest.approx(found["sadness"] / 3)  # as likely beside each other as they were
    assert sum(found.values()) == pytest.approx(1.0)


def test_with_several_engines_it_is_the_formula_label_by_label():
    rng = np.random.default_rng(3)
    fine, weights = random_shares(rng, FERPLUS), [1.5, 0.5, 2.0]
    coarse = [random_shares(rng, (*MEGC3, NONE)) for _ in range(2)]
    powers, before = {}, {}
    for g in (*MEGC3, NONE):
        before[g] = sum(fine[label] for label in FERPLUS if group(label) == g)
        powers[g] = before[g] ** (1.5 / 4) * coarse[0][g] ** (0.5 / 4) * coarse[1][g] ** (2.0 / 4)
    wanted = {c: powers[group(c)] / sum(powers.values()) * fine[c] / before[group(c)] for c in FERPLUS}
    assert refined(fine, coarse, weights, 1e-6) == pytest.approx(wanted)


def test_an_engine_without_none_divides_only_what_is_no_rest():
    said = {"negative": 0.5, "positive": 0.25, "surprise": 0.25}
    found = refined(FINE, [said], [1.0, 3.0], FLOOR)
    assert found["neutral"] == pytest.approx(0.5)
    # Of the rest 0.64, 0 (the floor) and 0.36: with a weight of 1/4 beside 3/4 for the movement.
    powers = {g: p**0.25 * said[g] ** 0.75 for g, p in {"positive": 0.64, "surprise": 0.01, "negative": 0.36}.items()}
    assert found["happiness"] == pytest.approx(0.5 * powers["positive"] / sum(powers.values()))
    assert found["surprise"] == pytest.approx(0.5 * powers["surprise"] / sum(powers.values()))


def test_what_a_group_gets_that_was_ruled_out_its_labels_share_evenly():
    fine = {"neutral": 0.0, "happiness": 1.0, "sadness": 0.0, "fear": 0.0}
    found = refined(fine, [{"negative": 0.98, "positive": 0.01, NONE: 0.01}], [1.0, 1.0], FLOOR)
    powers = [0.01**0.5 * 0.98**0.5, 0.01**0.5, 0.01]  # negative, positive, none: nobody's 0 is a veto
    assert found["sadness"] == found["fear"] == pytest.approx(0.5 * powers[0] / sum(powers))
    assert sum(found.values()) == pytest.approx(1.0)


def test_who_counts_for_nothing_changes_nothing_and_neither_does_nobody():
    fine = {"neutral": 0.25, "happiness": 0.5, "sadness": 0.25}
    said = {"negative": 0.9, "positive": 0.05, NONE: 0.05}
    assert refined(fine, [said], [1.0, 0.0], FLOOR) == pytest.approx(fine)
    assert refined(FINE, [], [2.0], FLOOR) == FINE


def test_a_label_of_no_group_keeps_its_share():
    fine = {"happiness": 0.3, "sadness": 0.2, "others": 0.5}
    found = refined(fine, [{"positive": 0.2, "negative": 0.8}], [1.0, 1.0], FLOOR)
    assert found["others"] == pytest.approx(0.5)
    assert found["happiness"] / found["sadness"] == pytest.approx((0.6 * 0.2 / (0.4 * 0.8)) ** 0.5)


@pytest.mark.parametrize(
    ("labels", "strange"),
    [
        (VOCABULARIES["dfew-7"], []),
        (MEGC3, []),
        (VOCABULARIES["megc-3-none"], []),
        (VOCABULARIES["casme2-5"], ["repression", "others"]),
        (VOCABULARIES["casme-squared-4"], ["others"]),
        (("happiness", "negative"), ["negative"]),  # half one, half the other is neither
    ],
)
def test_an_engine_tells_labels_of_the_encoder_or_groups_of_them(labels, strange):
    assert unknown(labels, FERPLUS) == strange


def test_a_group_without_any_label_is_unknown():
    assert unknown(("negative", "positive", NONE), ("anger", "happiness")) == [NONE]
