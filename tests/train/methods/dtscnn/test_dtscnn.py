"""DTSCNN: two streams over one event's flow, that they learn, and the way from clips to a package."""

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT
from realtime.errors import ConfigError
from realtime.labels import MEGC3, NONE
from realtime.representation.flow_clip import FlowClip
from train import registry
from train.config.clips import SyntheticSettings
from train.config.marked import MarkedSettings
from train.config.recipe import Recipe
from train.config.sections import Early
from train.methods.dtscnn import method
from train.methods.dtscnn.config import FlowAugment
from train.methods.dtscnn.job import DtscnnJob
from train.methods.dtscnn.network import Dtscnn
from train.methods.experiment import Experiment
from train.methods.method import judge
from train.sources.source import Split, Vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
DTSCNN, LABELS = registry.METHODS["dtscnn"], (*MEGC3, NONE)
STILL = FlowAugment(turn_deg=0.0, scale=0.0, shift=0.0, gain=0.0)
WHOLE = Early(share=0.0, after_s=(0.0, 0.0))
SHIPPED = [ROOT / "configs/methods/dtscnn.toml", ROOT / "configs/data/casme2-5.toml"]


@pytest.fixture(scope="module")
def clips(acted):
    return acted(LABELS, 9)


@pytest.fixture
def config(recipe_of):
    given = recipe_of("dtscnn").method
    return replace(given, planes=(4, 8, 8), dropout=0.0, optimiser=replace(given.optimiser, batch=8))


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """Clips whose flow is found already."""
    monkeypatch.setattr(method, "flowing", lambda clips, made, workers=None: clips)


def job_of(config, clips, labels=LABELS, seed=1):
    split = Split(Vocabulary("megc-3-none", labels), (clips,), [], ())
    [(job, optimiser)] = DTSCNN.stages(config, split, None, seed)
    assert isinstance(job, DtscnnJob)
    assert optimiser == config.optimiser
    return job


def experiment(config, source):
    nobody = MarkedSettings(clips="", without=(), speeds=(), strengths=())
    return Experiment(DTSCNN, Recipe(config, SyntheticSettings(set="", marked=nobody, clips=None)), source)


def test_its_scales_are_the_papers_and_its_streams_are_of_the_same_structure():
    config = registry.load(SHIPPED).method
    assert config.scales == (64, 128)
    network = DTSCNN.network(config, 5)
    shapes = [[tuple(p.shape) for p in stream.parameters()] for stream in (network.first, network.second)]
    assert shapes[0] == shapes[1]
    assert network.fc.in_features == 2 * config.width
    assert DTSCNN.representation(config) == FlowClip(128, 32, (64, 128), 0.03, 64)


def test_either_stream_alone_changes_the_answer():
    torch.manual_seed(1)
    network = Dtscnn(3, (4, 4, 4), 8, 16, 1).eval()
    first, second = torch.randn(2, 2, 8, 16, 16), torch.randn(2, 2, 16, 16, 16)
    feature, logits = network(first, second)
    assert (feature.shape, logits.shape) == ((2, 16), (2, 3))
    assert not torch.allclose(network(0 * first, second)[1], logits)
    assert not torch.allclose(network(first, 0 * second)[1], logits)


@pytest.mark.parametrize(
    ("change", "problem"), [("scales=[64, 64]", "one scale of time twice"), ("size_px=28", "a side that 32 divides")]
)
def test_settings_that_fit_no_network_are_refused_before_any_clip_is_read(change, problem):
    with pytest.raises(ConfigError, match=problem):
        registry.load(SHIPPED, [change])


def test_unchanged_training_sees_what_serving_sees_or_its_mirror(config, clips):
    still = replace(config, augment=STILL, early=WHOLE, jitter_s=0.0, rest=0.0)
    served = DTSCNN.inputs(still, clips, "final")
    assert list(served) == ["flow_8", "flow_16"]
    for *flows, labels in job_of(still, clips).batches(0):
        for x, wanted in zip(flows, served.values(), strict=True):
            mirror = wanted.flip(-1) * torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1)
            apart = torch.minimum(*((x[:, None] - each).abs().amax((2, 3, 4, 5)) for each in (wanted, mirror)))
            found = apart.argmin(1)
            assert float(apart.min(1).values.max()) < 0.02 * float(wanted.abs().max())
            assert [clips[row].sample.label for row in found] == [LABELS[label] for label in labels]


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(config, clips):
    job = job_of(config, clips)
    first, again, other = (next(job.batches(epoch)) for epoch in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_both_scales_of_a_row_are_changed_alike(config, clips):
    first, second, _ = next(job_of(replace(config, early=WHOLE), clips).batches(0))
    fine = (second[:, :, ::2] + second[:, :, 1::2]) / 2
    assert float((fine - first).norm() / first.norm()) < 0.2


def test_a_share_of_each_batch_shows_faces_at_rest_where_none_is_a_class(config, clips):
    job = job_of(replace(config, rest=0.25), clips)
    *_, labels = next(job.batches(0))
    assert (job.still, len(labels), labels[-2:].tolist()) == (2, 8, [3, 3])
    told = [clip for clip in clips if clip.sample.label != NONE]
    assert job_of(replace(config, rest=0.25), told, MEGC3).still == 0


def test_it_learns_what_moves_where_on_whom_it_never_saw_and_what_is_none(config, clips, given_clips):
    quick = replace(config, epochs=10, augment=replace(config.augment, turn_deg=0.0, gain=0.1), rest=0.25)
    asked = experiment(
        replace(quick, optimiser=replace(quick.optimiser, rate=0.03, batch=4)), given_clips(clips, LABELS)
    )
    asked.fit()
    scores = {score.name: score.value for score in asked.scores()}
    assert scores["final_uf1"] > 0.7  # a third is chance
    assert scores["kept"] > 0.8
    assert {name.partition("_")[0] for name in scores} >= {"final", "early", "rejected"}
    (test,) = asked.split.test
    inputs = DTSCNN.inputs(quick, test, "final")
    assert judge(DTSCNN, asked.restored(), inputs).shape == (len(test), len(LABELS))


def test_nothing_to_judge_is_no_row(config):
    found = DTSCNN.inputs(config, [], "rest")
    assert {name: tuple(x.shape) for name, x in found.items()} == {
        "flow_8": (0, 2, 8, 32, 32),
        "flow_16": (0, 2, 16, 32, 32),
    }


def test_weights_of_other_classes_may_be_the_beginning(config, tmp_path):
    taught = DTSCNN.network(config, 7)
    torch.save(taught.state_dict(), tmp_path / "weights.pt")
    begun = DTSCNN.network(replace(config, initial=str(tmp_path / "weights.pt")), 3)
    assert torch.equal(begun.second.fc.weight, taught.second.fc.weight)
    assert begun.fc.out_features == 3


def test_golden_inputs_are_events_of_the_sample(config, golden_of):
    crops = list(np.random.default_rng(1).integers(0, 256, (20, 48, 48, 3), dtype=np.uint8))
    golden_of(crops)
    found = DTSCNN.golden(config, "fp32")
    assert [tuple(x.shape) for x in found.values()] == [(4, 2, 8, 32, 32), (4, 2, 16, 32, 32)]
