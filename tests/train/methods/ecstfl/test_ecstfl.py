"""The networks of clips: what they are shown, what they cost, and what may serve."""

import dataclasses

import msgspec
import numpy as np
import pytest
import torch

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.engine.check import check
from realtime.engine.package.manifest import LOGITS, Score
from realtime.errors import ConfigError, DataError
from realtime.representation.clip_images import CLIPS, ClipImages
from realtime.representation.crop_images import CropImages, crop_images
from realtime.representation.sampled_clip import SampledClip, interpolated
from train import registry
from train.config.recorded import KFold
from train.evaluation.runners import Serial
from train.losses.ecstfl import ecstfl, ecstfl_official
from train.methods import folds
from train.methods.ecstfl import job as training
from train.methods.ecstfl.backbones import BACKBONES, standardise
from train.methods.ecstfl.clip_frames import shown
from train.methods.ecstfl.job import EcstflJob
from train.registry import METHODS, experiment
from train.sources.source import Split, Vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
ECSTFL = METHODS["ecstfl"]


@pytest.fixture
def recipe(recipe_of):
    return recipe_of("ecstfl", "smic-3", frames=4)


@pytest.fixture
def config(recipe):
    return recipe.method


@pytest.fixture
def collection(drawn, collected):
    return collected(drawn())


def job(config, collection, seed=1, train_hz=(0.0,)):
    takes = tuple(collection.takes(collection.ids(), train_hz))
    split = Split(Vocabulary("smic-3", collection.labels), takes, [], ())
    [(made, optimiser)] = ECSTFL.stages(config, split, None, seed)
    assert isinstance(made, EcstflJob)
    assert optimiser == config.optimiser
    return made


def seen(config, clips):
    """(K, 3, T, S, S): what the network is asked about."""
    return ECSTFL.inputs(config, clips, "final")[CLIPS]


@pytest.mark.parametrize(("name", "width"), [("r3d18", 512), ("resnet18-gru", 256)])
def test_a_backbone_gives_the_feature_that_is_clustered_and_logits(config, name, width):
    assert ECSTFL.outputs == ("feature", LOGITS)
    network = ECSTFL.network(replace(config, backbone=name), 5)
    feature, logits = network(torch.randn(2, 3, 4, 32, 32))
    assert (feature.shape, logits.shape) == ((2, width), (2, 5))


def test_c3d_takes_clips_of_one_size_only(config):
    with pytest.raises(ConfigError, match="c3d takes 16 frames of 112 px, frames is 4 and size_px 32"):
        ECSTFL.network(replace(config, backbone="c3d"), 3)


def test_a_checkpoint_fills_the_part_that_is_public(config, tmp_path):
    torch.manual_seed(7)
    given = BACKBONES["resnet18-gru"].build(3, 0.0).encoder.state_dict()
    torch.save({**given, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, tmp_path / "resnet18.pth")
    network = ECSTFL.network(replace(config, initial=str(tmp_path / "resnet18.pth")), 3)
    assert all(torch.equal(network.encoder.state_dict()[name], value) for name, value in given.items())
    with pytest.raises(DataError, match="no checkpoint"):
        ECSTFL.network(replace(config, initial=str(tmp_path / "none.pth")), 3)


@pytest.mark.parametrize(("variant", "p"), [("paper", 2), ("paper", 1), ("official", 2)])
def test_the_cost_is_cross_entropy_and_the_weighted_clustering_of_the_feature(
    config, collection, tiny_networks, variant, p
):
    weights = replace(config.loss, weight=3.0, variant=variant, p=p)
    made = job(replace(config, loss=weights), collection)
    made.network.eval()
    x, y = next(made.batches(0))
    feature, logits = made.network(x)
    clustering = ecstfl(feature, y, p) if variant == "paper" else ecstfl_official(feature, y)
    wanted = torch.nn.functional.cross_entropy(logits, y) + 3.0 * clustering
    assert made.loss((x, y)).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_bf16_is_used_only_if_it_is_asked_for(config, collection, tiny_networks):
    seen = []
    for precision in ("f32", "bf16"):
        made = job(replace(config, precision=precision), collection)
        made.network.fc.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
        assert made.loss(next(made.batches(0))).dtype == torch.float32
    assert seen == [torch.float32, torch.bfloat16]


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(config, collection, tiny_networks):
    made = job(config, collection)
    first, again, other = (list(made.batches(epoch)) for epoch in (0, 0, 1))
    assert len(first) == made.steps == 3
    assert first[0][0].shape == (4, 3, 4, 32, 32)
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0][0], other[0][0])
    assert sorted(y for _, labels in first for y in labels.tolist()) == [0] * 4 + [1] * 4 + [2] * 4


def test_training_standardises_as_serving_does():
    frames = np.random.default_rng(1).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    for backbone in BACKBONES.values():
        x = torch.from_numpy(frames).permute(3, 0, 1, 2)[None].float() / 255
        wanted = crop_images(list(frames), CropImages(48, 32, backbone.mean, backbone.std))
        assert standardise(x, backbone)[0].transpose(0, 1).numpy() == pytest.approx(wanted, abs=1e-5)


def test_it_is_judged_by_frames_from_onset_to_offset(config, collection):
    (clip, *_) = collection.of(collection.ids(), 0.0)
    backbone = BACKBONES[config.backbone]
    wanted = crop_images([clip.crops()[i] for i in (2, 5, 7, 10)], CropImages(48, 32, backbone.mean, backbone.std))
    assert seen(config, [clip])[0].transpose(0, 1).numpy() == pytest.approx(wanted)
    assert seen(config, []).shape == (0, 3, 4, 32, 32)


def test_an_interpolated_clip_is_whole_in_training_and_test(config, collection, tiny_networks, monkeypatch):
    monkeypatch.setattr(training, "resized_crop", lambda x, *given: x)
    whole = replace(config, sampling="tim", size_px=48)
    clips = collection.of(collection.ids(), 0.0)
    judged, backbone = seen(whole, clips), BACKBONES[config.backbone]
    for clip, found in zip(clips, judged, strict=True):
        frames = interpolated(clip.crops()[2:11], 4)
        wanted = crop_images(list(frames), CropImages(48, 48, backbone.mean, backbone.std))
        assert found.transpose(0, 1).numpy() == pytest.approx(wanted)
    trained = torch.cat([x for x, _ in job(whole, collection).batches(0)])
    apart = (trained[:, None] - judged).abs().amax((2, 3, 4, 5))  # (12, 12): epoch's order, clip
    assert sorted(apart.argmin(1).tolist()) == list(range(12))
    assert apart.min(1).values.max() < 1e-5


def test_networks_of_interpolated_clips_can_be_tested(recipe, collection, tiny_networks, gathered):
    gathered(collection)
    whole = dataclasses.replace(
        recipe,
        method=replace(recipe.method, sampling="tim", epochs=1),
        source=replace(recipe.source, evaluate=KFold(k=2, seed=1, threads=1)),
    )
    _, scores = folds.evaluate(experiment(whole), Serial())
    assert sum(scores[0.0].counts.values()) == 12


def test_each_epoch_shows_each_clip_through_one_of_the_cameras(config, drawn, collected, tiny_networks):
    made = job(config, collected(drawn(), train_hz=(0.0, 25.0)), train_hz=(0.0, 25.0))
    found = {}
    made._frames = lambda clip, generator: found.setdefault(clip.path, np.zeros((4, 48, 48, 3), np.uint8))
    list(made.batches(0))
    assert len(found) == 12  # each clip once
    for epoch in range(1, 12):
        list(made.batches(epoch))
    assert set(found) == {clip.path for take in made.takes for clip in take}
    assert len(found) == 24


def test_onset_and_offset_move_in_training_and_never_in_the_test(config, collection, tiny_networks, monkeypatch):
    lengths = []
    monkeypatch.setattr(training, "shown", lambda event, *given: lengths.append(len(event)) or shown(event, *given))
    for jitter_s, wanted in ((0.0, {9}), (0.04, set(range(5, 14)))):
        lengths.clear()
        made = job(replace(config, jitter_s=jitter_s), collection)
        for epoch in range(15):
            list(made.batches(epoch))
        assert set(lengths) <= wanted
        assert len(set(lengths)) > len(wanted) / 2
    (clip, *_) = collection.of(collection.ids(), 0.0)
    still, moved = (seen(replace(config, jitter_s=jitter_s), [clip]) for jitter_s in (0.0, 0.04))
    assert torch.equal(still, moved)


def test_people_who_calibrate_are_not_trained_on(recipe, collection, tiny_networks, gathered):
    gathered(collection)
    found = []
    for calibration in (0.0, 0.25):
        source = replace(recipe.source, calibration=calibration)
        asked = experiment(dataclasses.replace(recipe, source=source))
        [(made, _)] = ECSTFL.stages(asked.config, asked.split, asked.source, 1)
        found.append((len(made.labels), len(asked.split.calibration)))
    assert found == [(12, 0), (9, 3)]


def test_the_patents_settings_are_c3d_on_interpolated_clips_with_the_formula_on_fc7():
    files = [ROOT / "configs/methods/paper-ecstfl-c3d.toml", ROOT / "configs/data/dfew-7.toml"]
    paper = registry.load(files).method
    assert (paper.backbone, paper.sampling, paper.loss.variant) == ("c3d", "tim", "paper")
    with torch.device("meta"):
        network = ECSTFL.network(paper, 7)
        feature, _ = network(torch.empty(2, *ECSTFL.representation(paper).inputs()[0].shape[1:]))
    assert feature.shape == (2, network.fc7.out_features)


@pytest.mark.parametrize("sampling", ["segments", "tim"])
def test_a_fitted_network_is_exported_with_the_scores_it_is_given(
    recipe, collection, tiny_networks, tmp_path, golden_of, gathered, engines, sampling
):
    recipe = dataclasses.replace(recipe, method=replace(recipe.method, sampling=sampling))
    crops = list(np.random.default_rng(1).integers(0, 256, (9, 48, 48, 3), dtype=np.uint8))
    golden_of(crops)
    gathered(collection)
    asked, scores = experiment(recipe), (Score("uf1", 0.5, "toy", {"negative": 4}),)
    target = tmp_path / "engines" / recipe.name
    with pytest.raises(DataError, match="train first"):
        asked.export(target, "fp32", ())
    asked.fit()
    made = asked.export(target, "fp32", scores)
    assert check(target, engines).ok
    assert (made.vocabulary, made.labels, made.scores) == ("smic-3", collection.labels, scores)
    assert (made.name, made.task) == ("ecstfl-smic-3", "dynamic-expression")
    backbone, crop_px = BACKBONES[recipe.method.backbone], realtime_config.load().align.size_px
    picture = CropImages(crop_px, 32, backbone.mean, backbone.std)
    assert made.representation == (SampledClip(4, picture, "tim") if sampling == "tim" else ClipImages(4, picture))
    golden = np.load(target / "golden.npz")
    for row in (0, 1):  # float16, as they are kept
        wanted = crop_images(crops[row : row + 4], made.representation.picture).swapaxes(0, 1)
        assert golden["in_clips"][row] == pytest.approx(wanted, rel=1e-3)
    with torch.no_grad():
        logits = asked.restored()(torch.from_numpy(golden["in_clips"]).float())[1]
    assert golden["out_logits"] == pytest.approx(logits.numpy(), rel=1e-2, abs=1e-3)


def test_the_last_layer_of_the_patents_network_can_be_calibrated():
    network = BACKBONES["c3d"].build(3, 0.0)
    assert ECSTFL.classifier(network) is network.fc8
    assert "fc.weight" not in network.state_dict()
