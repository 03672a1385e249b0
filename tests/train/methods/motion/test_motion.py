"""The motion engine: what it is shown, that it learns, and the way from clips to a package."""

import dataclasses

import msgspec
import numpy as np
import pytest
import torch

from realtime.labels import MEGC3, NONE
from realtime.representation.contract.event import EventFrames
from realtime.representation.flow_fields import FIELDS
from realtime.representation.movement.fields import FIELD_PX
from train.clips.movement.exact import Movements
from train.clips.movement.fields import MovingClip, moving
from train.clips.movement.sequences import bent, cut, rests
from train.config.clips import SyntheticSettings
from train.config.marked import MarkedSettings
from train.config.recipe import Recipe
from train.config.sections import Early
from train.datasets.annotation.sample import Sample
from train.methods.experiment import Experiment
from train.methods.motion import method
from train.methods.motion.config import MotionAugment
from train.methods.motion.job import Mixed, MotionJob
from train.methods.motion.network import MotionNet
from train.registry import METHODS
from train.sources.source import Split, Vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
MOTION, LABELS = METHODS["motion"], (*MEGC3, NONE)
PLACES = {"negative": (0.5, 0.3), "positive": (0.3, 0.75), "surprise": (0.25, 0.25)}
STILL = MotionAugment(turn_deg=0, scale=0, shift=0, gain=0, drift=0, noise=0, stretch=0, late=0)
WHOLE = Early(share=0.0, after_s=(0.0, 0.0))


def shape(label, rng):
    """A field (2, S, S) in which the place of a class moves in its direction."""
    x, y = PLACES[label]
    axis = (np.arange(FIELD_PX) + 0.5) / FIELD_PX
    x, y = rng.normal((x, y), 0.02)
    near = np.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / (2 * 0.06**2))
    near = near + near[:, ::-1]
    down = {"negative": 1.0, "positive": -1.0, "surprise": -1.0}[label]
    return np.stack([0 * near, down * near])


def clip(label, person, seed, rate_hz=60.0):
    """A second of fields: rest, a movement of its own strength from 0.4 to 0.7 s, rest; noise throughout."""
    rng = np.random.default_rng((person, seed))
    times = np.arange(0.0, 1.0, 1 / rate_hz)
    amount = rng.uniform(0.005, 0.05) * np.interp(times, [0.4, 0.55, 0.7], [0, 1, 0])
    noise = rng.normal(0, 0.001, (len(times), 2, FIELD_PX, FIELD_PX))
    moved = amount[:, None, None, None] * (shape(label, rng) if label != NONE else rng.normal(0, 0.3, noise.shape[1:]))
    sample = Sample(f"{person}-{seed}", f"p{person}", label, 0.4, 0.55, 0.7)
    return MovingClip(sample, times, (moved + noise).astype(np.float16))


@pytest.fixture(scope="module")
def clips():
    return [clip(label, person, seed) for person in range(10) for seed, label in enumerate((*MEGC3, NONE))]


@pytest.fixture
def config(recipe_of):
    given = recipe_of("motion").method
    optimiser = replace(given.optimiser, batch=16, average=0.9)
    return replace(given, epochs=12, optimiser=optimiser, exact=replace(given.exact, share=0.0))


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """Clips that are fields already."""
    monkeypatch.setattr(method, "moving", lambda clips, workers=None: clips)


def job_of(config, clips, mixed=Mixed(), seed=1):  # noqa: B008 - it is frozen
    split = Split(Vocabulary("megc-3-none", LABELS), (clips,), [], ())
    torch.manual_seed(seed)
    network, made = MOTION.network(config, len(LABELS)), MOTION.representation(config)
    return MotionJob(MOTION, config, network, made, split, mixed, seed)


def experiment(config, source):
    nobody = MarkedSettings(clips="", without=(), speeds=(), strengths=())
    return Experiment(MOTION, Recipe(config, SyntheticSettings(set="", marked=nobody, clips=None)), source)


def test_it_is_small_and_takes_any_number_of_moments():
    network = MotionNet(4).eval()
    assert 1e5 < sum(p.numel() for p in network.parameters()) < 5e5
    for frames in (1, 8, 12):
        logits, vector = network(torch.zeros(2, frames, 3, 28, 28))
        assert (logits.shape, vector.shape) == ((2, 4), (2, MotionNet.hidden))


def test_the_order_of_the_moments_counts():
    torch.manual_seed(1)
    network, x = MotionNet(4).eval(), torch.randn(2, 8, 3, 28, 28)
    assert not torch.allclose(network(x)[0], network(x.flip(1))[0], atol=1e-4)


def test_without_augmentation_training_sees_what_serving_sees_or_its_mirror(config, clips):
    still = replace(config, augment=STILL, early=WHOLE, jitter_s=0.0)
    job = job_of(still, clips)
    wanted = MOTION.inputs(still, clips, "final")[FIELDS]
    mirrored = wanted.flip(-1) * torch.tensor([-1.0, 1.0, 1.0]).view(3, 1, 1)
    batches = list(job.batches(0))
    assert sum(len(labels) for _, labels in batches) == 32
    for fields, labels in batches:
        for field, label in zip(fields, labels, strict=True):
            apart = torch.minimum(
                (wanted - field).abs().amax((1, 2, 3, 4)), (mirrored - field).abs().amax((1, 2, 3, 4))
            )
            assert float(apart.min()) < 2e-3
            assert clips[int(apart.argmin())].sample.label == LABELS[label]


def test_serving_and_testing_make_equal_arrays(config, clips):
    [one] = clips[:1]
    inside = (one.times >= 0.4) & (one.times <= 0.7)
    seen = EventFrames(one.times[inside], fields=one.fields[inside])
    wanted = MOTION.representation(config).of_event(seen, 0.55)[FIELDS]
    assert np.array_equal(MOTION.inputs(config, [one], "final")[FIELDS].numpy(), wanted)
    early = MOTION.inputs(config, [one], "early")[FIELDS]
    assert early.shape == (1, 8, 3, 28, 28)
    assert float((early - torch.from_numpy(wanted)).abs().max()) < 0.5  # the way back is not looked at


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(config, clips):
    job = job_of(config, clips, Mixed(3, 0.25))
    first, again, other = (next(job.batches(epoch)) for epoch in (0, 0, 1))
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])


def test_a_batch_mixes_events_faces_at_rest_and_exact_movements_as_asked(config, clips):
    rng = np.random.default_rng(1)
    fields = np.stack([shape(label, rng) for label in MEGC3 * 4])
    known = Movements(fields.astype(np.float16), np.array(MEGC3 * 4), np.array(["q"] * 12))
    job = job_of(config, clips, Mixed(3, 0.25, known, 0.5))
    assert (job.counts.events, job.counts.rest, job.counts.exact) == (4, 4, 8)
    x, labels = next(job.batches(0))
    assert x.shape == (16, 8, 3, 28, 28)
    assert torch.isfinite(x).all()
    assert labels[4:8].tolist() == [3] * 4
    assert set(labels[8:].tolist()) <= {0, 1, 2}


def test_a_cut_begins_near_the_onset_and_ends_with_the_event_or_soon_after_the_apex(clips):
    one, generator = clips[0], torch.Generator().manual_seed(1)
    times, fields, apex = cut(one, 0.0, WHOLE, generator)
    assert (times[0], apex) == pytest.approx((0.4, 0.55))
    assert times[-1] == pytest.approx(0.7, abs=0.02)
    assert len(times) == len(fields)
    found = [cut(one, 0.03, Early(share=0.5, after_s=(0.0, 0.05)), generator) for _ in range(60)]
    assert min(times[0] for times, *_ in found) < 0.39 < 0.41 < max(times[0] for times, *_ in found)
    assert all(0.52 <= apex <= 0.58 for *_, apex in found)
    assert 10 < sum(times[-1] < 0.64 for times, *_ in found) < 50


def test_time_bends_between_the_onset_and_the_apex_that_stay(clips):
    wanted = np.linspace(0.1, 0.8, 8)
    for seed in range(5):
        found = bent(wanted, 0.0, 0.5, torch.Generator().manual_seed(seed))
        assert found[-1] == pytest.approx(0.8)
        assert (np.diff(found) > 0).all()
        assert found[0] > 0
    assert np.array_equal(bent(wanted, 0.8, 0.5, torch.Generator()), wanted)


def test_rest_lies_before_and_after_the_event_where_there_is_enough_of_it(clips):
    before, after = rests(clips[0])
    assert clips[0].times[before][-1] < 0.4 < 0.7 < clips[0].times[after][0]
    short = dataclasses.replace(clips[0], times=clips[0].times[22:45], fields=clips[0].fields[22:45])
    assert rests(short) == []


def test_it_learns_what_moves_where_on_whom_it_never_saw_and_what_is_none(config, clips, given_clips):
    rng = np.random.default_rng(1)
    fields = np.stack([shape(label, rng) for label in MEGC3 * 4]).astype(np.float16)
    known = Movements(fields, np.array(MEGC3 * 4), np.array(["q"] * 12))
    mixed = replace(config, exact=replace(config.exact, share=0.2))
    asked = experiment(mixed, given_clips(clips, LABELS, known))
    asked.fit()
    scores = {score.name: score.value for score in asked.scores()}
    assert scores["final_uf1"] > 0.9
    assert scores["early_uf1"] > 0.9
    assert scores["kept"] > 0.8
    assert scores["rejected_rest"] > 0.8


def test_recorded_people_may_begin_with_what_synthetic_ones_taught(config, tmp_path):
    taught = MotionNet(len(LABELS))
    torch.save(taught.state_dict(), tmp_path / "weights.pt")
    begun = MOTION.network(replace(config, initial=str(tmp_path / "weights.pt")), 3)
    assert torch.equal(begun.lstm.weight_hh_l0, taught.lstm.weight_hh_l0)
    assert begun.fc.out_features == 3


def test_where_none_is_no_class_no_face_at_rest_is_shown(config, clips, given_clips):
    known = [clip for clip in clips if clip.sample.label != NONE]
    source = given_clips(known, MEGC3, name="megc-3")
    [(job, _)] = MOTION.stages(config, source.split(source.whole()), source, 1)
    assert job.counts.rest == 0


def test_the_weight_of_a_class_knows_all_that_is_shown_of_it(config, clips):
    job = job_of(config, clips, Mixed(3, 0.5))
    shown = job._shown()
    assert shown.tolist() == [10.0, 10.0, 10.0, 10.0 + job.counts.rest * job.steps]
    assert float(job.alpha[3]) < float(job.alpha[0])


def test_stored_clips_are_shown_through_every_camera(config, drawn, collected):
    collection = collected(drawn(people=2), train_hz=(0.0, 25.0))
    takes = tuple(moving(taken, 1) for taken in collection.takes(collection.ids(), (0.0, 25.0)))
    split = Split(Vocabulary("megc-3", collection.labels), takes, [], ())
    network, made = MOTION.network(config, 3), MOTION.representation(config)
    job = MotionJob(MOTION, config, network, made, split, Mixed(), 1)
    x, labels = next(job.batches(0))
    assert x.shape == (6, 8, 3, 28, 28)
    assert len(labels) == 6
