"""What an epoch shows of the apex, and what it costs."""

import dataclasses

import msgspec
import numpy as np
import pytest
import torch

from realtime.labels import MEGC3, NONE
from realtime.representation.crop_images import IMAGES
from train.losses.focal import focal, inverse_frequency
from train.methods.apexnet import job as jobs
from train.methods.apexnet import pictures
from train.methods.apexnet.apex_frames import choose
from train.methods.apexnet.job import ApexnetJob
from train.methods.apexnet.pairs import filmed
from train.methods.apexnet.pictures import varied
from train.methods.apexnet.se_resnext import SeResNeXt
from train.registry import METHODS
from train.sources.source import Split, Vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
APEXNET, LABELS = METHODS["apexnet"], (*MEGC3, NONE)


def job_of(config, *takes, labels=LABELS, calibration=(), seed=1):
    split = Split(Vocabulary("megc-3-none", labels), takes, list(calibration), ())
    [(job, _)] = APEXNET.stages(config, split, None, seed)
    return job


@pytest.fixture(params=["apex", "change"])
def either(config, request):
    return replace(config, shows=request.param)


@pytest.fixture
def alone(recipe_of):
    """The paper's way: the apex alone."""
    return recipe_of("apexnet-recorded", "casme2-5").method


@pytest.fixture
def cameras(drawn, collected):
    """The same drawn clips as they were recorded, 50 Hz, and through a camera of 25 Hz."""
    collection = collected(drawn(), train_hz=(0.0, 25.0))
    takes = collection.takes(collection.ids(), (0.0, 25.0))
    return [filmed(take, choose(take, "annotation", None)) for take in takes]


def test_without_augmentation_training_sees_what_serving_sees_or_its_mirror(either, clips, still):
    known = [one for one in clips if one.sample.label != NONE]
    job = job_of(replace(either, augment=still, jitter_s=0.0, rest=0.0), known, labels=MEGC3)
    wanted = APEXNET.inputs(job.config, known, "final")[IMAGES]
    batches = list(job.batches(0))
    assert sum(len(labels) for _, labels in batches) == 32
    for images, labels in batches:
        for image, label in zip(images, labels, strict=True):
            apart = torch.minimum(
                (wanted - image).abs().amax((1, 2, 3)), (wanted.flip(-1) - image).abs().amax((1, 2, 3))
            )
            assert float(apart.min()) < (0.05 if job.config.shows == "change" else 1e-3)
            assert known[int(apart.argmin())].sample.label == LABELS[label]


def test_a_batch_holds_faces_at_rest_as_none(config, clips, still):
    job = job_of(replace(config, rest=0.25, augment=still, jitter_s=0.0), clips)
    images, labels = next(job.batches(0))
    assert images.shape == (16, 3, 48, 48)
    assert labels[12:].tolist() == [LABELS.index(NONE)] * 4
    assert job.steps == 4
    moving = images[:12][labels[:12] != LABELS.index(NONE), 2].abs().amax((1, 2))
    assert float(images[12:, 2].abs().amax((1, 2)).max()) < 0.5 < float(moving.median())
    assert float(job.alpha[3]) < float(job.alpha[0])


def test_where_none_is_no_class_no_face_at_rest_is_shown(config, clips):
    known = [one for one in clips if one.sample.label != NONE]
    job = job_of(replace(config, rest=0.25), known, labels=MEGC3)
    assert (job.rests, job.still, job.size) == ([], 0, 16)


def test_batches_are_new_in_each_epoch_and_the_same_when_asked_for_again(either, clips):
    job = job_of(either, clips)
    first, again, other = (next(job.batches(epoch)) for epoch in (0, 0, 1))
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])


def test_the_curve_is_of_the_clips_that_calibrate_if_there_are_any(config, clips):
    job = job_of(config, clips[8:], calibration=clips[:8])
    said = job.network.eval()(APEXNET.inputs(config, clips[:8], "final")[IMAGES])[1].argmax(1)
    right = [LABELS[i] == one.sample.label for i, one in zip(said.tolist(), clips[:8], strict=True)]
    assert job.evaluate(job.network) == {"valid_accuracy": pytest.approx(np.mean(right))}
    assert job_of(config, clips).evaluate(job.network) == {}


def test_one_kind_of_light_falls_on_onset_and_apex(config, still):
    change = replace(config, shows="change", augment=replace(still, light=0.5))
    same = torch.rand(4, 1, 48, 48).repeat(1, 2, 1, 1)
    found = varied(same, change.augment, APEXNET.representation(change), torch.Generator().manual_seed(1))
    assert float(found[:, 2].abs().max()) < 1e-3
    assert float((found[:, 0] - (4 * same[:, 0] - 2)).abs().max()) > 0.2


@pytest.mark.parametrize(("share", "grey"), [(0.0, 0), (0.5, range(20, 44)), (1.0, 64)])
def test_as_many_pictures_of_an_apex_lose_their_colour_as_asked(alone, still, share, grey):
    made, x = APEXNET.representation(alone), torch.rand(64, 3, 8, 8) * torch.tensor([1.0, 0.5, 0.5]).view(3, 1, 1)
    found = varied(x, replace(still, grey_probability=share), made, torch.Generator().manual_seed(1))
    colours = found * torch.tensor(made.std).view(3, 1, 1) + torch.tensor(made.mean).view(3, 1, 1)
    lost = int(((colours[:, 0] - colours[:, 1]).abs().amax((1, 2)) < 1e-5).sum())
    assert lost in (grey if isinstance(grey, range) else [grey])


def test_each_epoch_shows_the_apex_through_one_of_the_cameras(alone, cameras, monkeypatch):
    shown, seen = set(), jobs.seen

    def noted(clip, *how):
        shown.add((clip.sample.id, len(clip.times)))
        return seen(clip, *how)

    monkeypatch.setattr(jobs, "seen", noted)
    job = job_of(alone, *cameras, labels=MEGC3)
    for epoch in range(10):
        list(job.batches(epoch))
    assert len(shown) == 24
    assert len({frames for _, frames in shown}) == 2
    first, again = (next(job.batches(0)) for _ in range(2))
    assert torch.equal(first[0], again[0])


@pytest.mark.parametrize(("jitter_s", "frames"), [(0.0, {6}), (0.05, {4, 5, 6, 7, 8})])
def test_the_apex_moves_by_no_more_than_asked(alone, cameras, monkeypatch, jitter_s, frames):
    job, shown = job_of(replace(alone, jitter_s=jitter_s), cameras[0], labels=MEGC3), frames_shown(monkeypatch)
    for epoch in range(20):
        list(job.batches(epoch))
    assert set(shown) == frames  # 0.12 s and up to so much around it, at 50 Hz


def test_an_apex_alone_is_never_taken_from_behind_the_event(alone, cameras, monkeypatch):
    late = [dataclasses.replace(clip, sample=dataclasses.replace(clip.sample, apex_s=0.195)) for clip in cameras[0]]
    cut = [dataclasses.replace(clip, sample=dataclasses.replace(clip.sample, offset_s=0.196)) for clip in late]
    shown = frames_shown(monkeypatch)
    for jitter_s in (0.0, 0.05):
        list(job_of(replace(alone, jitter_s=jitter_s), cut, labels=MEGC3).batches(0))
        assert max(shown) == 9  # frame 10, of 0.2 s, is nearer, and after the offset
    assert shown[:12] == [9] * 12


def frames_shown(monkeypatch):
    """The frames that are taken for apexes from now on, counted at 50 Hz."""
    shown, apex_of = [], pictures.apex_of

    def noted(times, images, apex_s):
        shown.append(round(50 * times[np.abs(times - apex_s).argmin()]))
        return apex_of(times, images, apex_s)

    monkeypatch.setattr(pictures, "apex_of", noted)
    return shown


def test_the_cost_is_the_focal_loss_weighed_by_the_training_clips(alone, cameras):
    uneven = cameras[0][:5]
    job = job_of(alone, uneven, labels=MEGC3)
    counts = torch.bincount(job.labels, minlength=3)
    assert len(set(counts.tolist())) > 1
    assert torch.equal(job.alpha, inverse_frequency(counts))
    job.network.eval()
    x, y = next(job.batches(0))
    with torch.no_grad():
        wanted = focal(job.network(x)[1], y, 2.0, inverse_frequency(counts))
        assert job.loss((x, y)).item() == pytest.approx(wanted.item(), rel=1e-4)
    assert job_of(replace(alone, loss=replace(alone.loss, alpha="none")), uneven, labels=MEGC3).alpha is None


def test_frozen_statistics_stay_and_the_rest_learns(alone, cameras, tmp_path):
    given = SeResNeXt(1000, (1, 1, 1, 1))
    torch.save(given.state_dict(), tmp_path / "seresnext.pth")
    begun = replace(alone, frozen_norm=True, initial=str(tmp_path / "seresnext.pth"))
    job = job_of(begun, cameras[0], labels=MEGC3)
    job.network.train()
    before = {name: value.clone() for name, value in job.network.state_dict().items()}
    optimiser = torch.optim.SGD(job.network.parameters(), lr=0.1)
    job.loss(next(job.batches(0))).backward()
    optimiser.step()
    for name, value in job.network.state_dict().items():
        moved = not torch.equal(value, before[name])
        assert not (moved and ("running" in name or "tracked" in name)), name
    assert not torch.equal(job.network.bn1.weight, before["bn1.weight"])
    assert torch.equal(before["conv1.weight"], given.conv1.weight)


def test_a_job_has_the_weights_of_its_seed(config, clips):
    first, again, other = (job_of(config, clips, seed=seed).network.conv1.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert isinstance(job_of(config, clips), ApexnetJob)
