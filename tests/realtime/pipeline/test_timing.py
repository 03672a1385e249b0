import time

import numpy as np
import pytest

from realtime.pipeline import timing
from realtime.pipeline.timing import Stopwatch, Timings, Took


def test_percentiles_are_numpys_in_milliseconds_of_the_wall_clock():
    seconds = np.random.default_rng(1).gamma(2.0, 0.01, 999)
    timings = Timings()
    for value in seconds:
        timings.add("encode", Took(float(value), 0.0))
    wanted = dict(zip(("p50", "p95", "p99"), 1e3 * np.percentile(seconds, [50, 95, 99]), strict=True))
    assert timings.percentiles_ms("encode") == pytest.approx(wanted, abs=5e-4)


def test_what_was_not_measured_is_zero_and_stays_unnamed():
    timings = Timings()
    timings.add("track", Took(0.1, 0.1))
    assert timings.percentiles_ms("align") == {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    assert timings.sums("align") == (0.0, 0.0)
    assert timings.names() == ["track"]


def test_names_stand_in_the_order_of_first_use():
    timings = Timings()
    for name in ("track", "align", "track", "encode"):
        timings.add(name, Took(0.0, 0.0))
    assert timings.names() == ["track", "align", "encode"]


def test_a_block_is_measured_and_waiting_is_not_computing():
    timings = Timings()
    with timings.measure("nap"):
        time.sleep(0.02)
    assert timings.percentiles_ms("nap")["p50"] >= 20.0
    assert timings.sums("nap").cpu < 0.01


def test_a_block_that_fails_is_not_measured():
    timings = Timings()
    with pytest.raises(LookupError), timings.measure("nap"):
        raise LookupError
    assert timings.names() == []


def test_only_the_newest_durations_count_for_percentiles_and_all_for_sums(monkeypatch):
    monkeypatch.setattr(timing, "KEPT", 10)
    timings = Timings()
    for value in [100.0] * 50 + [0.001] * 10:
        timings.add("track", Took(value, 0.5))
    assert timings.percentiles_ms("track") == {"p50": 1.0, "p95": 1.0, "p99": 1.0}
    assert timings.sums("track") == pytest.approx((5000.01, 30.0))


def test_laps_follow_each_other_without_a_gap(monkeypatch):
    wall, cpu = iter([1.0, 3.0, 3.5]), iter([10.0, 10.5, 10.75])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(wall))
    monkeypatch.setattr(timing.time, "thread_time", lambda: next(cpu))
    watch = Stopwatch()
    assert [watch.lap(), watch.lap()] == [(2.0, 0.5), (0.5, 0.25)]
