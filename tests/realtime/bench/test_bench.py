import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from realtime import config
from realtime.__main__ import app
from realtime.bench import streams
from realtime.bench.streams import bench_streams
from realtime.bench.threads import costs, snapshot
from realtime.bench.throughput import TimedSource, bench, lines
from realtime.capture.repeat import Repeated
from realtime.capture.source import open_source
from realtime.config import ROOT
from realtime.faces import mesh

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
        "engines.units": "",
        "align.size_px": 48,
    }
    changes |= {"engines.precision": "f32", "publish.state_port": 0, "publish.events_port": 0}
    return config.load(overrides=[f"{key}={value}" for key, value in changes.items()])


def test_it_ends_after_the_machines_seconds_and_notes_the_memory_early(video, settings):
    timed = TimedSource(Repeated(partial(open_source, video, settings.source, fast=False)), 0.3)
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
        stages = {"queue", "track", "align", "motion", "spot", "publish"}
        assert stages == set(summary.stages_ms)  # nobody is there to encode
    assert found.rss_early_mb > 10.0
    assert found.rss_late_mb > 10.0
    engines = [each.engine for each in found.meshes]
    assert engines == (["mediapipe", "openvino"] if mesh.installed() else ["openvino"])
    assert all(each.frames > 0 and each.cpu_ms > 0 for each in found.meshes)
    assert found.mesh == found.meshes[0]
    assert found.of_face_mesh == pytest.approx(found.fast.fps / found.mesh.fps, abs=1e-3)
    for cost in (found.fast_cost, found.realtime_cost):
        assert [stage.name for stage in cost.stages] == ["track", "align", "motion", "spot", "publish"]
        assert all(stage.wall_ms >= stage.cpu_ms - 0.05 for stage in cost.stages)
        assert all(
            stage.waits_ms == pytest.approx(max(stage.wall_ms - stage.cpu_ms, 0), abs=2e-3) for stage in cost.stages
        )
        assert {"track", threading.current_thread().name} <= {thread.name for thread in cost.threads}
        assert sum(thread.cpu_ms for thread in cost.threads) == pytest.approx(cost.cpu_ms, rel=0.3)
    assert sum(found.instruction_sets.values()) > 0
    tree = msgspec.json.decode(msgspec.json.encode(found))
    assert {"fast", "realtime", "mesh", "meshes", "of_face_mesh", "rss_early_mb", "rss_late_mb"} <= set(tree)


def test_what_people_read_has_every_figure(video, settings):
    found = bench(settings, video, seconds=0.5)
    said = "\n".join(lines(found))
    for figure in (
        *(each.fps for each in found.meshes),
        found.of_face_mesh,
        found.fast_cost.cpu_ms,
        found.realtime_cost.lock_wait_ms,
    ):
        assert f"{figure:.1f}" in said or f"{figure:.2f}" in said
    assert "thread track" in said


def test_threads_are_told_apart_by_name_and_what_they_used_is_a_frames_share(tmp_path):
    def tasks(at, *threads):
        for number, comm, cpu, waited in threads:
            (tmp_path / at / str(number)).mkdir(parents=True)
            (tmp_path / at / str(number) / "schedstat").write_text(f"{cpu} {waited} 7\n")
            (tmp_path / at / str(number) / "comm").write_text(f"{comm}\n")
        return snapshot(tmp_path / at)

    before = tasks("before", (1, "mesh", 1_000_000, 0), (2, "mesh", 0, 0), (3, "idle", 5, 5))
    after = tasks(
        "after",
        (1, "mesh", 5_000_000, 2_000_000),
        (2, "mesh", 6_000_000, 0),
        (3, "idle", 5, 5),
        (4, "new", 4_000_000, 0),
    )
    found = costs(before, after, frames=2)
    assert [(cost.name, cost.cpu_ms, cost.core_wait_ms) for cost in found] == [("mesh", 5.0, 1.0), ("new", 2.0, 0.0)]


def test_a_system_that_does_not_say_gives_no_threads(tmp_path):
    assert costs(snapshot(tmp_path / "none"), snapshot(tmp_path / "none"), 3) == []


def test_cameras_are_added_until_one_is_late(video, settings, monkeypatch):
    monkeypatch.setattr(streams, "LATE_MS", 1e6)
    found = bench_streams(settings, video, most=2, seconds=0.6)
    assert [each.streams for each in found.tried] == [1, 2]
    assert all(each.fps > 0 and each.p99_ms > 0 and each.cpu_share > 0 for each in found.tried)
    assert found.held == 2
    assert "2 cameras of 30 frames a second are held" in list(streams.lines(found))[-1]
    monkeypatch.setattr(streams, "LATE_MS", 1e-6)
    found = bench_streams(settings, video, most=3, seconds=0.6)
    assert (found.held, [each.streams for each in found.tried]) == (0, [1])


def test_a_file_plays_as_a_camera_of_thirty_frames_a_second(video, settings):
    source = streams.Paced(Repeated(partial(open_source, video, settings.source, fast=True)), 0.3, phase=0.5)
    began = time.monotonic()
    frames = list(source.frames())
    assert time.monotonic() - began > 0.3
    source.close()
    assert [frame.t for frame in frames] == pytest.approx([number / 30 for number in range(10)])
    assert frames[-1].grabbed - frames[0].grabbed == pytest.approx(0.3)
    assert source.live


@pytest.mark.parametrize(("options", "said"), [(["--streams", "2"], "give --source FILE as well")])
def test_the_command_says_what_is_missing(options, said):
    done = CliRunner().invoke(app, ["bench", "--engines", *options])
    assert done.exit_code == 2
    assert said in done.output


def test_an_instruction_set_is_chosen_before_the_library_is_loaded():
    """In a process of its own, where it has not been."""
    script = (
        "from realtime import config\n"
        "from realtime.engine.factory import instruction_sets, open_engine\n"
        "from realtime.engine.backends.openvino import limit_instructions\n"
        "limit_instructions('avx2')\n"
        "engine = open_engine('engines/encoder', config.load(overrides=['engines.device=cpu']).engines)\n"
        "print(*instruction_sets(engine))\n"
        "limit_instructions('avx2')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "OpenVINO is loaded already" in done.stderr
    if "avx2" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no AVX2")
    assert done.stdout.split()[0] == "avx2"
