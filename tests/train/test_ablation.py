import pytest

from realtime.config import ROOT
from realtime.errors import ConfigError
from train.ablation import Row, table, variants
from train.config import load

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
    assert table(rows[:1])[-1] == "| patent | 0.900 ± 0.000 | 0.500 ± 0.000 |"
