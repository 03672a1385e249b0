import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from realtime import config
from realtime.records import Crop, Pose
from realtime.representation.movement.fields import LAG_S
from realtime.representation.movement.motion import Flow, grey, layout, measure
from realtime.spotting.detector import FaceSpotter
from train.clips.movement import fields
from train.clips.movement.fields import displacements, exact, moving
from train.clips.stored import store

STAGES = config.load()
SIZE = 128
POINTS, MATRIX = np.zeros((468, 2), np.float32), np.eye(2, 3, dtype=np.float32)


def filmed(amount, rate_hz=60.0):
    """Crops of a texture in which a spot at the left brow rises by `amount(t)` px."""
    rng = np.random.default_rng(3)
    texture = cv2.GaussianBlur(rng.uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32), (0, 0), 2.0)
    texture = cv2.normalize(texture, None, 20, 235, cv2.NORM_MINMAX)
    x, y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    near = np.exp(-((x - 40) ** 2 + (y - 36) ** 2) / (2 * 8.0**2))
    for i in itertools.count():
        t = i / rate_hz
        shown = cv2.remap(texture, x, (y + amount(t) * near).astype(np.float32), cv2.INTER_LINEAR)
        yield Crop(1, t, shown.astype(np.uint8), POINTS, MATRIX, Pose(0.0, 0.0, 0.0))


def rise(onset, apex, offset, most=3.0):
    return lambda t: most * np.interp(t, [onset, apex, offset], [0.0, 1.0, 0.0])


def test_a_clip_has_the_very_fields_that_the_live_detector_makes(leaky_spotter):
    crops = list(itertools.islice(filmed(rise(2.0, 2.15, 2.35)), 150))
    detector, live = FaceSpotter(STAGES.spotter, SIZE, leaky_spotter(SIZE), itertools.count(1)), []
    for crop in crops:
        detector.push(crop)
        live.append(detector.field)
    begin = 100  # a short clip of the same film, as a data set may have it
    found = displacements(crops[begin:])
    assert found.shape == (len(crops) - begin, 2, 28, 28)
    assert np.abs(found).max() > 0.02
    known = next(i for i, crop in enumerate(crops) if crop.t - LAG_S >= crops[begin].t)
    assert known < 2.15 * 60
    assert np.array_equal(found[known - begin :], np.stack(live[known:]))
    assert np.abs(found[: known - begin] - np.stack(live[begin:known])).max() < 2e-3  # the texture was still


def test_a_clip_has_the_fields_that_the_live_detector_makes_of_it_alone(leaky_spotter):
    crops = list(itertools.islice(filmed(rise(0.0, 0.15, 0.35)), 30))
    detector, live = FaceSpotter(STAGES.spotter, SIZE, leaky_spotter(SIZE), itertools.count(1)), []
    detector.rest(crops[0])
    for crop in crops:
        detector.push(crop)
        live.append(detector.field)
    assert np.array_equal(displacements(crops)[1:], np.stack(live[1:]))
    assert not live[0].any()


@pytest.mark.parametrize("frame", [0, 5, 18])
def test_a_clip_that_begins_with_its_onset_is_held_against_its_first_frame_for_a_lag(frame):
    crops = list(itertools.islice(filmed(rise(0.0, 0.3, 9.0)), 40))
    found = displacements(crops)
    wanted = measure(0.0, Flow()(grey(crops[0].image), grey(crops[frame].image)), layout(SIZE)).field
    assert np.array_equal(found[frame], wanted)
    assert np.abs(found[0]).max() < 1e-4 < 0.02 < np.abs(found[18]).max()


def test_a_clip_without_a_face_has_no_fields():
    assert displacements([]).shape == (0, 2, 28, 28)


def test_an_exact_displacement_is_what_the_stages_find_of_it():
    crops = list(itertools.islice(filmed(rise(0.0, 0.3, 9.0)), 19))
    x, y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    near = np.exp(-((x - 40) ** 2 + (y - 36) ** 2) / (2 * 8.0**2))
    known = np.stack([np.zeros_like(near), -3.0 * near], 2).astype(np.float32)
    found, wanted = displacements(crops)[-1], exact(known, MATRIX, layout(SIZE))
    assert np.corrcoef(found[1].ravel(), wanted[1].ravel())[0, 1] > 0.95
    assert 0.5 < np.abs(found[1]).max() / np.abs(wanted[1]).max() < 1.05  # flow flattens what is narrow


def test_an_exact_displacement_is_turned_and_sized_as_the_crop_is_and_loses_the_heads_part():
    place, side = layout(SIZE), 256
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    near = np.exp(-((x - 90) ** 2 + (y - 60) ** 2) / (2 * 12.0**2))
    face = np.stack([4.0 * near, np.zeros_like(near)], 2).astype(np.float32)
    head = np.stack([2.0 + 0.01 * x, -1.0 + 0.02 * y], 2)
    matrix = np.array([[0.0, 0.5, 0.0], [-0.5, 0.0, 128.0]], np.float32)  # half the size, a quarter turn
    found = exact((face + head).astype(np.float32), matrix, place)
    assert found == pytest.approx(exact(face, matrix, place), abs=2e-3)
    row, column = np.unravel_index(np.abs(found[1]).argmax(), (28, 28))
    assert ((column + 0.5) / 28 * 128, (row + 0.5) / 28 * 128) == pytest.approx((30, 83), abs=3)  # (0.5 * 60, 128 - 45)
    assert found[1, row, column] == pytest.approx(-2.0 / place.eye_px, rel=0.15)


def test_fields_are_kept_by_lag_and_version_and_made_once(drawn, tmp_path, monkeypatch):
    clips = store(drawn(people=1), tmp_path)
    found = moving(clips, 1)
    kept = set(tmp_path.rglob("*.fields.npy"))
    assert len(kept) == len(clips) == 3
    assert [clip.sample.id for clip in found] == [clip.case.id for clip in clips]
    for clip, made in zip(clips, found, strict=True):
        wanted = displacements(clip.served())
        assert (made.fields.dtype, made.times.tolist()) == (np.float16, clip.times().tolist())
        assert np.array_equal(made.fields, wanted.astype(np.float16))
    monkeypatch.setattr(fields, "displacements", lambda *_: pytest.fail("it is there already"))
    assert np.array_equal(moving(clips, 1)[0].fields, found[0].fields)
    monkeypatch.undo()
    later = [replace(clips[0], sample=replace(clips[0].sample, onset_s=0.08))]
    moving(later, 1)
    assert set(tmp_path.rglob("*.fields.npy")) == kept  # whatever is annotated
    for name, value in (("VERSION", 3), ("LAG_S", 0.5)):
        monkeypatch.setattr(fields, name, value)
        moving(later, 1)
    assert len(set(tmp_path.rglob("*.fields.npy"))) == 5


def test_a_clip_may_be_asked_for_through_several_cameras_at_once(drawn, collected):
    collection = collected(drawn(people=1), train_hz=(0.0, 25.0))
    both = [clip for take in collection.takes(collection.ids(), (0.0, 25.0)) for clip in take]
    assert [len(found.fields) for found in moving(both, 1)] == [len(clip.times()) for clip in both]


def test_what_lies_far_from_the_event_is_left_out(drawn, tmp_path, monkeypatch):
    clips = store(drawn(people=1), tmp_path)
    monkeypatch.setattr(fields, "AROUND_S", 0.02)
    [first, *_] = moving(clips, 1)
    assert first.times[0] >= 0.02 - 1e-9
    assert first.times[-1] < 0.22
    assert len(first.times) == len(first.fields) < 14
