import dataclasses
from pathlib import Path

import msgspec
import pytest

from realtime.errors import ConfigError, DataError
from train.config.recorded import Composite, Cross, Data, KFold, LeaveOneSubjectOut, Lists
from train.datasets.made_up import mark
from train.evaluation import protocols
from train.evaluation.published import BENCHMARKS
from train.sources import protocols as folds
from train.sources.recorded import RecordedSource

ONCE = {"seed": 1, "threads": 1}
replace = msgspec.structs.replace


@pytest.fixture
def recipe(recipe_of):
    return recipe_of("apexnet-recorded", "megc-3")


@pytest.fixture
def two(drawn, collected):
    return collected(drawn("a", people=3), drawn("b", people=2))


def plan_of(recipe, collection, files):
    """The plan of a recipe whose clips are gathered already."""
    source = RecordedSource(recipe.source, Path())
    vars(source)["collection"] = collection
    return protocols.plan_of(recipe, source, files)


def tested(recipe, **changes):
    """`recipe` with other settings of its source."""
    return dataclasses.replace(recipe, source=replace(recipe.source, **changes))


@pytest.mark.parametrize(
    ("evaluation", "folds", "words"),
    [
        (LeaveOneSubjectOut(**ONCE), 5, "leave one subject out"),
        (Composite(**ONCE), 5, "leave one subject out over the people of all sets"),
        (KFold(k=2, **ONCE), 2, "2 groups of people"),
        (Cross(train=("a",), test=("b",), **ONCE), 1, "trained on a, tested on b"),
    ],
)
def test_a_protocol_becomes_its_folds(recipe, two, evaluation, folds, words):
    plan = plan_of(tested(recipe, evaluate=evaluation), two, {"initial": ""})
    assert len(plan.folds) == folds
    assert plan.protocol == f"apexnet on casme2 (megc-3) and samm (megc-3) and smic (megc-3), {words}"
    assert (plan.seed, plan.threads, plan.labels) == (1, 1, two.labels)


def test_the_plan_changes_with_all_that_shapes_its_predictions(recipe, two, drawn, collected):
    other = collected(drawn("a", people=3), drawn("b", people=3))
    plans = [
        plan_of(recipe, two, {"initial": ""}),
        plan_of(recipe, two, {"initial": "abc"}),
        plan_of(recipe, other, {"initial": ""}),
        plan_of(dataclasses.replace(recipe, method=replace(recipe.method, epochs=3)), two, {"initial": ""}),
    ]
    assert len({plan.key() for plan in plans}) == 4
    assert plan_of(recipe, two, {"initial": ""}).key() == plans[0].key()


def test_the_plan_names_the_rates_of_its_tests_and_a_headline_that_is_not_as_recorded(recipe, two):
    def plan(*test_hz):
        return plan_of(tested(recipe, rates=replace(recipe.source.rates, test_hz=test_hz)), two, {})

    assert plan(0.0, 30.0).rates_hz == (0.0, 30.0)
    assert plan(0.0, 30.0).protocol == plan(0.0).protocol
    assert plan(30.0, 0.0).protocol == f"{plan(0.0).protocol}, seen at 30 Hz"


def test_made_up_clips_are_told_in_the_plan_and_its_words_and_recorded_ones_change_nothing(recipe, two, tmp_path):
    roots = [tmp_path / name for name in ("made", "recorded")]
    for root in roots:
        root.mkdir()
    first, *others = recipe.source.data
    plain, marked = (tested(recipe, data=(replace(first, root=str(root)), *others)) for root in roots[::-1])
    mark(roots[0])
    assert "made_up" not in plan_of(plain, two, {}).configuration
    plan = plan_of(marked, two, {})
    assert plan.configuration["made_up"] == ["casme2"]
    assert plan.protocol.startswith("apexnet on made-up clips in the place of casme2 (megc-3) and samm (megc-3)")
    assert RecordedSource(marked.source, Path()).provenance.data[0].startswith("made-up clips")


def test_clips_that_are_left_out_are_told_in_the_plan(recipe, two, drawn, collected, tmp_path):
    dataset = drawn("a", people=3)
    film = dataset.frames
    dataset.frames = lambda sample: film(sample)[:4] if sample.id == "1-1" else film(sample)
    plan = plan_of(recipe, collected(dataset, drawn("b"), cache=tmp_path / "new"), {})
    assert plan.configuration["left_out"] == ["a/1-1"]


def test_the_authors_lists_are_those_of_the_data_set_without_what_is_left_out(recipe_of, drawn, collected, monkeypatch):
    found = collected(drawn("dfew", people=4, per_person=1))
    ids = found.ids()
    lists = {"fold-1": ([*ids[:2], "dfew/gone"], ids[2:]), "fold-2": (ids[2:], [*ids[:2], "dfew/gone"])}
    monkeypatch.setitem(folds.LISTS, "dfew", lambda root: lists)
    config = recipe_of("ecstfl-dfew", "dfew-7").source
    split = folds.split(config.evaluate, found.cases, config.data, ["dfew/gone"])
    assert [fold.train for fold in split] == [tuple(ids[:2]), tuple(ids[2:])]
    with pytest.raises(DataError, match="dfew/gone"):
        folds.split(config.evaluate, found.cases, config.data, [])


def test_lists_of_a_data_set_that_has_none_are_refused(recipe, two):
    with pytest.raises(ConfigError, match="'lists' on casme2, samm, smic; only one of dfew has lists"):
        plan_of(tested(recipe, evaluate=Lists(**ONCE)), two, {})


def test_published_figures_are_shown_only_beside_their_own_protocol(recipe, recipe_of):
    assert protocols.benchmark(recipe_of("cmn", "casme2-5").source) is BENCHMARKS["casme2-5"]
    assert protocols.benchmark(recipe.source) is BENCHMARKS["megc-3"]
    assert protocols.benchmark(recipe_of("cmn", "dfew-7").source) is BENCHMARKS["dfew-7"]
    usual = (Data(name="smic", root="x", table="", labels=""),)
    assert protocols.benchmark(replace(recipe_of("cmn", "smic-3").source, data=usual)) is BENCHMARKS["smic-3"]
    assert protocols.benchmark(replace(recipe_of("cmn", "samm-5").source, evaluate=KFold(k=5, **ONCE))) is None
    assert protocols.benchmark(replace(recipe.source, evaluate=LeaveOneSubjectOut(**ONCE))) is None
