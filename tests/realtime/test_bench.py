import time
from functools import partial

import cv2
import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.bench import Timed, bench
from realtime.repeat import Repeated
from realtime.source import open_source

RATE_HZ, FRAMES = 50.0, 10


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A fifth of a second of noise."""
    path = tmp_path_factory.mktemp("clips") / "noise.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE_HZ, (64, 48))
    rng = np.random.default_rng(1)
    for _ in range(FRAMES):
        writer.write(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    writer.release()
    return str(path)


@pytest.fixture(scope="module")
def settings(packages):
    changes = {
        "engines.folder": packages,
        "engines.head": "head",
        "engines.dynamic": "",
        "align.size_px": 48,
    }
    changes |= {"engines.precision": "f32", "publish.state_port": 0, "publish.events_port": 0}
    return config.load(overrides=[f"{key}={value}" for key, value in changes.items()])


def test_it_ends_after_the_machines_seconds_and_notes_the_memory_early(video, settings):
    timed = Timed(Repeated(partial(open_source, video, settings.source, fast=False)), 0.3)
    assert timed.rss_early_mb == 0.0
    began = time.monotonic()
    frames = list(timed.frames())
    took = time.monotonic() - began
    timed.close()
    assert 0.25 < took < 3.0
    assert 5 <= len(frames) < 25  # in real time: as fast as possible there are hundreds
    assert timed.rss_early_mb > 10.0


def test_both_runs_are_measured_with_everything_on(video, settings):
    found = bench(settings, video, seconds=1.0)
    assert found.fast.frames > found.realtime.frames > 0
    assert found.realtime.fps < 1.5 * RATE_HZ
    for summary in (found.fast, found.realtime):
        assert {"queue", "track", "align", "encode", "motion", "publish"} == set(summary.stages_ms)
    assert found.rss_early_mb > 10.0
    assert found.rss_late_mb > 10.0
    tree = msgspec.json.decode(msgspec.json.encode(found))
    assert set(tree) == {"fast", "realtime", "rss_early_mb", "rss_late_mb"}
