"""The two-branch head, alone and in the training of `train.methods.cmn.job`."""

import msgspec
import numpy as np
import pytest
import torch

from realtime.labels import MEGC3
from train.clips.embeddings import EmbeddedClip
from train.datasets.annotation.sample import Sample
from train.evaluation.metrics import scores
from train.methods.cmn.cmnet import CmnetHead
from train.methods.cmn.events import EmbeddedEvents
from train.methods.cmn.job import CmnJob
from train.methods.cmn.trend import trend
from train.methods.experiment import train
from train.methods.method import judge
from train.registry import METHODS
from train.sources.source import Split, Vocabulary

CMN = METHODS["cmn"]
STRENGTHS = {"negative": 1.0, "positive": 2.0, "surprise": 4.0}
WIDTH = 24  # as that of the encoder
PEOPLE = (range(9), range(9, 10), range(10, 12))
DIRECTION = np.random.default_rng(0).standard_normal(WIDTH)


def clip(person, number, *, strong=True):
    """All classes move the same way; how far is all that tells them apart, or nothing does if not `strong`."""
    rng = np.random.default_rng((person, number))
    label = MEGC3[number % 3]
    apex, offset = rng.uniform(0.12, 0.2), rng.uniform(0.3, 0.4)
    times = np.arange(0.0, offset, 1 / 60)
    strength = STRENGTHS[label] if strong else 2.0
    course = strength * np.interp(times, [0.0, apex, offset], [0, 1, 0])
    face = np.random.default_rng(person).standard_normal(WIDTH)
    clean = (face + course[:, None] * DIRECTION).astype(np.float32)
    views = (clean + 0.05 * rng.standard_normal((4, *clean.shape))).astype(np.float32)
    return EmbeddedClip(Sample(f"{person}-{number}", f"p{person}", label, 0.0, apex, offset), times, clean, views)


def split(**options):
    """Nine people to train on, one who calibrates, two to test."""
    sides = [[clip(person, number, **options) for person in people for number in range(6)] for people in PEOPLE]
    return Split(Vocabulary("megc-3", MEGC3), (sides[0],), sides[1], (sides[2],))


@pytest.fixture(scope="module")
def config(shipped):
    given = shipped(head="cmnet", epochs=20).method
    return msgspec.structs.replace(given, optimiser=msgspec.structs.replace(given.optimiser, batch=8))


@pytest.fixture(scope="module")
def trained(config, at_hand, tmp_path_factory):
    given = split()
    return train(CMN, config, None, given, 1, tmp_path_factory.mktemp("cmnet")), given


def uf1(config, head, given, answer):
    (test,) = given.test
    said = judge(CMN, head, CMN.inputs(config, test, answer)).argmax(1).numpy()
    return scores(np.array([MEGC3.index(label) for label in CMN.labels(test)]), said, MEGC3).uf1


def job_of(config, **weights):
    torch.manual_seed(1)
    loss = msgspec.structs.replace(config.loss, **weights)
    return CmnJob(CMN, msgspec.structs.replace(config, loss=loss), CmnetHead(WIDTH, 3, "first", 1.0), split(), 1)


def test_it_learns_how_strong_a_movement_is_in_people_it_has_never_seen(config, trained):
    head, given = trained
    assert isinstance(head, CmnetHead)
    assert uf1(config, head, given, "final") > 0.9
    assert uf1(config, head, given, "early") > 0.9


def test_where_strength_tells_nothing_texture_alone_does_not_either(config, at_hand, tmp_path):
    given = split(strong=False)
    assert uf1(config, train(CMN, config, None, given, 1, tmp_path), given, "final") < 0.6


def test_a_trained_head_needs_its_intensities(config, trained):
    head, given = trained
    hook = head.squeeze.register_forward_hook(lambda module, inputs, w: w.mean().expand_as(w))
    try:
        blind = uf1(config, head, given, "final")
    finally:
        hook.remove()
    assert blind < uf1(config, head, given, "final") - 0.2


def test_intensities_rise_to_the_apex_and_fall_in_people_it_has_never_seen(trained):
    head, given = trained
    test = EmbeddedEvents(given.test[0])
    events = torch.arange(len(test))
    frames = (torch.arange(8) * (test.lengths[:, None] - 1)) // 7
    with torch.no_grad():
        x = head.relative(test.clean[test.rows(events, frames)], test.clean[test.rows(events, frames[:, :1])])
        w = head.intensity(head.projector(x))
    since = test.since_apex_s(events, frames)
    assert float(trend(w, since)) < 0.3 < float(trend(torch.zeros_like(w), since))
    nearest = since.abs().argmin(1)
    assert bool(((w.argmax(1) - nearest).abs() <= 1).float().mean() > 0.9)


def test_the_loss_holds_the_calibration_with_its_weight(config):
    without, with_trend = (job_of(config, trend=weight) for weight in (0.0, 2.0))
    batch = next(iter(without.batches(0)))
    x = without.head.relative(batch.views, batch.views[:, :, :1])
    w = without.head.intensity(without.head.projector(x))
    calibration = sum(trend(view, batch.since_apex_s) for view in w.unbind(1)) / 2
    more = with_trend.loss(batch) - without.loss(batch)
    assert more.item() == pytest.approx(2.0 * calibration.item(), rel=1e-4)


def test_every_weight_of_both_branches_learns_from_a_batch(config):
    job = job_of(config)
    job.loss(next(iter(job.batches(0)))).backward()
    for name, parameter in job.head.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert float(parameter.grad.abs().sum()) > 0, name


def test_what_the_lstm_reads_is_texture_times_extended_intensity():
    torch.manual_seed(1)
    head, x = CmnetHead(WIDTH, 3, "none", 1.0), torch.randn(2, 8, WIDTH)
    z = head.projector(x)
    w = z @ head.squeeze.weight[0] + head.squeeze.bias
    wanted = head.texture(x) * (w[..., None] * head.extend.weight[:, 0] + head.extend.bias)
    assert torch.allclose(head.movement(x, z), wanted, atol=1e-6)
    assert torch.allclose(head.intensity(z), w, atol=1e-6)


def test_frames_that_come_later_change_no_intensity_before_them():
    torch.manual_seed(1)
    head, x = CmnetHead(WIDTH, 3, "first", 1.0), torch.randn(2, 8, WIDTH)
    other = torch.cat([x[:, :5], torch.randn(2, 3, WIDTH)], 1)
    one, two = (head.movement(y, head.projector(y)) for y in (head.relative(each, each[:, :1]) for each in (x, other)))
    assert torch.equal(one[:, :5], two[:, :5])
