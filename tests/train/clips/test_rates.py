import pickle
from dataclasses import replace

import numpy as np
import pytest

from realtime.records import Frame
from train.clips.exposures import exposures
from train.clips.rates import SlowedDataset
from train.clips.stored import store
from train.datasets.annotation.sample import Sample


class Flat:
    """Implements `sample.Dataset`: clips of 1 s whose frames are flat pictures that brighten; rates by sample id."""

    name, labels = "flat", ("a",)

    def __init__(self, **rates):
        self.rates = rates

    def samples(self):
        return [Sample(id, "p", "a", 0.2, 0.5, 0.8) for id in self.rates]

    def frames(self, sample):
        rate = self.rates[sample.id]
        return [Frame(np.full((4, 4, 3), i, np.uint8), i / rate, i, 0, float(i)) for i in range(rate)]

    def made_of(self, sample):
        return (self.rates[sample.id],)


def frames(dataset, id):
    return dataset.frames(next(sample for sample in dataset.samples() if sample.id == id))


@pytest.mark.parametrize("rate_hz", [100.0, 60.0, 30.0, 25.0])
def test_each_frame_is_the_mean_of_what_its_exposure_covers(rate_hz):
    dataset = SlowedDataset(Flat(fast=200), rate_hz, seed=1)
    (sample,) = dataset.samples()
    weights, middles = exposures(np.arange(200) / 200, rate_hz, dataset._phase(sample))
    found = dataset.frames(sample)
    assert len(found) in (int(rate_hz), int(rate_hz) - 1)
    assert [frame.t for frame in found] == middles.tolist()
    assert [frame.index for frame in found] == list(range(len(found)))
    assert {frame.gap for frame in found} == {0}
    means = weights @ np.arange(200)
    for frame, mean in zip(found, means, strict=True):
        assert (frame.image.dtype, frame.image.shape) == (np.uint8, (4, 4, 3))
        assert set(frame.image.ravel().tolist()) == {round(mean)}
        assert frame.grabbed == pytest.approx(mean + 100 / rate_hz, abs=1.5)  # when its exposure ended


def test_clips_that_are_no_faster_stay_as_they_were_recorded():
    source = Flat(slow=25, same=30, fast=200)
    dataset = SlowedDataset(source, 30.0, seed=1)
    for id in ("slow", "same"):
        assert [frame.t for frame in frames(dataset, id)] == [frame.t for frame in frames(source, id)]
    assert len(frames(dataset, "fast")) < 31
    assert len(frames(SlowedDataset(Flat(still=1), 30.0, seed=1), "still")) == 1


def test_a_clip_shorter_than_an_exposure_shows_nothing():
    class Short(Flat):
        def frames(self, sample):
            return super().frames(sample)[:4]

    assert frames(SlowedDataset(Short(fast=200), 25.0, seed=1), "fast") == []


def test_phases_are_drawn_by_clip_rate_and_seed_and_stay_where_clips_come_and_go():
    def phases(source, rate_hz=30.0, seed=1):
        dataset = SlowedDataset(source, rate_hz, seed)
        return {sample.id: dataset._phase(sample) for sample in dataset.samples()}

    ids = [f"c{i}" for i in range(200)]
    first = phases(Flat(**dict.fromkeys(ids, 200)))
    assert 0 <= min(first.values()) < 0.05 < 0.95 < max(first.values()) < 1
    assert phases(Flat(c7=200)) == {"c7": first["c7"]}
    others = [phases(Flat(c7=200), rate_hz, seed)["c7"] for rate_hz, seed in ((25.0, 1), (30.0, 2))]
    assert len({first["c7"], *others}) == 3


def test_moments_and_labels_are_those_of_the_recording():
    source = Flat(fast=200)
    dataset = SlowedDataset(source, 30.0, seed=1)
    assert (dataset.name, dataset.labels) == ("flat-30hz", ("a",))
    assert dataset.samples() == source.samples()


def test_it_is_prepared_beside_the_recording_and_anew_when_rate_or_seed_change(drawn, tmp_path):
    source = drawn(people=1, per_person=1)
    own, *slowed = [
        store(dataset, tmp_path)[0]
        for dataset in (source, *(SlowedDataset(source, *by) for by in ((25.0, 1), (25.0, 2), (10.0, 1))))
    ]
    assert len({clip.path for clip in (own, *slowed)}) == 4
    assert {clip.case.set for clip in slowed} == {"toy-25hz", "toy-10hz"}
    assert len(own.times()) == 14
    assert [len(clip.times()) for clip in slowed][::2] == [6, 2]
    filmed = len(source.filmed)
    store(SlowedDataset(source, 25.0, 1), tmp_path)
    assert len(source.filmed) == filmed


def test_it_can_be_sent_to_another_process_and_films_the_same_there():
    dataset = SlowedDataset(Flat(fast=200), 30.0, seed=1)
    there = pickle.loads(pickle.dumps(dataset))
    here, sent = (frames(each, "fast") for each in (dataset, there))
    assert all(np.array_equal(a.image, b.image) for a, b in zip(here, sent, strict=True))
    assert replace(dataset, seed=2).made_of(dataset.samples()[0]) != dataset.made_of(dataset.samples()[0])
