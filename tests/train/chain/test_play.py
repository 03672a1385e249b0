"""The bundled stream through the live pipeline, as `train chain` plays it."""

import itertools

import msgspec
import pytest
from typer.testing import CliRunner

from realtime import config
from realtime.demo import truth
from realtime.errors import DataError
from realtime.recognition.heads import engines
from train.__main__ import app
from train.chain import scripted
from train.chain.outcome import outcome
from train.chain.play import OWN, opened, play, play_all

OVERRIDES = ["engines.device=cpu"]


@pytest.fixture(scope="module")
def settings():
    return config.load(overrides=OVERRIDES)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """The first seconds of the sample, with its truth beside it, which are cheaper than all of it."""
    cv2 = pytest.importorskip("cv2")
    folder = tmp_path_factory.mktemp("videos")
    source = cv2.VideoCapture(str(truth.VIDEO))
    script = truth.load()
    size = tuple(int(source.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    writer = cv2.VideoWriter(str(folder / "short.avi"), cv2.VideoWriter_fourcc(*"MJPG"), script.rate_hz, size)
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 98)
    for _ in range(round(6 * script.rate_hz)):
        writer.write(source.read()[1])
    writer.release()
    source.release()
    kept = [event for event in script.events if event.offset < 6]
    cut = msgspec.structs.replace(script, seconds=6.0, events=kept)
    (folder / "short.json").write_bytes(msgspec.json.encode(cut))
    return folder


def test_a_video_is_played_whole_by_the_live_pipeline_at_each_rate_that_it_reaches(short, settings):
    videos = scripted.read(short)
    played = play_all(videos, (30.0, 60.0, 100.0), settings, workers=1)
    assert list(played) == [OWN, 30.0, 60.0]  # 100 is more than it has
    [own], [slow], [same] = played.values()
    assert own.seconds == pytest.approx(6.0, abs=0.02)
    assert (own.seen_hz, slow.seen_hz) == (pytest.approx(60.0), pytest.approx(30.0))
    assert (slow.rate_hz, same.rate_hz) == (30.0, 60.0)
    assert same.told is own.told  # the same camera: not played again
    found = outcome([own]).parts["micro"]
    assert (found.spotting.found, found.spotting.false, found.spotting.missed) == (1, 0, 0)
    assert found.spotting.apex_error_median_ms < 50
    assert set(found.recognition) >= {"verdict", f"{settings.engines.head}+encoder"}
    assert outcome([slow]).parts["micro"].spotting.found == 1


def test_the_figures_are_there_for_programs_and_for_people(short):
    words = ["--data", str(short), "--rates", "", "--workers", "1"]
    words += [word for override in OVERRIDES for word in ("--set", override)]
    text = CliRunner().invoke(app, ["chain", *words])
    assert text.exit_code == 0, text.output
    assert "| own, 60 | micro | 1 | 0.1 | 1 | 1 | 0 | 1.000 |" in text.stdout
    as_before = CliRunner().invoke(app, ["evaluate", "--chain", *words, "--json"])  # as old scripts have it
    assert "`python -m train chain` now" in as_before.stderr
    found = msgspec.json.decode(as_before.stdout)
    assert found["rows"][0]["parts"]["micro"]["f1"] == 1.0
    assert found["configuration"]["spotter"]["open"] == config.load().spotter.open
    assert all(len(sha256) == 64 for sha256 in found["engines"].values())


def test_a_video_without_two_frames_is_refused(tmp_path, settings, short):
    (video,) = scripted.read(short)
    pair = engines(settings)
    with pytest.raises(DataError, match="wanted at least 2"):
        play(video, 0.1, settings, pair)


def test_a_slower_rate_is_exposed_and_a_faster_one_left_alone(short, settings):
    (video,) = scripted.read(short)
    for wanted, seen in ((OWN, 60.0), (30.0, 30.0), (60.0, 60.0), (200.0, 60.0)):
        source = opened(video, wanted, settings.source)
        times = [frame.t for frame in itertools.islice(source.frames(), 3)]
        source.close()
        assert times[2] - times[1] == pytest.approx(1 / seen)


@pytest.mark.parametrize(("command", "wanted"), [("evaluate", "give --config twice"), ("chain", "--data")])
def test_the_methods_want_a_recipe_and_the_chain_wants_videos(command, wanted):
    found = CliRunner().invoke(app, [command])
    assert found.exit_code == 2
    assert wanted in found.stderr
