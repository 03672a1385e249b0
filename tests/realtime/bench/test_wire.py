"""Each measurement at a small scale: that it measures what it says, not how fast this machine is."""

import time

import cv2
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.bench import strain
from realtime.bench import wire as measure
from realtime.bench.wire_results import Ages, Latency, Wire, lines, spread
from realtime.config import load
from realtime.errors import PublishError

PUBLISH = load().publish


def dies(pipe, publish):
    """A program that ends at once."""


def waits(pipe, publish):
    """One that is never at work."""
    pipe.recv()


@pytest.fixture(scope="module")
def found(packages, tmp_path_factory):
    """Everything once, over a second of noise instead of the sample."""
    video = tmp_path_factory.mktemp("clips") / "noise.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 50.0, (64, 48))
    rng = np.random.default_rng(1)
    for _ in range(50):
        writer.write(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    writer.release()
    changes = {
        "engines.folder": packages,
        "engines.head": "head",
        "engines.dynamic": "",
        "engines.units": "",
        "align.size_px": 48,
        "engines.precision": "f32",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure.truth, "VIDEO", video)
        loads = measure.loads(load(overrides=[f"{key}={value}" for key, value in changes.items()]), 1, 0.5, size=3)
    return Wire(
        ages=(measure.ages(PUBLISH, 100.0, 1.0),),
        loads=loads,
        latency=measure.latency(PUBLISH, 1.0),
        soak=measure.soak(PUBLISH, 2.0),
    )


def test_the_slow_reader_is_slow_and_what_it_reads_is_fresh(found):
    ages = found.ages[0]
    assert ages.rate_hz == 100.0
    assert 5 < ages.read <= 1.0 / strain.TAKES_S + 2
    assert 0.0 < ages.age_ms.p50 < 50.0


def test_ages_grow_with_a_publisher_that_sends_old_states(monkeypatch):
    state = measure._state
    monkeypatch.setattr(measure, "_state", lambda: msgspec.structs.replace(state(), t=time.monotonic() - 0.2))
    assert 200.0 <= measure.ages(PUBLISH, 100.0, 0.5).age_ms.p50 < 300.0


def test_the_load_is_measured_with_and_without_the_crowd(found):
    without, crowded = found.loads
    assert (without.subscribers, crowded.subscribers) == (0, 3)
    assert 0.0 < without.send_us < crowded.send_us
    for load_ in found.loads:
        assert load_.fps > 1.0
        assert load_.cpu_ms > 0.1


def test_every_event_is_timed_from_its_sending_to_its_reader(found):
    assert found.latency.events == 20
    assert 0.0 < found.latency.latency_ms.p50 < 100.0


def test_nobody_who_misuses_the_wire_costs_the_others_an_event(found):
    soak = found.soak
    assert soak.events == 40
    assert [(one.lost, one.disordered) for one in soak.hearers] == [(0, 0), (0, 0)]
    assert soak.restarts >= 2
    assert soak.garbage > 500
    assert 100 < soak.refused < soak.garbage
    assert soak.rss_early_mb > 10.0
    assert soak.rss_late_mb < soak.rss_early_mb + 100.0


def test_what_is_lost_or_out_of_order_is_counted():
    hearer = measure._hearer([(1, 0.001), (3, 0.001), (2, 0.001), (2, 0.002), (6, 0.001)], last=6)
    assert (hearer.lost, hearer.disordered) == (2, 2)


def test_a_spread_is_of_milliseconds():
    found = spread([0.001] * 90 + [0.01] * 9 + [0.5])
    assert (found.p50, found.p95, found.max) == (1.0, 10.0, 500.0)


def test_nothing_heard_is_an_error():
    with pytest.raises(PublishError, match="nothing"):
        spread([])


def test_the_table_tells_each_number_beside_what_was_promised(found):
    soak = msgspec.structs.replace(found.soak, garbage=777, refused=555)
    ages = Ages(rate_hz=333.0, read=10, age_ms=spread([0.01234]))
    latency = Latency(events=77, latency_ms=spread([0.00321]))
    told = "\n".join(lines(msgspec.structs.replace(found, soak=soak, ages=(ages,), latency=latency)))
    for word in (
        "50 ms",
        "333 a second",
        "12.34",
        "less than 5 %",
        "77 events",
        "3.21",
        "5 ms",
        "777",
        "555",
        "0 lost",
    ):
        assert word in told


def test_a_program_that_ends_before_it_is_at_work_is_an_error():
    with (
        measure._opened(PUBLISH) as wire,
        strain.beside(dies, wire.at) as pipe,
        pytest.raises(PublishError, match="ended before"),
    ):
        measure._await(pipe, wire.publisher)


def test_one_that_never_is_at_work_is_an_error_after_a_while(monkeypatch):
    monkeypatch.setattr(measure, "READY_S", 0.2)
    with (
        measure._opened(PUBLISH) as wire,
        strain.beside(waits, wire.at) as pipe,
        pytest.raises(PublishError, match="not ready"),
    ):
        measure._await(pipe, wire.publisher)


@pytest.mark.parametrize("options", [["--wire", "--engines"], ["--wire", "--source", "clip.avi"], []])
def test_the_command_measures_one_thing_at_a_time(options):
    done = CliRunner().invoke(app, ["bench", *options])
    assert done.exit_code == 2
    assert "--source FILE, --engines, or --wire" in done.output


def test_the_command_gives_the_record_as_json(found, monkeypatch):
    monkeypatch.setattr(measure, "bench_wire", lambda config, seconds: found)
    done = CliRunner().invoke(app, ["bench", "--wire", "--json"])
    assert msgspec.json.decode(done.stdout, type=Wire) == found
