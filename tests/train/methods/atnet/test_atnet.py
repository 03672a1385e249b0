"""The apex and the time around it, from clips to a package: what is seen, how rare classes come, that it learns."""

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT
from realtime.engine.check import check
from realtime.errors import ConfigError
from realtime.labels import MEGC3
from realtime.representation.apex_time import FLOW, ApexTime
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import IMAGES
from realtime.representation.movement.fields import FIELD_PX
from train import registry
from train.clips.movement.fields import moving
from train.config.clips import SyntheticSettings
from train.config.marked import MarkedSettings
from train.config.recipe import Recipe
from train.config.sections import Early
from train.datasets.annotation.sample import Sample
from train.methods.atnet import method
from train.methods.atnet.config import StreamChanges
from train.methods.atnet.job import changed
from train.methods.atnet.timed_clips import TimedClip, timed
from train.methods.experiment import Experiment
from train.methods.method import judge
from train.networks.preactivation import PreactivationNetwork
from train.registry import METHODS
from train.sources.source import Split, Vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
ATNET = METHODS["atnet"]
PLACES = {"negative": (0.5, 0.3), "positive": (0.3, 0.75), "surprise": (0.25, 0.25)}
STILL = StreamChanges(mirrored=0.0, probability=0.0, turn_deg=0.0, light=0.0)
WHOLE = Early(share=0.0, after_s=(0.0, 0.0))


def clip(label, person, number=0):
    """0.8 s at 60 Hz, in which the place of a class moves up from 0.3 to 0.45 s and back by 0.6; pictures show none."""
    rng = np.random.default_rng((person, number, MEGC3.index(label)))
    times, axis = np.arange(0.0, 0.8, 1 / 60), (np.arange(FIELD_PX) + 0.5) / FIELD_PX
    x, y = PLACES[label]
    near = np.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / (2 * 0.06**2))
    up = np.stack([0 * near, -near]) * rng.uniform(0.01, 0.04)
    amount = np.interp(times, [0.3, 0.45, 0.6], [0, 1, 0])
    fields = amount[:, None, None, None] * up + rng.normal(0, 5e-4, (len(times), 2, FIELD_PX, FIELD_PX))
    face = np.random.default_rng(person).uniform(60, 180, (48, 48, 3))
    images = (face + rng.normal(0, 8, (len(times), 48, 48, 3))).astype(np.uint8)
    sample = Sample(f"{person}-{label}-{number}", f"p{person}", label, 0.3, 0.45, 0.6)
    return TimedClip(sample, times, fields.astype(np.float16), images)


@pytest.fixture(scope="module")
def clips():
    return [clip(label, person) for person in range(5) for label in MEGC3]


@pytest.fixture
def config(recipe_of):
    given = recipe_of("atnet", width=8).method
    return replace(given, optimiser=replace(given.optimiser, batch=6))


def job(config, clips, **changes):
    split = Split(Vocabulary("megc-3", MEGC3), (clips,), [], ())
    [(made, _)] = ATNET.stages(replace(config, **changes), split, None, 1)
    return made


def test_training_sees_what_serving_does(config, clips):
    made = job(config, clips, augment=STILL, early=WHOLE, jitter_s=0.0)
    served, seen = ATNET.inputs(made.config, clips, "final"), []
    for images, flow, labels in made.batches(0):
        for image, steps, label in zip(images, flow, labels.tolist(), strict=True):
            [same] = [i for i, row in enumerate(served[FLOW]) if torch.equal(row, steps)]
            assert torch.equal(served[IMAGES][same], image)
            assert clips[same].sample.label == MEGC3[label]
            seen.append(same)
    assert len(seen) == len(set(seen)) == 12  # two batches of six


@pytest.mark.parametrize(("answer", "end"), [("final", 0.6), ("early", 0.525)])
def test_the_live_window_shows_an_event_as_tests_do(config, clips, watched, answer, end):
    [one] = clips[:1]
    live = ATNET.representation(config).of_event(watched(one.times, one.images, one.fields).span(0.3, end), 0.45)
    trained = ATNET.inputs(config, [one], answer)
    assert all(np.array_equal(trained[name], row) for name, row in live.items())
    inside = (one.times >= 0.3) & (one.times <= end)
    event = EventFrames(one.times[inside], images=one.images[inside], fields=one.fields[inside])
    assert np.array_equal(trained[FLOW], ApexTime(128, 32, 28, 0.16, 64, 4, 8, 5e-4, 8.0).of_event(event, 0.45)[FLOW])


def test_an_early_answer_repeats_the_last_frame_that_there_is(config, clips):
    final, early = (ATNET.inputs(config, clips[:3], answer)[FLOW] for answer in ("final", "early"))
    steps = np.linspace(-0.16, 0.16, 64)
    missing = early[:, steps > 0.08]
    assert missing.shape[1] > 10
    assert torch.equal(missing, missing[:, :1].expand_as(missing))
    assert not torch.equal(final[:, steps > 0.08], missing)
    assert torch.equal(final[:, -1], final[:, -2])  # of 160 ms, 150 are there
    assert ATNET.inputs(config, [], "final")[FLOW].shape == (0, 64, 128)


def test_both_streams_are_mirrored_together(config, clips):
    """A corner of the mouth on one side becomes the other's, in the histograms as in the picture."""
    only = [clip("positive", 1)]
    made = job(config, only * 6, augment=replace(STILL, mirrored=0.5), early=WHOLE, jitter_s=0.0)
    served = ATNET.inputs(config, only, "final")
    turned = served[IMAGES].flip(-1)
    kinds = set()
    for epoch in range(4):
        for images, flow, _ in made.batches(epoch):
            for image, steps in zip(images, flow, strict=True):
                blocks = steps.view(64, 4, 4, 8)[31].sum((0, 2))  # by column
                left = bool(blocks[:2].sum() > blocks[2:].sum())
                assert torch.equal(image, served[IMAGES][0] if left else turned[0])
                kinds.add(left)
    assert kinds == {True, False}


def test_rare_classes_come_as_often_as_the_largest(config, clips):
    uneven = [*clips, *(clip("negative", person, 1) for person in range(5))]
    made = job(config, uneven)
    assert made.steps == 5  # of ten of each class
    labels = torch.cat([labels for *_, labels in made.batches(0)])
    assert torch.bincount(labels).tolist() == [10, 10, 10]


def test_some_events_end_soon_after_their_apex_in_training(config, clips):
    made = job(config, clips, augment=STILL, early=Early(share=0.5, after_s=(0.0, 0.02)), jitter_s=0.0)
    rows = torch.cat([flow for epoch in range(4) for _, flow, _ in made.batches(epoch)])
    over = (rows[:, -10:] == rows[:, -1:]).all((1, 2))
    assert 10 < int(over.sum()) < len(rows) - 10


def test_pictures_are_turned_and_lit_and_no_more():
    x = torch.full((64, 1, 20, 20), 0.5)
    x[:, :, :, 10:] = 0.7
    found = changed(x, StreamChanges(mirrored=0.0, probability=0.5, turn_deg=5.0, light=10.0), torch.Generator())
    lit = (found - x).mean((1, 2, 3))
    assert float(lit.abs().max()) <= 10.05 / 255
    assert 15 < int((lit.abs() > 1e-4).sum()) < 50
    assert bool((found[..., 0].mean((1, 2)) < found[..., -1].mean((1, 2))).all())  # none is mirrored
    assert torch.equal(changed(x, STILL, torch.Generator()), x)


def test_a_picture_network_taught_before_is_the_beginning_of_its_stream(config, tmp_path):
    taught = PreactivationNetwork(8, attention=False, width=8)
    torch.save({"kept": taught.state_dict(), "seen": 3}, tmp_path / "last.pt")
    begun = ATNET.network(replace(config, initial=str(tmp_path / "last.pt")), 3)
    assert torch.equal(begun.picture.conv1.weight, taught.conv1.weight)
    paths = [ROOT / f"configs/{name}.toml" for name in ("methods/atnet", "data/synthetic")]
    with pytest.raises(ConfigError, match='streams = "time" has no picture'):
        registry.load(paths, ["streams=time", "initial=x.pt"])


def test_stored_clips_have_the_pictures_of_their_fields(drawn, collected):
    collection = collected(drawn(people=1, per_person=1, frames=60))
    [stored] = collection.of(collection.ids(), 0.0)
    [one], [fields] = timed([stored], 1), moving([stored], 1)
    assert len(one.times) == len(one.images) < 60
    assert np.array_equal(one.fields, fields.fields)
    first = int(np.searchsorted(stored.times(), one.times[0]))
    assert np.array_equal(one.images, stored.crops()[first : first + len(one.times)])


@pytest.fixture
def asked(clips, given_clips, golden_of, monkeypatch):
    """The experiment of a configuration with two people more, who are held out."""
    monkeypatch.setattr(method, "timed", lambda clips, workers=None: clips)
    golden_of(list(np.random.default_rng(1).integers(0, 256, (12, 48, 48, 3), dtype=np.uint8)))
    source = given_clips([*clips, *(clip(label, person) for person in (5, 6) for label in MEGC3)], MEGC3, name="megc-3")
    synthetic = SyntheticSettings(
        set="", marked=MarkedSettings(clips="", without=(), speeds=(), strengths=()), clips=None
    )
    return lambda config: Experiment(ATNET, Recipe(config, synthetic), source)


def test_it_learns_is_exported_and_answers_as_torch_does(config, clips, asked, engines, tmp_path):
    steps = replace(config.optimiser, kind="adamw", rate=0.003)
    experiment = asked(replace(config, epochs=12, dropout=0.0, optimiser=steps, time=replace(config.time, steps=16)))
    experiment.fit()
    scores = {score.name: score.value for score in experiment.scores()}
    assert scores["final_uf1"] > 0.6  # of six events of people whom it never saw
    assert "early_uf1" in scores
    said = judge(ATNET, experiment.restored(), ATNET.inputs(experiment.config, clips, "early")).argmax(1)
    assert sum(MEGC3[i] == one.sample.label for i, one in zip(said.tolist(), clips, strict=True)) >= 12  # of 15
    golden = exported(experiment, tmp_path / "engines/atnet", engines)
    with torch.no_grad():
        found = experiment.restored()(*(torch.from_numpy(golden[f"in_{name}"]).float() for name in (IMAGES, FLOW)))
    assert golden["out_logits"] == pytest.approx(found[0].numpy(), rel=1e-2, abs=1e-2)


def test_of_one_stream_a_package_still_takes_both_inputs(config, asked, engines, tmp_path):
    experiment = asked(replace(config, streams="time", epochs=1, time=replace(config.time, steps=6)))
    experiment.fit()
    exported(experiment, tmp_path / "engines/atnet", engines)


def exported(experiment, target, engines):
    """The golden inputs and answers of its package, which is found sound."""
    manifest = experiment.export(target, "fp32", experiment.scores())
    assert check(target, engines).ok
    steps = experiment.config.time.steps
    assert [(spec.name, spec.shape) for spec in manifest.inputs] == [
        (IMAGES, (-1, 1, 32, 32)),
        (FLOW, (-1, steps, 128)),
    ]
    return np.load(target / "golden.npz")
