"""No event twice, none out of order, and none lost that is still kept: on paper, then over real sockets."""

import random
import time
from collections import deque

import msgspec
import pytest
import zmq
from messages import PUBLISH
from waiting import meet

from realtime.publish import Answers, Publisher, Subscriber
from realtime.publish.gaps import Gaps
from realtime.publish.log import MOST_BYTES, EventLog
from realtime.schema.message import Done, Events, decode, encode, topic_of


class NoDesk:
    def answer(self, question):
        return Done()


@pytest.fixture
def event(make):
    """An event of a number."""
    return lambda seq: msgspec.structs.replace(make.event(seq, 1.0 + seq), seq=seq)


@pytest.fixture
def publisher():
    with Publisher(PUBLISH) as publisher:
        yield publisher


@pytest.fixture
def answers(publisher):
    with Answers(PUBLISH, publisher, NoDesk()) as answers:
        yield answers


def at(publisher, answers=None, **others):
    ports = {"state_port": publisher.state_port, "events_port": publisher.events_port}
    return msgspec.structs.replace(PUBLISH, **ports, replay_port=answers.port if answers else 0, **others)


def read(subscriber, wait_s=0.5):
    """Numbers of all that comes."""
    numbers = []
    while (received := subscriber.receive(wait_s if numbers else 5.0)) is not None:
        numbers.append(received.message.seq)
    return numbers


def handed_out(gaps):
    numbers = []
    while (event := gaps.next()) is not None:
        numbers.append(event.seq)
    return numbers


def test_the_log_keeps_the_newest_and_says_what_it_still_has(event):
    log = EventLog(3)
    assert log.after(0) == Events(first=1, last=0, events=())
    for seq in range(1, 6):
        log.add(event(seq), 100)
    assert (log.last, log.after(0).first) == (5, 3)
    for since, numbers in {0: [3, 4, 5], 2: [3, 4, 5], 3: [4, 5], 5: [], 99: []}.items():
        assert [each.seq for each in log.after(since).events] == numbers


def test_a_long_answer_is_cut_and_always_has_one_event(event):
    log = EventLog(100)
    for seq in range(1, 11):
        log.add(event(seq), MOST_BYTES // 4 + 1)
    assert [each.seq for each in log.after(4).events] == [5, 6, 7]
    log.add(event(11), MOST_BYTES * 2)
    assert [each.seq for each in log.after(10).events] == [11]


def test_without_a_gap_nothing_is_asked_for(event):
    gaps = Gaps()
    for seq in (41, 42, 43):
        gaps.push(event(seq))
        assert gaps.wanted is None
    assert (handed_out(gaps), gaps.missed) == ([41, 42, 43], 0)


def test_an_event_waits_for_those_before_it(event):
    gaps = Gaps()
    gaps.push(event(1))
    gaps.push(event(4))
    assert (handed_out(gaps), gaps.wanted) == ([1], 1)
    gaps.fill(Events(first=1, last=6, events=tuple(event(seq) for seq in range(2, 7))))
    assert (handed_out(gaps), gaps.wanted, gaps.missed) == ([2, 3, 4], None, 0)
    gaps.push(event(5))  # which was in the answer as well
    assert handed_out(gaps) == [5]


def test_what_is_no_longer_kept_is_missed(event):
    gaps = Gaps()
    gaps.push(event(1))
    gaps.push(event(9))
    gaps.fill(Events(first=6, last=9, events=tuple(event(seq) for seq in range(6, 10))))
    assert (handed_out(gaps), gaps.missed) == ([1, 6, 7, 8, 9], 4)


def test_a_gap_that_nobody_can_fill_is_missed(event):
    gaps = Gaps()
    gaps.push(event(1))
    gaps.push(event(4))
    gaps.give_up()
    assert (handed_out(gaps), gaps.wanted, gaps.missed) == ([1, 4], None, 2)


def test_an_answer_that_brings_nothing_new_ends_the_asking(event):
    gaps = Gaps()
    gaps.push(event(1))
    gaps.push(event(4))
    gaps.fill(Events(first=1, last=4, events=(event(1),)))
    assert (handed_out(gaps), gaps.wanted, gaps.missed) == ([1, 4], None, 2)


def test_beginning_with_kept_events_takes_each_once(event):
    gaps = Gaps(since=2)
    assert gaps.wanted == 2
    gaps.fill(Events(first=1, last=4, events=(event(3), event(4))))
    for seq in (4, 5):  # 4 also came live
        gaps.push(event(seq))
    assert (handed_out(gaps), gaps.wanted, gaps.missed) == ([3, 4, 5], None, 0)


def test_a_publisher_that_began_anew_before_the_beginning_is_read_from_its_first(event):
    gaps = Gaps(since=500)
    gaps.fill(Events(first=1, last=3, events=()))
    assert gaps.wanted == 0
    gaps.fill(Events(first=1, last=3, events=tuple(event(seq) for seq in (1, 2, 3))))
    assert handed_out(gaps) == [1, 2, 3]


@pytest.mark.promise(
    "Glimpse is started again under a reader that held on",
    "its new events are read from the first",
    "1 of 1",
)
def test_a_publisher_that_began_anew_is_told_from_one_that_repeats_itself(event):
    for after in (Gaps(since=500), Gaps(since=0)):
        if after.wanted:
            after.give_up()
        else:
            after.fill(Events(first=1, last=2, events=(event(1), event(2))))
            assert handed_out(after) == [1, 2]
        after.push(msgspec.structs.replace(event(1), id=77))
        assert handed_out(after) == [1]


@pytest.mark.promise(
    "any events lost on the way, any order of answers",
    "the order holds, and what is lost for ever is counted",
    "300 events, 400 times, by fixed seeds",
)
@pytest.mark.parametrize("since", [None, 0])
@pytest.mark.parametrize(("kept", "silent"), [(1000, 0.0), (1000, 0.3), (20, 0.0), (20, 0.3)])
def test_whatever_is_lost_on_the_way_the_order_holds_and_the_count_is_right(kept, silent, since, event):
    chance = random.Random(kept)
    for _ in range(50):
        log, gaps, arrived, got = EventLog(kept), Gaps(since), deque(), []
        for seq in range(1, 301):
            log.add(event(seq), chance.choice([100, MOST_BYTES // 3]))
            if chance.random() < 0.6 or seq == 300:
                arrived.append(event(seq))
            while (gaps.wanted is not None or arrived) and (chance.random() < 0.5 or seq == 300):
                if gaps.wanted is None:
                    gaps.push(arrived.popleft())
                elif chance.random() < silent:
                    gaps.give_up()
                else:
                    gaps.fill(log.after(gaps.wanted))
                got += handed_out(gaps)
        before = got[0] - 1 if since is None else 0
        assert got == sorted(set(got))
        assert got[-1] == 300
        assert before + len(got) + gaps.missed == 300
        assert gaps.missed == 0 or silent or kept < 300


@pytest.mark.promise(
    "a slow reader of events",
    "what it had no room for is asked for again, and comes in order",
    "none lost",
)
def test_events_that_a_slow_reader_had_no_room_for_are_asked_for_again(event):
    with (
        Publisher(PUBLISH, events_waiting=10) as narrow,
        Answers(PUBLISH, narrow, NoDesk()) as replay,
        Subscriber(at(narrow, replay), states=None, events=True, waiting=10) as reader,
    ):
        meet(narrow, reader)
        big = msgspec.structs.replace(event(1), label="x" * 20_000)
        for _ in range(2000):
            narrow.event(big)
        heard = [reader.receive(5.0).message.seq for _ in range(20)]
        narrow.event(event(1))
        heard += [reader.receive(10.0).message.seq for _ in range(1981)]
    assert heard == list(range(1, 2002))
    assert reader.missed == 0


def test_what_was_kept_before_it_came_is_read_first(publisher, answers, event):
    for seq in range(1, 1501):
        publisher.event(event(seq))
    with Subscriber(at(publisher, answers), states=None, events=True, since=1000) as late:
        numbers = [late.receive(5.0).message.seq for _ in range(500)]
        meet(publisher, late)
        publisher.event(event(1))
        assert numbers + read(late) == list(range(1001, 1502))


def test_what_is_no_longer_kept_when_it_is_asked_for_is_counted(event):
    few = msgspec.structs.replace(PUBLISH, kept_events=10)
    with Publisher(few) as publisher, Answers(few, publisher, NoDesk()) as answers:
        for seq in range(1, 101):
            publisher.event(event(seq))
        with Subscriber(at(publisher, answers), states=None, events=True, since=0) as late:
            assert read(late) == list(range(91, 101))
            assert late.missed == 90


def rogue(context, *frames):
    """A publisher that sends these frames to its first subscriber; its port."""
    socket = context.socket(zmq.XPUB)
    port = socket.bind_to_random_port("tcp://127.0.0.1")

    def send():
        while not socket.recv().startswith(b"\1event/"):
            pass
        for data in frames:
            socket.send(data)

    return port, send


@pytest.mark.promise(
    "a replay that is dead or speaks nonsense",
    "holds events up for a moment, and what it was is told",
    "5 kinds of 5",
)
@pytest.mark.parametrize("answer", [None, b"answer\0\x80", b"answer\0", b"noise", b""])
def test_a_replay_that_is_silent_or_speaks_nonsense_holds_up_the_events_for_a_moment_only(answer, event):
    with zmq.Context() as context, context.socket(zmq.ROUTER) as replay:
        replay_port = replay.bind_to_random_port("tcp://127.0.0.1")
        port, send = rogue(context, *(encode(topic_of(event(seq)), event(seq)) for seq in (1, 4, 5)))
        ports = {"state_port": port, "events_port": port, "replay_port": replay_port}
        publish = msgspec.structs.replace(PUBLISH, **ports, replay_s=0.3)
        with Subscriber(publish, states=None, events=True, again_s=0.1) as subscriber:
            send()
            assert subscriber.receive(5.0).message.seq == 1
            began = time.monotonic()
            assert subscriber.receive(0.05) is None  # 4 is held back, and nobody waits longer than was said
            assert time.monotonic() - began < 0.25
            if answer is not None:
                replay.send_multipart([replay.recv_multipart()[0], answer])
            assert [subscriber.receive(5.0).message.seq for _ in range(2)] == [4, 5]
            assert subscriber.missed == 2
        context.destroy(linger=0)


@pytest.mark.promise("a replay that answers late", "no kept event is lost", "50 of 51 lost before; now 0")
@pytest.mark.parametrize("answered", [1, 3])
def test_a_replay_that_is_slower_than_a_second_loses_nothing(answered, event):
    """It is asked again meanwhile, and may answer the first question late, or only the third."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as replay:
        replay_port = replay.bind_to_random_port("tcp://127.0.0.1")
        port, send = rogue(context, *(encode(topic_of(event(seq)), event(seq)) for seq in (1, 52, 53)))
        ports = {"state_port": port, "events_port": port, "replay_port": replay_port}
        publish = msgspec.structs.replace(PUBLISH, **ports)
        with Subscriber(publish, states=None, events=True, again_s=0.1) as subscriber:
            send()
            assert subscriber.receive(5.0).message.seq == 1
            deadline = time.monotonic() + 5.0
            while answered:
                assert subscriber.receive(0.02) is None, "it waits for those that are missing"
                assert time.monotonic() < deadline, "it never asked again"
                if replay.poll(0):
                    who, question = replay.recv_multipart()
                    answered -= 1
            subscriber.receive(0.25)  # it has asked again twice
            kept = tuple(event(seq) for seq in range(2, 54))
            replay.send_multipart(
                [who, encode("answer", Events(id=decode(question)[1].id, first=1, last=53, events=kept))]
            )
            assert [subscriber.receive(5.0).message.seq for _ in range(52)] == list(range(2, 54))
            assert subscriber.missed == 0
        context.destroy(linger=0)
