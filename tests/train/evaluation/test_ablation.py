import msgspec
import pytest
from train.config.old import load

from realtime.config import ROOT
from realtime.engine.package.manifest import Score
from realtime.errors import ConfigError
from train.evaluation.ablation import Compared, Row, ablate, table, variants

SPOTTER = load(ROOT / "configs/train/spotter.toml")


def test_every_combination_is_a_configuration_of_its_own():
    found = variants(SPOTTER, ["cells=7, 14", "optimiser.rate=0.1,0.2"])
    assert [each.setting for each in found] == [
        {"cells": cells, "optimiser.rate": rate} for cells in ("7", "14") for rate in ("0.1", "0.2")
    ]
    assert [(each.config.cells, each.config.optimiser.rate) for each in found] == [
        (7, 0.1),
        (7, 0.2),
        (14, 0.1),
        (14, 0.2),
    ]
    assert all(each.config.optimiser.batch == SPOTTER.optimiser.batch for each in found)
    assert all(each.config.clips == SPOTTER.clips for each in found)


@pytest.mark.parametrize("vary", ["cells=5", "cells", "cell=7", "optimiser.batch=-1", "clips.people=3", "seed=1,2"])
def test_what_cannot_be_compared_is_refused_by_its_name(vary):
    with pytest.raises(ConfigError, match=vary.partition("=")[0].rpartition(".")[0] or vary.partition("=")[0]):
        variants(SPOTTER, [vary])


def test_what_is_a_list_is_given_with_a_plus_and_empty_without_anything():
    found = variants(SPOTTER, ["without=,blink,gaze + turn", "weights=1+1.5+2"])
    assert [each.config.without for each in found] == [(), ("blink",), ("gaze", "turn")]
    assert {each.config.weights for each in found} == {(1.0, 1.5, 2.0)}
    with pytest.raises(ConfigError, match="without"):
        variants(SPOTTER, ["without=sneeze"])
    with pytest.raises(ConfigError, match="weights"):
        variants(SPOTTER, ["weights=1+2"])


@pytest.fixture
def method(tmp_path):
    """Tells what it was asked for; its score is the seed."""
    asked = []

    def parts(config):
        asked.append(("parts", config.films))
        return config.films

    def fit(config, parts):
        asked.append(("fit", parts, config.lookback_s, config.seed))
        score = Score("f1", float(config.seed), "toy", {})
        (tmp_path / "scores.json").write_bytes(msgspec.json.encode([score]))
        return tmp_path

    return asked, Compared(parts, fit, data=("films",))


def test_every_row_is_a_training_of_its_own_and_parts_are_made_when_they_are_others(method):
    asked, compared = method
    found = ablate(compared, variants(SPOTTER, ["films=8,9", "lookback_s=0,0.5"]), [1, 2])
    assert asked == [
        each
        for films in (8, 9)
        for each in [("parts", films), *(("fit", films, back, seed) for back in (0.0, 0.5) for seed in (1, 2))]
    ]
    assert [(row.setting["films"], row.setting["lookback_s"], row.seed, row.scores) for row in found] == [
        (films, back, seed, {"f1": seed}) for films in "89" for back in ("0", "0.5") for seed in (1, 2)
    ]


def test_the_table_gives_mean_and_deviation_over_the_seeds_of_each_setting():
    scores = {"patent": [(0.9, 0.5), (0.94, 0.7)], "cmnet": [(0.8, 0.6), (0.8, 0.6)]}
    rows = [
        Row({"head": head}, seed, {"final_uf1": final, "early_uf1": early, "final_accuracy": 1.0})
        for head, each in scores.items()
        for seed, (final, early) in enumerate(each)
    ]
    assert table(rows) == [
        "| head | at the offset | at the apex |",
        "| --- | --- | --- |",
        "| patent | 0.920 ± 0.028 | 0.600 ± 0.141 |",
        "| cmnet | 0.800 ± 0.000 | 0.600 ± 0.000 |",
    ]
    assert table(rows[:1])[-1] == "| patent | 0.900 | 0.500 |"  # one training has no deviation


def test_the_table_shows_what_a_method_measures():
    spotted = {"f1": 0.5, "apex_error_median_ms": 9.0, "false_per_minute": 2.0, "false_per_minute_on_blink": 1.0}
    equal = {"equal_false_per_minute": 3.0, "equal_false_per_minute_on_blink": 0.25, "early_recall": 0.75}
    rows = [Row({"without": ""}, 1, spotted | equal), Row({"without": "blink"}, 1, spotted | {"early_recall": 1.0})]
    assert table(rows) == [
        "| without | F1 | false a minute | false at equal recall | on blink |",
        "| --- | --- | --- | --- | --- |",
        "| none | 0.500 | 2.000 | 3.000 | 0.250 |",
        "| blink | 0.500 | 2.000 | - | - |",  # which never finds as many
        "",
        "| without | told at the apex |",
        "| --- | --- |",
        "| none | 0.750 |",
        "| blink | 1.000 |",
    ]
    judged = {"final_uf1": 0.9, "early_uf1": 0.8, "kept": 0.7, "rejected_rest": 0.6, "rejected_none": 0.5}
    assert table([Row({"exact.share": "0"}, 1, judged)])[0] == (
        "| exact.share | at the offset | at the apex | kept | rest rejected | none rejected |"
    )
