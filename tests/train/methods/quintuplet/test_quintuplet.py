"""The network of two modes: its mask stays, it is shown what serving sees, it learns, and what its package holds."""

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from realtime.config import ROOT
from realtime.engine.check import check
from realtime.errors import ConfigError
from realtime.labels import MEGC3
from realtime.representation.clip_and_flow import ClipAndFlow
from train import registry
from train.config.clips import SyntheticSettings
from train.config.marked import MarkedSettings
from train.config.recipe import Recipe
from train.config.sections import Early
from train.methods.experiment import Experiment
from train.methods.quintuplet import method
from train.methods.quintuplet.config import ModesAugment
from train.methods.quintuplet.job import QuintupletJob
from train.methods.quintuplet.mask_job import MaskJob
from train.methods.quintuplet.modes_loss import modes
from train.methods.quintuplet.quintuplet_loss import quintuplet
from train.sources.source import Split, Vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
QUINTUPLET = registry.METHODS["quintuplet"]
STILL = ModesAugment(turn_deg=0.0, scale=0.0, shift=0.0, light=0.0, tint=0.0, gain=0.0)
WHOLE = Early(share=0.0, after_s=(0.0, 0.0))
SHIPPED = [ROOT / "configs/methods/quintuplet.toml", ROOT / "configs/data/casme2-5.toml"]


@pytest.fixture(scope="module")
def clips(acted):
    return acted(MEGC3, 8)


@pytest.fixture
def macro(monkeypatch, acted):
    """Macro-expressions of two others, which every source is said to have."""
    found = acted(("happiness", "fear", "surprise"), 10)[-6:]
    monkeypatch.setattr(method, "macro_clips", lambda config, source, split, workers=None: found)
    return found


@pytest.fixture
def config(recipe_of):
    given = recipe_of("quintuplet").method
    mask = replace(given.mask, epochs=1, planes=4)
    steps = replace(given.optimiser, batch=6)
    return replace(given, planes=(4, 8, 8), dropout=0.0, mask=mask, optimiser=steps)


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """Clips whose flow is found already."""
    monkeypatch.setattr(method, "flowing", lambda clips, made, workers=None: clips)


def stages_of(config, clips, seed=1):
    split = Split(Vocabulary("megc-3", MEGC3), (clips,), [], ())
    first, branches = QUINTUPLET.stages(config, split, None, seed)
    return first, branches


def job_of(config, clips, seed=1):
    job, optimiser = stages_of(config, clips, seed)[1]()
    assert isinstance(job, QuintupletJob)
    assert optimiser == config.optimiser
    return job


def test_the_mask_has_a_stage_of_its_own_and_is_left_alone_after_it(config, clips, macro):
    (first, optimiser), branches = stages_of(config, clips)
    assert isinstance(first, MaskJob)
    assert optimiser == config.mask.optimiser
    assert len(first.clips) == len(clips) + len(macro)
    assert all(p.requires_grad for p in first.network.parameters())
    job, _ = branches()
    assert first.network is job.network.mask
    batch = next(job.batches(0))
    job.loss(batch).backward()
    assert all(p.grad is None for p in job.network.mask.parameters())
    learned = [name for name, p in job.network.named_parameters() if p.grad is not None and bool(p.grad.any())]
    assert {name.partition(".")[0] for name in learned} == {"pictures", "flow", "picture_view", "flow_view", "fc"}


def test_what_the_mask_covers_is_seen_by_neither_mode(config):
    torch.manual_seed(1)
    network = QUINTUPLET.network(replace(config, mask=replace(config.mask, keep=0.0)), 3).eval()
    x, flow = torch.randn(2, 3, 8, 32, 32), torch.randn(2, 2, 16, 32, 32)
    torch.nn.init.constant_(network.mask.last.bias, -40.0)
    torch.nn.init.zeros_(network.mask.last.weight)
    assert torch.allclose(network(x, flow)[1], network(2 * x, 0 * flow)[1], atol=1e-5)
    torch.nn.init.constant_(network.mask.last.bias, 40.0)
    assert not torch.allclose(network(x, flow)[1], network(x, 0 * flow)[1], atol=1e-3)
    assert not torch.allclose(network(x, flow)[1], network(2 * x, flow)[1], atol=1e-3)


def test_the_mask_is_of_the_first_picture_alone(config):
    torch.manual_seed(1)
    network, x = QUINTUPLET.network(config, 3).eval(), torch.randn(1, 3, 8, 32, 32)
    seen = []
    network.mask.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    network(x, torch.randn(1, 2, 16, 32, 32))
    assert torch.equal(seen[0], x[:, :, 0])


def test_the_cost_is_of_anchors_groups_and_modes_as_weighed(config, clips, macro):
    job = job_of(config, clips)
    job.network.eval()
    pictures, flow, labels, there = next(job.batches(0))
    assert (pictures.shape, flow.shape) == ((6, 5, 3, 8, 32, 32), (6, 5, 2, 16, 32, 32))
    assert bool(there.all())
    anchors = job.network.answers(pictures[:, 0], flow[:, 0])
    features = torch.stack([job.network(pictures[:, i], flow[:, i])[0] for i in range(5)], 1)
    margins = {"micro": 0.3, "macro": 0.3, "across": 0.2}
    wanted = (
        F.cross_entropy(anchors.logits, labels)
        + 0.5 * quintuplet(features, there, margins)
        + 0.2 * modes(anchors.pictures, anchors.flow, 0.1)
    )
    assert job.loss((pictures, flow, labels, there)).item() == pytest.approx(wanted.item(), rel=1e-4)


def test_unchanged_training_sees_what_serving_sees_or_its_mirror(config, clips):
    still = replace(config, augment=STILL, early=WHOLE, jitter_s=0.0)
    served = QUINTUPLET.inputs(still, clips, "final")
    assert list(served) == ["clips", "flow_16"]
    turns = (torch.ones(3, 1, 1, 1), torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1))
    split = Split(Vocabulary("megc-3", MEGC3), (clips,), [], ())
    made = QUINTUPLET.representation(still)
    job = QuintupletJob(QUINTUPLET, still, QUINTUPLET.network(still, 3), made, split, [], 1)
    for *seen, labels, there in job.batches(0):
        assert there.tolist() == [[True, True, False, False]] * len(labels)
        for x, wanted, turn in zip(seen, served.values(), turns, strict=True):
            anchors, mirror = x[:, 0], wanted.flip(-1) * turn
            apart = torch.minimum(*((anchors[:, None] - each).abs().amax((2, 3, 4, 5)) for each in (wanted, mirror)))
            assert float(apart.min(1).values.max()) < 0.02 * float(wanted.abs().max())
            assert [clips[row].sample.label for row in apart.argmin(1)] == [MEGC3[label] for label in labels]


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(config, clips, macro):
    job = job_of(config, clips)
    first, again, other = (next(job.batches(epoch)) for epoch in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_it_learns_on_whom_it_never_saw_and_its_package_answers_as_torch_does(
    config, clips, macro, given_clips, golden_of, engines, tmp_path
):
    golden_of(list(np.random.default_rng(1).integers(0, 256, (20, 48, 48, 3), dtype=np.uint8)))
    quick = replace(config, epochs=9, augment=replace(config.augment, turn_deg=0.0, gain=0.1))
    nobody = MarkedSettings(clips="", without=(), speeds=(), strengths=())
    recipe = Recipe(
        replace(quick, optimiser=replace(quick.optimiser, rate=0.03, batch=3)),
        SyntheticSettings(set="", marked=nobody, clips=None),
    )
    asked = Experiment(QUINTUPLET, recipe, given_clips(clips, MEGC3, name="megc-3"))
    run = asked.fit()
    assert (run / "stage-1").is_dir()
    scores = {score.name: score.value for score in asked.scores()}
    assert scores["final_uf1"] > 0.7  # a third is chance
    made = asked.export(tmp_path / "engines/quintuplet", "fp32", asked.scores())
    assert isinstance(made.representation, ClipAndFlow)
    assert check(tmp_path / "engines/quintuplet", engines).ok
    golden = np.load(tmp_path / "engines/quintuplet/golden.npz")
    with torch.no_grad():
        inputs = [torch.from_numpy(golden[f"in_{spec.name}"]).float() for spec in made.inputs]
        logits = asked.restored()(*inputs)[1]
    assert golden["out_logits"] == pytest.approx(logits.numpy(), rel=1e-2, abs=1e-2)


def test_recorded_clips_have_ckplus_beside_them_and_synthetic_ones_their_own():
    recorded = registry.load([ROOT / "configs/methods/quintuplet-recorded.toml", SHIPPED[1]]).method.macro
    assert [(each.name, each.labels) for each in recorded.data] == [("ckplus", "emotion-7")]
    synthetic = registry.load(SHIPPED).method.macro
    assert (synthetic.data, synthetic.each) == ((), 2)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("size_px=40", "a side that 16 divides"),
        ("pictures=4", "halve 4 frames"),
        ("flow_px=24", "a side that 16 divides"),
    ],
)
def test_settings_that_fit_no_network_are_refused_before_any_clip_is_read(change, problem):
    with pytest.raises(ConfigError, match=problem):
        registry.load(SHIPPED, [change])
