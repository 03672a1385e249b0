import itertools
from dataclasses import replace

import numpy as np
import pytest

from realtime.errors import DataError
from train.spotting.detection_scores import Delay, score
from train.spotting.movements import Detection, Movement, average_precision, iou, match


def true(onset, offset, video="v", kind="micro", apex=None):
    return Movement(video, kind, onset, (onset + offset) / 2 if apex is None else apex, offset)


def told(onset, offset, video="v", kind="micro", apex=None, confidence=0.5, emitted=None):
    apex = (onset + offset) / 2 if apex is None else apex
    return Detection(video, kind, onset, apex, offset, confidence, offset if emitted is None else emitted)


@pytest.mark.parametrize(
    ("a", "b", "overlap"),
    [
        ((0.0, 1.0), (0.0, 1.0), 1.0),
        ((0.0, 1.0), (0.5, 1.5), 1 / 3),
        ((0.0, 1.0), (0.25, 0.75), 0.5),
        ((0.0, 1.0), (1.0, 2.0), 0.0),
        ((0.0, 1.0), (3.0, 4.0), 0.0),
        ((1.0, 1.0), (1.0, 1.0), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(a, b, overlap):
    assert iou([true(*a)], [true(*b)])[0, 0] == pytest.approx(overlap)
    assert iou([true(*b)], [true(*a)])[0, 0] == pytest.approx(overlap)


def test_nothing_overlaps_between_videos_or_kinds():
    assert iou([true(0, 1)], [true(0, 1, video="w"), true(0, 1, kind="macro"), true(0, 1)]).tolist() == [[0, 0, 1]]


def test_an_overlap_of_one_half_counts_however_the_times_were_rounded():
    for start in np.arange(1, 200) / 30:
        one, half = true(start, start + 0.2), told(start, start + 0.1)
        assert match([one], [half], 0.5) == [(one, half)]
    assert match([true(0, 1)], [told(0, 0.499)], 0.5) == []


def test_a_movement_is_found_by_one_detection_only():
    found = score([true(1, 2)], [told(1, 2), told(1.1, 2.1), told(0.9, 1.9)], {"v": 60.0})["micro"]
    assert (found.found, found.false, found.missed) == (1, 2, 0)


def test_the_best_overlapping_pairs_are_taken_among_the_largest_pairings():
    truth = [true(0.0, 1.0), true(0.3, 1.3)]
    said = [told(0.1, 1.1), told(-0.3, 0.7)]
    # The best pair alone is (first, first); it would leave the second movement to a detection that misses it.
    assert match(truth, said, 0.5) == [(truth[0], said[1]), (truth[1], said[0])]


@pytest.mark.parametrize("seed", range(10))
def test_pairings_are_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    truth = [true(t, t + 1) for t in rng.uniform(0, 2, 4)]
    said = [told(t, t + 1) for t in rng.uniform(0, 2, 4)]
    overlaps = iou(truth, said)

    def worth(order):
        kept = [overlaps[i, j] for i, j in enumerate(order) if overlaps[i, j] >= 0.5]
        return len(kept), sum(kept)

    count, total = max(map(worth, itertools.permutations(range(4))))
    pairs = match(truth, said, 0.5)
    assert len(pairs) == count
    assert sum(iou([a], [b])[0, 0] for a, b in pairs) == pytest.approx(total)


def test_counts_are_pooled_over_videos_before_f1_is_taken():
    truth = [true(0, 1), true(2, 3), true(0, 1, "w")]
    said = [told(0, 1), told(2, 3), told(5, 6, "w"), told(7, 8, "x")]
    found = score(truth, said, {"v": 60.0, "w": 60.0, "x": 60.0})["micro"]
    assert (found.found, found.false, found.missed) == (2, 2, 1)
    assert found.precision == pytest.approx(2 / 4)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 * 2 / (2 * 2 + 2 + 1))


def test_kinds_are_scored_apart_and_together_and_a_wrong_kind_is_wrong_twice():
    truth = [true(0, 1), true(2, 4, kind="macro")]
    said = [told(0, 1, kind="macro"), told(2, 4, kind="macro")]
    found = score(truth, said, {"v": 60.0})
    counts = {name: (one.found, one.false, one.missed) for name, one in found.items()}
    assert counts == {"micro": (0, 0, 1), "macro": (1, 1, 0), "all": (1, 1, 1)}


def test_average_precision_known_answers():
    truth = [true(0, 1), true(2, 3), true(4, 5), true(6, 7)]
    ranked = [
        told(0, 1, confidence=0.9),
        told(10, 11, confidence=0.8),
        told(2, 3, confidence=0.7),
        told(0, 1, confidence=0.6),  # a second one of what is found already
        told(4, 5, confidence=0.5),
    ]
    # Precision at the hits: 1, 2/3, 3/5; each hit adds a quarter of recall.
    assert average_precision(truth, ranked[::-1], 0.5) == pytest.approx((1 + 2 / 3 + 3 / 5) / 4)
    assert average_precision(truth, [], 0.5) == 0.0
    assert average_precision([], ranked, 0.5) is None


def test_the_precision_envelope_forgives_a_dip():
    truth = [true(0, 1), true(2, 3)]
    said = [told(10, 11, confidence=0.9), told(0, 1, confidence=0.8), told(2, 3, confidence=0.7)]
    assert average_precision(truth, said, 0.5) == pytest.approx((2 / 3 + 2 / 3) / 2)


def test_average_precision_is_averaged_over_ten_overlaps():
    found = score([true(0.0, 1.0)], [told(0.0, 0.72)], {"v": 60.0})["micro"]
    assert found.average_precision == pytest.approx(5 / 10)  # right at 0.50, 0.55, 0.60, 0.65 and 0.70
    assert found.found == 1


def test_apex_errors_of_found_and_of_all_movements():
    truth = [true(1, 2, apex=1.5), true(5, 6, apex=5.5), true(1, 2, "silent")]
    said = [told(1, 2, apex=1.6), told(5.9, 6.9, apex=6.0)]
    found = score(truth, said, {"v": 60.0, "silent": 60.0})["micro"]
    assert found.found == 1
    assert found.apex_error_found_ms == pytest.approx(100)
    assert found.apex_error_ms == pytest.approx((100 + 500) / 2)
    assert found.silent == 1
    assert found.apex_hits == pytest.approx(2 / 3)  # 6.0 s still lies between onset and offset


def test_an_apex_of_another_kind_or_video_is_no_hit():
    said = [told(1, 2, kind="macro"), told(1, 2, "w")]
    found = score([true(1, 2)], said, {"v": 60.0, "w": 60.0})["micro"]
    assert found.apex_hits == 0.0
    assert found.apex_error_ms is None
    assert found.silent == 1


def test_delays_run_from_the_true_moments_to_the_emission():
    truth = [true(10 * i, 10 * i + 1, apex=10 * i + 0.4) for i in range(1, 6)]
    said = [told(m.onset_s, m.offset_s, emitted=m.onset_s + 0.5 + 0.1 * i) for i, m in enumerate(truth)]
    found = score(truth, [*said, told(100, 101, emitted=500.0)], {"v": 600.0})["micro"]
    assert found.after_onset == Delay(pytest.approx(0.7), pytest.approx(0.88))
    assert found.after_apex == Delay(pytest.approx(0.3), pytest.approx(0.48))


def test_false_alarms_are_counted_by_the_minute_of_everything_watched():
    said = [told(1, 2), told(3, 4), told(5, 6)]
    found = score([true(1, 2)], said, {"v": 30.0, "neutral": 90.0})
    assert found["micro"].false_per_minute == pytest.approx(2 / 2)
    assert found["macro"].false_per_minute == 0.0


def test_without_movements_and_detections_there_is_nothing_to_measure():
    found = score([], [], {"neutral": 60.0})["all"]
    assert (found.found, found.false, found.missed) == (0, 0, 0)
    assert found.f1 == found.precision == found.recall == found.false_per_minute == 0.0
    measured = (found.average_precision, found.apex_error_ms, found.apex_hits, found.after_onset, found.after_apex)
    assert measured == (None,) * 5


def test_the_order_of_videos_and_events_changes_nothing():
    rng = np.random.default_rng(4)
    truth = [true(t, t + 1, video=v) for v in "vw" for t in range(0, 20, 2)]
    said = [
        replace(told(m.onset_s, m.offset_s, m.video, confidence=float(rng.random())), onset_s=m.onset_s + 0.3 * n)
        for m, n in zip(truth, rng.integers(0, 3, len(truth)), strict=True)
    ]
    seconds = {"v": 60.0, "w": 60.0}
    mixed = score([truth[i] for i in rng.permutation(20)], [said[i] for i in rng.permutation(20)], seconds)["all"]
    straight = score(truth, said, seconds)["all"]
    assert (mixed.found, mixed.false, mixed.missed) == (straight.found, straight.false, straight.missed)
    assert mixed.average_precision == pytest.approx(straight.average_precision)


@pytest.mark.parametrize("seconds", [{}, {"w": 60.0}, {"v": 0.0}])
def test_a_video_without_a_length_is_refused(seconds):
    with pytest.raises(DataError, match="without a length"):
        score([true(0, 1)], [], seconds)
