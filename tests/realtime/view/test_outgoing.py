import asyncio
from contextlib import suppress

import pytest

from realtime.view.bucket import BURST, TokenBucket
from realtime.view.outgoing import MOST_WAITING, Outgoing


async def all_of(outgoing):
    told = []
    with suppress(asyncio.TimeoutError):
        while True:
            told.append(await asyncio.wait_for(outgoing.next(), 0.05))
    return told


def test_the_newest_replaces_and_the_rest_stays():
    outgoing = Outgoing()
    for number in range(3):
        outgoing.newest("state", f"state {number}")
        outgoing.put(f"event {number}")
    outgoing.newest("picture", b"picture")
    assert outgoing.has("picture")
    assert outgoing.replaced == 2
    assert asyncio.run(all_of(outgoing)) == ["event 0", "event 1", "event 2", "state 2", b"picture"]
    assert not outgoing.has("picture")


def test_one_who_lags_too_far_is_hung_up_on_rather_than_told_less():
    outgoing = Outgoing()
    for number in range(MOST_WAITING):
        outgoing.put(str(number))
    assert not outgoing.over.is_set()
    outgoing.put("one more")
    assert outgoing.over.is_set()
    assert str(MOST_WAITING) in outgoing.why
    outgoing.put("and another")
    outgoing.newest("state", "a state")
    assert asyncio.run(all_of(outgoing)) == []


def test_a_bucket_allows_a_burst_and_then_its_rate():
    now = [0.0]
    bucket = TokenBucket(10.0, lambda: now[0])
    assert sum(bucket.allows() for _ in range(50)) == BURST
    allowed = 0
    for tick in range(1, 1001):
        now[0] = tick / 100
        allowed += bucket.allows()
    assert allowed == pytest.approx(100, abs=1)
