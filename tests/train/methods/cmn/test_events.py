import numpy as np
import pytest
import torch

from realtime.representation.embedding_sequence import spread
from train.clips.clip import event
from train.clips.embeddings import EmbeddedClip
from train.datasets.annotation.sample import Sample
from train.methods.cmn.events import EmbeddedEvents


def sample(id="a", subject="p", label="negative", onset=0.5, apex=0.7, offset=1.0):
    return Sample(id, subject, label, onset, apex, offset)


def embedded(frames=20, rate=10.0, width=3, number=0, **moments):
    """Frame t of clip k embeds as [1000 k + t, ...]; its view v adds 0.1 (v + 1)."""
    clean = np.repeat(1000.0 * number + np.arange(frames, dtype=np.float32)[:, None], width, axis=1)
    views = np.stack([clean + 0.1, clean + 0.2]).astype(np.float32)
    moments = {"id": f"clip{number}", **moments}
    return EmbeddedClip(sample(**moments), np.arange(frames) / rate, clean.astype(np.float32), views)


def test_an_event_has_the_frames_from_onset_to_offset_both_included():
    times = np.arange(20) / 10
    assert times[event(times, sample())].tolist() == [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert times[event(times, sample(onset=0.45, offset=0.95))].tolist() == [0.5, 0.6, 0.7, 0.8, 0.9]
    assert times[event(times, sample(onset=-1.0, offset=9.0))].tolist() == times.tolist()


def test_events_keep_their_frames_and_views():
    clips = [embedded(), embedded(number=1, onset=0.2, offset=0.4, apex=0.3)]
    events = EmbeddedEvents(clips)
    assert events.lengths.tolist() == [6, 3]
    assert events.clean[:, 0].tolist() == [5, 6, 7, 8, 9, 10, 1002, 1003, 1004]
    assert torch.allclose(events.views[1], events.clean + 0.2)
    rows = events.rows(torch.tensor([1, 0]), torch.tensor([[0, 2], [1, 5]]))
    assert events.clean[rows][..., 0].tolist() == [[1002, 1004], [6, 10]]


def test_an_early_answer_sees_the_frames_up_to_its_moment():
    events = EmbeddedEvents([embedded(), embedded(number=1, onset=0.2, apex=0.3, offset=0.4)])
    assert events.early(0.0).tolist() == [3, 2]
    assert events.early(0.15).tolist() == [4, 3]
    assert events.early(9.0).tolist() == events.lengths.tolist()
    assert events.until(torch.tensor([0.0, 0.0])).tolist() == [1, 1]


def test_frames_are_timed_from_the_apex_of_their_own_event():
    events = EmbeddedEvents([embedded(), embedded(number=1, onset=0.2, apex=0.3, offset=0.4)])
    found = events.since_apex_s(torch.tensor([1, 0]), torch.tensor([[0, 1, 2], [0, 2, 5]]))
    assert found.flatten().tolist() == pytest.approx([-0.1, 0.0, 0.1, -0.2, 0.0, 0.3])


def test_sequences_are_what_serving_takes():
    events = EmbeddedEvents([embedded(), embedded(number=1, onset=0.2, apex=0.3, offset=1.4)])
    found = events.sequences(torch.tensor([4, 13]), 8)
    assert found.shape == (2, 8, 3)
    assert found[0, :, 0].tolist() == [5 + i for i in spread(4, 8)]
    assert found[1, :, 0].tolist() == [1002 + i for i in spread(13, 8)]


def test_the_scale_brings_the_inputs_to_one():
    events = EmbeddedEvents([embedded(), embedded(number=1)])
    moved = torch.cat([torch.arange(6.0), torch.arange(6.0)])
    width = events.clean.shape[1]
    assert events.scale("first").tolist() == pytest.approx([1 / float(moved.square().mean().sqrt())] * width)
    assert events.scale("none").tolist() == pytest.approx([1 / float(events.clean.square().mean().sqrt())] * width)


def test_what_stands_behind_an_embedding_has_a_scale_of_its_own():
    events = EmbeddedEvents([embedded(), embedded(number=1)])
    events.clean = torch.cat([events.clean, torch.full((len(events.clean), 2), 5.0)], 1)
    found = events.scale("none", behind=2)
    assert found[-2:].tolist() == pytest.approx([0.2, 0.2])
    assert float(found[0]) == pytest.approx(1 / float(events.clean[:, :-2].square().mean().sqrt()))
