from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT, convert, read_toml
from realtime.engine.check import check
from realtime.engine.package import manifest
from realtime.engine.package.manifest import MODEL, Score
from realtime.errors import ConfigError, DataError
from realtime.labels import FERPLUS
from realtime.representation.crop_images import CropImages
from realtime.representation.embedding_sequence import EmbeddingSequence
from realtime.representation.event import EventFrames
from train.config.old import load
from train.methods.dynamic.config import DynamicConfig
from train.methods.dynamic.dynamic import (
    DynamicJob,
    calibrate,
    export,
    fit,
    inputs,
    predict,
    restored,
    sequences,
    with_fades,
)
from train.methods.dynamic.enactments import Enactments
from train.methods.dynamic.network import DynamicHead
from train.methods.dynamic.scores import at_apex, report
from train.synthesis.script.emotions import LABELS

pytestmark = pytest.mark.usefixtures("one_thread")
SHIPPED = ROOT / "configs/train/dynamic.toml"
WIDTH, FRAMES = 12, 10


def toy(count, seed):
    """Clips in which one number of the embedding rises from the onset to the apex, another for each class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(LABELS)
    times = np.tile(np.linspace(0.0, 1.8, FRAMES), (count, 1))
    moments = np.stack([rng.uniform(0.1, 0.4, count), rng.uniform(0.7, 1.0, count), rng.uniform(1.4, 1.7, count)], 1)
    x = 0.3 * rng.standard_normal((count, 1, WIDTH)) + 0.05 * rng.standard_normal((count, FRAMES, WIDTH))
    for k in range(count):
        x[k, :, labels[k]] += np.interp(times[k], moments[k], [0.0, 1.0, 0.0])
    logits = np.zeros((count, FRAMES, len(FERPLUS)))
    manners = np.where(labels == LABELS.index("neutral"), 2, np.arange(count) // len(LABELS) % 2)
    arrays = (x.astype(np.float32), logits.astype(np.float32), times, moments, labels, manners)
    return Enactments(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))


@pytest.fixture(scope="module")
def splits():
    return {"train": toy(140, 1), "valid": toy(56, 2), "test": toy(56, 3)}


def settings(folder, **changes):
    """The shipped configuration, small and quick."""
    config = load(SHIPPED)
    optimiser = msgspec.structs.replace(config.optimiser, batch=28, rate=0.1)
    small = {"runs": str(folder / "runs"), "frames": 6, "epochs": 12, "optimiser": optimiser, "dropout": 0.0}
    return msgspec.structs.replace(config, **(small | changes))


@pytest.fixture(scope="module")
def run(splits, tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    config = settings(tmp_path_factory.mktemp("dynamic"))
    folder = fit(config, splits)
    torch.set_num_threads(threads)
    return config, folder


def figures(folder):
    found = msgspec.json.decode((folder / "scores.json").read_bytes(), type=tuple[Score, ...])
    return {score.name: score for score in found}


def test_the_shipped_configuration_is_strict():
    tree = read_toml(SHIPPED)
    assert convert(tree, DynamicConfig, SHIPPED) == load(SHIPPED)
    for change in ({"precision": "f16"}, {"frames": 0}, {"loss": tree["loss"] | {"p": 3}}, {"more": 1}):
        with pytest.raises(ConfigError):
            convert(tree | change, DynamicConfig, SHIPPED)


def test_sequences_are_what_serving_gives_to_the_head(splits):
    clips = splits["test"]
    made = EmbeddingSequence("encoder", "a" * 64, 6, WIDTH)
    begin, _, end = clips.moments.unbind(1)
    trained, tested = (make(clips, begin, end, 6) for make in (sequences, inputs))
    for k in range(len(clips)):
        inside = (clips.times[k] >= begin[k]) & (clips.times[k] <= end[k])
        seen = EventFrames(clips.times[k][inside].numpy(), embeddings=list(clips.embeddings[k][inside].numpy()))
        served = made.of_event(seen, 0.0)["embeddings"][0]
        assert np.array_equal(trained[k].numpy(), served)
        assert np.array_equal(tested[k].numpy(), served)


def test_a_part_without_a_frame_is_the_frame_beside_it(splits):
    clips = splits["test"]
    between = torch.full((len(clips),), 0.05, dtype=torch.float64)
    after = torch.full((len(clips),), 9.0, dtype=torch.float64)
    for make in (sequences, inputs):
        assert make(clips, between, between, 3)[:, 0].equal(clips.embeddings[:, 1])
        assert make(clips, after, after, 3)[:, 2].equal(clips.embeddings[:, -1])


def test_a_head_learns_what_changes_in_faces_it_has_never_seen(run):
    found = figures(run[1])
    assert found["forward_final_uar"].value > 0.8
    assert found["backward_early_uar"].value > 0.8
    assert found["fade_final_uar"].value > 0.6
    assert found["forward_encoder_accuracy"].value == pytest.approx(1 / 6, abs=0.05)  # its logits here say nothing


def test_scores_carry_counts_and_protocol_and_leave_out_what_is_not_there(run):
    found = figures(run[1])
    assert sum(found["final_uar"].counts.values()) == 2 * 56  # half of them fade
    assert found["forward_final_uar"].counts["neutral"] == 0
    assert sum(found["fade_final_uar"].counts.values()) == 56
    assert "12 epochs, fixed in advance" in found["final_uar"].protocol
    assert "final_recall_fear" in found
    assert "backward_final_recall_fear" not in found


def test_the_mean_recall_of_a_group_is_over_the_classes_that_are_there(splits, run):
    clips = splits["test"]
    right = torch.nn.functional.one_hot(clips.labels, len(LABELS)).float()
    told = {score.name: score.value for score in report({"final": right}, clips, run[0])}
    assert told["forward_final_uar"] == told["backward_final_uar"] == told["final_uar"] == 1.0


def test_the_encoder_alone_is_asked_around_the_apex_and_never_says_contempt(splits):
    clips = splits["test"]
    logits = torch.zeros_like(clips.logits)
    away = (clips.times - clips.moments[:, 1:2]).abs()
    logits[:, :, FERPLUS.index("contempt")] = 9.0
    logits[:, :, FERPLUS.index("fear")] = torch.where(away < 0.2, 5.0, 0.0)
    logits[:, :, FERPLUS.index("anger")] = torch.where(away < 0.2, 0.0, 8.0)
    shares = at_apex(Enactments(**{**{n: getattr(clips, n) for n in Enactments.__slots__}, "logits": logits}))
    assert shares.sum(1).numpy() == pytest.approx(np.ones(len(clips)), abs=1e-5)
    assert {LABELS[k] for k in shares.argmax(1)} == {"fear"}


def test_each_epoch_cuts_clips_anew_as_a_detector_might(splits, tmp_path):
    job = DynamicJob(settings(tmp_path), splits)
    onset, apex, offset = splits["train"].moments.unbind(1)
    parts = [job._parts(splits["train"], torch.Generator().manual_seed(seed)) for seed in range(40)]
    begin, end = (torch.stack(side) for side in zip(*parts, strict=True))
    assert bool(((begin >= onset - 0.4) & (begin <= onset + 0.1)).all())
    whole = end == offset
    assert float(whole.float().mean()) == pytest.approx(0.5, abs=0.05)
    assert bool((whole | ((end >= apex) & (end <= apex + 0.3))).all())


def test_each_epoch_shows_fades_of_its_own(splits, tmp_path):
    job = DynamicJob(settings(tmp_path), splits)
    assert job.steps == 2 * len(splits["train"]) // 28
    shown = [torch.cat([x for x, _ in job.batches(epoch)]) for epoch in (0, 0, 1)]
    assert shown[0].equal(shown[1])
    assert not shown[0].equal(shown[2])
    alone = DynamicJob(settings(tmp_path, fades=0.0), splits)
    assert alone.steps == len(splits["train"]) // 28 == len(list(alone.batches(0)))


def test_the_loss_adds_the_clustering_of_the_feature(splits, tmp_path):
    losses = {}
    for weight in (0.0, 0.1, 1.0):
        loss = msgspec.structs.replace(load(SHIPPED).loss, weight=weight)
        job = DynamicJob(settings(tmp_path, loss=loss), splits)
        losses[weight] = job.loss(next(iter(job.batches(0)))).item()
    assert losses[0.1] > losses[0.0]
    assert losses[1.0] - losses[0.0] == pytest.approx(10 * (losses[0.1] - losses[0.0]), rel=1e-3)


def test_training_twice_gives_the_same_weights(run, splits, tmp_path):
    again = fit(msgspec.structs.replace(run[0], runs=str(tmp_path)), splits)
    one, two = (torch.load(folder / "weights.pt") for folder in (run[1], again))
    assert again.name == run[1].name
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_calibration_changes_no_answer_and_is_done_once(run, splits):
    head = restored(run[0], splits)
    before = predict(head, splits["test"], run[0], "final")
    assert calibrate(head, with_fades(splits["valid"]), run[0]) == pytest.approx(1.0, rel=1e-3)
    assert predict(head, splits["test"], run[0], "final") == pytest.approx(before, rel=1e-2)


def test_the_head_knows_both_what_a_frame_shows_and_what_has_changed():
    torch.manual_seed(1)
    head, x = DynamicHead(WIDTH, 7).eval(), torch.randn(2, 6, WIDTH)
    with torch.no_grad():
        feature, logits = head(x)
        assert (feature.shape, logits.shape) == ((2, 128), (2, 7))
        assert not torch.allclose(head(x + torch.randn(2, 1, WIDTH))[1], logits, atol=1e-3)
        assert not torch.allclose(head(x.flip(1))[1], logits, atol=1e-3)
        twice = head(torch.cat([x[:, :1], x], 1))[1] - head(torch.cat([x[:, 1:2], x], 1))[1]
        assert float(twice.abs().max()) > 1e-3  # the first frame is every frame's reference


class Encoder:
    """Crops of 16 px -> their means, WIDTH of them."""

    manifest = SimpleNamespace(
        name="encoder",
        files={MODEL: "a" * 64},
        representation=CropImages(crop_px=16, size_px=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
    )

    def run(self, inputs):
        return {"embedding": inputs["images"].reshape(len(inputs["images"]), WIDTH, -1).mean(2)}


def test_an_exported_run_is_a_package_that_answers_as_it_was_trained(run, splits, tmp_path, monkeypatch, engines):
    rng = np.random.default_rng(4)
    crops = [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(9)]
    monkeypatch.setattr("train.packaging.golden.sample_crops", lambda count: crops[:count])
    made = export(run[0], splits, Encoder(), tmp_path / "dynamic", "fp32")
    assert msgspec.json.encode(made) == msgspec.json.encode(manifest.load(tmp_path / "dynamic"))
    assert made.task == "dynamic-expression"
    assert made.labels == LABELS
    assert made.representation == EmbeddingSequence("encoder", "a" * 64, 6, WIDTH)
    assert {score.name: score.value for score in made.scores} == {k: v.value for k, v in figures(run[1]).items()}
    assert msgspec.convert(made.training.recipe, DynamicConfig) == run[0]
    assert check(tmp_path / "dynamic", engines).ok


def test_an_untrained_head_is_not_exported(run, splits, tmp_path):
    with pytest.raises(DataError, match="train first"):
        export(msgspec.structs.replace(run[0], seed=9), splits, Encoder(), tmp_path / "dynamic", "fp32")
