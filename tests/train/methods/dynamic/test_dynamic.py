"""The head of dynamic expressions: what it is shown, that it learns, what is said of it, and its package."""

from dataclasses import replace as altered

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT
from realtime.engine.check import check
from realtime.engine.package import manifest
from realtime.engine.package.manifest import MODEL
from realtime.errors import ConfigError, DataError
from realtime.labels import FERPLUS
from realtime.representation.contract.event import EventFrames
from realtime.representation.embedding_sequence import EMBEDDINGS, EmbeddingSequence
from train import registry
from train.datasets.folds import Fold
from train.methods.dynamic import method
from train.methods.dynamic.enactments import Enactments
from train.methods.dynamic.job import DynamicJob
from train.methods.dynamic.network import DynamicHead
from train.methods.dynamic.scores import at_apex, report
from train.methods.experiment import Experiment
from train.methods.method import judge
from train.sources.source import Provenance, Split, Vocabulary
from train.synthesis.script.emotions import LABELS, VOCABULARY
from train.training.calibration import temperature

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
SHIPPED = [ROOT / "configs/methods/dynamic.toml", ROOT / "configs/data/enacted.toml"]
DYNAMIC = registry.METHODS["dynamic"]
WIDTH, FRAMES = 16, 10  # as wide as the embeddings of the tests' encoder


def toy(count, seed):
    """Clips in which one number of the embedding rises from the onset to the apex, another for each class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(LABELS)
    times = np.tile(np.linspace(0.0, 1.8, FRAMES), (count, 1))
    moments = np.stack([rng.uniform(0.1, 0.4, count), rng.uniform(0.7, 1.0, count), rng.uniform(1.4, 1.7, count)], 1)
    x = 0.3 * rng.standard_normal((count, 1, WIDTH)) + 0.05 * rng.standard_normal((count, FRAMES, WIDTH))
    for k in range(count):
        x[k, :, labels[k]] += np.interp(times[k], moments[k], [0.0, 1.0, 0.0])
    logits = np.zeros((count, FRAMES, len(FERPLUS)))
    manners = np.where(labels == LABELS.index("neutral"), 2, np.arange(count) // len(LABELS) % 2)
    arrays = (x.astype(np.float32), logits.astype(np.float32), times, moments, labels, manners)
    return Enactments(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))


class Toys:
    """Implements `ClipSource`, of clips that are filmed already."""

    vocabulary = Vocabulary(VOCABULARY, LABELS)
    provenance = Provenance(("clips of tests",), "none")

    def key(self):
        return "toys"

    def folds(self):
        return (Fold("toys", ("train", "valid"), ("test",)),)

    def whole(self):
        return self.folds()[0]

    def split(self, fold):
        return Split(self.vocabulary, (toy(140, 1),), toy(56, 2), (toy(56, 3),))


@pytest.fixture(scope="module", autouse=True)
def at_hand():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method, "filmed", lambda config, clips, workers: clips)
        yield


@pytest.fixture(scope="module")
def experiment(packages, tmp_path_factory):
    """The shipped recipe, small and quick, on toys; `fit` has run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    given = registry.load(SHIPPED)
    small = {
        "runs": str(tmp_path_factory.mktemp("dynamic")),
        "frames": 6,
        "epochs": 20,
        "dropout": 0.0,
        "precision": "f32",
    }
    optimiser = replace(given.method.optimiser, batch=28, rate=0.1)
    config = replace(given.method, encoder=str(packages / "encoder"), optimiser=optimiser, **small)
    made = Experiment(DYNAMIC, altered(given, method=config), Toys())
    made.fit()
    torch.set_num_threads(threads)
    return made


@pytest.fixture(scope="module")
def clips():
    """Test clips that were filmed: none fades."""
    return toy(56, 3)


def job_of(experiment, **changes):
    config = replace(experiment.config, **changes)
    [(job, _)] = DYNAMIC.stages(config, experiment.split, experiment.source, config.seed)
    assert isinstance(job, DynamicJob)
    return job


def figures(experiment):
    return {score.name: score for score in experiment.scores()}


@pytest.mark.parametrize("change", ["precision=f16", "frames=0", "loss.p=3", "more=1", "clips.size_px=9"])
def test_the_shipped_recipe_is_strict(change):
    assert registry.load(SHIPPED).name == "dynamic"
    with pytest.raises(ConfigError):
        registry.load(SHIPPED, [change])


def test_it_learns_from_enacted_clips_and_no_other_method_does():
    with pytest.raises(ConfigError, match="dynamic learns from enacted clips, these are synthetic"):
        registry.load([SHIPPED[0], ROOT / "configs/data/synthetic.toml"])
    with pytest.raises(ConfigError, match="ecstfl learns from synthetic or recorded clips, these are enacted"):
        registry.load([ROOT / "configs/methods/ecstfl.toml", SHIPPED[1]])


def test_sequences_are_what_serving_gives_to_the_head(clips, experiment):
    made = EmbeddingSequence("encoder", "a" * 64, 6, WIDTH)
    begin, _, end = clips.moments.unbind(1)
    found = DYNAMIC.inputs(experiment.config, clips, "final")[EMBEDDINGS]
    assert found.equal(clips.sequences(begin, end, 6))  # as in training
    for k in range(len(clips)):
        inside = (clips.times[k] >= begin[k]) & (clips.times[k] <= end[k])
        seen = EventFrames(clips.times[k][inside].numpy(), embeddings=list(clips.embeddings[k][inside].numpy()))
        served = made.of_event(seen, 0.0)["embeddings"][0]
        assert np.array_equal(found[k].numpy(), served)


def test_a_part_without_a_frame_is_the_frame_beside_it(clips):
    between = torch.full((len(clips),), 0.05, dtype=torch.float64)
    after = torch.full((len(clips),), 9.0, dtype=torch.float64)
    for moment, frame in ((between, 1), (after, -1)):
        wanted = clips.embeddings[:, frame]
        assert clips.sequences(moment, moment, 3)[:, 2].equal(wanted)
        events = list(clips.events(moment, moment))
        assert {len(event.times) for event in events} == {1}
        assert np.array_equal([event.embedded.embeddings[0] for event in events], wanted)


def test_a_head_learns_what_changes_in_faces_it_has_never_seen(experiment):
    found = figures(experiment)
    assert found["final_uar"].value > 0.7
    assert found["forward_early_uar"].value > 0.9
    assert found["backward_early_uar"].value > 0.8
    assert found["fade_final_uar"].value > 0.6
    assert found["forward_encoder_accuracy"].value == pytest.approx(1 / 6, abs=0.05)  # its logits here say nothing


def test_scores_carry_counts_and_protocol_and_leave_out_what_is_not_there(experiment):
    found = figures(experiment)
    assert sum(found["final_uar"].counts.values()) == 2 * 56  # half of them fade
    assert found["forward_final_uar"].counts["neutral"] == 0
    assert sum(found["fade_final_uar"].counts.values()) == 56
    assert "20 epochs, fixed in advance" in found["final_uar"].protocol
    assert "final_recall_fear" in found
    assert "backward_final_recall_fear" not in found


def test_the_mean_recall_of_a_group_is_over_the_classes_that_are_there(clips, experiment):
    right = torch.nn.functional.one_hot(clips.labels, len(LABELS)).float()
    told = {score.name: score.value for score in report({"final": right}, clips, experiment.config)}
    assert told["forward_final_uar"] == told["backward_final_uar"] == told["final_uar"] == 1.0


def test_the_encoder_alone_is_asked_around_the_apex_and_never_says_contempt(clips):
    logits = torch.zeros_like(clips.logits)
    away = (clips.times - clips.moments[:, 1:2]).abs()
    logits[:, :, FERPLUS.index("contempt")] = 9.0
    logits[:, :, FERPLUS.index("fear")] = torch.where(away < 0.2, 5.0, 0.0)
    logits[:, :, FERPLUS.index("anger")] = torch.where(away < 0.2, 0.0, 8.0)
    shares = at_apex(Enactments(**{**{n: getattr(clips, n) for n in Enactments.__slots__}, "logits": logits}))
    assert shares.sum(1).numpy() == pytest.approx(np.ones(len(clips)), abs=1e-5)
    assert {LABELS[k] for k in shares.argmax(1)} == {"fear"}


def test_each_epoch_cuts_clips_anew_as_a_detector_might(experiment):
    job = job_of(experiment)
    onset, apex, offset = job.train.moments.unbind(1)
    parts = [job._parts(job.train, torch.Generator().manual_seed(seed)) for seed in range(40)]
    begin, end = (torch.stack(side) for side in zip(*parts, strict=True))
    assert bool(((begin >= onset - 0.4) & (begin <= onset + 0.1)).all())
    whole = end == offset
    assert float(whole.float().mean()) == pytest.approx(0.5, abs=0.05)
    assert bool((whole | ((end >= apex) & (end <= apex + 0.3))).all())


def test_each_epoch_shows_fades_of_its_own(experiment):
    job = job_of(experiment)
    assert job.steps == 2 * len(job.train) // 28
    shown = [torch.cat([x for x, _ in job.batches(epoch)]) for epoch in (0, 0, 1)]
    assert shown[0].equal(shown[1])
    assert not shown[0].equal(shown[2])
    alone = job_of(experiment, fades=0.0)
    assert alone.steps == len(job.train) // 28 == len(list(alone.batches(0)))


def test_the_loss_adds_the_clustering_of_the_feature(experiment):
    losses = {}
    for weight in (0.0, 0.1, 1.0):
        job = job_of(experiment, loss=replace(experiment.config.loss, weight=weight))
        losses[weight] = job.loss(next(iter(job.batches(0)))).item()
    assert losses[0.1] > losses[0.0]
    assert losses[1.0] - losses[0.0] == pytest.approx(10 * (losses[0.1] - losses[0.0]), rel=1e-3)


def test_training_twice_gives_the_same_weights(experiment, tmp_path):
    config = replace(experiment.config, runs=str(tmp_path))
    again = altered(experiment, recipe=altered(experiment.recipe, method=config))
    again.fit()
    one, two = (torch.load(each.run / "weights.pt") for each in (experiment, again))
    assert again.run.name == experiment.run.name
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_one_temperature_fits_both_answers_of_whom_it_is_calibrated_on(experiment):
    clips, network = experiment.split.calibration, experiment.restored()
    rows = [judge(DYNAMIC, network, DYNAMIC.inputs(experiment.config, clips, each)) for each in ("final", "early")]
    assert temperature(torch.cat(rows), clips.labels.repeat(2)) == pytest.approx(1.0, rel=1e-3)
    assert temperature(rows[0], clips.labels) != pytest.approx(1.0, rel=1e-3)


def test_a_head_is_kept_with_the_size_of_what_it_learned_from(experiment):
    embeddings = experiment.split.train[0].embeddings
    assert float(experiment.restored().scale * embeddings.square().mean().sqrt()) == pytest.approx(1.0, rel=1e-5)


def test_the_head_knows_both_what_a_frame_shows_and_what_has_changed():
    torch.manual_seed(1)
    head, x = DynamicHead(WIDTH, 7).eval(), torch.randn(2, 6, WIDTH)
    with torch.no_grad():
        feature, logits = head(x)
        assert (feature.shape, logits.shape) == ((2, 128), (2, 7))
        assert not torch.allclose(head(x + torch.randn(2, 1, WIDTH))[1], logits, atol=1e-3)
        assert not torch.allclose(head(x.flip(1))[1], logits, atol=1e-3)
        twice = head(torch.cat([x[:, :1], x], 1))[1] - head(torch.cat([x[:, 1:2], x], 1))[1]
        assert float(twice.abs().max()) > 1e-3  # the first frame is every frame's reference


def test_an_exported_run_is_a_package_that_answers_as_it_was_trained(experiment, tmp_path, golden_of, engines):
    rng = np.random.default_rng(4)
    crops = [rng.integers(0, 256, (48, 48, 3), dtype=np.uint8) for _ in range(9)]
    golden_of(crops)
    made = experiment.export(tmp_path / "dynamic", "fp32", experiment.scores())
    assert msgspec.json.encode(made) == msgspec.json.encode(manifest.load(tmp_path / "dynamic"))
    assert made.task == "dynamic-expression"
    assert (made.vocabulary, made.labels) == ("dfew-7", LABELS)
    encoder = manifest.load(ROOT / experiment.config.encoder)
    assert made.representation == EmbeddingSequence("encoder", encoder.files[MODEL], 6, WIDTH)
    assert {score.name: score.value for score in made.scores} == {k: v.value for k, v in figures(experiment).items()}
    assert made.training.recipe == experiment.recipe.tree()
    assert check(tmp_path / "dynamic", engines).ok


def test_an_untrained_head_is_not_exported(experiment, tmp_path):
    config = replace(experiment.config, seed=9)
    other = altered(experiment, recipe=altered(experiment.recipe, method=config))
    with pytest.raises(DataError, match="train first"):
        other.export(tmp_path / "dynamic", "fp32", ())
