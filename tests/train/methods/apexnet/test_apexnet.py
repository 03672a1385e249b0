"""The engine of the apex: what it is shown, who says when the apex is, that it learns, and what its package holds."""

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT
from realtime.engine.check import check
from realtime.errors import ConfigError
from realtime.labels import MEGC3, NONE
from realtime.representation.apex_change import ApexChange
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, IMAGES, CropImages, crop_images
from train import registry
from train.config.clips import SyntheticSettings
from train.config.marked import MarkedSettings
from train.config.recipe import Recipe
from train.config.recorded import KFold, Rates
from train.evaluation.runners import Serial
from train.methods import folds
from train.methods.apexnet import apex_frames, method, pictures
from train.methods.apexnet.se_resnext import FrozenNorm, SeResNeXt
from train.methods.experiment import Experiment
from train.methods.method import judge
from train.registry import METHODS
from train.sources.collection import collect
from train.sources.source import Vocabulary
from train.training.augment import standardise

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
APEXNET, LABELS = METHODS["apexnet"], (*MEGC3, NONE)
SHIPPED = [ROOT / "configs/methods/apexnet.toml", ROOT / "configs/data/synthetic.toml"]


@pytest.fixture(autouse=True)
def at_hand(monkeypatch, request):
    """Clips that are filmed already, unless they come from a store."""
    if "given_clips" in request.fixturenames:
        monkeypatch.setattr(method, "choose", lambda clips, *how: [c.sample.apex_s for c in clips])
        monkeypatch.setattr(method, "filmed", lambda clips, apexes_s: clips)


@pytest.fixture
def stored(drawn, gather_by):
    """The experiment of a recipe of recorded clips, whose data sets are drawn."""

    def make(recipe, **faces):
        gather_by(lambda data, rates, cache, workers: collect([drawn(**faces)], rates, cache))
        return registry.experiment(recipe, 1)

    return make


@pytest.fixture
def crops(golden_of):
    """In place of the bundled stream's: noise."""
    made = list(np.random.default_rng(1).integers(0, 256, (60, 48, 48, 3), dtype=np.uint8))
    golden_of(made)
    return made


def experiment(config, source):
    nobody = MarkedSettings(clips="", without=(), speeds=(), strengths=())
    return Experiment(APEXNET, Recipe(config, SyntheticSettings(set="", marked=nobody, clips=None)), source)


def through(recipe, *train_hz):
    """`recipe` of recorded clips with other cameras to train on."""
    source = replace(recipe.source, rates=replace(recipe.source.rates, train_hz=train_hz))
    return Recipe(recipe.method, source)


def test_the_shipped_network_is_slim_and_the_papers_has_files_of_its_own():
    shipped = registry.load(SHIPPED).method
    paper = registry.load([ROOT / "configs/methods/apexnet-recorded.toml", ROOT / "configs/data/casme2-5.toml"]).method
    with torch.device("meta"):
        slim, whole = APEXNET.network(shipped, 3), APEXNET.network(paper, 1000)
    assert sum(p.numel() for p in slim.parameters()) < 4e6  # two bytes each in the package
    assert sum(p.numel() for p in whole.parameters()) == 27_559_896  # as timm's


def test_what_serving_feeds_it_is_of_the_representation(config, clips):
    [one] = clips[:1]
    inside = (one.times >= 0.4) & (one.times <= 0.75)
    both = APEXNET.inputs(replace(config, shows="change"), [one], "final")[IMAGES]
    event = EventFrames(one.times[inside], images=one.images[inside])
    assert np.array_equal(both, ApexChange(128, 48, 0.02, 40.0).of_event(event, 0.6)["images"])
    alone = replace(config, shows="apex")
    made = APEXNET.representation(alone)
    assert isinstance(made, CropImages)
    assert np.array_equal(APEXNET.inputs(alone, [one], "final")[IMAGES], crop_images([one.images[12]], made))


def test_the_midway_frame_is_nearest_to_the_middle_of_the_rise_live_and_in_training(config, clips):
    [one] = clips[:1]
    halfway = replace(config, shows="middle")
    made = APEXNET.representation(halfway)
    wanted = crop_images([one.images[10]], made.picture)  # 0.5 s at 20 Hz, between 0.4 and 0.6
    assert np.array_equal(APEXNET.inputs(halfway, [one], "final")[IMAGES], wanted)
    shown = pictures.seen(one, (0.4, 0.6), 0.75, made)
    assert torch.allclose(standardise(torch.from_numpy(shown[None])), torch.from_numpy(wanted), atol=1e-5)
    assert APEXNET.trial(halfway, None) is None


def test_the_papers_settings_are_plain_adam_at_a_constant_rate_and_pairs():
    files = [ROOT / "configs/methods/paper-apexnet.toml", ROOT / "configs/data/casme2-5.toml"]
    paper = registry.load(files).method
    found = paper.optimiser
    assert (found.kind, found.schedule, found.rate, found.batch) == ("adam", "constant", 1e-4, 2)
    assert (found.warmup, found.clip, found.average, found.weight_decay, paper.epochs) == (0, 0, 0, 0, 100)
    assert (paper.shows, paper.apex, paper.quang.lag_frames, paper.quang.terms) == ("apex", "quang", 3, "both")


def test_rest_is_seen_before_and_after_each_event(config, clips):
    found = APEXNET.inputs(config, clips[:4], "rest")[IMAGES]
    assert found.shape == (8, 3, 48, 48)
    assert float(found[:, 2].abs().max()) < 0.5
    assert APEXNET.inputs(config, [], "rest")[IMAGES].shape == (0, 3, 48, 48)


def test_none_is_a_class_only_where_faces_at_rest_are_shown_as_that(config, clips, given_clips):
    source = given_clips(clips, LABELS)
    alone = replace(config, rest=0.0)
    split = APEXNET.see(alone, source, source.whole())
    assert split.vocabulary == Vocabulary("megc-3", MEGC3)
    assert {one.sample.label for side in (*split.train, split.calibration, *split.test) for one in side} == set(MEGC3)
    assert APEXNET.see(config, source, source.whole()).vocabulary == source.vocabulary
    assert APEXNET.vocabulary(alone, Vocabulary("own", ("a", NONE))) == Vocabulary("own", ("a",))
    assert APEXNET.vocabulary(alone, Vocabulary("smic-3", MEGC3)) == Vocabulary("smic-3", MEGC3)


def test_it_learns_what_changes_where_on_whom_it_never_saw_and_what_is_none(config, clips, given_clips, still):
    steps = replace(config.optimiser, batch=8, average=0.0)
    quick = replace(config, epochs=12, groups=4, augment=still, jitter_s=0.0, optimiser=steps)
    asked = experiment(quick, given_clips(clips, LABELS))
    asked.fit()
    scores = {score.name: score.value for score in asked.scores()}
    assert scores["final_uf1"] > 0.7  # a third is chance; of so few events the last bits of a processor decide one
    assert scores["kept"] > 0.8
    assert scores["rejected_rest"] > 0.8
    (test,) = asked.split.test
    assert judge(APEXNET, asked.restored(), APEXNET.inputs(quick, test, "final")).shape == (len(test), len(LABELS))


def test_a_resnet_of_the_midway_frame_is_trained_and_exported(config, clips, given_clips, crops, engines, tmp_path):
    quick = replace(config, rest=0.0, shows="middle", grouped=False, squeeze=False)
    asked, target = experiment(quick, given_clips(clips, LABELS)), tmp_path / "engines/apexnet"
    asked.fit()
    made = asked.export(target, "fp32", asked.scores())
    assert check(target, engines).ok
    assert made.representation == APEXNET.representation(quick)


def test_without_rest_the_package_tells_no_none(config, clips, given_clips, crops, engines, tmp_path):
    asked, target = experiment(replace(config, rest=0.0), given_clips(clips, LABELS)), tmp_path / "engines/apexnet"
    asked.fit()
    made = asked.export(target, "fp32", asked.scores())
    assert check(target, engines).ok
    assert (made.labels, made.vocabulary) == (MEGC3, "megc-3")
    assert {score.name.partition("_")[0] for score in made.scores} == {"final"}


def test_clips_without_none_are_learned_from_with_any_rest(config, clips, given_clips):
    known = [clip for clip in clips if clip.sample.label != NONE]
    asked = experiment(replace(config, rest=0.25), given_clips(known, MEGC3, name="megc-3"))
    asked.fit()
    assert {score.name.partition("_")[0] for score in asked.scores()} == {"final"}


def test_weights_of_other_classes_may_be_the_beginning(config, tmp_path):
    taught = SeResNeXt(7, (1, 1, 1, 1), 0.0, 2)
    torch.save(taught.state_dict(), tmp_path / "weights.pt")
    begun = APEXNET.network(replace(config, initial=str(tmp_path / "weights.pt")), 4)
    assert torch.equal(begun.conv1.weight, taught.conv1.weight)
    assert begun.fc.out_features == len(LABELS)


def test_freezing_the_statistics_of_no_checkpoint_is_refused_before_any_clip_is_read(tmp_path):
    with pytest.raises(ConfigError, match="initial names none"):
        registry.load(SHIPPED, ["frozen_norm=true"])
    torch.save(SeResNeXt(7, (1, 1, 1, 1), 0.0, 8).state_dict(), tmp_path / "weights.pt")
    named = [f"initial='{tmp_path / 'weights.pt'}'", "blocks=[1,1,1,1]", "frozen_norm=true"]
    assert isinstance(APEXNET.network(registry.load(SHIPPED, named).method, 3), FrozenNorm)


def test_a_recorded_apex_is_the_picture_that_its_coder_named(recipe_of, stored):
    asked = stored(recipe_of("apexnet-recorded", "casme2-5"))
    (take,) = asked.split.train
    wanted = crop_images([clip.images[6] for clip in take], CropImages(128, 32, IMAGENET_MEAN, IMAGENET_STD))
    assert np.array_equal(APEXNET.inputs(asked.config, take, "final")[IMAGES], wanted)  # 0.12 s at 50 Hz


def test_the_detectors_apex_is_chosen_at_each_rate_anew(recipe_of, stored, monkeypatch):
    recipe = through(recipe_of("apexnet-recorded", "casme2-5", apex="detector"), 0.0, 25.0)
    monkeypatch.setattr(apex_frames, "detected", lambda clip: clip.event()[1])
    own, slow = stored(recipe).split.train
    assert {clip.sample.apex_s for clip in own} == {0.06}
    assert [clip.sample.apex_s for clip in slow] == [clip.times[clip.times >= 0.04][1] for clip in slow]
    assert {clip.sample.apex_s for clip in slow}.isdisjoint({0.06, 0.12})


def test_it_is_tested_through_slow_cameras_at_apexes_that_the_formula_found(recipe_of, stored, monkeypatch):
    asked = []
    monkeypatch.setattr(apex_frames, "by_formula", lambda clip, quang: asked.append(clip) or clip.event()[1])
    recipe = recipe_of("apexnet-recorded", "casme2-5", apex="quang", epochs=1, jitter_s=0.04)
    rates, quick = Rates(train_hz=(0.0, 25.0), test_hz=(25.0, 0.0), seed=1), KFold(k=3, seed=1, threads=1)
    source = replace(recipe.source, rates=rates, evaluate=quick, calibration=0.4)
    _, scores = folds.evaluate(stored(Recipe(recipe.method, source)), Serial())
    assert {rate_hz: sum(found.counts.values()) for rate_hz, found in scores.items()} == {25.0: 12, 0.0: 12}
    assert len(asked) == 24  # once for each clip and camera, whatever the folds


def test_int8_is_tried_on_the_apex_frames_of_every_camera_to_train_on(recipe_of, stored):
    asked = stored(through(recipe_of("apexnet-recorded", "casme2-5"), 0.0, 25.0))
    split = asked.split
    taken = [clip for take in split.train for clip in take]
    found = APEXNET.trial(asked.config, split)
    assert found.representation == CropImages(128, 32, IMAGENET_MEAN, IMAGENET_STD)
    pictures = [clip.images[np.abs(clip.times - 0.12).argmin()] for clip in taken]
    assert np.array_equal(found.calibration, pictures[::2])
    assert np.array_equal(found.test, pictures[1::2])
    assert [split.vocabulary.labels[i] for i in found.truth] == [clip.sample.label for clip in taken[1::2]]


def test_int8_is_not_tried_where_the_onset_is_shown_too(config, clips, given_clips):
    source = given_clips(clips, LABELS)
    assert APEXNET.trial(replace(config, shows="change"), source.split(source.whole())) is None


def test_int8_has_more_golden_crops(config, crops):
    alone = replace(config, shows="apex")
    assert [len(APEXNET.golden(alone, precision)[IMAGES]) for precision in ("fp32", "int8")] == [4, 60]
    assert APEXNET.golden(replace(config, shows="change"), "fp32")[IMAGES].shape == (4, 3, 48, 48)


def test_recorded_clips_of_no_class_cannot_be_tested_and_that_is_said_first(recipe_of, stored):
    asked = stored(recipe_of("apexnet-recorded", "casme2-5"), labels=("tense", NONE, "calm"))
    with pytest.raises(ConfigError, match="tells tense, calm apart, its clips show tense, none, calm"):
        folds.evaluate(asked, Serial())
