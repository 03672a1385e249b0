import msgspec
import pytest

from realtime.config import ROOT
from realtime.engine.package.manifest import Score
from realtime.errors import ConfigError
from train.config.old import load
from train.evaluation.ablation import Compared, Row, ablate, settings_tree, table, variants

CONFIG = load(ROOT / "configs/train/cmn.toml")


def test_every_combination_is_a_configuration_of_its_own():
    found = variants(CONFIG, ["head=patent, cmnet", "loss.trend=0,0.5"])
    assert [each.setting for each in found] == [
        {"head": head, "loss.trend": weight} for head in ("patent", "cmnet") for weight in ("0", "0.5")
    ]
    assert [(each.config.head, each.config.loss.trend) for each in found] == [
        ("patent", 0.0),
        ("patent", 0.5),
        ("cmnet", 0.0),
        ("cmnet", 0.5),
    ]
    assert all(each.config.loss.intra == CONFIG.loss.intra and each.config.clips == CONFIG.clips for each in found)


@pytest.mark.parametrize("vary", ["head=aman", "head", "heads=cmnet", "loss.trend=-1", "clips.people=3", "seed=1,2"])
def test_what_cannot_be_compared_is_refused_by_its_name(vary):
    with pytest.raises(ConfigError, match=vary.partition("=")[0].rpartition(".")[0] or vary.partition("=")[0]):
        variants(CONFIG, [vary])


def test_what_is_a_list_is_given_with_a_plus_and_empty_without_anything():
    tree = {"without": ["hand"], "weights": (1.0, 1.0), "loss": {"gamma": 1.0}}
    given = {"": [], "blink": ["blink"], "gaze + turn": ["gaze", "turn"]}
    assert {value: settings_tree(tree, "without", value)["without"] for value in given} == given
    assert settings_tree(tree, "weights", "1+1.5") == {"weights": [1, 1.5]}
    assert settings_tree(tree, "loss.gamma", "2") == {"loss": {"gamma": 2}}


@pytest.fixture
def method(tmp_path):
    """Tells what it was asked for; its score is the seed."""
    asked = []

    def parts(config):
        asked.append(("parts", config.frames))
        return config.frames

    def fit(config, parts):
        asked.append(("fit", parts, config.sharpness, config.seed))
        score = Score("f1", float(config.seed), "toy", {})
        (tmp_path / "scores.json").write_bytes(msgspec.json.encode([score]))
        return tmp_path

    return asked, Compared(parts, fit, data=("frames",))


def test_every_row_is_a_training_of_its_own_and_parts_are_made_when_they_are_others(method):
    asked, compared = method
    found = ablate(compared, variants(CONFIG, ["frames=8,9", "sharpness=0,0.5"]), [1, 2])
    assert asked == [
        each
        for frames in (8, 9)
        for each in [("parts", frames), *(("fit", frames, back, seed) for back in (0.0, 0.5) for seed in (1, 2))]
    ]
    assert [(row.setting["frames"], row.setting["sharpness"], row.seed, row.scores) for row in found] == [
        (frames, back, seed, {"f1": seed}) for frames in "89" for back in ("0", "0.5") for seed in (1, 2)
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
