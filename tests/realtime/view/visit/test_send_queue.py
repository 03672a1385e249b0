import asyncio
import time
from contextlib import suppress

import httpx
import pytest

from realtime.view.visit.send_queue import MOST_WAITING, SendQueue


async def all_of(queue):
    told = []
    with suppress(asyncio.TimeoutError):
        while True:
            told.append(await asyncio.wait_for(queue.next(), 0.05))
    return told


def test_the_newest_replaces_and_the_rest_stays():
    queue = SendQueue()
    for number in range(3):
        queue.newest("state", f"state {number}")
        queue.put(f"event {number}")
    queue.newest("picture", b"picture")
    assert queue.has("picture")
    assert queue.replaced == 2
    assert asyncio.run(all_of(queue)) == ["event 0", "event 1", "event 2", "state 2", b"picture"]
    assert not queue.has("picture")


def test_one_who_lags_too_far_is_hung_up_on_rather_than_told_less():
    queue = SendQueue()
    for number in range(MOST_WAITING):
        queue.put(str(number))
    assert not queue.over.is_set()
    queue.put("one more")
    assert queue.over.is_set()
    assert str(MOST_WAITING) in queue.why
    queue.put("and another")
    queue.newest("state", "a state")
    assert asyncio.run(all_of(queue)) == []


@pytest.mark.promise(
    "a slow browser",
    "every event, and of the states the newest",
    "100 events of 100; 800 states become few",
)
def test_a_slow_browser_gets_every_event_and_the_newest_state(serve, browse, recogniser, make):
    page = serve()
    slow = browse(page, max_queue=1)
    name = slow.enter()["camera"]
    slow.send(1)
    slow.until("state")
    crowd = tuple(make.face(id, 2.0, landmarks=((1.0, 2.0),) * 468) for id in range(1, 5))
    states = 800
    for frame in range(2, states + 2):
        recogniser.publisher.state(make.state(frame, *crowd, camera=name))
        if frame % 8 == 0:
            recogniser.publisher.event(make.event(frame // 8, 1.0, camera=name))
        time.sleep(0.001)
    heard = slow.quiet(1.0)
    events = [told["id"] for told in heard if told["kind"] == "event"]
    frames = [told["frame"] for told in heard if told["kind"] == "state"]
    assert events == list(range(1, states // 8 + 1))
    assert frames == sorted(frames)
    assert frames[-1] == states + 1
    assert len(frames) < states, "a browser that does not read was sent every state"


@pytest.mark.promise(
    "a browser that never reads",
    "hung up on, and its place is free",
    "after 1,000 messages that wait",
)
def test_one_who_reads_nothing_is_hung_up_on_while_a_message_is_on_its_way(serve, browse, recogniser, make, eventually):
    page = serve()
    deaf = browse(page, max_queue=1, close_timeout=0.5)
    name = deaf.enter()["camera"]
    for id in range(1, 6001):
        recogniser.publisher.event(make.event(id, 1.0, camera=name))
        if id % 50 == 0:
            time.sleep(0.005)
    eventually(lambda: "glimpse_visitors 0.0" in httpx.get(page.url + "metrics").text, 10.0)
