from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from realtime import config
from realtime.demo import truth
from realtime.errors import ConfigError, DataError
from realtime.recognition import heads
from realtime.representation.movement.motion import grey
from realtime.spotting.detector import FaceSpotter
from realtime.spotting.scorer import Spot
from train.__main__ import app
from train.chain.truth import TrueEvent, video
from train.spotting.comparison import told
from train.tuning import report, search, tune
from train.tuning.config import Prices, Range
from train.tuning.config import load as load_search
from train.tuning.recordings import FaceRecording
from train.tuning.search import applied, climb, moved, value_of
from train.tuning.streams import FaceStream, Said, said, streams, together
from train.tuning.worth import figures, half_strength, hits, mean_worth, sides

STAGES = config.load(overrides=["spotter.early=0.75", "spotter.close=0.35"])
PRICES = Prices(macro=0.5, false=0.1, delay=1.0, taken_back=0.05)
RANGES = (Range(key="spotter.open", low=0.3, high=0.9), Range(key="spotter.micro", low=0.5, high=0.98))
EVENTS = (4.0, 7.0, 10.0)


def filmed(crops, person="ann", name="v"):
    """A recording of crops, with the sample's truth as far as it goes."""
    end = crops[-1].t
    events = [TrueEvent(e.role, e.label, e.onset, e.apex, e.offset) for e in truth.load().events if e.offset < end]
    poses = np.array([(c.pose.yaw, c.pose.pitch, c.pose.roll) for c in crops], np.float32)
    pictures = np.stack([grey(crop.image) for crop in crops])
    times = np.array([crop.t for crop in crops])
    made = video(name, Path(name), person, events)
    return FaceRecording(made, 0.0, end, np.ones(len(crops), int), times, poses, pictures)


@pytest.fixture(scope="module")
def recording(sample_crops):
    return filmed([crop for crop in sample_crops if crop.t < 9.0])


def scripted_stream(sure=0.8, noise=0.5, seconds=12.0):
    """Likelihoods that rise to `sure` at each of `EVENTS`, and to `noise` between them."""
    spots = []
    for t in np.arange(0.0, seconds, 1 / 60):
        near = max(max(0.0, 1 - abs(t - at) / 0.15) for at in EVENTS)
        between = max(max(0.0, 1 - abs(t - at - 1.5) / 0.15) for at in EVENTS)
        level = max(sure * min(2 * near, 1.0), noise * min(2 * between, 1.0))
        spots.append((float(t) + 0.05, Spot(float(t), level, level, max(sure * near, noise * between))))
    events = [TrueEvent("micro", "", at - 0.12, at, at + 0.12) for at in EVENTS]
    return FaceStream(video("s", Path("s"), "ann", events), 0.0, 1, tuple(spots))


@pytest.fixture(scope="module")
def spotter():
    return heads.spotter(STAGES)


def test_a_recording_is_told_of_as_it_is_live(recording, sample_crops, spotter):
    live = FaceSpotter(STAGES.spotter, STAGES.align.size_px, spotter, iter(range(100)))
    moments = [(c.t, moment) for c in sample_crops if c.t < 9.0 for moment in live.push(c)]
    moments += [(recording.times[-1], moment) for moment in live.flush()]
    [stream] = streams([recording], spotter)
    found, wanted = said(stream, STAGES.spotter).detections, told("v", moments)
    assert len(found) == len(wanted) > 0
    for one, other in zip(found, wanted, strict=True):  # the poses of a recording are float32
        assert (one.kind, one.emitted_s) == (other.kind, other.emitted_s)
        times, others = ((each.onset_s, each.apex_s, each.offset_s) for each in (one, other))
        assert times == pytest.approx(others, abs=1e-4)
    deaf = msgspec.structs.replace(STAGES.spotter, open=1.0)
    assert said(stream, deaf) == Said([], 0)


def test_a_spotter_that_sees_colours_is_not_tuned_on_grey_recordings(recording, dark_spotter):
    with pytest.raises(ConfigError, match="dark judges pictures in colour, recordings are grey"):
        streams([recording], dark_spotter(64))


def test_a_grey_crop_gives_back_its_very_picture(recording):
    crop = next(recording.crops(1))
    assert np.array_equal(grey(crop.image), recording.pictures[0])
    assert recording.ids == [1]


def side_of(stream):
    return sides([FaceRecording(stream.video, 0.0, 12.0, *[np.zeros(0)] * 4)])[0]


def test_a_search_finds_the_likelihood_between_movements_and_noise():
    stream = scripted_stream()
    start = {"spotter.open": 0.9, "spotter.micro": 0.9}  # nothing is found

    def worth(setting):
        return figures(side_of(stream), said(stream, applied(setting, STAGES).spotter), PRICES).worth

    best, curve = climb(start, RANGES, worth, 40, np.random.default_rng(1))
    assert worth(start) == curve[0] == 0.0
    assert curve == sorted(curve)
    assert curve[-1] == worth(best) > 0.85
    assert climb(start, RANGES, worth, 40, np.random.default_rng(1)) == (best, curve)
    assert max(best["spotter.micro"], best["spotter.open"]) > 0.5


def test_a_move_stays_inside_the_ranges_and_changes_something_else_each_time():
    rng, setting = np.random.default_rng(2), {"spotter.open": 0.5, "spotter.micro": 0.9}
    made = [moved(setting, RANGES, rng) for _ in range(200)]
    assert all(0.3 <= each["spotter.open"] <= 0.9 and 0.5 <= each["spotter.micro"] <= 0.98 for each in made)
    assert len({tuple(each.values()) for each in made}) > 100
    assert setting == {"spotter.open": 0.5, "spotter.micro": 0.9}


def test_settings_are_as_strict_as_the_file():
    changed = applied({"spotter.open": 0.25, "track.max_faces": 3}, STAGES)
    assert (changed.spotter.open, changed.track.max_faces) == (0.25, 3)
    assert value_of("spotter.open", STAGES) == STAGES.spotter.open
    with pytest.raises(ConfigError, match="max_faces"):
        applied({"track.max_faces": 2.5}, STAGES)


def test_worth_is_f1_minus_the_price_of_false_alarms_and_of_delay():
    stream = scripted_stream()
    side, easy = side_of(stream), msgspec.structs.replace(STAGES.spotter, open=0.6, close=0.3, early=0.6, micro=0.7)
    right = said(stream, easy)
    found = figures(side, right, PRICES)
    late = found.micro.after_apex.p95_s
    assert found.worth == pytest.approx(1.0 - late)
    twice = [right.detections[0], *right.detections, right.detections[1]]
    more = figures(side, Said(twice, 0), PRICES)
    assert more.micro.false == 2
    assert more.worth == pytest.approx(more.micro.f1 - 0.1 * 2 * 60 / 12.0 - more.micro.after_apex.p95_s)
    assert mean_worth([found, more]) == pytest.approx((found.worth + more.worth) / 2)
    hasty = figures(side, Said(right.detections, 3), PRICES)
    assert hasty.taken_back_per_minute == 3 * 60 / 12.0
    assert hasty.worth == pytest.approx(found.worth - 0.05 * 15)
    strengths, hit = hits(side, right.detections)
    assert hit == [True, True, True]
    assert strengths == [each.confidence for each in right.detections] == pytest.approx([4.0] * 3)  # odds of 0.8


def test_what_was_told_early_and_not_kept_is_counted_over_all_streams():
    stream = scripted_stream()
    hasty = msgspec.structs.replace(STAGES.spotter, open=0.6, close=0.3, early=0.6, micro=0.99)
    found = said(stream, hasty)
    assert [each.kind for each in found.detections].count("micro") == 0
    assert found.taken_back == 3
    assert together([found, found, Said([], 1)]) == Said(found.detections * 2, 7)


def test_half_strength_is_where_one_in_two_is_right():
    rng = np.random.default_rng(5)
    strengths = rng.uniform(1.0, 60.0, 4000)
    right = rng.random(4000) < strengths / (strengths + 12.0)
    assert half_strength(strengths, right, 5.0) == pytest.approx(12.0, rel=0.15)
    assert half_strength([], [], 5.0) == 5.0


@pytest.fixture
def settings(tmp_path):
    return msgspec.structs.replace(
        load_search(config.ROOT / "configs/tune.toml"),
        cache=str(tmp_path), runs=str(tmp_path), rates_hz=(0.0,), trials=4,
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
    names = ["before", "tuned"]
    assert [(row.side, row.setting) for row in found.rows] == [
        (side, name) for side in ("training", "held out") for name in names
    ]
    assert found.rows[1].figures.worth >= found.rows[0].figures.worth
    for name in names:
        read = config.load(tmp_path / "tune" / f"{name}.toml")
        setting = found.settings[name]
        assert {key: value_of(key, read) for key in setting} == pytest.approx(dict(setting))
        assert set(setting) == {each.key for each in settings.keys} | {tune.HALF}
    assert "| held out | tuned | own |" in "\n".join(report.lines(found))
    assert msgspec.json.decode((tmp_path / "tune" / "tuned.json").read_bytes())["rows"][3]["side"] == "held out"


def test_nobody_is_on_both_sides(settings, recording, monkeypatch):
    monkeypatch.setattr(tune.scripted, "read", lambda path: [filmed_as(recording, path.name)])
    with pytest.raises(DataError, match=r"people on both sides.*\n  - ann"):
        tune.tune(settings)


def filmed_as(recording, name):
    return video(name, Path(name), recording.video.person, [])


@pytest.mark.parametrize(("key", "told"), [("recognise.smooth_s", "cannot be searched"), ("spotter.no", "is no key")])
def test_a_key_that_does_nothing_here_is_refused(settings, key, told, monkeypatch):
    monkeypatch.setattr(tune.scripted, "read", lambda path: [])
    with pytest.raises(ConfigError, match=told):
        tune.tune(msgspec.structs.replace(settings, keys=(Range(key=key, low=0.0, high=1.0),)))


def test_a_range_has_a_low_and_a_high_end(tmp_path):
    with pytest.raises(ValueError, match="wanted low below high"):
        Range(key="spotter.fall", low=1.0, high=1.0)


def test_only_a_search_is_tuned_and_a_search_trains_nothing():
    folder = config.ROOT / "configs"
    for command, file, reason in (
        ("tune", "methods/motion.toml", "Invalid value 'motion'"),
        ("fit", "tune.toml", "method is 'tune'"),
        ("export", "tune.toml", "method is 'tune'"),
    ):
        found = CliRunner().invoke(app, [command, "--config", str(folder / file)])
        assert found.exit_code == 2
        assert reason in found.stderr
    assert search.value_of("spotter.fall", STAGES) == STAGES.spotter.fall
