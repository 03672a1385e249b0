"""The engine of the apex on synthetic clips: what it is shown, that it learns, and the way from clips to a package."""

import dataclasses

import cv2
import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT
from realtime.engine.check import check
from realtime.errors import DataError
from realtime.labels import MEGC3, NONE
from realtime.representation.apex_change import ApexChange
from realtime.representation.crop_images import CropImages, crop_images
from realtime.representation.event import EventFrames
from train import commands
from train.clips.subject_split import LABELS
from train.config.old import load
from train.datasets.annotation.sample import Sample
from train.methods.apexnet import synthetic as apexnet_synthetic
from train.methods.apexnet.apexnet import ApexnetJob, build, inputs, predict, representation, varied
from train.methods.apexnet.config import PairAugment
from train.methods.apexnet.pairs import Filmed
from train.methods.apexnet.se_resnext import SeResNeXt
from train.methods.apexnet.synthetic import resting, split

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
SPOTS = {"negative": (-40, 10, 10), "positive": (40, 10, 10), "surprise": (40, 3, 40), NONE: (0, 1, 1)}  #: and sizes
STILL = PairAugment(turn_deg=0, scale=0, shift=0, slip=0, light=0, tint=0, noise=0, rising=0)


def clip(label, person, number):
    """A second of a smooth face of 48 px at 20 Hz, of which a spot changes from 0.4 to 0.6 s and back."""
    knots = np.random.default_rng(person).uniform(80, 160, (6, 6, 3)).astype(np.float32)
    face, times = cv2.resize(knots, (48, 48), interpolation=cv2.INTER_CUBIC), np.arange(20) / 20
    change, height, width = SPOTS[label]
    spot = np.zeros((48, 48, 1))
    spot[20 : 20 + height, 4 : 4 + width] = change
    level = np.interp(times, [0.4, 0.6, 0.75], [0, 1, 0])[:, None, None, None]
    images = np.clip(face + level * spot, 0, 255).astype(np.uint8)
    return Filmed(
        Sample(f"{person}-{number}", f"p{person}", label, 0.4, 0.6, 0.75), times, images, f"{person}-{number}"
    )


@pytest.fixture(scope="module")
def clips():
    return [clip(label, person, number) for person in range(14) for number, label in enumerate((*MEGC3, NONE))]


@pytest.fixture
def config(tmp_path):
    given = load(ROOT / "configs/train/apexnet.toml", ["rest=0.2"])
    files = {"cache": str(tmp_path / "cache"), "runs": str(tmp_path / "runs")}
    slim = {"size_px": 48, "blocks": (1, 1, 1, 1), "groups": 2, "precision": "f32", "dropout": 0.0}
    return replace(given, **files, **slim, epochs=1, optimiser=replace(given.optimiser, batch=16))


@pytest.fixture(params=["apex", "change"])
def either(config, request):
    return replace(config, shows=request.param)


def test_the_shipped_network_is_slim_and_the_papers_is_possible():
    with torch.device("meta"):
        shipped = build(load(ROOT / "configs/train/apexnet.toml"))
        paper = build(load(ROOT / "configs/train/apexnet.toml", ["blocks=[3,4,6,3]", "groups=32"]))
    assert sum(p.numel() for p in shipped.parameters()) < 4e6  # two bytes each in the package
    assert sum(p.numel() for p in paper.parameters()) > 25e6


def test_what_serving_feeds_it_is_of_the_representation(config, clips):
    [one] = clips[:1]
    inside = (one.times >= 0.4) & (one.times <= 0.75)
    both = inputs(replace(config, shows="change"), [one])
    event = EventFrames(one.times[inside], images=one.images[inside])
    assert np.array_equal(both, ApexChange(128, 48, 0.02, 40.0).of_event(event, 0.6)["images"])
    alone = replace(config, shows="apex")
    assert isinstance(representation(alone), CropImages)
    assert np.array_equal(inputs(alone, [one]), crop_images([one.images[12]], representation(alone)))


def test_without_augmentation_training_sees_what_serving_sees_or_its_mirror(either, clips):
    grey = [
        dataclasses.replace(one, images=one.images[..., :1].repeat(3, 3)) for one in clips if one.sample.label != NONE
    ]
    job = ApexnetJob(replace(either, augment=STILL, jitter_s=0.0, rest=0.0), grey, [])
    wanted = inputs(job.config, grey)
    for images, labels in job.batches(0):
        for image, label in zip(images, labels, strict=True):
            apart = torch.minimum(
                (wanted - image).abs().amax((1, 2, 3)), (wanted.flip(-1) - image).abs().amax((1, 2, 3))
            )
            assert float(apart.min()) < 0.05
            assert grey[int(apart.argmin())].sample.label == LABELS[label]


def test_a_batch_holds_faces_at_rest_as_none(config, clips):
    job = ApexnetJob(replace(config, rest=0.25, augment=STILL, jitter_s=0.0), clips, clips)
    images, labels = next(job.batches(0))
    assert images.shape == (16, 3, 48, 48)
    assert labels[12:].tolist() == [LABELS.index(NONE)] * 4
    assert job.steps == 4
    moving = images[:12][labels[:12] != LABELS.index(NONE), 2].abs().amax((1, 2))
    assert float(images[12:, 2].abs().amax((1, 2)).max()) < 0.5 < float(moving.median())
    assert float(job.alpha[3]) < float(job.alpha[0])


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(either, clips):
    job = ApexnetJob(either, clips, clips)
    first, again, other = (next(job.batches(epoch)) for epoch in (0, 0, 1))
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])


def test_one_kind_of_light_falls_on_onset_and_apex(config, clips):
    change = replace(config, shows="change", augment=replace(STILL, light=0.5))
    same = torch.rand(4, 1, 48, 48).repeat(1, 2, 1, 1)
    found = varied(same, change, representation(change), torch.Generator().manual_seed(1))
    assert float(found[:, 2].abs().max()) < 1e-3
    assert float((found[:, 0] - (4 * same[:, 0] - 2)).abs().max()) > 0.2


def test_rest_is_seen_before_and_after_each_event(config, clips):
    found = resting(config, clips[:4])
    assert found.shape == (8, 3, 48, 48)
    assert float(found[:, 2].abs().max()) < 0.5


def test_it_learns_what_changes_where_on_whom_it_never_saw_and_what_is_none(config, clips):
    steps = replace(config.optimiser, batch=8, average=0.0)
    quick = replace(config, epochs=12, groups=4, augment=STILL, jitter_s=0.0, optimiser=steps)
    parts = split(quick, clips)
    folder = apexnet_synthetic.fit(quick, parts)
    scores = {score["name"]: score["value"] for score in msgspec.json.decode((folder / "scores.json").read_bytes())}
    assert scores["final_uf1"] > 0.7  # a third is chance; of so few events the last bits of a processor decide one
    assert scores["kept"] > 0.8
    assert scores["rejected_rest"] > 0.8
    network = apexnet_synthetic.restored(quick, parts)
    assert predict(network, inputs(quick, parts.test)).shape == (len(parts.test), len(LABELS))


def test_a_run_becomes_a_package_that_answers_as_torch_does(config, clips, tmp_path, monkeypatch, engines):
    crops = list(np.random.default_rng(1).integers(0, 256, (20, 48, 48, 3), dtype=np.uint8))
    monkeypatch.setattr("train.packaging.golden.sample_crops", lambda count: crops[:count])
    parts, target = split(config, clips), tmp_path / "engines" / "apexnet"
    with pytest.raises(DataError, match="train first"):
        apexnet_synthetic.export(config, parts, target, "fp32")
    apexnet_synthetic.fit(config, parts)
    made = apexnet_synthetic.export(config, parts, target, "fp32")
    assert check(target, engines).ok
    assert (made.labels, made.vocabulary) == (LABELS, "megc-3-none")
    assert made.representation == representation(config)
    assert {score.name for score in made.scores} >= {"final_uf1", "kept", "rejected_rest", "rejected_none"}


def test_without_rest_there_is_no_class_none(config, clips, tmp_path, monkeypatch, engines):
    crops = list(np.random.default_rng(1).integers(0, 256, (20, 48, 48, 3), dtype=np.uint8))
    monkeypatch.setattr("train.packaging.golden.sample_crops", lambda count: crops[:count])
    alone = replace(config, rest=0.0)
    parts = split(alone, clips)
    assert {one.sample.label for one in (*parts.train, *parts.calibration, *parts.test)} == set(MEGC3)
    apexnet_synthetic.fit(alone, parts)
    made = apexnet_synthetic.export(alone, parts, tmp_path / "engines" / "apexnet", "fp32")
    assert check(tmp_path / "engines" / "apexnet", engines).ok
    assert (made.labels, made.vocabulary) == (MEGC3, "megc-3")
    assert {score.name.partition("_")[0] for score in made.scores} == {"final"}


def test_weights_of_other_classes_may_be_the_beginning(config, tmp_path):
    taught = SeResNeXt(7, (1, 1, 1, 1), 0.0, 2)
    torch.save(taught.state_dict(), tmp_path / "weights.pt")
    begun = build(replace(config, initial=str(tmp_path / "weights.pt")))
    assert torch.equal(begun.conv1.weight, taught.conv1.weight)
    assert begun.fc.out_features == len(LABELS)


def test_the_commands_go_from_synthetic_film_to_a_run_and_go_on_with_it(config, drawn, monkeypatch, tmp_path):
    monkeypatch.setattr("train.commands.Synthetic", lambda clips: drawn("synthetic", people=5, frames=18))
    assert commands.prepare(config, 1) == tmp_path / "cache"
    folder = commands.fit(config)
    assert {path.name for path in folder.iterdir()} >= {"weights.pt", "config.json", "scores.json", "curve.csv"}
    before = (folder / "weights.pt").read_bytes()
    assert commands.fit(config) == folder
    assert (folder / "weights.pt").read_bytes() == before
    assert commands.fit(replace(config, seed=2)) != folder
