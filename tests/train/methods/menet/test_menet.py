"""MENet beside IDNet: what each learns from, whose weights move when, that nobody tested is known, what is served."""

import dataclasses

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from realtime import config as realtime_config
from realtime.engine.check import check
from realtime.engine.package.manifest import LOGITS
from realtime.errors import ConfigError
from realtime.representation.clip_images import CLIPS, ClipImages
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from train.config.sections import Machine
from train.methods.experiment import train
from train.methods.menet import job as jobs
from train.methods.menet import shown as shows
from train.methods.menet.divergence import divergence
from train.methods.menet.job import IdentityJob, MotionAloneJob, TogetherJob
from train.methods.menet.network import Identification, IDNet
from train.methods.method import judge
from train.registry import METHODS, experiment
from train.sources.source import Split, Vocabulary
from train.training import loop

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
MENET = METHODS["menet"]
CPU = Machine(accelerator="cpu", devices=1)


class Untouchable:
    """People who are tested: whoever looks at one fails."""

    def __getattribute__(self, name):
        pytest.fail(f"somebody who is tested was asked for {name}")

    def __len__(self):
        return 0

    def __iter__(self):
        pytest.fail("somebody who is tested was looked at")


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(a, b):
    return all(map(torch.equal, a.values(), b.values()))


def test_identity_comes_first_then_motion_then_both(stages, config):
    (identity, first), (motion, second), together = stages
    assert (type(identity), type(motion)) == (IdentityJob, MotionAloneJob)
    assert first == second == config.optimiser
    job, turns = together()
    assert isinstance(job, TogetherJob)
    assert [(turn.weights, turn.times) for turn in turns] == [(job.menet, 1), (job.estimator, 5)]
    assert (job.menet, job.idnet) == (motion.network, identity.network.idnet)  # what was learned goes on


def test_identity_is_of_the_people_who_are_trained_on_and_of_no_test_person(config, split, tmp_path):
    """Whoever calibrates or is tested is not even looked at by the first training, and no other knows a name."""
    hidden = Split(split.vocabulary, split.train, Untouchable(), (Untouchable(),))
    (identity, optimiser), _, _ = MENET.stages(config, hidden, None, 1)
    assert identity.people == ["toy/p0", "toy/p1", "toy/p2"]
    assert identity.network.fc.out_features == 3
    loop.fit(identity, optimiser, tmp_path, CPU)
    batch = next(identity.batches(0))
    assert set(batch[1].tolist()) <= {0, 1, 2}


def test_the_weights_do_not_depend_on_who_is_tested(config, split, collection, tmp_path):
    """The same people trained on, with other names and faces on the side of the test: the same bits."""
    mine = collection.of(collection.ids()[:4], 0.0)
    other = collection.of(collection.ids()[4:], 0.0)
    renamed = [dataclasses.replace(clip, case=dataclasses.replace(clip.case, subject="toy/99")) for clip in mine]
    found = []
    for name, tested in (("a", other), ("b", renamed)):
        side = Split(split.vocabulary, (mine,), [], (tested,))
        found.append(weights(train(MENET, config, None, side, 3, tmp_path / name)))
    assert same(*found)


def test_motion_costs_cross_entropy_and_the_weighted_overlap_of_its_maps(stages, config):
    (_, _), (motion, _), _ = stages
    motion.network.eval()
    clips, labels = next(motion.batches(0))
    _, logits, maps = motion.menet.attend(clips)
    wanted = F.cross_entropy(logits, labels) + 0.1 * divergence(maps)
    assert maps.shape[1] == config.maps == 3
    assert motion.loss((clips, labels)).item() == pytest.approx(wanted.item(), rel=1e-6)


@pytest.mark.parametrize(("told", "counted"), [(-3.0, 0.0), (2.0, 0.2), (9.0, 0.5)])
def test_what_is_told_of_identity_counts_between_nothing_and_five_nats(stages, monkeypatch, told, counted):
    job, _ = stages[-1]()
    job.network.eval()
    batch = next(job.batches(0))
    monkeypatch.setattr(type(job.estimator), "estimate", lambda *_: torch.tensor(told))
    assert job.loss(batch).item() - MotionAloneJob.loss(job, batch).item() == pytest.approx(counted, abs=1e-5)


def test_the_estimator_sees_the_features_of_the_batch_and_moves_none_of_them(stages):
    job, _ = stages[-1]()
    job.network.train()
    clips, labels = next(job.batches(0))
    job.loss((clips, labels)).backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in job.menet.parameters())
    job.network.zero_grad()
    job.estimator_loss((clips, labels)).backward()
    assert all(p.grad is None or not p.grad.any() for p in job.menet.parameters())
    assert all(p.grad is None for p in job.idnet.parameters())
    assert any(bool(p.grad.any()) for p in job.estimator.statistics.parameters())


def test_the_last_training_leaves_idnet_as_it_was_and_moves_the_others(stages, tmp_path):
    job, turns = stages[-1]()
    before = {name: weights(part) for name, part in job.network.named_children()}
    loop.fit(job, turns, tmp_path, CPU)
    after = {name: weights(part) for name, part in job.network.named_children()}
    assert same(before["idnet"], after["idnet"])  # its running statistics too
    assert not same(before["menet"], after["menet"])
    assert not same(before["estimator"], after["estimator"])
    assert int(after["estimator"]["batches"]) == 5 * job.steps


def test_features_that_are_a_name_are_made_to_tell_less_of_it(config, split):
    """The gradient of the estimate runs into MENet, and a step along it lowers the estimate."""
    torch.manual_seed(4)
    estimator = MENET.network(config, 3).estimator
    motion = torch.randn(16, 256).requires_grad_()
    identity = motion.detach().clone()
    optimiser = torch.optim.Adam(estimator.parameters(), 1e-3)
    for _ in range(60):
        optimiser.zero_grad()
        estimator.cost(motion.detach(), identity).backward()
        optimiser.step()
    told = estimator.estimate(motion, identity)
    (gradient,) = torch.autograd.grad(told, motion)
    with torch.no_grad():
        less = estimator.estimate(motion - 5.0 * gradient, identity)
    assert float(told) > 1.0
    assert float(less) < float(told) - 0.1


def test_idnet_sees_the_onset_alone(config, collection, monkeypatch):
    monkeypatch.setattr(shows, "resized_crop", lambda x, *given: x)
    clips = collection.of(collection.ids(), 0.0)
    made = MENET.representation(config)
    found = torch.cat([x for x, _ in shows.ShownClips(config, made, (clips,), 1).onsets(0)])
    wanted = torch.from_numpy(crop_images([clip.crops()[2] for clip in clips], made.picture))  # 0.04 s at 50 Hz
    apart = (found[:, None] - wanted).abs().amax((2, 3, 4))
    assert apart.min(1).values.max() == 0.0
    assert len(set(apart.argmin(1).tolist())) == len(found) == 4


def test_clips_are_shown_in_training_as_they_are_served_but_for_the_part_of_the_face(config, split, monkeypatch):
    monkeypatch.setattr(shows, "resized_crop", lambda x, *given: x)
    (clips,) = split.train
    made = MENET.representation(config)
    assert made == ClipImages(4, CropImages(realtime_config.load().align.size_px, 32, IMAGENET_MEAN, IMAGENET_STD))
    served = MENET.inputs(config, clips, "final")[CLIPS]
    wanted = crop_images([clips[0].crops()[i] for i in (2, 5, 7, 10)], made.picture)  # from 0.04 to 0.2 s
    assert np.array_equal(served[0].transpose(0, 1), wanted)
    job = MotionAloneJob(MENET, config, None, shows.ShownClips(config, made, split.train, 1), split)
    for x, labels in job.batches(0):
        apart = (x[:, None] - served).abs().amax((2, 3, 4, 5))
        assert apart.min(1).values.max() == 0.0
        assert [clips[row].sample.label for row in apart.argmin(1)] == [split.vocabulary.labels[k] for k in labels]
    assert MENET.inputs(config, [], "final")[CLIPS].shape == (0, 3, 4, 32, 32)


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(stages):
    (_, _), (motion, _), _ = stages
    first, again, other = (list(motion.batches(epoch)) for epoch in (0, 0, 1))
    assert len(first) == motion.steps == 1
    assert torch.equal(first[0][0], again[0][0])
    assert not torch.equal(first[0][0], other[0][0])


def test_onset_and_offset_move_in_training_alone(config, split, monkeypatch):
    lengths = set()
    show = shows.clip_of
    monkeypatch.setattr(shows, "clip_of", lambda clip, made: lengths.add(len(clip.event())) or show(clip, made))
    moving = replace(config, jitter_s=0.04)
    made = shows.ShownClips(moving, MENET.representation(moving), split.train, 1)
    for epoch in range(8):
        list(made.clips(epoch))
    assert lengths <= set(range(5, 14))
    assert len(lengths) > 3
    still, moved = (MENET.inputs(each, split.train[0], "final")[CLIPS] for each in (config, moving))
    assert torch.equal(still, moved)


def test_a_network_of_identity_learns_who_is_who():
    torch.manual_seed(5)
    network, people = Identification(IDNet(4), 3), torch.arange(12) % 3
    faces = torch.randn(3, 3, 32, 32)[people] + 0.3 * torch.randn(12, 3, 32, 32)
    optimiser = torch.optim.Adam(network.parameters(), 0.003)
    for _ in range(30):
        optimiser.zero_grad()
        F.cross_entropy(network(faces), people).backward()
        optimiser.step()
    assert torch.equal(network(faces).argmax(1), people)


def test_clips_are_told_apart_after_a_few_epochs(config, written, tmp_path):
    """Of people whom it has seen: one side of the face grows brighter, or its middle."""
    collection = written(("negative", "positive"))
    clips = collection.of(collection.ids(), 0.0)
    split = Split(Vocabulary("mine", collection.labels), (clips,), [], ())
    before = replace(config.before, motion=60)
    steps = replace(config.optimiser, batch=6, rate=0.02, average=0.0)
    quick = replace(config, before=before, area=(1.0, 1.0), optimiser=steps)
    _, (motion, optimiser), _ = MENET.stages(quick, split, None, 1)
    network = loop.fit(motion, optimiser, tmp_path, CPU).eval()
    said = judge(MENET, network, MENET.inputs(quick, clips, "final")).argmax(1)
    right = [collection.labels[row] == clip.sample.label for row, clip in zip(said, clips, strict=True)]
    assert sum(right) >= 5  # of six; the last bits of a processor may decide one


def test_several_devices_are_refused_before_anything_is_trained(config, split):
    both = replace(config, machine=replace(config.machine, devices=2))
    with pytest.raises(ConfigError, match="take turns on one device, not 2"):
        MENET.stages(both, split, None, 1)


def test_a_package_holds_menet_alone_and_answers_as_torch(recipe, collection, gathered, golden_of, engines, tmp_path):
    golden_of(list(np.random.default_rng(1).integers(0, 256, (9, 48, 48, 3), dtype=np.uint8)))
    gathered(collection)
    asked, target = experiment(recipe), tmp_path / "engines" / recipe.name
    run = asked.fit()
    assert [(run / name).is_dir() for name in ("stage-1", "stage-2")] == [True, True]
    made = asked.export(target, "fp32", ())
    assert check(target, engines).ok
    assert (made.name, made.task, made.labels) == ("menet-smic-3", "micro-expression", collection.labels)
    network, golden = asked.restored(), np.load(target / "golden.npz")
    with torch.no_grad():
        found = network(torch.from_numpy(golden["in_clips"]).float())[MENET.outputs.index(LOGITS)]
    assert golden["out_logits"] == pytest.approx(found.numpy(), rel=1e-2, abs=1e-3)
    small = sum(p.numel() for p in network.menet.parameters())
    assert (target / "model.onnx").stat().st_size < 2 * small + 100_000  # float16, and nobody's identity
    assert jobs.accuracy(MENET, asked.config, network, asked.split) == {}


def test_the_last_layer_that_is_calibrated_is_menets(config):
    network = MENET.network(config, 3)
    assert MENET.classifier(network) is network.menet.fc
