"""What a step of the head's training is shown, and what it makes small."""

import dataclasses

import msgspec
import pytest
import torch

from train import registry
from train.methods.cmn.config import MotionInput
from train.methods.cmn.events import EmbeddedEvents
from train.methods.cmn.inter import inter_contrast
from train.methods.cmn.intra import intra_contrast

CMN = registry.METHODS["cmn"]


@pytest.fixture(scope="module")
def job_of(experiment):
    """The job of an experiment, with other settings by their names."""
    asked = experiment()
    split = asked.split

    def make(**changes):
        config = msgspec.structs.replace(asked.config, **changes)
        [(job, _)] = CMN.stages(config, split, asked.source, config.seed)
        return job

    return make


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(job_of):
    job = job_of()
    first, again, other = (next(iter(job.batches(epoch))) for epoch in (0, 0, 1))
    assert torch.equal(first.views, again.views)
    assert torch.equal(first.negatives, again.negatives)
    assert not torch.equal(first.negatives, other.negatives)


def test_a_batch_holds_two_different_views_of_the_same_frames_and_other_frames_of_the_clip(job_of):
    job = job_of()
    data = job.events
    number = torch.arange(len(data.clean), dtype=torch.float32)[:, None]
    data.clean = number.expand(-1, 24)  # frame i embeds as i, and in view v as i + 10000 (v + 1)
    data.views = torch.stack([data.clean + 10_000 * (view + 1) for view in range(4)])
    event = torch.repeat_interleave(torch.arange(len(data)), data.lengths)
    pairs = set()
    for batch in job.batches(3):
        assert batch.negatives.shape[1:3] == (job.config.frames, job.config.negatives)
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
            assert all(len(set(row)) == job.config.negatives for row in negatives[k].tolist())
            assert {int(event[i]) for i in (*sources, *others)} == {int(event[sources[0]])}
            assert label == job.labels[event[sources[0]]]
    assert len(pairs) > 6  # of the twelve ordered pairs of four views


@pytest.fixture(scope="module")
def moved_job(experiment):
    """The job of an experiment with movement behind the embeddings."""
    asked = experiment(motion=MotionInput(cells=7, gain=0.2, noise=0.0))
    [(job, _)] = CMN.stages(asked.config, asked.split, asked.source, 1)
    return job


def test_views_and_negatives_of_a_clip_move_more_or_less_alike(moved_job):
    job, gains = moved_job, []
    for batch in (batch for epoch in range(8) for batch in job.batches(epoch)):
        parts = (batch.views, batch.first, batch.negatives)
        moved = torch.cat([part[..., 24:].flatten(1) for part in parts], 1)  # each clip moves by one number
        assert float((moved.amax(1) - moved.amin(1)).abs().max()) < 1e-6
        first = batch.first[:, 0, 0, :24]
        itself = torch.cdist(first, job.events.clean[:, :24]).argmin(1)
        gains.append(moved[:, 0] / job.events.clean[itself, 24])
    assert float(torch.cat(gains).log().std()) == pytest.approx(0.2, rel=0.2)


def test_negatives_are_judged_by_the_embedding_alone(moved_job):
    job = moved_job
    before = next(iter(job.batches(5))).negatives[..., :24]
    clean = job.events.clean.clone()
    job.events.clean[:, 24:] = torch.randn(len(clean), 98) * 50  # longer than any embedding
    after = next(iter(job.batches(5))).negatives[..., :24]
    job.events.clean = clean
    assert torch.equal(before, after)


def test_half_of_the_clips_end_soon_after_their_apex(job_of):
    job = job_of()
    data = job.events
    low, high = data.early(0.03), data.early(0.12)
    lengths = torch.stack([job.lengths(data, torch.Generator().manual_seed(seed)) for seed in range(200)])
    cut = lengths < data.lengths
    assert float(cut.float().mean()) == pytest.approx(0.5, abs=0.06)
    assert bool(((lengths >= low) & (lengths <= high) | ~cut).all())
    whole = job_of(early=msgspec.structs.replace(job.config.early, share=0.0))
    assert torch.equal(whole.lengths(data, torch.Generator().manual_seed(0)), data.lengths)


def test_the_head_is_scaled_by_what_it_learns_from(job_of):
    job = job_of()
    assert torch.equal(job.head.scale, job.events.scale("first"))
    assert not torch.equal(job.head.scale, torch.ones(24))


def test_the_loss_is_the_weighted_sum_of_its_three_parts(job_of):
    job = job_of()
    batch = next(iter(job.batches(0)))
    head, weights = job.head, job.config.loss
    a, b = (head.projector((view - view[:, :1]) * head.scale) for view in batch.views.unbind(1))
    negatives = head.projector((batch.negatives - batch.first) * head.scale)
    (logits_a, v_a), (logits_b, v_b) = head(batch.views[:, 0]), head(batch.views[:, 1])
    labels = torch.cat([batch.labels, batch.labels])
    wanted = weights.intra * intra_contrast(a, b, negatives, weights.temperature)
    wanted += weights.inter * inter_contrast(torch.cat([v_a, v_b]), labels, weights.temperature)
    wanted += weights.classify * torch.nn.functional.cross_entropy(torch.cat([logits_a, logits_b]), labels)
    assert job.loss(batch).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_every_weight_learns_from_a_batch(job_of):
    job = job_of()
    job.loss(next(iter(job.batches(0)))).backward()
    for name, parameter in job.head.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert float(parameter.grad.abs().sum()) > 0, name


def test_through_one_camera_and_cut_as_annotated_all_epochs_see_the_same_events(job_of):
    job = job_of()
    assert job.shown(torch.Generator()) is job.events


def test_an_epoch_sees_each_event_through_one_camera_cut_at_moments_of_its_own(experiment):
    asked = experiment(jitter_s=0.05)
    (sharp,) = asked.split.train
    slow = [
        dataclasses.replace(each, times=each.times[::2], clean=each.clean[::2], views=each.views[:, ::2])
        for each in sharp
    ]
    split = dataclasses.replace(asked.split, train=(sharp, slow))
    [(job, _)] = CMN.stages(asked.config, split, asked.source, 1)
    seen = [job.shown(torch.Generator().manual_seed(seed)) for seed in range(30)]
    lengths = torch.stack([events.lengths for events in seen])  # (30, K)
    whole, half = EmbeddedEvents(sharp).lengths, EmbeddedEvents(slow).lengths
    assert bool(((lengths - whole).abs() <= 8).logical_or((lengths - half).abs() <= 4).all())
    assert bool((lengths > whole).any(0).all())
    assert bool((lengths <= half + 4).any(0).all())
    assert len({events.lengths.sum().item() for events in seen}) > 20
    again = job.shown(torch.Generator().manual_seed(7))
    assert torch.equal(again.clean, seen[7].clean)
