import numpy as np
import pytest
import torch

from train.methods.dynamic.enactments import MANNERS, Enactments
from train.methods.dynamic.fades import HELD, faded, joined
from train.synthesis.script.emotions import LABELS

FRAMES = 12
NEUTRAL = LABELS.index("neutral")


def clips(still=6, expressive=24):
    """Neutral faces whose embedding is (number, 0), and pictures whose own is (0, 1 + class) at the apex alone."""
    count = still + expressive
    labels = torch.tensor([NEUTRAL] * still + [k % 3 * 2 for k in range(expressive)])
    manners = torch.tensor([MANNERS.index("still")] * still + [MANNERS.index("backward")] * expressive)
    times = torch.linspace(0.0, 1.1, FRAMES, dtype=torch.float64).repeat(count, 1)
    x = torch.zeros(count, FRAMES, 2)
    x[:still, :, 0] = torch.arange(still)[:, None] + 10.0
    x[still:, 5, 1] = 1.0 + labels[still:]
    moments = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64).repeat(count, 1)
    return Enactments(x, 2 * x, times, moments, labels, manners)


def fades(count=400, seed=1):
    return faded(clips(), count, torch.Generator().manual_seed(seed))


def test_a_fade_begins_as_a_neutral_face_and_shows_the_picture_at_its_apex():
    found = fades()
    held = found.embeddings[:, 0, 1] > 0
    moving = found.embeddings[~held]
    assert bool((moving[:, 0, 0] >= 10.0).all())
    assert not moving[:, 0, 1].any()
    shown = found.embeddings[:, 5]
    neutral = found.labels == NEUTRAL
    assert shown[~neutral, 1] == pytest.approx(1.0 + found.labels[~neutral].numpy())
    assert shown[~neutral, 0] == pytest.approx(np.zeros(int((~neutral).sum())), abs=1e-5)
    assert bool((moving[:, -1] == moving[:, 0]).all())


def test_some_show_their_expression_throughout():
    found = fades(count=2000)
    expressive = found.labels != NEUTRAL
    held = found.embeddings[expressive, 0, 1] > 0
    assert float(held.float().mean()) == pytest.approx(HELD, abs=0.04)


def test_classes_are_drawn_alike_however_many_pictures_they_have():
    counts = torch.bincount(fades(count=4000).labels, minlength=len(LABELS)).float()
    assert counts[[0, 2, 4]] / 4000 == pytest.approx(np.full(3, 1 / 3), abs=0.04)
    assert counts.sum() == 4000


def test_the_encoders_own_answer_follows_its_embedding():
    found = fades()
    assert torch.allclose(found.logits, 2 * found.embeddings, atol=1e-4)


def test_the_same_generator_draws_the_same_fades_and_another_others():
    one, same, other = (fades(seed=seed).embeddings for seed in (1, 1, 2))
    assert one.equal(same)
    assert not one.equal(other)


def test_joined_clips_keep_their_order():
    both = joined(clips(), fades(count=3))
    assert len(both) == 33
    assert [MANNERS[k] for k in both.manners[-3:]] == ["fade"] * 3
