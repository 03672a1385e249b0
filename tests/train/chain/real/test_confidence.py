"""Reports of real faces -> how sure answers are told to be."""

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from realtime.recognition.confidence import logistic
from train.__main__ import app
from train.chain.real.answers import Answer, line
from train.chain.real.confidence import FEWEST, fitted

RNG = np.random.default_rng(5)


def told(count, begin, slope, kind="micro"):
    """Answers that are right as often as a line says."""
    logits = RNG.normal(0.0, 2.0, count)
    right = RNG.random(count) < [logistic(begin + slope * x) for x in logits]
    return [Answer(kind, logistic(x), bool(hit)) for x, hit in zip(logits, right, strict=True)]


@pytest.fixture
def report(tmp_path):
    def write(answers, micro=(0.0, 1.0), name="real-choosing.json"):
        settings = {"recognise": {"confidence": {"micro": micro, "macro": (0.0, 1.0)}, "reject": 0.5}, "more": 1}
        content = {"answers": answers, "configuration": settings, "people": "choosing"}
        (tmp_path / name).write_bytes(msgspec.json.encode(content))
        return tmp_path / name

    return write


def test_the_line_that_answers_follow_is_found():
    assert line(told(4000, -1.0, 0.5)) == (pytest.approx(-1.0, abs=0.15), pytest.approx(0.5, abs=0.1))


def test_a_few_answers_that_are_all_right_ask_for_no_endless_certainty():
    begin, slope = line([Answer("micro", 0.9, True)] * 5)
    assert 0.0 < begin + slope * 2.2 < 4.0


def test_each_kind_has_a_line_of_its_own_and_errs_less_with_it(report):
    micro, macro = fitted([report(told(900, -1.5, 1.0) + told(900, 1.0, 1.0, "macro"))])
    assert (micro.kind, macro.kind, micro.answers) == ("micro", "macro", 900)
    assert micro.line[0] < 0.0 < macro.line[0]
    assert micro.error_then < 0.5 * micro.error
    assert micro.said > micro.right


def test_what_was_told_with_a_line_is_fitted_on_top_of_it(report):
    [found] = fitted([report(told(4000, 0.0, 1.0), micro=(-1.0, 0.5))])
    assert found.line == (pytest.approx(-1.0, abs=0.15), pytest.approx(0.5, abs=0.05))


def test_too_few_answers_leave_what_was_set(report):
    [found] = fitted([report(told(FEWEST - 1, -2.0, 1.0), micro=(-0.5, 0.8))])
    assert found.line == (-0.5, 0.8)
    assert fitted([report([])]) == []


def test_reports_are_read_together(report):
    one, other = report(told(30, 0.0, 1.0), name="a.json"), report(told(40, 0.0, 1.0), name="b.json")
    shown = CliRunner().invoke(app, ["confidence", str(one), str(other)])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("[recognise.confidence]\nmicro = [")
    assert "# 70 answers, " in shown.stdout


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"answers": 1}'])
def test_what_is_no_report_ends_in_one_line(tmp_path, content):
    path = tmp_path / "real.json"
    if content is not None:
        path.write_bytes(content)
    shown = CliRunner().invoke(app, ["confidence", str(path)])
    assert shown.exit_code == 2
    assert "is no report of `train real`" in shown.stderr


def test_reports_of_several_settings_are_not_mixed(report):
    reports = [str(report([], name="a.json")), str(report([], micro=(1.0, 1.0), name="b.json"))]
    shown = CliRunner().invoke(app, ["confidence", *reports])
    assert shown.exit_code == 2
    assert "with several [recognise.confidence]" in shown.stderr
