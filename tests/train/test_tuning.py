import itertools
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from realtime import config, truth
from realtime.apex import STILL, Detector
from realtime.errors import ConfigError, DataError
from realtime.motion import REGIONS, grey
from realtime.records import Crop, Motion, Pose
from train.__main__ import app
from train.chain.truth import Event, video
from train.config import Prices, Range, TuneConfig
from train.config import load as load_train
from train.tuning import report, search, streams, tune
from train.tuning.recordings import MATRIX, POINTS, Recording
from train.tuning.search import applied, climb, moved, value_of
from train.tuning.streams import NO_PICTURE, Stream, again, whole
from train.tuning.worth import figures, half_strength, hits, mean_worth, sides

STAGES = config.load()
PRICES = Prices(macro=0.5, false=0.1, delay=1.0)
RANGES = (Range(key="apex.threshold", low=2.5, high=12.0), Range(key="apex.top_regions", low=1, high=5))
R = len(REGIONS)


def filmed(crops, person="ann", name="v"):
    """A recording of crops, with the sample's truth as far as it goes."""
    end = crops[-1].t
    events = [Event(e.role, e.label, e.onset, e.apex, e.offset) for e in truth.load().events if e.offset < end]
    poses = np.array([(c.pose.yaw, c.pose.pitch, c.pose.roll) for c in crops], np.float32)
    pictures = np.stack([grey(crop.image) for crop in crops])
    times = np.array([crop.t for crop in crops])
    made = video(name, Path(name), person, events)
    return Recording(made, 0.0, end, np.ones(len(crops), int), times, poses, pictures)


@pytest.fixture(scope="module")
def recording(sample_crops):
    return filmed([crop for crop in sample_crops if crop.t < 9.0])


def scripted_stream(peaks, seed=0, rate=60.0, seconds=12.0):
    """Noise at rest, and a rise and fall of two regions at each (time, height)."""
    rng = np.random.default_rng(seed)
    looks = []
    for i in range(round(rate * seconds)):
        t = i / rate
        regions = np.abs(rng.normal(0.003, 0.001, R)).astype(np.float32)
        for at, height in peaks:
            regions[:2] += np.float32(height * max(0.0, 1 - abs(t - at) / 0.15))
        crop = Crop(1, t, NO_PICTURE, POINTS, MATRIX, Pose(0.0, 0.0, 0.0))
        looks.append((crop, Motion(t, regions, 0.0, 0.0, STILL), 0.0))
    events = [Event("micro", "", at - 0.15, at, at + 0.15) for at, _ in peaks]
    return Stream(video("s", Path("s"), "ann", events), 0.0, tuple(looks))


def test_the_whole_detector_says_of_a_recording_what_it_says_live(recording, sample_crops):
    live = Detector(STAGES.apex, STAGES.motion, STAGES.align.size_px, itertools.count(1))
    moments = [(c.t, moment) for c in sample_crops if c.t < 9.0 for moment in live.push(c)]
    moments += [(recording.times[-1], moment) for moment in live.flush()]
    found = whole(recording, STAGES)
    assert list(found.said) == streams.detections("v", moments)
    assert [each.kind for each in found.said] == ["micro", "micro"]
    assert all(each.emitted_s < each.offset_s for each in found.said)  # the early answer counts


def test_with_the_same_settings_the_motion_that_was_kept_gives_the_same(recording):
    found = whole(recording, STAGES)
    [stream] = found.streams
    assert again(stream, STAGES.apex) == list(found.said)
    deaf = msgspec.structs.replace(STAGES.apex, threshold=1e6)
    assert again(stream, deaf) == []


def test_a_grey_crop_gives_back_its_very_picture(recording):
    crop = next(recording.crops(1))
    assert np.array_equal(grey(crop.image), recording.pictures[0])
    assert recording.ids == [1]


def test_a_search_finds_the_threshold_between_movements_and_noise():
    stream = scripted_stream([(4.0, 0.03), (7.0, 0.03), (10.0, 0.03)])
    side = sides([Recording(stream.video, 0.0, 12.0, *[np.zeros(0)] * 4)])[0]
    start = {"apex.threshold": 60.0, "apex.top_regions": 5}  # nothing is found

    def worth(setting):
        return figures(side, again(stream, applied(setting, STAGES).apex), PRICES).worth

    best, curve = climb(start, RANGES, worth, 40, np.random.default_rng(1))
    assert worth(start) == curve[0] == 0.0
    assert curve == sorted(curve)
    assert curve[-1] == worth(best) > 0.9
    assert climb(start, RANGES, worth, 40, np.random.default_rng(1)) == (best, curve)
    assert 2.5 <= best["apex.threshold"] <= 12.0
    assert isinstance(best["apex.top_regions"], int)


def test_a_move_stays_inside_the_ranges_and_changes_something_else_each_time():
    rng, setting = np.random.default_rng(2), {"apex.threshold": 4.5, "apex.top_regions": 2}
    made = [moved(setting, RANGES, rng) for _ in range(200)]
    assert all(2.5 <= each["apex.threshold"] <= 12.0 and 1 <= each["apex.top_regions"] <= 5 for each in made)
    assert len({tuple(each.values()) for each in made}) > 100
    assert setting == {"apex.threshold": 4.5, "apex.top_regions": 2}


def test_settings_are_as_strict_as_the_file():
    changed = applied({"apex.threshold": 7.25, "apex.top_regions": 3}, STAGES)
    assert (changed.apex.threshold, changed.apex.top_regions) == (7.25, 3)
    assert value_of("apex.top_regions", STAGES) == STAGES.apex.top_regions
    with pytest.raises(ConfigError, match="top_regions"):
        applied({"apex.top_regions": 2.5}, STAGES)


def test_worth_is_f1_minus_the_price_of_false_alarms_and_of_delay(recording):
    [side] = sides([recording])
    said = list(whole(recording, STAGES).said)
    found = figures(side, said, PRICES)
    late = found.micro.after_apex.p95_s
    assert found.worth == pytest.approx(1.0 - late)
    false = [said[0], *said, said[1]]
    more = figures(side, false, PRICES)
    assert more.micro.false == 2
    assert more.worth == pytest.approx(more.micro.f1 - 0.1 * 2 * 60 / side.seconds["v"] - more.micro.after_apex.p95_s)
    assert mean_worth([found, more]) == pytest.approx((found.worth + more.worth) / 2)
    strengths, right = hits(side, said)
    assert right == [True, True]
    assert strengths == [each.confidence for each in said]


def test_half_strength_is_where_one_in_two_is_right():
    rng = np.random.default_rng(5)
    strengths = rng.uniform(1.0, 60.0, 4000)
    right = rng.random(4000) < strengths / (strengths + 12.0)
    assert half_strength(strengths, right, 5.0) == pytest.approx(12.0, rel=0.15)
    assert half_strength([], [], 5.0) == 5.0


@pytest.fixture
def settings(tmp_path):
    return msgspec.structs.replace(
        load_train(config.ROOT / "configs/train/tune.toml"),
        cache=str(tmp_path), runs=str(tmp_path), rates_hz=(0.0,), rounds=1, trials=4, whole_trials=1,
        data=("learn",), held_out=("held",),
    )  # fmt: skip


def test_both_sides_are_measured_before_and_after_and_the_settings_can_be_read(
    settings, recording, sample_crops, monkeypatch, tmp_path
):
    held = filmed([crop for crop in sample_crops if crop.t < 5.0], "ben", "w")
    by_name = {"learn": recording, "held": held}
    monkeypatch.setattr(tune.scripted, "read", lambda path: [by_name[path.name].video])
    monkeypatch.setattr(tune, "record", lambda videos, *_: [by_name["learn" if videos[0].id == "v" else "held"]])
    found = tune.tune(settings)
    names = ["before", "tuned", "gated"]
    assert [(row.side, row.setting) for row in found.rows] == [
        (side, name) for side in ("training", "held out") for name in names
    ]
    assert found.rows[1].figures.worth >= found.rows[0].figures.worth
    for name in names:
        read = config.load(tmp_path / "tune" / f"{name}.toml")
        setting = found.settings[name]
        assert {key: value_of(key, read) for key in setting} == pytest.approx(dict(setting))
        assert set(setting) == {each.key for each in settings.keys} | {tune.HALF}
        assert bool(read.apex.gate) == (name == "gated")
    assert "| held out | tuned | own |" in "\n".join(report.lines(found))
    assert msgspec.json.decode((tmp_path / "tune" / "tuned.json").read_bytes())["rows"][5]["side"] == "held out"


def test_nobody_is_on_both_sides(settings, recording, monkeypatch):
    monkeypatch.setattr(tune.scripted, "read", lambda path: [filmed_as(recording, path.name)])
    with pytest.raises(DataError, match=r"people on both sides.*\n  - ann"):
        tune.tune(settings)


def filmed_as(recording, name):
    return video(name, Path(name), recording.video.person, [])


@pytest.mark.parametrize(("key", "told"), [("recognise.smooth_s", "cannot be searched"), ("apex.no", "is no key")])
def test_a_key_that_does_nothing_here_is_refused(settings, key, told, monkeypatch):
    monkeypatch.setattr(tune.scripted, "read", lambda path: [])
    with pytest.raises(ConfigError, match=told):
        tune.tune(msgspec.structs.replace(settings, keys=(Range(key=key, low=0.0, high=1.0),)))


def test_a_range_has_a_low_and_a_high_end(tmp_path):
    with pytest.raises(ValueError, match="wanted low below high"):
        Range(key="apex.fall", low=1.0, high=1.0)


def test_only_a_search_is_tuned_and_a_search_trains_nothing():
    folder = config.ROOT / "configs/train"
    for command, file, told in (
        ("tune", "cmn.toml", "is no search"),
        ("fit", "tune.toml", "trains nothing"),
        ("export", "tune.toml", "trains nothing"),
    ):
        found = CliRunner().invoke(app, [command, "--config", str(folder / file)])
        assert found.exit_code == 2
        assert told in found.stderr
    assert isinstance(load_train(folder / "tune.toml"), TuneConfig)
    assert search.value_of("motion.top", STAGES) == STAGES.motion.top
