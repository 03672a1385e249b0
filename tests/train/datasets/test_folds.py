import math
from collections import Counter

import pytest

from realtime.errors import DataError
from train.datasets.annotation.sample import Sample
from train.datasets.folds import (
    Case,
    Fold,
    cases,
    checked,
    composite,
    cross_dataset,
    from_lists,
    grouped_k_fold,
    hold_out,
    leave_one_subject_out,
)


def sample(id, subject, label="positive"):
    return Sample(id=id, subject=subject, label=label, onset_s=0.0, apex_s=0.1, offset_s=0.2)


#: Person p of casme2 has p clips, and both sets have a person called 1 with a clip called 1-0.
SETS = {
    "casme2": [sample(f"{p}-{i}", str(p)) for p in range(1, 6) for i in range(p)],
    "samm": [sample(f"{p}-{i}", str(p), "negative") for p in range(1, 4) for i in range(2)],
}
BOTH = cases(SETS)
CASME2 = cases({"casme2": SETS["casme2"]})


def people(ids):
    subjects = {case.id: case.subject for case in BOTH}
    return {subjects[id] for id in ids}


def test_cases_of_several_sets_have_ids_and_subjects_of_their_own():
    assert len({case.id for case in BOTH}) == len(BOTH) == 21
    assert len({case.subject for case in BOTH}) == 8
    assert BOTH[0] == Case("casme2/1-0", "casme2", "casme2/1", "positive")


def test_leaving_one_subject_out_tests_everybody_once_against_all_others():
    folds = leave_one_subject_out(CASME2)
    assert [fold.name for fold in folds] == [f"casme2/{p}" for p in range(1, 6)]
    for fold in folds:
        assert people(fold.test) == {fold.name}
        assert set(fold.train) == {case.id for case in CASME2} - set(fold.test)
    assert Counter(id for fold in folds for id in fold.test) == Counter(case.id for case in CASME2)


def test_the_composite_leaves_out_the_people_of_all_sets_and_trains_on_both():
    folds = composite(BOTH)
    assert len(folds) == 8
    one = next(fold for fold in folds if fold.name == "samm/1")
    assert people(one.test) == {"samm/1"}
    assert "casme2/1" in people(one.train)
    with pytest.raises(DataError, match="at least 2 data sets"):
        composite(CASME2)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_grouped_folds_keep_people_whole_and_are_of_about_equal_size(k):
    folds = grouped_k_fold(CASME2, k, seed=1)
    assert len(folds) == k
    assert sorted(id for fold in folds for id in fold.test) == sorted(case.id for case in CASME2)
    assert all(people(fold.train).isdisjoint(people(fold.test)) for fold in folds)
    sizes = [len(fold.test) for fold in folds]
    assert max(sizes) <= max(5, math.ceil(15 / k) + 1)  # the person with most clips has 5


def test_grouped_folds_depend_on_the_seed_and_on_no_order():
    many = cases({"a": [sample(f"{p}", str(p)) for p in range(12)]})
    first = {frozenset(fold.test) for fold in grouped_k_fold(many, 3, seed=1)}
    assert first == {frozenset(fold.test) for fold in grouped_k_fold(many[::-1], 3, seed=1)}
    assert first != {frozenset(fold.test) for fold in grouped_k_fold(many, 3, seed=2)}


@pytest.mark.parametrize("k", [1, 6])
def test_more_groups_than_people_are_refused(k):
    with pytest.raises(DataError, match=f"{k} folds of 5 people"):
        grouped_k_fold(CASME2, k, seed=1)


def test_lists_are_taken_as_they_are():
    lists = {"set-1": (["casme2/1-0"], ["casme2/2-0", "casme2/2-1"]), "set-2": (["casme2/2-0"], ["casme2/1-0"])}
    assert from_lists(CASME2, lists) == (
        Fold("set-1", ("casme2/1-0",), ("casme2/2-0", "casme2/2-1")),
        Fold("set-2", ("casme2/2-0",), ("casme2/1-0",)),
    )


def test_lists_that_name_what_is_not_there_are_refused_with_every_name():
    with pytest.raises(DataError) as refusal:
        from_lists(CASME2, {"set-1": (["casme2/1-0", "casme2/x"], ["casme2/y"])})
    assert refusal.value.problems == (
        "fold set-1: casme2/x under train is no case",
        "fold set-1: casme2/y under test is no case",
    )


def test_cross_dataset_trains_on_some_sets_and_tests_on_others():
    (fold,) = cross_dataset(BOTH, {"casme2"}, {"samm"})
    assert fold.name == "casme2-to-samm"
    assert fold.train == tuple(case.id for case in BOTH if case.set == "casme2")
    assert fold.test == tuple(case.id for case in BOTH if case.set == "samm")


def test_cross_dataset_refuses_unknown_sets_and_sets_on_both_sides():
    with pytest.raises(DataError) as refusal:
        cross_dataset(BOTH, {"casme2"}, {"smic", "dfew"})
    assert refusal.value.problems == ("dfew", "smic")
    with pytest.raises(DataError, match="samm/1 on both sides"):
        cross_dataset(BOTH, {"casme2", "samm"}, {"samm"})


def test_every_shared_subject_is_listed():
    split = [Fold("random", ("casme2/2-0", "casme2/3-0", "casme2/4-0"), ("casme2/2-1", "casme2/3-1", "casme2/5-0"))]
    with pytest.raises(DataError) as refusal:
        checked(split, CASME2)
    assert refusal.value.problems == (
        "fold random: casme2/2 on both sides",
        "fold random: casme2/3 on both sides",
    )


@pytest.mark.parametrize(
    ("folds", "problem"),
    [
        ([Fold("a", (), ("casme2/1-0",))], "fold a: nothing to train"),
        ([Fold("a", ("casme2/1-0",), ())], "fold a: nothing to test"),
        ([Fold("a", ("casme2/1-0", "casme2/1-0"), ("casme2/2-0",))], "casme2/1-0 stands 2 times under train"),
        ([Fold("a", ("casme2/1-0",), ("casme2/2-0", "casme2/2-0"))], "casme2/2-0: tested 2 times"),
        (
            [Fold("a", ("casme2/1-0",), ("casme2/2-0",)), Fold("b", ("casme2/3-0",), ("casme2/2-0",))],
            "casme2/2-0: tested 2 times",
        ),
        (
            [Fold("a", ("casme2/1-0",), ("casme2/2-0",)), Fold("a", ("casme2/1-0",), ("casme2/3-0",))],
            "fold a: there 2 times",
        ),
        ([], "0 folds"),
    ],
)
def test_splits_whose_scores_would_be_worthless_are_refused(folds, problem):
    with pytest.raises(DataError, match=problem):
        checked(folds, CASME2)


def test_a_sample_that_is_listed_twice_is_refused():
    with pytest.raises(DataError, match="case casme2/1-0: there 2 times"):
        leave_one_subject_out([*CASME2, CASME2[0]])


def test_one_person_alone_has_nothing_to_train_on():
    with pytest.raises(DataError, match="fold a/1: nothing to train"):
        leave_one_subject_out(cases({"a": [sample("x", "1"), sample("y", "1")]}))


@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.25, 2), (0.99, 7)])
def test_some_people_are_held_out_and_never_all(share, count):
    names = [case.subject for case in BOTH]
    chosen = hold_out(names, share, seed=3)
    assert len(chosen) == count
    assert chosen == hold_out(reversed(names), share, seed=3)
    assert chosen < set(names)
