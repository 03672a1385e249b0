import msgspec
import numpy as np
import pytest
import torch

from realtime.engine.check import check
from realtime.engine.package.manifest import Score
from realtime.errors import ConfigError, DataError
from realtime.representation.clip_images import ClipImages
from realtime.representation.crop_images import CropImages, crop_images
from train.losses.ecstfl import ecstfl, ecstfl_official
from train.methods.ecstfl import ecstfl as method
from train.methods.ecstfl.clip_frames import interpolated, shown
from train.methods.ecstfl.ecstfl import BACKBONES, EcstflJob, build, predict, standardise

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace


@pytest.fixture
def config(small):
    return small("ecstfl-smic-3")


@pytest.fixture
def collection(drawn, collected):
    return collected(drawn())


def job(config, collection, seed=1):
    takes = collection.takes(collection.ids(), config.rates.train_hz)
    return EcstflJob(config, collection.labels, takes, seed)


@pytest.mark.parametrize(("name", "width"), [("r3d18", 512), ("resnet18-gru", 256)])
def test_a_backbone_gives_the_feature_that_is_clustered_and_logits(config, name, width):
    network = build(replace(config, backbone=name), 5)
    feature, logits = network(torch.randn(2, 3, 4, 32, 32))
    assert (feature.shape, logits.shape) == ((2, width), (2, 5))


def test_c3d_takes_clips_of_one_size_only(config):
    with pytest.raises(ConfigError, match="c3d takes 16 frames of 112 px, frames is 4 and size_px 32"):
        build(replace(config, backbone="c3d"), 3)


def test_a_checkpoint_fills_the_part_that_is_public(config, tmp_path):
    torch.manual_seed(7)
    given = BACKBONES["resnet18-gru"].build(3, 0.0).encoder.state_dict()
    torch.save({**given, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, tmp_path / "resnet18.pth")
    network = build(replace(config, initial=str(tmp_path / "resnet18.pth")), 3)
    assert all(torch.equal(network.encoder.state_dict()[name], value) for name, value in given.items())
    with pytest.raises(DataError, match="no checkpoint"):
        build(replace(config, initial=str(tmp_path / "none.pth")), 3)


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


def test_it_is_judged_by_frames_from_onset_to_offset(config, collection, tiny_networks):
    (clip, *_), shown = collection.of(collection.ids(), 0.0), []

    class Recorder(torch.nn.Module):
        def forward(self, x):
            shown.append(x)
            return x, torch.zeros(len(x), 3)

    found = predict(Recorder(), config, [clip])
    assert found.tolist() == [pytest.approx([1 / 3] * 3)]
    backbone = BACKBONES[config.backbone]
    wanted = crop_images([clip.crops()[i] for i in (2, 5, 7, 10)], CropImages(48, 32, backbone.mean, backbone.std))
    assert shown[0][0].transpose(0, 1).numpy() == pytest.approx(wanted)


def test_an_interpolated_clip_is_whole_in_training_and_test(config, collection, tiny_networks, monkeypatch):
    monkeypatch.setattr(method, "resized_crop", lambda x, *given: x)
    whole = replace(config, sampling="tim", size_px=48)
    clips, shown = collection.of(collection.ids(), 0.0), []

    class Recorder(torch.nn.Module):
        def forward(self, x):
            shown.extend(x)
            return x, torch.zeros(len(x), 3)

    predict(Recorder(), whole, clips)
    backbone = BACKBONES[config.backbone]
    for clip, found in zip(clips, shown, strict=True):
        frames = interpolated(clip.crops()[2:11], 4)
        wanted = crop_images(list(frames), CropImages(48, 48, backbone.mean, backbone.std))
        assert found.transpose(0, 1).numpy() == pytest.approx(wanted)
    trained = torch.cat([x for x, _ in job(whole, collection).batches(0)])
    apart = (trained[:, None] - torch.stack(shown)).abs().amax((2, 3, 4, 5))  # (12, 12): epoch's order, clip
    assert sorted(apart.argmin(1).tolist()) == list(range(12))
    assert apart.min(1).values.max() < 1e-5


def test_a_network_of_interpolated_clips_is_not_exported(config, collection, tmp_path):
    with pytest.raises(ConfigError, match="the live process picks frames"):
        method.export(replace(config, sampling="tim"), collection, (), tmp_path / "engine", "fp32")


def test_each_epoch_shows_each_clip_through_one_of_the_cameras(config, drawn, collected, tiny_networks):
    collection = collected(drawn(), train_hz=(0.0, 25.0))
    made = job(replace(config, rates=replace(config.rates, train_hz=(0.0, 25.0))), collection)
    seen = {}
    made._frames = lambda clip, generator: seen.setdefault(clip.path, np.zeros((4, 48, 48, 3), np.uint8))
    list(made.batches(0))
    assert len(seen) == 12  # each clip once
    for epoch in range(1, 12):
        list(made.batches(epoch))
    assert set(seen) == {clip.path for take in made.takes for clip in take}
    assert len(seen) == 24


def test_onset_and_offset_move_in_training_and_never_in_the_test(config, collection, tiny_networks, monkeypatch):
    lengths = []
    monkeypatch.setattr(method, "shown", lambda event, *given: lengths.append(len(event)) or shown(event, *given))
    for jitter_s, wanted in ((0.0, {9}), (0.04, set(range(5, 14)))):
        lengths.clear()
        made = job(replace(config, jitter_s=jitter_s), collection)
        for epoch in range(15):
            list(made.batches(epoch))
        assert set(lengths) <= wanted
        assert len(set(lengths)) > len(wanted) / 2
    (clip, *_) = collection.of(collection.ids(), 0.0)
    still, moved = (predict(made.network, replace(config, jitter_s=jitter_s), [clip]) for jitter_s in (0.0, 0.04))
    assert torch.equal(still, moved)


def test_all_clips_are_trained_on_and_a_run_is_named_by_what_shapes_it(config, collection, tiny_networks):
    folder = method.fit(config, collection)
    weights = torch.load(folder / "weights.pt", weights_only=True)
    assert method.fit(config, collection) == folder
    other = method.fit(replace(config, seed=2), collection)
    assert other != folder
    assert not torch.equal(torch.load(other / "weights.pt", weights_only=True)["fc.weight"], weights["fc.weight"])
    assert msgspec.json.decode((folder / "config.json").read_bytes(), type=type(config)) == config


def test_a_fitted_network_is_exported_with_the_scores_it_is_given(
    config, collection, tiny_networks, tmp_path, monkeypatch, engines
):
    crops = list(np.random.default_rng(1).integers(0, 256, (9, 48, 48, 3), dtype=np.uint8))
    monkeypatch.setattr("train.packaging.golden.sample_crops", lambda count: crops[:count])
    target, scores = tmp_path / "engines" / config.name, (Score("uf1", 0.5, "toy", {"negative": 4}),)
    with pytest.raises(DataError, match="train first"):
        method.export(config, collection, (), target, "fp32")
    run = method.fit(config, collection)
    made = method.export(config, collection, scores, target, "fp32")
    assert check(target, engines).ok
    assert (made.vocabulary, made.labels, made.scores) == ("smic-3", collection.labels, scores)
    assert made.task == "dynamic-expression"
    backbone = BACKBONES[config.backbone]
    assert made.representation == ClipImages(4, CropImages(128, 32, backbone.mean, backbone.std))
    golden = np.load(target / "golden.npz")
    for row in (0, 1):  # float16, as they are kept
        wanted = crop_images(crops[row : row + 4], made.representation.picture).swapaxes(0, 1)
        assert golden["in_clips"][row] == pytest.approx(wanted, rel=1e-3)
    network = build(config, 3).eval()
    network.load_state_dict(torch.load(run / "weights.pt", weights_only=True))
    with torch.no_grad():
        logits = network(torch.from_numpy(golden["in_clips"]).float())[1]
    assert golden["out_logits"] == pytest.approx(logits.numpy(), rel=1e-2, abs=1e-3)
