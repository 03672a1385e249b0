import copy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from realtime.config import convert
from realtime.engine.package import manifest
from realtime.engine.package.manifest import MODEL, Score
from realtime.errors import ConfigError, DataError
from realtime.labels import MEGC3
from realtime.representation.crop_images import CropImages, crop_images
from realtime.representation.embedding_sequence import EmbeddingSequence
from realtime.representation.event import EventFrames
from train.clips.clip import ClipCrops
from train.clips.embeddings import embed
from train.config.old import load
from train.datasets.annotation.sample import Sample
from train.evaluation.ablation import Compared, ablate, variants
from train.methods.cmn import cmn
from train.methods.cmn.answers import calibrate, evaluate, predict
from train.methods.cmn.cmn import CmnJob, fit, prepare
from train.methods.cmn.config import CmnConfig
from train.methods.cmn.inter import inter_contrast
from train.methods.cmn.intra import intra_contrast
from train.networks.cmn import CmnHead

SHIPPED = Path(__file__).resolve().parents[4] / "configs/train/cmn.toml"
PICTURES = CropImages(crop_px=16, size_px=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
PLACES = {"negative": (2, 2), "positive": (9, 9), "surprise": (2, 9)}  #: where the crop brightens


class Encoder:
    """A fixed random layer over 4x4 blocks of the crop."""

    precision, backend = "f32", "none"
    manifest = SimpleNamespace(name="encoder", files={MODEL: "a" * 64}, representation=PICTURES)

    def __init__(self, width=24):
        self.weights = np.random.default_rng(0).standard_normal((48, width)).astype(np.float32)

    def run(self, inputs):
        x = inputs["images"]
        blocks = x.reshape(len(x), 3, 4, 4, 4, 4).mean((3, 5)).reshape(len(x), -1)
        return {"embedding": np.maximum(blocks @ self.weights, 0), "logits": blocks[:, :8]}


def clip(person, number, frames=36, rate=60.0):
    """A face of its own in which one place brightens from onset to apex and fades until the offset."""
    rng = np.random.default_rng((person, number))
    face = np.random.default_rng(person).uniform(60, 160, (16, 16, 3))
    label = MEGC3[number % 3]
    onset = 0.1 + rng.uniform(0, 0.05)
    apex, offset = onset + rng.uniform(0.1, 0.2), onset + rng.uniform(0.3, 0.4)
    times = np.arange(frames) / rate
    row, column = PLACES[label]
    crops = []
    for intensity in np.interp(times, [onset, apex, offset], [0, 1, 0]):
        picture = face + rng.normal(0, 2, face.shape)
        picture[row : row + 5, column : column + 5] += 45 * intensity
        crops.append(np.clip(picture, 0, 255).astype(np.uint8))
    return ClipCrops(Sample(f"p{person}-{number}", f"p{person}", label, onset, apex, offset), times, crops)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks of this size are slower on two threads, and much slower when something else runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def clips():
    return [clip(person, number) for person in range(14) for number in range(6)]


def config(folder, **changes):
    """The shipped configuration, small and quick, its files under `folder`."""
    small = {"cache": str(folder / "cache"), "runs": str(folder / "runs"), "epochs": 12}
    given = load(SHIPPED, ["motion.cells=0"])
    three = msgspec.structs.replace(given.clips, none=0.0)  # the clips here show all that there is
    return msgspec.structs.replace(given, **({"clips": three} | small | changes))


@pytest.fixture(scope="module")
def run(clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    settings = config(folder)
    parts = prepare(settings, clips, Encoder())
    return settings, parts, fit(settings, parts)


def figures(folder):
    found = msgspec.json.decode((folder / "scores.json").read_bytes(), type=tuple[Score, ...])
    return {score.name: score for score in found}


def test_the_shipped_configuration_is_complete_and_strict():
    tree = msgspec.toml.decode(SHIPPED.read_bytes())
    assert convert(tree, CmnConfig, SHIPPED) == load(SHIPPED)
    few = {"views": tree["views"] | {"count": 1}}
    for change in ({"head": "aman"}, {"sampling": "near"}, {"reference": "last"}, few, {"more": 1}):
        with pytest.raises(ConfigError):
            convert(tree | change, CmnConfig, SHIPPED)


def test_a_head_learns_what_moves_in_people_it_has_never_seen(run):
    found = figures(run[2])
    assert found["final_uf1"].value > 0.9
    assert found["early_uf1"].value > 0.8
    assert found["final_majority_accuracy"].value == pytest.approx(1 / 3, abs=1e-3)


def test_scores_carry_their_protocol_and_the_held_out_counts(run):
    settings, parts, folder = run
    for score in figures(folder).values():
        assert sum(score.counts.values()) == len(parts.test) == 18
        assert tuple(score.counts) == MEGC3
        assert f"{settings.epochs} epochs, fixed in advance" in score.protocol
        assert "75 ms after the apex" in score.protocol


def test_a_run_can_be_loaded_and_scores_as_it_says(run):
    settings, parts, folder = run
    found = evaluate(cmn.load(folder), parts.test, settings)
    assert figures(folder)["final_uf1"].value == pytest.approx(found["final"].uf1, abs=1e-4)
    assert msgspec.json.decode((folder / "config.json").read_bytes(), type=CmnConfig) == settings


def test_an_unfinished_run_is_refused(tmp_path):
    with pytest.raises(DataError, match="no finished run"):
        cmn.load(tmp_path)


def test_the_head_answers_serving_as_it_answered_its_evaluation(run, clips):
    settings, parts, folder = run
    head = cmn.load(folder)
    sequence = EmbeddingSequence(encoder="encoder", encoder_sha256="a" * 64, frames=settings.frames, width=24)
    embedded = embed(clips, Encoder(), settings.views, settings.clips.seed, Path(settings.cache))
    logits = {stage: predict(head, parts.test, settings, stage) for stage in ("final", "early")}
    shown = next(c for c in embedded if (c.clean == parts.test.clean[0].numpy()).all(1).any())
    ends = {"final": shown.sample.offset_s, "early": shown.sample.apex_s + 0.075}
    for stage, end in ends.items():
        inside = (shown.times >= shown.sample.onset_s) & (shown.times <= end)
        seen = EventFrames(shown.times[inside], embeddings=list(shown.clean[inside]))
        served = sequence.of_event(seen, shown.sample.apex_s)["embeddings"]
        with torch.no_grad():
            assert torch.allclose(head(torch.from_numpy(served))[0][0], logits[stage][0], atol=1e-5)


def test_training_twice_gives_the_same_weights(run, clips, tmp_path):
    again = fit(config(tmp_path), prepare(config(tmp_path), clips, Encoder()))
    one, two = (torch.load(folder / "weights.pt") for folder in (run[2], again))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_killed_training_goes_on_to_the_same_weights(run, tmp_path, monkeypatch):
    settings, parts, folder = run
    batches = CmnJob.batches

    def killed(self, epoch):
        if epoch == 7:
            raise KeyboardInterrupt
        return batches(self, epoch)

    moved = msgspec.structs.replace(settings, runs=str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(CmnJob, "batches", killed)
        with pytest.raises(KeyboardInterrupt):
            fit(moved, parts)
    one, two = (torch.load(each / "weights.pt") for each in (folder, fit(moved, parts)))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_other_settings_have_a_folder_of_their_own(run, tmp_path):
    settings, parts, _ = run
    short = msgspec.structs.replace(settings, runs=str(tmp_path), epochs=1)
    folders = [fit(msgspec.structs.replace(short, **change), parts) for change in ({}, {"seed": 2}, {})]
    assert folders[0] == folders[2] != folders[1]


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(run):
    job = CmnJob(run[0], run[1])
    first, again, other = (next(iter(job.batches(epoch))) for epoch in (0, 0, 1))
    assert torch.equal(first.views, again.views)
    assert torch.equal(first.negatives, again.negatives)
    assert not torch.equal(first.negatives, other.negatives)


def test_a_batch_holds_two_different_views_of_the_same_frames_and_other_frames_of_the_clip(run):
    settings, parts, _ = run
    train = copy.copy(parts.train)
    number = torch.arange(len(train.clean), dtype=torch.float32)[:, None]
    train.clean = number.expand(-1, 24)  # frame i embeds as i, and in view v as i + 10000 (v + 1)
    train.views = torch.stack([train.clean + 10_000 * (view + 1) for view in range(4)])
    event = torch.repeat_interleave(torch.arange(len(train)), train.lengths)
    pairs = set()
    for batch in CmnJob(settings, replace(parts, train=train)).batches(3):
        assert batch.negatives.shape[1:3] == (settings.frames, settings.negatives)
        frames, negatives = (x[..., 0].long() for x in (batch.views.transpose(0, 1), batch.negatives))
        assert torch.equal(frames[0] % 10_000, frames[1] % 10_000)
        for k, label in enumerate(batch.labels):
            sources, others = (frames[0, k] % 10_000).tolist(), negatives[k].flatten().tolist()
            view = [set((frames[side, k] // 10_000).tolist()) for side in (0, 1)]
            assert [len(each) for each in view] == [1, 1]
            assert view[0] != view[1]
            pairs |= {(*view[0], *view[1])}
            assert sources == sorted(sources)
            assert batch.first[k, 0, 0, 0] == sources[0]
            assert not set(sources) & set(others)
            assert all(len(set(row)) == settings.negatives for row in negatives[k].tolist())
            assert {int(event[i]) for i in (*sources, *others)} == {int(event[sources[0]])}
            assert label == train.labels[event[sources[0]]]
    assert len(pairs) > 6  # of the twelve ordered pairs of four views


def test_half_of_the_clips_end_soon_after_their_apex(run):
    settings, parts, _ = run
    job, data = CmnJob(settings, parts), parts.train
    low, high = data.early(0.03), data.early(0.12)
    lengths = torch.stack([job._lengths(data, torch.Generator().manual_seed(seed)) for seed in range(200)])
    cut = lengths < data.lengths
    assert float(cut.float().mean()) == pytest.approx(0.5, abs=0.06)
    assert bool(((lengths >= low) & (lengths <= high) | ~cut).all())
    whole = msgspec.structs.replace(settings, early=msgspec.structs.replace(settings.early, share=0.0))
    assert torch.equal(CmnJob(whole, parts)._lengths(data, torch.Generator().manual_seed(0)), data.lengths)


def test_the_loss_is_the_weighted_sum_of_its_three_parts(run):
    job = CmnJob(run[0], run[1])
    batch = next(iter(job.batches(0)))
    head, weights = job.head, run[0].loss
    a, b = (head.projector((view - view[:, :1]) * head.scale) for view in batch.views.unbind(1))
    negatives = head.projector((batch.negatives - batch.first) * head.scale)
    (logits_a, v_a), (logits_b, v_b) = head(batch.views[:, 0]), head(batch.views[:, 1])
    labels = torch.cat([batch.labels, batch.labels])
    wanted = weights.intra * intra_contrast(a, b, negatives, weights.temperature)
    wanted += weights.inter * inter_contrast(torch.cat([v_a, v_b]), labels, weights.temperature)
    wanted += weights.classify * torch.nn.functional.cross_entropy(torch.cat([logits_a, logits_b]), labels)
    assert job.loss(batch).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_every_weight_learns_from_a_batch(run):
    job = CmnJob(run[0], run[1])
    job.loss(next(iter(job.batches(0)))).backward()
    for name, parameter in job.head.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert float(parameter.grad.abs().sum()) > 0, name


def test_calibration_scales_the_logits_and_changes_no_answer(run):
    settings, parts, _ = run
    torch.manual_seed(3)
    head = CmnHead(24, 3, "first", parts.train.scale("first"))
    before = predict(head, parts.test, settings, "final")
    found = calibrate(head, parts.calibration, settings)
    assert torch.allclose(predict(head, parts.test, settings, "final") * found, before, atol=1e-5)
    assert calibrate(head, parts.calibration, settings) == pytest.approx(1.0, rel=1e-3)


def test_the_head_with_a_reference_sees_no_offset_common_to_all_frames():
    torch.manual_seed(1)
    x, face = torch.randn(2, 8, 16), torch.randn(2, 1, 16)
    with torch.no_grad():
        first, none = (CmnHead(16, 3, reference, torch.ones(16)) for reference in ("first", "none"))
        assert torch.allclose(first(x + face)[0], first(x)[0], atol=1e-5)
        assert not torch.allclose(none(x + face)[0], none(x)[0], atol=1e-2)


def test_an_exported_run_is_a_package_that_fits_its_encoder(run, tmp_path, monkeypatch):
    settings, parts, folder = run
    frames = clip(0, 0).crops
    monkeypatch.setattr("train.packaging.golden.sample_crops", lambda count: frames[:count])
    made = cmn.export(settings, parts, Encoder(), tmp_path / "cmn", "fp32")
    assert msgspec.json.encode(made) == msgspec.json.encode(manifest.load(tmp_path / "cmn"))
    assert made.representation == EmbeddingSequence("encoder", "a" * 64, settings.frames, 24)
    assert "step.onnx" in made.files
    assert {score.name: score.value for score in made.scores} == {k: v.value for k, v in figures(folder).items()}
    assert msgspec.convert(made.training.recipe, CmnConfig) == settings
    with np.load(tmp_path / "cmn" / "golden.npz") as golden:
        assert golden["in_embeddings"].shape == (4, 8, 24)
        wanted = Encoder().run({"images": crop_images(frames[:11], PICTURES)})["embedding"]
        assert golden["in_embeddings"][3] == pytest.approx(wanted[3:11], rel=1e-3)


def test_an_untrained_head_is_not_exported(run, tmp_path):
    with pytest.raises(DataError, match="no finished run"):
        cmn.export(msgspec.structs.replace(run[0], seed=77), run[1], Encoder(), tmp_path / "cmn", "fp32")
    assert not (tmp_path / "cmn").exists()


def test_the_head_minds_the_order_of_frames():
    torch.manual_seed(1)
    head = CmnHead(16, 3, "none", torch.ones(16))
    x = torch.randn(2, 8, 16)
    assert not torch.allclose(head(x)[0], head(x.flip(1))[0], atol=1e-4)


@pytest.mark.parametrize(("kind", "reference"), [("patent", "none"), ("cmnet", "first")])
def test_the_head_exported_to_onnx_answers_as_in_torch(kind, reference):
    torch.manual_seed(1)
    head = cmn.HEADS[kind](16, 3, reference, torch.full((16,), 0.5)).eval()
    x = torch.randn(3, 8, 16)
    program = torch.onnx.export(
        head,
        (x,),
        dynamo=True,
        input_names=["embeddings"],
        output_names=["logits", "clip"],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
        verbose=False,
    )
    onnx.checker.check_model(program.model_proto)
    for batch in (x, torch.randn(1, 8, 16)):
        found = ReferenceEvaluator(program.model_proto).run(None, {"embeddings": batch.numpy()})
        with torch.no_grad():
            for mine, wanted in zip(found, head(batch), strict=True):
                assert mine == pytest.approx(wanted.numpy(), abs=1e-5)


def test_an_ablation_gives_a_row_for_each_setting_on_the_same_people(clips, tmp_path):
    short = config(tmp_path, epochs=1)
    compared = variants(short, ["head=patent,cmnet", "sampling=far,uniform"])
    rows = ablate(Compared(lambda each: prepare(each, clips, Encoder()), fit), compared, seeds=[1, 2])
    assert [(*row.setting.values(), row.seed) for row in rows] == [
        (head, sampling, seed) for head in ("patent", "cmnet") for sampling in ("far", "uniform") for seed in (1, 2)
    ]
    assert len({row.scores["final_majority_accuracy"] for row in rows}) == 1
    assert all(0.0 <= row.scores[f"{stage}_uf1"] <= 1.0 for row in rows for stage in ("early", "final"))
    assert len(list((tmp_path / "runs" / "cmn").iterdir())) == len(rows)
    assert len(list((tmp_path / "cache").iterdir())) == len(clips)
