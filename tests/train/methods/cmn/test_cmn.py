"""The contrastive magnification network, from clips to the package that serves."""

import dataclasses

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT
from realtime.engine.package import manifest
from realtime.errors import ConfigError
from realtime.labels import MEGC3
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import crop_images
from realtime.representation.embedding_sequence import EMBEDDINGS, EmbeddingSequence
from train import registry
from train.evaluation.metrics import scores
from train.methods.comparison import compare
from train.methods.method import judge
from train.training.calibration import temperature

CMN = registry.METHODS["cmn"]


@pytest.fixture(scope="module")
def run(experiment):
    """A training that is done."""
    asked = experiment()
    asked.fit()
    return asked


def figures(asked):
    return {score.name: score for score in asked.scores()}


@pytest.mark.parametrize("data", ["synthetic", "casme2-5", "megc-3"])
def test_one_recipe_serves_every_source_and_is_strict(data):
    files = [ROOT / "configs/methods/cmn.toml", ROOT / f"configs/data/{data}.toml"]
    assert registry.load(files).method.jitter_s == 0.0
    for wrong in ("head=aman", "sampling=near", "reference=last", "views.count=1", "jitter_s=-1", "more=1"):
        with pytest.raises(ConfigError, match=wrong.partition("=")[0].rpartition(".")[2]):
            registry.load(files, [wrong])


def test_a_head_learns_what_moves_in_people_it_has_never_seen(run):
    found = figures(run)
    assert found["final_uf1"].value > 0.9
    assert found["early_uf1"].value > 0.8
    assert found["final_majority_accuracy"].value == pytest.approx(1 / 3, abs=1e-3)


def test_scores_carry_their_protocol_and_the_held_out_counts(run):
    for score in figures(run).values():
        assert score.counts == dict.fromkeys(MEGC3, 4)
        assert "12 epochs, fixed in advance" in score.protocol
        assert "75 ms after the apex" in score.protocol


def test_a_run_comes_back_and_scores_as_it_says(run):
    (test,), head = run.split.test, run.restored()
    truth = np.array([MEGC3.index(label) for label in CMN.labels(test)])
    for answer in CMN.answers:
        said = judge(CMN, head, CMN.inputs(run.config, test, answer)).argmax(1).numpy()
        assert figures(run)[f"{answer}_uf1"].value == pytest.approx(scores(truth, said, MEGC3).uf1, abs=1e-4)


def test_the_temperature_fits_both_kinds_of_answers(run):
    head, clips = run.restored(), run.split.calibration
    logits = torch.cat([judge(CMN, head, CMN.inputs(run.config, clips, answer)) for answer in ("final", "early")])
    truth = torch.tensor([MEGC3.index(label) for label in CMN.labels(clips)])
    assert temperature(logits, truth.repeat(2)) == pytest.approx(1.0, rel=1e-3)


def test_the_curve_tells_the_people_who_calibrate_and_nothing_where_there_are_none(run, experiment):
    *_, last = (run.run / "curve.csv").read_text("utf-8").splitlines()
    names = (run.run / "curve.csv").read_text("utf-8").splitlines()[0].split(",")
    assert names[-2:] == ["valid_uf1_final", "valid_uf1_early"]
    assert all(0.0 <= float(value) <= 1.0 for value in last.split(",")[-2:])
    nobody = dataclasses.replace(run.split, calibration=[])
    [(job, _)] = CMN.stages(run.config, nobody, run.source, 1)
    assert job.evaluate(job.network) == {}


@pytest.mark.parametrize("answer", ["final", "early"])
def test_the_head_is_asked_as_serving_asks_it(answer, run):
    (test,) = run.split.test
    sequence = CMN.representation(run.config)
    inputs = CMN.inputs(run.config, test, answer)[EMBEDDINGS]
    for row, clip in zip(inputs, test, strict=True):
        end = clip.sample.offset_s if answer == "final" else clip.sample.apex_s + 0.075
        inside = (clip.times >= clip.sample.onset_s) & (clip.times <= end)
        event = EventFrames(clip.times[inside], embeddings=list(clip.clean[inside]))
        assert np.array_equal(row.numpy(), sequence.of_event(event, clip.sample.apex_s)[EMBEDDINGS][0])


def test_nothing_is_asked_of_no_clips(run):
    assert CMN.inputs(run.config, [], "final")[EMBEDDINGS].shape == (0, 8, 24)


def test_training_twice_gives_the_same_weights(run, experiment, tmp_path):
    again = experiment(runs=str(tmp_path))
    again.fit()
    one, two = (asked.restored().state_dict() for asked in (run, again))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_killed_training_goes_on_to_the_same_weights(run, experiment, tmp_path, monkeypatch):
    moved = experiment(runs=str(tmp_path))
    [(job, _)] = CMN.stages(moved.config, moved.split, moved.source, 1)
    batches = type(job).batches

    def killed(self, epoch):
        if epoch == 7:
            raise KeyboardInterrupt
        return batches(self, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(type(job), "batches", killed)
        with pytest.raises(KeyboardInterrupt):
            moved.fit()
    moved.fit()
    one, two = (asked.restored().state_dict() for asked in (run, moved))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_another_encoder_is_another_run(experiment):
    one, other = experiment(), experiment(encoder="engines/other")
    assert [CMN.representation(asked.config).encoder_sha256 for asked in (one, other)] == ["e" * 64, "o" * 64]
    assert CMN.files(other.config) == {"encoder": "o" * 64}
    assert one.run.name != other.run.name


def test_a_run_becomes_a_package_that_fits_its_encoder(run, clips, encoder, tmp_path, golden_of):
    frames = clips[0].pictures
    golden_of(frames)
    made = run.export(tmp_path / "cmn", "fp32", run.scores())
    assert msgspec.json.encode(made) == msgspec.json.encode(manifest.load(tmp_path / "cmn"))
    assert made.representation == EmbeddingSequence("encoder", "e" * 64, 8, 24)
    assert "step.onnx" in made.files
    with np.load(tmp_path / "cmn" / "golden.npz") as golden:
        assert golden["in_embeddings"].shape == (4, 8, 24)
        pictures = crop_images(frames[:11], encoder.manifest.representation)
        wanted = encoder.run({"images": pictures})["embedding"]
        assert golden["in_embeddings"][3] == pytest.approx(wanted[3:11], rel=1e-3)


def test_what_changes_the_embeddings_is_seen_anew_in_a_comparison_and_nothing_else(experiment):
    asked = experiment(epochs=1)
    rows = compare(asked, ["head=patent,cmnet", "views.count=2,3"], [1, 2])
    assert [(*row.setting.values(), row.seed) for row in rows] == [
        (head, views, seed) for head in ("patent", "cmnet") for views in "23" for seed in (1, 2)
    ]
    assert len({row.scores["final_majority_accuracy"] for row in rows}) == 1
    assert len(asked.source.asked) == 4  # not for the second seed
    compare(asked, ["jitter_s=0,0.03", "sampling=far,uniform"], [1])
    assert len(asked.source.asked) == 6
    assert all(hasattr(asked.config, name) for name in CMN.shapes)
