"""The network of the apex frame: what it is shown in training and after, how classes are balanced, what is served."""

import dataclasses

import msgspec
import numpy as np
import pytest
import torch

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.engine.check import check
from realtime.engine.package.manifest import LOGITS
from realtime.representation.crop_images import IMAGES, CropImages, crop_images
from realtime.representation.movement.motion import grey
from train import registry
from train.methods.method import judge
from train.methods.microattention.config import StillChanges
from train.methods.microattention.distort import changed
from train.methods.microattention.micro_job import MicroJob
from train.methods.microattention.network import MicroAttentionNetwork
from train.networks.preactivation import PreactivationNetwork
from train.registry import METHODS, experiment
from train.sources.source import Split, Vocabulary
from train.training import loop

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
MICRO = METHODS["microattention"]
STILL = StillChanges(probability=0.0, turn_deg=5.0, light=10.0)


def drawn_by(seed):
    return torch.Generator().manual_seed(seed)


def job(config, collection, train_hz=(0.0,)):
    takes = tuple(collection.takes(collection.ids(), train_hz))
    split = Split(Vocabulary("smic-3", collection.labels), takes, [], ())
    [stage] = MICRO.stages(config, split, None, 1)
    made, optimiser = stage()
    assert isinstance(made, MicroJob)
    assert optimiser == config.optimiser
    return made


def test_the_shipped_network_is_the_authors_at_a_smaller_picture():
    shipped = registry.load([ROOT / "configs/methods/microattention.toml", ROOT / "configs/data/casme2-5.toml"]).method
    with torch.device("meta"):
        network, plain = (MICRO.network(replace(shipped, attention=a), 5) for a in (True, False))
    assert network.width == 512
    assert sum(unit.attention is not None for unit in network.units) == 4
    assert not any(unit.attention for unit in plain.units)
    assert (shipped.optimiser.rate, shipped.optimiser.weight_decay, shipped.optimiser.batch) == (0.01, 5e-6, 16)
    assert shipped.epochs * (5 * 99 // 16) == pytest.approx(2500, rel=0.05)  # steps on CASME II, others 99 times


def test_of_a_crops_colours_the_brightness_alone_is_seen():
    torch.manual_seed(1)
    network, x = MicroAttentionNetwork(3, attention=True, width=8).eval(), torch.rand(2, 3, 32, 32)
    luma = (0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2])[:, None]
    with torch.no_grad():
        torch.testing.assert_close(network(x)[1], PreactivationNetwork.forward(network, luma.expand(-1, 3, -1, -1))[1])
        feature = PreactivationNetwork.embed(network, luma)
    torch.testing.assert_close(network(x)[0], feature)


def test_an_epoch_shows_each_class_as_often_as_the_largest(config, drawn, collected):
    made = job(config, collected(drawn(people=5, per_person=2)))  # 4, 3 and 3 of the classes
    labels = torch.cat([labels for _, labels in made.batches(0)])
    assert torch.bincount(labels).tolist() == [4, 4, 4]
    assert made.steps == 3


def test_training_sees_the_apex_in_grey_as_serving_does_or_its_mirror(config, collection):
    made = job(replace(config, augment=STILL, size_px=48), collection)
    clips = collection.of(collection.ids(), 0.0)
    wanted = MICRO.inputs(replace(config, size_px=48), clips, "final")[IMAGES]
    luma = (wanted * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    for images, labels in made.batches(0):
        assert torch.equal(images[:, 0], images[:, 1])
        for image, label in zip(images[:, :1], labels, strict=True):
            apart = torch.minimum((luma - image).abs().amax((1, 2, 3)), (luma.flip(-1) - image).abs().amax((1, 2, 3)))
            assert float(apart.min()) < 0.51 / 255 + 1e-4  # grey levels are whole numbers in training
            assert clips[int(apart.argmin())].sample.label == collection.labels[label]


def test_it_is_judged_by_the_frame_of_the_apex(config, collection):
    (clip, *_) = collection.of(collection.ids(), 0.0)
    made = MICRO.representation(config)
    assert made == CropImages(realtime_config.load().align.size_px, 32, (0.0,) * 3, (1.0,) * 3)
    found = MICRO.inputs(config, [clip], "final")[IMAGES]
    assert np.array_equal(found, crop_images([clip.crops()[6]], made))  # 0.12 s at 50 Hz
    assert MICRO.inputs(config, [], "final")[IMAGES].shape == (0, 3, 32, 32)


def test_the_apex_moves_in_training_alone(config, collection):
    clips = collection.of(collection.ids(), 0.0)[:1]
    moving = replace(config, augment=STILL, size_px=48, jitter_s=0.04)
    made, own = job(moving, collection), [torch.from_numpy(grey(crop)) / 255 for crop in clips[0].crops()]
    seen = {
        int(torch.stack([(made._picture(clips[0], drawn_by(seed))[0] - frame).abs().amax() for frame in own]).argmin())
        for seed in range(40)
    }
    assert seen == {4, 5, 6, 7, 8}  # two frames of 20 ms to either side
    still, judged = (MICRO.inputs(each, clips, "final")[IMAGES] for each in (replace(moving, jitter_s=0.0), moving))
    assert torch.equal(still, judged)


def test_each_change_falls_on_its_share_of_the_pictures():
    x = torch.rand(400, 1, 16, 16, generator=drawn_by(2)) * 0.5 + 0.25
    x = (x + x.flip(-1)) / 2  # mirrored alike
    lit = changed(x, StillChanges(probability=0.5, turn_deg=0.0, light=10.0), drawn_by(3))[:, :1] - x
    shift = lit.mean((1, 2, 3))
    assert lit.sub(shift.view(-1, 1, 1, 1)).abs().max() < 1e-5
    assert float(shift.abs().max()) <= 10 / 255 + 1e-6
    assert 0.4 < float((shift.abs() > 1e-6).float().mean()) < 0.6
    turned = changed(x, StillChanges(probability=0.5, turn_deg=5.0, light=0.0), drawn_by(4))[:, :1]
    assert 0.4 < float(((turned - x).abs().amax((1, 2, 3)) > 1e-3).float().mean()) < 0.6


def test_each_epoch_shows_each_clip_through_one_of_the_cameras(config, drawn, collected):
    made = job(config, collected(drawn(people=3, per_person=2), train_hz=(0.0, 25.0)), train_hz=(0.0, 25.0))
    found = set()
    made._picture = lambda clip, generator: found.add(clip.path) or torch.zeros(1, 32, 32)
    for epoch in range(12):
        list(made.batches(epoch))
    assert len(found) == 12
    assert found == {clip.path for take in made.split.train for clip in take}


def test_apex_frames_are_told_apart_after_a_few_epochs(config, written, tmp_path):
    """Of people whom it has seen: one side of the face is brighter, or its middle."""
    collection = written(("negative", "positive"))
    quick = replace(config, augment=STILL, epochs=60, optimiser=replace(config.optimiser, batch=6, rate=0.1))
    made, clips = job(quick, collection), collection.of(collection.ids(), 0.0)
    network = loop.fit(made, quick.optimiser, tmp_path / "run", quick.machine).eval()
    said = judge(MICRO, network, MICRO.inputs(quick, clips, "final")).argmax(1)
    right = [collection.labels[row] == clip.sample.label for row, clip in zip(said, clips, strict=True)]
    assert sum(right) >= 5  # of six; the last bits of a processor may decide one


def test_macro_expressions_come_first_and_their_weights_are_begun_with(taught, collection):
    split = Split(Vocabulary("smic-3", collection.labels), (collection.of(collection.ids(), 0.0),), [], ())
    first, second = MICRO.stages(taught, split, None, 5)
    first.solve()
    made, _ = second()
    assert torch.equal(made.network.conv1.weight, first.network.conv1.weight)
    assert made.network.fc.out_features == 3
    [alone] = MICRO.stages(replace(taught, macro=()), split, None, 5)
    assert not torch.equal(alone()[0].network.conv1.weight, first.network.conv1.weight)


def test_it_trains_twice_and_its_package_answers_as_torch(
    recipe, taught, collection, gathered, golden_of, engines, tmp_path
):
    golden_of(list(np.random.default_rng(1).integers(0, 256, (60, 48, 48, 3), dtype=np.uint8)))
    gathered(collection)
    asked, target = experiment(dataclasses.replace(recipe, method=taught)), tmp_path / "engines" / recipe.name
    run = asked.fit()
    assert list((tmp_path / "cache").glob("macro-*/last.pt"))
    assert (run / "stage-1").is_dir()
    made = asked.export(target, "fp32", ())
    assert check(target, engines).ok
    assert (made.name, made.task, made.labels) == ("microattention-smic-3", "micro-expression", collection.labels)
    golden = np.load(target / "golden.npz")
    with torch.no_grad():
        logits = asked.restored()(torch.from_numpy(golden["in_images"]).float())[MICRO.outputs.index(LOGITS)]
    assert golden["out_logits"] == pytest.approx(logits.numpy(), rel=1e-2, abs=1e-3)
