"""A spotter of another kind, from torch to the events of the bundled stream: single pictures instead of movement."""

import cv2
import msgspec
import pytest
import torch

from realtime import config
from realtime.capture.source import open_source
from realtime.demo import truth
from realtime.engine.check import check
from realtime.labels import VOCABULARIES
from realtime.pipeline.pipeline import Pipeline
from realtime.recognition.heads import engines, spotter
from realtime.spotting.detector import scorer_of
from realtime.spotting.lagged_flow import LaggedFlow
from realtime.spotting.scorer import PAUSE_S
from realtime.spotting.sliding_window import SlidingWindowScorer
from train.chain.play import OWN, Kept, play
from train.chain.truth import Video
from train.packaging.export import export

SIDE = 32
SECONDS = 6.5  # longer than an event may last


class Brightness(torch.nn.Module):
    """How bright a face is says how likely it shows something; the network is of no use, and a network it is."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, 2)
        self.fc = torch.nn.Linear(8, 3)
        self.fc.bias.data[:] = 1.0

    def forward(self, images):
        return self.fc(torch.relu(self.conv(images)).mean((2, 3)))


@pytest.fixture(scope="module")
def settings(packages, encoder_parts, tmp_path_factory):
    """The tiny packages and `pictures`, which is the spotter; heads of fields judge what it finds."""
    folder = tmp_path_factory.mktemp("engines")
    for package in packages.iterdir():
        (folder / package.name).symlink_to(package)
    draft = msgspec.structs.replace(
        encoder_parts[3], name="pictures", task="spotting", vocabulary="spotting-3", labels=VOCABULARIES["spotting-3"]
    )
    torch.manual_seed(1)
    export(Brightness(), {"images": torch.randn(3, 3, SIDE, SIDE)}, ["logits"], draft, folder / "pictures")
    changes = {
        "engines.folder": folder, "engines.spotter": "pictures", "engines.head": "fields", "engines.device": "cpu",
        "engines.precision": "f32", "align.size_px": 48, "spotter.open": 0.3, "spotter.close": 0.2,
        "spotter.macro": 0.3,
    }  # fmt: skip
    overrides = [f"{key}={value}" for key, value in changes.items()] + ['engines.dynamic=""', 'engines.units=""']
    return config.load(overrides=overrides)


class Watched(Kept):
    """Keeps states and metas too."""

    def __init__(self):
        super().__init__()
        self.scores, self.metas = [], []

    def state(self, state):
        self.scores += [face.score for face in state.faces]
        super().state(state)

    def meta(self, meta):
        self.metas.append(meta)
        return meta


def test_what_is_exported_is_opened_as_a_spotter_with_a_window(settings):
    engine = spotter(settings)
    assert check(config.ROOT / settings.engines.folder / "pictures", settings.engines).ok
    assert (engine.manifest.name, engine.manifest.task) == ("pictures", "spotting")
    flow = LaggedFlow(0.35, settings.align.size_px, PAUSE_S)
    assert isinstance(scorer_of(engine, flow), SlidingWindowScorer)


def test_the_live_pipeline_runs_with_it(settings):
    outlet = Watched()
    source = open_source(str(truth.VIDEO), settings.source, fast=True)
    summary = Pipeline(settings, source, outlet, engines(settings)).run(seconds=2.0)
    assert summary.frames == pytest.approx(120, abs=2)
    assert [engine.name for engine in outlet.metas[-1].engines] == ["encoder", "pictures", "fields"]
    known = [score for score in outlet.scores if score > 0.0]
    assert len(known) > 80  # but for what the window looks ahead
    assert len(set(known)) > 40


def test_the_chain_is_played_with_it_and_heads_judge_what_it_finds(settings, tmp_path):
    video = Video("short", first_seconds(tmp_path / "short.avi"), "", (), ())
    played = play(video, OWN, settings, engines(settings))
    assert played.seconds == pytest.approx(SECONDS, abs=0.05)
    held = played.told[0].last  # a face that always looks like one: given up after the longest event
    assert (held.kind, held.stage, held.reason) == ("macro", "final", "held")
    assert held.offset_s - held.onset_s == pytest.approx(settings.spotter.macro_max_s, abs=0.1)
    assert set(held.probabilities) >= {"fields"}


def first_seconds(path):
    """Those of the sample."""
    source = cv2.VideoCapture(str(truth.VIDEO))
    size = tuple(int(source.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 60.0, size)
    for _ in range(round(60.0 * SECONDS)):
        writer.write(source.read()[1])
    writer.release()
    source.release()
    return path
