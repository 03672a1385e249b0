import dataclasses

import msgspec
import numpy as np
import pytest
import torch

from realtime.engine.check import check
from realtime.engine.package.manifest import Score
from realtime.errors import ConfigError, DataError
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from train.clips.takes import draw
from train.losses.focal import focal, inverse_frequency
from train.methods.apexnet import recorded as apexnet
from train.methods.apexnet.apex_frames import choose
from train.methods.apexnet.recorded import ApexnetJob, build, predict, shots
from train.methods.apexnet.se_resnext import SeResNeXt

pytestmark = pytest.mark.usefixtures("one_thread", "tiny_networks")
replace = msgspec.structs.replace


@pytest.fixture
def config(small):
    return small("apexnet-casme2-5")


@pytest.fixture
def collection(drawn, collected):
    return collected(drawn())


def apexes(config, collection):
    return {hz: choose(tuple(clips.values()), config.apex, config.quang) for hz, clips in collection.at.items()}


def takes(config, collection):
    chosen = apexes(config, collection)
    return [shots(collection, chosen, collection.ids(), hz) for hz in config.rates.train_hz]


def job(config, collection, seed=1):
    return ApexnetJob(config, collection.labels, takes(config, collection), seed)


def test_the_picture_is_the_crop_at_the_apex(config, collection):
    for shot in takes(config, collection)[0]:
        assert np.array_equal(shot.picture(), shot.clip.crops()[6])  # 0.12 s at 50 Hz


def test_each_epoch_shows_the_apex_through_one_of_the_cameras(config, drawn, collected):
    both = replace(config, rates=replace(config.rates, train_hz=(0.0, 25.0)))
    collection = collected(drawn(), train_hz=(0.0, 25.0))
    own, slow = takes(both, collection)
    assert {shot.frame for shot in own} == {6}
    assert all(abs(shot.clip.times()[shot.frame] - 0.12) <= 0.02 + 1e-9 for shot in slow)  # the nearest exposure
    made, seen = job(both, collection), set()
    for epoch in range(6):
        for shot in draw(made.takes, torch.Generator().manual_seed(epoch)):
            seen.add((shot.clip.case.id, "25hz" in shot.clip.path.parent.name))
    assert len(seen) == 24
    first, again = (next(made.batches(0)) for _ in range(2))
    assert torch.equal(first[0], again[0])


def test_the_apex_moves_within_the_event_by_no_more_than_asked(config, collection, monkeypatch):
    moved = job(replace(config, jitter_s=0.05), collection)
    shown, picture = [], apexnet.Shot.picture
    monkeypatch.setattr(apexnet.Shot, "picture", lambda shot: shown.append(shot.frame) or picture(shot))
    for epoch in range(20):
        list(moved.batches(epoch))
    assert set(shown) == {4, 5, 6, 7, 8}  # 0.12 s and up to 0.05 s around it, at 50 Hz


def test_the_cost_is_the_focal_loss_weighed_by_the_training_clips(config, collection):
    uneven = dataclasses.replace(collection, cases=collection.cases[:5])
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
    pictures = [shot.picture() for shot in made.takes[0]]
    wanted = crop_images(pictures, CropImages(48, 32, IMAGENET_MEAN, IMAGENET_STD))
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
    given = SeResNeXt(1000, (1, 1, 1, 1))
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
    images = [shot.picture() for shot in takes(config, collection)[0]] * 3  # more than one chunk
    found = predict(network, config, images)
    assert found.shape == (36, 3)
    assert found.sum(1).numpy() == pytest.approx(1.0, abs=1e-5)
    assert found[33:34].numpy() == pytest.approx(predict(network, config, images[33:34]).numpy(), abs=1e-4)


@pytest.fixture
def crops(monkeypatch):
    """In place of the bundled stream's: noise."""
    rng = np.random.default_rng(1)
    monkeypatch.setattr(apexnet, "golden_crops", lambda _: list(rng.integers(0, 256, (4, 48, 48, 3), dtype=np.uint8)))


def named(config, name, labels):
    """`config` on another data set."""
    return replace(config, data=(replace(config.data[0], name=name, labels=labels),))


def test_a_fitted_network_is_exported_with_the_scores_it_is_given(config, collection, tmp_path, crops, engines):
    target = tmp_path / "engines" / config.name
    config = named(config, "smic", "smic-3")
    with pytest.raises(DataError, match="train first"):
        apexnet.export(config, collection, (), target, "fp32")
    apexnet.fit(config, collection, apexes(config, collection))
    scores = (Score(name="uf1", value=0.5, protocol="toy", counts={"negative": 4}),)
    made = apexnet.export(config, collection, scores, target, "fp32")
    assert check(target, engines).ok
    assert (made.vocabulary, made.representation.size_px, made.scores) == ("smic-3", 32, scores)
    assert made.training.data == ("smic (smic-3)",)


def test_labels_as_they_stand_are_exported_as_the_owners(config, drawn, collected, tmp_path, crops, monkeypatch):
    mine, collection = named(config, "manifest", ""), collected(drawn(labels=("a little tense", "calm")))
    run = apexnet.run_folder(mine, collection)
    run.mkdir(parents=True)
    torch.save(build(mine, 2).state_dict(), run / "weights.pt")
    monkeypatch.setattr(apexnet, "write_package", lambda network, example, outputs, draft, *where, trial: draft)
    draft = apexnet.export(mine, collection, (), tmp_path / "mine", "fp32")
    assert (draft.vocabulary, draft.labels) == ("own", ("a little tense", "calm"))


def test_int8_is_tried_on_the_apex_frames_of_every_camera_to_train_on(config, drawn, collected):
    both = replace(config, rates=replace(config.rates, train_hz=(0.0, 25.0)))
    collection = collected(drawn(), train_hz=(0.0, 25.0))
    taken = [shot for take in takes(both, collection) for shot in take]
    found = apexnet.trial(both, collection, apexes(both, collection))
    assert found.representation == CropImages(48, 32, IMAGENET_MEAN, IMAGENET_STD)
    assert np.array_equal(found.calibration, [shot.picture() for shot in taken[::2]])
    assert np.array_equal(found.test, [shot.picture() for shot in taken[1::2]])
    assert [collection.labels[i] for i in found.truth] == [shot.clip.sample.label for shot in taken[1::2]]


def test_int8_is_exported_with_its_trial_and_more_golden_crops(config, collection, tmp_path, crops, monkeypatch):
    run = apexnet.run_folder(config, collection)
    run.mkdir(parents=True)
    torch.save(build(config, 3).state_dict(), run / "weights.pt")
    monkeypatch.setattr(apexnet, "write_package", lambda *given, trial: (given[3], trial))
    draft, trial = apexnet.export(config, collection, (), tmp_path / "apexnet-int8", "int8", "the trial")
    assert (draft.name, draft.precision, trial) == ("apexnet-int8", "int8", "the trial")
