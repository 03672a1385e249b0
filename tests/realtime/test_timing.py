import time

import numpy as np
import pytest

from realtime import timing
from realtime.timing import Timings


def test_percentiles_are_numpys_in_milliseconds():
    seconds = np.random.default_rng(1).gamma(2.0, 0.01, 999)
    timings = Timings()
    for value in seconds:
        timings.add("encode", float(value))
    wanted = dict(zip(("p50", "p95", "p99"), 1e3 * np.percentile(seconds, [50, 95, 99]), strict=True))
    assert timings.percentiles_ms("encode") == pytest.approx(wanted, abs=5e-4)


def test_what_was_not_measured_is_zero_and_stays_unnamed():
    timings = Timings()
    timings.add("track", 0.1)
    assert timings.percentiles_ms("align") == {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    assert timings.names() == ["track"]


def test_names_stand_in_the_order_of_first_use():
    timings = Timings()
    for name in ("track", "align", "track", "encode"):
        timings.add(name, 0.0)
    assert timings.names() == ["track", "align", "encode"]


def test_a_block_is_measured():
    timings = Timings()
    with timings.measure("nap"):
        time.sleep(0.02)
    assert timings.percentiles_ms("nap")["p50"] >= 20.0


def test_a_block_that_fails_is_not_measured():
    timings = Timings()
    with pytest.raises(LookupError), timings.measure("nap"):
        raise LookupError
    assert timings.names() == []


def test_only_the_newest_durations_are_kept(monkeypatch):
    monkeypatch.setattr(timing, "KEPT", 10)
    timings = Timings()
    for value in [100.0] * 50 + [0.001] * 10:
        timings.add("track", value)
    assert timings.percentiles_ms("track") == {"p50": 1.0, "p95": 1.0, "p99": 1.0}
