import dataclasses

import msgspec
import numpy as np
import pytest
import torch

from realtime.check import check
from realtime.errors import ConfigError, DataError
from realtime.manifest import Score
from realtime.preprocess import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from train.apex_frames import choose
from train.collection import collect
from train.losses.focal import focal, inverse_frequency
from train.methods import apexnet
from train.methods.apexnet import ApexnetJob, build, pictures, predict
from train.networks.se_resnext import SeResNeXt50

pytestmark = pytest.mark.usefixtures("one_thread", "tiny_networks")
replace = msgspec.structs.replace


@pytest.fixture
def config(small):
    return small("apexnet-casme2-5")


@pytest.fixture
def collection(drawn, tmp_path):
    return collect([drawn()], tmp_path)


def frames(config, collection):
    return choose(collection.clips, config.apex, config.quang)


def job(config, collection, seed=1):
    return ApexnetJob(config, collection.labels, collection.clips, frames(config, collection), seed)


def test_the_picture_is_the_crop_at_the_apex(config, collection):
    found = pictures(collection.clips, frames(config, collection))
    for clip, picture in zip(collection.clips, found, strict=True):
        assert np.array_equal(picture, clip.crops()[6])  # 0.12 s at 50 Hz


def test_the_cost_is_the_focal_loss_weighed_by_the_training_clips(config, collection):
    uneven = dataclasses.replace(collection, clips=collection.clips[:5])
    made = job(config, uneven)
    counts = torch.bincount(made.labels, minlength=3)
    assert torch.equal(made.alpha, inverse_frequency(counts))
    made.network.eval()
    x, y = next(made.batches(0))
    with torch.no_grad():
        wanted = focal(made.network(x)[1], y, 2.0, inverse_frequency(counts))
        assert made.loss((x, y)).item() == pytest.approx(wanted.item(), rel=1e-4)
    assert job(replace(config, loss=replace(config.loss, alpha="none")), uneven).alpha is None


def test_without_augmentation_training_sees_what_serving_sees_or_its_mirror(config, collection):
    still = replace(config, augment=replace(config.augment, turn_deg=0.0, grey_probability=0.0))
    made = job(still, collection)
    wanted = crop_images(made.pictures, CropImages(48, 32, IMAGENET_MEAN, IMAGENET_STD))
    for x, _ in made.batches(0):
        for picture in x.numpy():
            near = [min(np.abs(picture - w).max(), np.abs(picture - w[:, :, ::-1]).max()) for w in wanted]
            assert min(near) < 1e-3


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(config, collection):
    made = job(config, collection)
    first, again, other = (next(made.batches(epoch)) for epoch in (0, 0, 1))
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])


def test_frozen_statistics_stay_and_the_rest_learns(config, collection, tmp_path):
    given = SeResNeXt50(1000, (1, 1, 1, 1))
    torch.save(given.state_dict(), tmp_path / "seresnext.pth")
    made = job(replace(config, frozen_norm=True, initial=str(tmp_path / "seresnext.pth")), collection)
    made.network.train()
    before = {name: value.clone() for name, value in made.network.state_dict().items()}
    optimiser = torch.optim.SGD(made.network.parameters(), lr=0.1)
    made.loss(next(made.batches(0))).backward()
    optimiser.step()
    for name, value in made.network.state_dict().items():
        moved = not torch.equal(value, before[name])
        assert not (moved and ("running" in name or "tracked" in name)), name
    assert not torch.equal(made.network.bn1.weight, before["bn1.weight"])
    assert torch.equal(before["conv1.weight"], given.conv1.weight)


def test_freezing_the_statistics_of_no_checkpoint_is_refused(config):
    with pytest.raises(ConfigError, match="initial names none"):
        build(replace(config, frozen_norm=True), 3)


def test_predictions_are_probabilities_in_the_order_of_the_pictures(config, collection):
    network = build(config, 3)
    images = pictures(collection.clips, frames(config, collection)) * 3  # more than one chunk
    found = predict(network, config, images)
    assert found.shape == (36, 3)
    assert found.sum(1).numpy() == pytest.approx(1.0, abs=1e-5)
    assert found[33:34].numpy() == pytest.approx(predict(network, config, images[33:34]).numpy(), abs=1e-4)


def test_a_fitted_network_is_exported_with_the_scores_it_is_given(config, collection, tmp_path, monkeypatch, engines):
    rng = np.random.default_rng(1)
    monkeypatch.setattr(apexnet, "sample_crops", lambda n: list(rng.integers(0, 256, (n, 48, 48, 3), dtype=np.uint8)))
    target = tmp_path / "engines" / config.name
    with pytest.raises(DataError, match="train first"):
        apexnet.export(config, collection, (), target)
    apexnet.fit(config, collection, frames(config, collection))
    scores = (Score(name="uf1", value=0.5, protocol="toy", counts={"negative": 4}),)
    made = apexnet.export(config, collection, scores, target)
    assert check(target, engines).ok
    assert (made.vocabulary, made.representation.size_px, made.scores) == ("megc-3", 32, scores)
    assert made.training.data == ("casme2 (casme2-5)",)


def test_labels_that_engines_do_not_know_are_not_exported(config, drawn, tmp_path):
    odd = collect([drawn(labels=("tense", "others"))], tmp_path)
    with pytest.raises(DataError, match="engines know no vocabulary tense, others"):
        apexnet.export(config, odd, (), tmp_path / "engine")
