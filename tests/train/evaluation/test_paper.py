"""What differs from a paper's settings is found by looking, key by key."""

import pytest

from realtime.config import ROOT, read_toml
from train.evaluation.paper import Departure, departures, paper
from train.registry import METHODS

PAPERS = sorted((ROOT / "configs/methods").glob("paper-*.toml"))


def test_a_setting_that_is_another_and_one_that_is_missing_are_told_with_both_values():
    wanted = {"method": "toy", "epochs": 3, "loss": {"gamma": 2.0, "kind": "focal"}, "blocks": [3, 4], "flag": True}
    assert departures(wanted, wanted) == ()
    given = {"method": "toy", "epochs": 3.0, "loss": {"gamma": 2, "kind": "plain"}, "blocks": (3, 6), "flag": 1}
    assert departures(given, wanted) == (
        Departure("loss.kind", '"plain"', '"focal"'),
        Departure("blocks", "[3, 6]", "[3, 4]"),
        Departure("flag", "1", "true"),
    )
    assert departures({"method": "toy"}, {"rate": 1e-4}) == (Departure("rate", "not said", "0.0001"),)


def test_where_a_run_is_kept_and_computed_is_no_difference():
    tree = {"seed": 1, "name": "a", "cache": "c", "runs": "r", "machine": {"devices": 1}, "views": {"seed": 1}}
    assert departures({}, tree) == ()


def test_of_several_files_the_nearest_is_taken_and_of_none_nothing_is_said(tmp_path):
    (tmp_path / "paper-one.toml").write_text('method = "toy"\nepochs = 3\nrate = 0.5\n')
    (tmp_path / "paper-two.toml").write_text('method = "toy"\nepochs = 4\nrate = 0.1\n')
    found = paper({"method": "toy", "epochs": 4, "rate": 0.5, "more": 1}, tmp_path)
    assert found.file == "paper-one.toml"
    assert [each.key for each in found.departures] == ["epochs"]
    assert paper({"method": "toy", "epochs": 4, "rate": 0.1}, tmp_path).departures == ()
    assert paper({"method": "other"}, tmp_path) is None


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_every_papers_file_is_of_a_method_and_differs_from_itself_in_nothing(path):
    tree = read_toml(path)
    assert tree["method"] in METHODS
    assert tree["name"] == path.stem
    found = paper(tree)
    assert (found.file, found.departures) == (f"configs/methods/{path.name}", ())
