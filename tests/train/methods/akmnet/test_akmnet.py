"""Key frames, from clips to a package: what is seen, that any length is seen alike, that it learns and is served."""

from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from realtime.engine.check import check
from realtime.labels import MEGC3
from realtime.representation.clip_images import CLIPS
from realtime.representation.contract.event import EventFrames
from realtime.representation.grey_clip import THERE, GreyClip
from train.config.clips import SyntheticSettings
from train.config.marked import MarkedSettings
from train.config.recipe import Recipe
from train.config.sections import Early
from train.datasets.annotation.sample import Sample
from train.methods.akmnet.config import WindowAugment
from train.methods.akmnet.job import varied
from train.methods.akmnet.key_frames import few, mining
from train.methods.akmnet.network import AkmNet, side_of
from train.methods.experiment import Experiment
from train.methods.method import judge
from train.registry import METHODS
from train.sources.source import Split, Vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
AKMNET = METHODS["akmnet"]
STILL = WindowAugment(probability=0.0, enlarged=1.0, mirrored=0.0, light=0.0)
WHOLE = Early(share=0.0, after_s=(0.0, 0.0))


@dataclass(frozen=True, eq=False)
class Shot:
    """A clip as stored ones are asked: noise of 48 px in which the place of a class brightens; 50 frames a second."""

    sample: Sample
    pictures: np.ndarray

    def times(self):
        return np.arange(len(self.pictures)) / 50

    def crops(self):
        return self.pictures


def shot(label, person):
    """Of 14 frames, the event from 0.04 to 0.2 s with its apex at 0.12 s."""
    rng = np.random.default_rng((person, MEGC3.index(label)))
    pictures = np.random.default_rng(person).uniform(60, 140, (48, 48, 3)) + rng.normal(0, 2, (14, 48, 48, 3))
    column = 16 * MEGC3.index(label)
    rise = np.interp(np.arange(14) / 50, [0.04, 0.12, 0.2], [0, 1, 0])
    pictures[:, 8:24, column : column + 16] += 80 * rise[:, None, None, None]
    return Shot(
        Sample(f"{person}-{label}", f"p{person}", label, 0.04, 0.12, 0.2), pictures.clip(0, 255).astype(np.uint8)
    )


@pytest.fixture(scope="module")
def clips():
    return [shot(label, person) for person in range(4) for label in MEGC3]


@pytest.fixture
def config(recipe_of):
    return recipe_of("akmnet", frames=6, width=8, dropout=0.0).method


def job(config, clips, **changes):
    split = Split(Vocabulary("megc-3", MEGC3), (clips,), [], ())
    [(made, _)] = AKMNET.stages(replace(config, **changes), split, None, 1)
    return made


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return AkmNet(3, 5, 64, 8, 0.0).eval()


@pytest.mark.parametrize(("size_px", "side"), [(128, 4), (96, 3), (64, 2), (32, 1), (112, 4), (33, 2)])
def test_maps_of_the_authors_pictures_have_four_by_four_places(size_px, side):
    assert side_of(size_px) == side
    with torch.device("meta"):
        network = AkmNet(5, 2, size_px, 64, 0.5)
        assert network.encoder.maps(torch.zeros(2, 1, size_px, size_px)).shape == (2, 512, side, side)
        assert network.fc.in_features == side * side * 64


def test_a_clip_is_judged_alike_whatever_the_number_of_places_behind_it(network):
    longer = AkmNet(3, 9, 64, 8, 0.0).eval()
    longer.load_state_dict(network.state_dict())
    clip = torch.rand(1, 1, 4, 64, 64)
    found = []
    with torch.no_grad():
        for one, places in ((network, 5), (longer, 9)):
            behind = torch.rand(1, 1, places - 4, 64, 64)  # whatever is there
            there = (torch.arange(places) < 4).float()[None]
            found.append(one(torch.cat([clip, behind], 2), there))
    (logits, near, chosen), (again, near_too, chosen_too) = found
    torch.testing.assert_close(logits, again)
    torch.testing.assert_close(near[:, :4], near_too[:, :4])
    assert torch.equal(chosen[:, :4], chosen_too[:, :4])
    assert 0 < float(chosen_too.sum()) == float(chosen.sum()) < 4


def test_only_key_frames_are_followed(network):
    maps, chosen = torch.randn(5, 64, 4), torch.tensor([[1.0, 0.0, 1.0, 0.0, 0.0]])
    with torch.no_grad():
        followed = network.follow(maps, chosen)
        assert torch.equal(network.follow(torch.where(chosen.view(5, 1, 1) > 0, maps, 7.0 * maps), chosen), followed)
        alone = maps[[0, 2]].permute(2, 0, 1)  # (cells, 2, 64)
        forth = torch.zeros(4, 32)
        unit = network.places.onwards[0]
        for t in range(2):
            (r, z, n), (q, y, m) = unit.reads(alone[:, t]).chunk(3, 1), unit.recalls(forth).chunk(3, 1)
            r, z = (r + q).sigmoid(), (z + y).sigmoid()
            forth = (1 - z) * (n + r * m).tanh() + z * forth
        states = network.places.onwards[0](maps.permute(2, 0, 1), chosen.view(1, 5, 1).expand(4, -1, -1))
    torch.testing.assert_close(states[:, 2], forth)
    assert followed.shape == (1, 4 * 64)


def test_the_cost_is_cross_entropy_and_both_losses_of_the_choice(config, clips):
    made = job(config, clips, loss=replace(config.loss, apart=2.0, few=0.3))
    made.network.eval()
    seen, there, labels = next(made.batches(0))
    logits, near, chosen = made.network(seen, there)
    wanted = F.cross_entropy(logits, labels) + 2.0 * mining(near, there) + 0.3 * few(chosen)
    assert made.loss((seen, there, labels)).item() == pytest.approx(wanted.item(), rel=1e-6)


def test_both_losses_teach_the_attention_and_the_encoder(config, clips):
    made = job(config, clips)
    made.loss(next(made.batches(0))).backward()
    for weight in (made.network.key_frames.attention.weight, made.network.encoder.conv1.weight):
        assert float(weight.grad.abs().sum()) > 0.0


def test_gradients_summed_over_clips_one_by_one_are_those_of_their_batch(config, clips):
    """But for batch normalisation, which is held still here."""
    made = job(config, clips)
    made.network.eval()
    batch = next(made.batches(0))
    grads = []
    for parts in ([batch], [tuple(x[i : i + 1] for x in batch) for i in range(len(batch[0]))]):
        made.network.zero_grad()
        for part in parts:
            (made.loss(part) / len(parts)).backward()
        grads.append(torch.cat([p.grad.flatten() for p in made.network.parameters()]))
    assert float((grads[0] - grads[1]).norm() / grads[0].norm()) < 1e-4


def test_training_sees_what_serving_does(config, clips):
    made = job(config, clips, augment=STILL, early=WHOLE, jitter_s=0.0)
    served = AKMNET.inputs(made.config, clips, "final")
    for pictures, there, labels in made.batches(0):
        for picture, seen, label in zip(pictures, there, labels.tolist(), strict=True):
            [same] = [i for i, row in enumerate(served[CLIPS]) if torch.equal(row, picture)]
            assert torch.equal(served[THERE][same], seen)
            assert clips[same].sample.label == MEGC3[label]


def test_it_is_asked_about_the_event_and_early_about_what_there_is_of_it(config, clips):
    config = replace(config, frames=12, early=Early(share=0.5, after_s=(0.0, 0.05)))
    clip = clips[0]
    made = GreyClip(128, config.size_px, 12)
    for answer, frames in (("final", slice(2, 11)), ("early", slice(2, 8))):
        found = AKMNET.inputs(config, [clip], answer)
        event = EventFrames(clip.times()[frames], images=clip.crops()[frames])
        assert all(np.array_equal(found[name], row) for name, row in made.of_event(event, 0.0).items())
    nobody = AKMNET.inputs(config, [], "final")
    assert (nobody[CLIPS].shape, nobody[THERE].shape) == ((0, 1, 12, 32, 32), (0, 12))


def test_the_live_window_shows_an_event_as_tests_do(config, clips, watched):
    """At its end, and when its apex has just been found."""
    made = AKMNET.representation(config)
    for clip in clips[:2]:
        sample, window = clip.sample, watched(clip.times(), clip.crops())
        for answer, end in (("final", sample.offset_s), ("early", sample.apex_s + config.early.middle_s)):
            live = made.of_event(window.span(sample.onset_s, end), sample.apex_s)
            trained = AKMNET.inputs(config, [clip], answer)
            assert all(np.array_equal(trained[name], row) for name, row in live.items())


def test_some_events_end_soon_after_their_apex_in_training(config, clips):
    made = job(config, clips, frames=12, early=Early(share=0.5, after_s=(0.0, 0.05)), jitter_s=0.0)
    lengths = [int(n) for epoch in range(6) for _, there, _ in made.batches(epoch) for n in there.sum(1)]
    assert set(lengths) == {5, 6, 7, 9}
    assert 20 < sum(length < 9 for length in lengths) < 52


def test_all_frames_of_a_clip_are_cut_and_mirrored_alike():
    x = torch.rand(16, 1, 1, 24, 24, generator=torch.Generator().manual_seed(1)).expand(-1, -1, 3, -1, -1).contiguous()
    found = varied(x, WindowAugment(probability=0.5, enlarged=1.125, mirrored=0.5, light=0.3), generator(2))
    assert torch.equal(found[:, :, 0], found[:, :, 2])
    halves = varied(x, replace(STILL, mirrored=0.5), generator(3))
    same = [torch.equal(a, b) for a, b in zip(x, halves, strict=True)]
    turned = [torch.equal(a, b.flip(-1)) for a, b in zip(x, halves, strict=True)]
    assert all(one != two for one, two in zip(same, turned, strict=True))
    assert 3 < sum(same) < 13


def test_a_window_is_a_ninth_smaller_and_anywhere():
    """A picture that says where it was taken from, with its corners."""
    ramp = torch.linspace(0, 1, 64).expand(8, 1, 1, 64, 64)
    found = varied(ramp, WindowAugment(probability=1.0, enlarged=1.125, mirrored=0.0, light=0.0), generator(1))
    span = (found[..., -1] - found[..., 0]).flatten(1).mean(1)
    torch.testing.assert_close(span, torch.full((8,), 64 / 72), atol=0.01, rtol=0)
    assert len({round(float(left), 3) for left in found[:, 0, 0, 0, 0]}) > 3


def generator(seed):
    return torch.Generator().manual_seed(seed)


def test_it_learns_is_exported_and_answers_as_torch_does(config, clips, given_clips, golden_of, engines, tmp_path):
    rng = np.random.default_rng(1)
    golden_of([rng.integers(0, 40 + 19 * i, (48, 48, 3), dtype=np.uint8) for i in range(12)])
    steps = replace(config.optimiser, kind="adamw", rate=0.003)
    config = replace(config, epochs=10, jitter_s=0.0, early=WHOLE, augment=STILL, optimiser=steps)
    nobody = MarkedSettings(clips="", without=(), speeds=(), strengths=())
    source = given_clips(
        [*clips, *(shot(label, person) for person in (4, 5, 6) for label in MEGC3)], MEGC3, name="megc-3"
    )
    asked = Experiment(AKMNET, Recipe(config, SyntheticSettings(set="", marked=nobody, clips=None)), source)
    asked.fit()
    assert {score.name for score in asked.scores()} >= {"final_uf1", "early_uf1"}
    logits = judge(AKMNET, asked.restored(), AKMNET.inputs(config, clips, "final"))
    said = [MEGC3[i] for i in logits.argmax(1).tolist()]
    assert sum(a == clip.sample.label for a, clip in zip(said, clips, strict=True)) >= 10  # of 12, which it has seen
    target = tmp_path / "engines" / "akmnet"
    manifest = asked.export(target, "fp32", asked.scores())
    assert check(target, engines).ok
    assert manifest.representation == GreyClip(128, 32, 6)
    assert [spec.name for spec in manifest.inputs] == [CLIPS, THERE]
    golden = np.load(target / "golden.npz")
    assert golden[f"in_{THERE}"].tolist() == [[1, 1, 1, 1, 0, 0]] * 2
    with torch.no_grad():
        found = asked.restored()(*(torch.from_numpy(golden[f"in_{name}"]).float() for name in (CLIPS, THERE)))
    assert golden["out_logits"] == pytest.approx(found[0].numpy(), rel=1e-2, abs=1e-2)
    assert np.array_equal(golden["out_chosen"], found[2].numpy())


def test_weights_of_other_classes_may_be_the_beginning(config, tmp_path):
    taught = AKMNET.network(config, 7)
    torch.save(taught.state_dict(), tmp_path / "weights.pt")
    begun = AKMNET.network(replace(config, initial=str(tmp_path / "weights.pt")), 3)
    assert torch.equal(begun.encoder.conv1.weight, taught.encoder.conv1.weight)
    assert begun.fc.out_features == 3
