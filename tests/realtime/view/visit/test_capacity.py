from types import SimpleNamespace

import msgspec
import pytest

from realtime.schema.message import Percentiles
from realtime.view.visit.capacity import OVER_S, Capacity

LEAST_HZ = 12.0


@pytest.fixture
def clock():
    return SimpleNamespace(now=100.0)


@pytest.fixture
def watched(clock, make):
    """Let cameras be watched for some seconds at a rate, each frame taking so long."""
    newest = {}
    capacity = Capacity(LEAST_HZ, newest, lambda: clock.now)

    def watch(rate_hz, took_ms, *cameras, seconds=2 * OVER_S, left_out=""):
        latency = {"total": Percentiles(p50=took_ms, p95=took_ms, p99=took_ms)}
        for camera in cameras:
            newest[camera] = msgspec.structs.replace(
                make.meta(0.0, camera=camera), latency_ms=latency, left_out=left_out
            )
        for number in range(round(rate_hz * seconds)):
            clock.now += 1 / rate_hz
            for camera in cameras:
                capacity.hear(make.state(number, camera=camera))
        return capacity.why()

    return watch


def test_nobody_is_let_in_where_those_who_are_in_wait_for_the_machine(watched):
    assert watched(6.0, 300.0, "visitor-a", "visitor-b") == (
        "2 other cameras are watched already, at 6 frames a second, and below 12 (view.least_hz) brief expressions "
        "would be missed. Stay here: yours is watched once there is time for it."
    )
    assert watched(6.0, 30.0, "visitor-c", left_out="half of the frames").startswith("one other camera is")


@pytest.mark.parametrize(
    ("rate_hz", "took_ms", "camera", "seconds"),
    [
        (25.0, 60.0, "visitor-a", 9),
        (8.0, 20.0, "visitor-a", 9),
        (6.0, 300.0, "sample", 9),
        (6.0, 300.0, "visitor-a", 1),
    ],
    ids=["there is time", "the camera gives no more", "it is the server's", "it has only just come"],
)
def test_one_more_is_let_in_where(watched, rate_hz, took_ms, camera, seconds):
    assert watched(rate_hz, took_ms, camera, seconds=seconds) == ""


def test_who_has_left_is_in_nobodys_way(watched, clock):
    assert watched(6.0, 300.0, "visitor-a")
    clock.now += OVER_S + 0.1
    assert watched(25.0, 20.0, "visitor-b") == ""
