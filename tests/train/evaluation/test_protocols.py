import msgspec
import pytest

from realtime.errors import ConfigError, DataError
from train.config.recorded import Composite, Cross, Data, KFold, LeaveOneSubjectOut, Lists
from train.evaluation import protocols
from train.evaluation.published import BENCHMARKS
from train.sources import protocols as folds

ONCE = {"seed": 1, "threads": 1}
replace = msgspec.structs.replace


@pytest.fixture
def config(small):
    return small("apexnet-megc-3")


@pytest.fixture
def two(drawn, collected):
    return collected(drawn("a", people=3), drawn("b", people=2))


@pytest.mark.parametrize(
    ("evaluation", "folds", "words"),
    [
        (LeaveOneSubjectOut(**ONCE), 5, "leave one subject out"),
        (Composite(**ONCE), 5, "leave one subject out over the people of all sets"),
        (KFold(k=2, **ONCE), 2, "2 groups of people"),
        (Cross(train=("a",), test=("b",), **ONCE), 1, "trained on a, tested on b"),
    ],
)
def test_a_protocol_becomes_its_folds(config, two, evaluation, folds, words):
    plan = protocols.plan(replace(config, evaluate=evaluation), two, {"initial": ""})
    assert len(plan.folds) == folds
    assert plan.protocol == f"apexnet on casme2 (megc-3) and samm (megc-3) and smic (megc-3), {words}"
    assert (plan.seed, plan.threads, plan.labels) == (1, 1, two.labels)


def test_the_plan_changes_with_all_that_shapes_its_predictions(config, two, drawn, collected):
    other = collected(drawn("a", people=3), drawn("b", people=3))
    plans = [
        protocols.plan(config, two, {"initial": ""}),
        protocols.plan(config, two, {"initial": "abc"}),
        protocols.plan(config, other, {"initial": ""}),
        protocols.plan(replace(config, epochs=3), two, {"initial": ""}),
    ]
    assert len({plan.key() for plan in plans}) == 4
    assert protocols.plan(config, two, {"initial": ""}).key() == plans[0].key()


def test_the_plan_names_the_rates_of_its_tests_and_a_headline_that_is_not_as_recorded(config, two):
    def plan(*test_hz):
        return protocols.plan(replace(config, rates=replace(config.rates, test_hz=test_hz)), two, {})

    assert plan(0.0, 30.0).rates_hz == (0.0, 30.0)
    assert plan(0.0, 30.0).protocol == plan(0.0).protocol
    assert plan(30.0, 0.0).protocol == f"{plan(0.0).protocol}, seen at 30 Hz"


def test_clips_that_are_left_out_are_told_in_the_plan(config, two, drawn, collected, tmp_path):
    dataset = drawn("a", people=3)
    film = dataset.frames
    dataset.frames = lambda sample: film(sample)[:4] if sample.id == "1-1" else film(sample)
    plan = protocols.plan(config, collected(dataset, drawn("b"), cache=tmp_path / "new"), {})
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


def test_lists_of_a_data_set_that_has_none_are_refused(config, two):
    with pytest.raises(ConfigError, match="'lists' on casme2, samm, smic; only one of dfew has lists"):
        protocols.plan(replace(config, evaluate=Lists(**ONCE)), two, {})


def test_published_figures_are_shown_only_beside_their_own_protocol(small, recipe_of):
    assert protocols.benchmark(small("cmn-casme2-5")) is BENCHMARKS["casme2-5"]
    assert protocols.benchmark(small("apexnet-megc-3")) is BENCHMARKS["megc-3"]
    assert protocols.benchmark(recipe_of("ecstfl-dfew", "dfew-7").source) is BENCHMARKS["dfew-7"]
    usual = (Data(name="smic", root="x", table="", labels=""),)
    assert protocols.benchmark(replace(small("cmn-smic-3"), data=usual)) is BENCHMARKS["smic-3"]
    assert protocols.benchmark(replace(small("cmn-samm-5"), evaluate=KFold(k=5, **ONCE))) is None
    assert protocols.benchmark(replace(small("apexnet-megc-3"), evaluate=LeaveOneSubjectOut(**ONCE))) is None
