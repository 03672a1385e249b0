import math
import time

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.bench.engines import BATCHES, FEWEST_CALLS, bench_engines, lines, machine, speed
from realtime.engine.factory import BACKENDS
from realtime.engine.package.manifest import GOLDEN, load
from realtime.errors import EngineError, EngineLost

CALL_S = 0.004


class Steady:
    """Gives the golden answers of the package in `folder`, times `gain`, in the same time for any number of rows."""

    precision, backend = "f32", "steady 1.0"

    def __init__(self, folder, gain=1.0):
        self.manifest, self.gain = load(folder), gain
        with np.load(folder / GOLDEN) as arrays:
            self.answers = {name.removeprefix("out_"): arrays[name] for name in arrays.files if name.startswith("out_")}
        self.rows = []

    def run(self, inputs):
        self.rows.append(len(next(iter(inputs.values()))))
        time.sleep(CALL_S)
        return {name: self.gain * np.resize(a, (self.rows[-1], *a.shape[1:])) for name, a in self.answers.items()}


def missing(folder, manifest, config):
    raise EngineLost("no such library:", ["install it"])


def refused(folder, manifest, config):
    raise EngineError("this plan is wrong:", ["build it again"])


@pytest.fixture
def backends(monkeypatch):
    """A function that puts these backends in the place of all that there are."""

    def put(**openers):
        for name in list(BACKENDS):
            monkeypatch.delitem(BACKENDS, name)
        for name, opener in openers.items():
            monkeypatch.setitem(BACKENDS, name, opener)

    return put


@pytest.fixture
def settings(packages, engines):
    return msgspec.structs.replace(engines, folder=str(packages))


def test_calls_are_timed_and_streams_are_counted_at_the_best_batch(encoder_folder):
    engine = Steady(encoder_folder)
    found = speed(engine, encoder_folder, open_s=1.5, seconds=0.3)
    assert [batch.rows for batch in found.batches] == list(BATCHES)
    for batch in found.batches:
        assert CALL_S * 1e3 <= batch.p50_ms <= batch.p99_ms
        assert FEWEST_CALLS <= batch.calls <= 0.1 / CALL_S + 1
        assert batch.rows_per_s <= batch.rows / CALL_S
    assert found.best_batch == 16  # a call takes as long whatever it holds
    assert found.streams == math.floor(found.batches[-1].rows_per_s / 30)
    assert (found.package, found.backend, found.precision, found.open_s) == ("encoder", "steady 1.0", "f32", 1.5)
    assert found.check.ok


def test_even_a_slow_engine_is_called_a_few_times(encoder_folder):
    found = speed(Steady(encoder_folder), encoder_folder, open_s=0.0, seconds=0.0)
    assert {batch.calls for batch in found.batches} == {FEWEST_CALLS}


def test_every_package_is_tried_by_every_backend_and_who_does_not_run_says_why(settings, backends):
    backends(steady=lambda folder, *_: Steady(folder), absent=missing)
    found = bench_engines(settings, seconds=0.0)
    assert [one.package for one in found.speeds] == ["apex", "change", "clips", "encoder", "fields", "head", "spotter"]
    assert [(one.package, one.backend) for one in found.absent] == [(s.package, "absent") for s in found.speeds]
    assert found.ok
    shown = list(lines(found))
    assert len(shown) == 1 + 7 + 1 + 1  # a reason that all packages share is said once
    assert shown[8] == "absent does not run here: no such library:\n  - install it"
    assert machine(settings).cpu in shown[-1]


def test_an_engine_that_answers_otherwise_fails_the_whole(settings, backends):
    backends(off=lambda folder, *_: Steady(folder, gain=1.01 if folder.name == "head" else 1.0))
    found = bench_engines(settings, seconds=0.0)
    assert not found.ok
    assert {one.package: one.check.ok for one in found.speeds}["head"] is False
    assert [line.split()[0] for line in lines(found) if "FAILED" in line] == ["head"]


def test_what_does_not_run_although_nothing_is_missing_fails_the_whole(settings, backends):
    backends(steady=lambda folder, *_: Steady(folder), strict=refused)
    found = bench_engines(settings, seconds=0.0)
    assert not found.ok
    assert [line for line in lines(found) if "FAILED" in line] == [
        "strict FAILED: this plan is wrong:\n  - build it again"
    ]


def test_a_folder_without_packages_is_an_engine_error(tmp_path, settings):
    with pytest.raises(EngineError, match="no engine package"):
        bench_engines(msgspec.structs.replace(settings, folder=str(tmp_path)), seconds=1.0)


def call(*words):
    return CliRunner().invoke(app, ["bench", *map(str, words)], env={"COLUMNS": "200"})


def test_the_command_prints_one_json_and_ends_with_1_where_an_engine_answers_otherwise(packages, backends):
    backends(off=lambda folder, *_: Steady(folder, gain=2.0))
    found = call("--engines", "--seconds", 2, "--set", f"engines.folder={packages}", "--json")
    assert found.exit_code == 1
    tree = msgspec.json.decode(found.stdout)
    assert set(tree) == {"machine", "speeds", "absent"}
    assert not any(one["check"]["ok"] for one in tree["speeds"])
    assert tree["machine"]["cores"] > 0


@pytest.mark.parametrize("words", [[], ["--engines", "--source", "clip.mp4"]])
def test_a_file_or_the_engines_are_measured_and_never_both_or_none(words):
    found = call(*words)
    assert found.exit_code == 2
    assert "give --source FILE, --engines, or --wire" in found.stderr
