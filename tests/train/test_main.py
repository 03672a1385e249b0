import re
from pathlib import Path
from types import SimpleNamespace

import cv2
import msgspec
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from realtime.config import ROOT
from realtime.config import load as load_settings
from realtime.engine.check import check
from realtime.engine.package.manifest import load as load_manifest
from realtime.errors import DataError
from train.__main__ import app
from train.evaluation.ablation import AblationRow
from train.evaluation.cluster import Cluster
from train.evaluation.metrics import scores
from train.evaluation.runners import Serial
from train.methods import comparison, folds, packages
from train.methods.experiment import Experiment
from train.synthesis import synthetic, videos
from train.synthesis.sample import stream

METHOD, DATA = ROOT / "configs/methods/cmn.toml", ROOT / "configs/data/synthetic.toml"
CONFIG = ("--config", METHOD, "--config", DATA)
OPTIONS = {
    "prepare": {"--config", "--workers", "--json", "--help"},
    "fit": {"--config", "--json", "--help"},
    "evaluate": {"--config", "--ray", "--json", "--help"},
    "ablate": {"--config", "--vary", "--seeds", "--json", "--help"},
    "export": {"--config", "--engines", "--triton", "--plan", "--json", "--help"},
    "rebuild": {"--config", "--precision", "--engines", "--workers", "--json", "--help"},
    "card": {"--engine", "--json", "--help"},
    "sample": {"--folder", "--json", "--help"},
}


def call(*words):
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "200"})


def fails(words, *parts):
    """The command ends with status 2 and one message that names `parts`, as text and as JSON."""
    for as_json in (False, True):
        found = call(*words, *(["--json"] if as_json else []))
        assert found.exit_code == 2, found.output
        assert found.stderr.startswith("error: ")
        assert "Traceback" not in found.output
        message = found.stderr.removeprefix("error: ").rstrip("\n")
        assert all(str(part) in message for part in parts), message
        if as_json:
            assert msgspec.json.decode(found.stdout)["error"] == message
        else:
            assert found.stdout == ""


@pytest.mark.parametrize("command", OPTIONS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_option(command, flag):
    found = call(command, flag)
    assert found.exit_code == 0
    assert set(re.findall(r"--[a-z-]+", found.stdout)) >= OPTIONS[command]


@pytest.mark.parametrize("command", ["prepare", "fit", "evaluate", "export"])
def test_a_configuration_is_asked_for(command):
    found = call(command)
    assert found.exit_code == 2
    assert "--config" in found.stderr


@pytest.mark.parametrize("command", ["prepare", "fit", "evaluate", "export", "rebuild"])
def test_a_missing_configuration_is_named(command, tmp_path):
    fails([command, "--config", tmp_path / "mine.toml"], tmp_path / "mine.toml")


def test_an_unknown_method_and_an_unknown_key_are_named(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('method = "magic"\n')
    fails(["fit", "--config", mine, "--config", DATA], mine, "magic", "cmn", "motion")
    mine.write_text(METHOD.read_text("utf-8").replace("cells = 7", "cells = 7\ncuont = 1"), "utf-8")
    fails(["fit", "--config", mine, "--config", DATA], mine, "cuont")


def test_data_that_is_not_there_is_named(tmp_path):
    mine = tmp_path / "mine.toml"
    text = (ROOT / "configs/data/ferplus.toml").read_text("utf-8")
    mine.write_text(re.sub(r'ferplus = "[^"]*"', f'ferplus = "{tmp_path}/ferplus.npz"', text), "utf-8")
    method = ROOT / "configs/methods/expression-resnet18.toml"
    fails(["prepare", "--config", method, "--config", mine], f"no file {tmp_path}/ferplus.npz")


@pytest.mark.parametrize(("command", "key"), [("prepare", "cache"), ("fit", "run")])
def test_what_was_made_is_printed(command, key, monkeypatch, tmp_path):
    monkeypatch.setattr(Experiment, command, lambda self: tmp_path / "made")
    assert call(command, *CONFIG).stdout.split() == [key, str(tmp_path / "made")]
    assert msgspec.json.decode(call(command, *CONFIG, "--json").stdout) == {key: str(tmp_path / "made")}


def test_a_comparison_is_a_table_or_its_rows(monkeypatch):
    rows = [AblationRow({"head": head}, 1, {"final_uf1": 0.5, "early_uf1": 0.25}) for head in ("patent", "cmnet")]
    asked = []
    monkeypatch.setattr(comparison, "compare", lambda _, vary, seeds: asked.append((vary, seeds)) or rows)
    words = ("ablate", *CONFIG, "--vary", "head=patent,cmnet", "--vary", "sampling=far", "--seeds", 1)
    assert call(*words).stdout.splitlines()[-1] == "| cmnet | 0.500 | 0.250 |"
    assert msgspec.json.decode(call(*words, "--json").stdout, type=dict[str, list[AblationRow]]) == {"rows": rows}
    assert asked == [(["head=patent,cmnet", "sampling=far"], range(1, 2))] * 2


@pytest.mark.parametrize(("options", "workers"), [([], None), (["--workers", "3"], 3)])
def test_prepare_is_told_how_many_processes_to_take(options, workers, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(Experiment, "prepare", lambda self: asked.append(self.workers) or tmp_path)
    assert call("prepare", *CONFIG, *options).exit_code == 0
    assert asked == [workers]
    assert call("prepare", *CONFIG, "--workers", "0").exit_code == 2


@pytest.mark.parametrize(("options", "precision"), [([], "fp32"), (["--precision", "int8"], "int8")])
def test_an_export_prints_the_package_and_its_scores(options, precision, monkeypatch, tmp_path):
    asked = []
    scores = [SimpleNamespace(name="uf1", value=0.5), SimpleNamespace(name="uar", value=0.6)]

    def export(_, folder, precision):
        asked.append((folder, precision))
        return SimpleNamespace(name="cmn", scores=scores)

    monkeypatch.setattr(packages, "export", export)
    found = call("export", *CONFIG, "--engines", tmp_path, "--json", *options)
    assert msgspec.json.decode(found.stdout) == {"engine": str(tmp_path / "cmn"), "uf1": 0.5, "uar": 0.6}
    name = "cmn" if precision == "fp32" else f"cmn-{precision}"
    assert asked == [(tmp_path / name, precision)]


def test_an_engine_is_rebuilt_by_one_command(monkeypatch, tmp_path):
    asked = []
    made = SimpleNamespace(name="cmn", scores=[SimpleNamespace(name="uf1", value=0.5)])

    def export(given, folder, precision, *, anew):
        asked.append((given.workers, folder, precision, anew))
        return made

    monkeypatch.setattr(packages, "export", export)
    words = ("rebuild", *CONFIG, "--engines", tmp_path, "--workers", 2, "--precision", "fp16")
    found = call(*words, "--set", "name=mine", "--json")
    assert msgspec.json.decode(found.stdout) == {"engine": str(tmp_path / "cmn"), "uf1": 0.5}
    assert asked == [(2, tmp_path / "mine-fp16", "fp16", True)]


def test_cards_are_written_for_packages_that_are_there(encoder_folder, tmp_path):
    found = call("card", "--engine", encoder_folder, "--json")
    assert msgspec.json.decode(found.stdout) == {"encoder": str(encoder_folder / "card.md")}
    (encoder_folder / "model.onnx").write_bytes(b"damaged")
    fails(["card", "--engine", encoder_folder], "model.onnx differs")
    fails(["card", "--engine", tmp_path / "none"], "there is no such folder")


def test_an_unknown_precision_is_refused_with_those_there_are():
    found = call("export", *CONFIG, "--precision", "bf16")
    assert found.exit_code == 2
    assert "'fp32', 'fp16', 'int8'" in found.stderr


@pytest.mark.parametrize(("options", "runner"), [([], Serial()), (["--ray", "auto"], Cluster("auto", 2, 1))])
def test_an_evaluation_prints_the_report_and_the_pooled_scores(options, runner, monkeypatch, tmp_path):
    truth = np.array([0, 0, 1])
    asked = []

    def evaluate(_, runner):
        asked.append(runner)
        said = {0.0: np.array([0, 1, 1]), 30.0: np.array([0, 1, 0])}
        return tmp_path / "report.html", {hz: scores(truth, answers, ("a", "b")) for hz, answers in said.items()}

    monkeypatch.setattr(folds, "evaluate", evaluate)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    found = msgspec.json.decode(call("evaluate", *CONFIG, "--json", *options).stdout)
    assert found["report"] == str(tmp_path / "report.html")
    assert found["accuracy"] == found["majority_accuracy"] == pytest.approx(2 / 3)
    assert {"uf1", "uar", "uf1_30hz", "uar_30hz"} < set(found)
    assert found["accuracy_30hz"] == pytest.approx(1 / 3)
    assert type(asked[0]) is type(runner)
    assert [getattr(asked[0], name, None) for name in ("address", "gpus")] == [
        getattr(runner, name, None) for name in ("address", "gpus")
    ]


def test_a_configuration_without_a_protocol_is_not_evaluated():
    fails(["evaluate", *CONFIG], "holds its own people out", "configs/data/casme2-5.toml")


def test_errors_of_a_command_are_told_with_all_their_problems(monkeypatch):
    def broken(_):
        raise DataError("two clips are wrong", ["a: no apex", "b: no offset"])

    monkeypatch.setattr(Experiment, "fit", broken)
    fails(["fit", *CONFIG], "two clips are wrong", "a: no apex", "b: no offset")


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Experiment, "fit", interrupted)
    found = call("fit", *CONFIG)
    assert found.exit_code == 130
    assert "goes on where it was" in found.stderr


def test_the_sample_goes_into_the_folder_that_was_named(monkeypatch, tmp_path):
    built = []
    monkeypatch.setattr(stream, "build", built.append)
    assert call("sample", "--folder", tmp_path, "--json").exit_code == 0
    assert built == [tmp_path]


def test_a_table_of_clips_is_evaluated_from_the_command_line_goes_on_and_becomes_an_engine(
    drawn, draw, tmp_path, monkeypatch, one_thread, tiny_networks
):
    rows = ["subject,path,fps,onset,apex,offset,label"]
    for person in "abc":
        for label in ("negative", "positive"):
            folder = tmp_path / "clips" / f"{person}-{label}"
            folder.mkdir(parents=True)
            for number in range(8):
                cv2.imwrite(str(folder / f"{number}.png"), cv2.resize(draw(number), (48, 48)))
            rows.append(f"{person},{folder.name},50,1,3,6,{label}")
    (tmp_path / "clips" / "manifest.csv").write_text("\n".join(rows) + "\n", "utf-8")
    changed = {
        "cache": f'"{tmp_path}/cache"',
        "runs": f'"{tmp_path}/runs"',
        "size_px": "32",
        "frames": "4",
        "epochs": "1",
        "batch": "2",
        "root": f'"{tmp_path}/clips"',
        "labels": '""',
        "test_hz": "[0, 25]",
    }
    mine = []
    for name in ("methods/ecstfl", "data/smic-3"):
        text = (ROOT / f"configs/{name}.toml").read_text("utf-8").replace('name = "smic"', 'name = "manifest"')
        for key, value in changed.items():
            text = re.sub(rf"(?m)^{key} = \S+", f"{key} = {value}", text)
        file = tmp_path / f"{Path(name).name}.toml"
        file.write_text(text, "utf-8")
        mine += ["--config", file]
    first = call("evaluate", *mine, "--json")
    assert first.exit_code == 0, first.output
    found = msgspec.json.decode(first.stdout)
    assert found["majority_accuracy"] == found["majority_accuracy_25hz"] == 0.5
    page = Path(found["report"]).read_text("utf-8")
    assert "6 clips of 3 people" in page
    assert "By frame rate" in page
    assert "Published" not in page
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("predictions.jsonl")}
    assert len(made) == 3
    assert msgspec.json.decode(call("evaluate", *mine, "--json").stdout) == found
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("predictions.jsonl")} == made
    for words in (["fit", *mine], ["export", *mine, "--engines", tmp_path / "engines"]):
        done = call(*words, "--json")
        assert done.exit_code == 0, done.output
    exported = msgspec.json.decode(done.stdout)
    assert exported["uf1"] == pytest.approx(found["uf1"], abs=1e-4)
    manifest = load_manifest(Path(exported["engine"]))
    assert (manifest.vocabulary, manifest.labels) == ("own", ("negative", "positive"))
    assert check(Path(exported["engine"]), load_settings().engines).ok


@pytest.mark.parametrize(("options", "people"), [([], "abcd"), (["--skip", 3, "--count", 2], "de")])
def test_videos_are_of_the_people_of_a_side_after_those_left_out(options, people, monkeypatch, tmp_path):
    written = []
    filmed = SimpleNamespace(side=lambda name: list("abcdef"))
    monkeypatch.setattr(synthetic, "Synthetic", lambda clips: filmed)
    monkeypatch.setattr(videos, "write", lambda dataset, root, people, *_: written.extend(people) or [])
    assert call("videos", *CONFIG, "--root", tmp_path, *options).exit_code == 0
    assert written == list(people)
