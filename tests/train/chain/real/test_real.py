"""The first seconds of the sample as a marked clip, as `train real` plays it."""

import csv

import msgspec
import pytest
from typer.testing import CliRunner

from train.__main__ import app
from train.chain.real.evaluate import COLUMNS

MARK = ("short.avi", 4.0, 4.15, 4.16, 4.37, "surprise", "surprise", "as scripted")


@pytest.fixture
def tables(filmed, marked):
    return marked(filmed, [("short.avi", "ann", "choosing")], [MARK])


def run(filmed, tables, out, *words):
    words = ("--clips", filmed, "--marks", tables, "--out", out, "--workers", 1, "--set", "engines.device=cpu", *words)
    return CliRunner().invoke(app, ["real", *map(str, words)])


def test_each_expression_is_played_in_each_way_and_all_is_written_beside_the_text(filmed, tables, tmp_path):
    out = tmp_path / "out"
    found = run(filmed, tables, out, "--speeds", "1,2", "--strengths", "1,0.5")
    assert found.exit_code == 0, found.output
    assert "people for choosing" in found.stdout
    assert "| 1 | 1 | 1 | 1 | 1 of 1 (100%) | 1 of 1 (100%) |" in found.stdout
    kept = msgspec.json.decode((out / "real-choosing.json").read_bytes())
    assert [(row["speed"], row["strength"], row["marks"]) for row in kept["expressions"]] == [
        (1.0, 1.0, 1), (2.0, 1.0, 1), (1.0, 0.5, 1), (2.0, 0.5, 1),
    ]  # fmt: skip
    assert 0.07 < kept["background"]["minutes"] < 0.09  # all but the expression and what is near it
    assert [(each["kind"], each["right"]) for each in kept["answers"]][:2] == [("micro", True), ("micro", True)]
    assert all(len(sha256) == 64 for sha256 in kept["engines"].values())
    with (out / "real-choosing.csv").open() as file:
        own, faster, *_ = rows = list(csv.DictReader(file))
    assert (len(rows), tuple(own)) == (4, COLUMNS)
    assert abs(float(own["told_apex"]) - 4.15) < 0.1
    assert float(faster["offset"]) - float(faster["onset"]) == pytest.approx(0.37 / 2, abs=2e-3)


def test_people_who_are_not_marked_are_not_looked_at(filmed, tables, tmp_path):
    found = run(filmed, tables, tmp_path, "--people", "testing")
    assert found.exit_code == 2
    assert "marks no clip of people for testing" in found.stderr


def test_one_who_is_asked_for_alone_has_to_be_among_them(filmed, tables, tmp_path):
    found = run(filmed, tables, tmp_path, "--only", "ben")
    assert found.exit_code == 2
    assert "no marked clip is of ben; wanted some of ann" in found.stderr


def test_another_file_ends_in_a_message_before_anything_is_played(filmed, tables, tmp_path):
    (tmp_path / "short.avi").write_bytes((filmed / "short.avi").read_bytes()[:-1])
    found = run(tmp_path, tables, tmp_path)
    assert found.exit_code == 2
    assert "short.avi is another file than was marked" in found.stderr
