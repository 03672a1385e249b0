"""A Glimpse that is started again while somebody listens: it is seen, and what was kept before comes first."""

import random
from collections import deque

import msgspec
import pytest
from messages import PUBLISH
from waiting import meet

from realtime.publish import Answers, Publisher, Subscriber
from realtime.publish.gaps import Gaps
from realtime.publish.log import MOST_BYTES, EventLog
from realtime.schema.message import Done, Events


class NoDesk:
    def answer(self, question):
        return Done()


@pytest.fixture
def event(make):
    """An event of a number, and of a run."""
    return lambda seq, run="": msgspec.structs.replace(make.event(seq, 1.0 + seq), seq=seq, run=run)


def handed_out(gaps):
    found = []
    while (event := gaps.next()) is not None:
        found.append((event.run, event.seq))
    return found


def log_of(event, *runs, most=100, size=100):
    """A log of the last of these runs, which remembers those before; each is a name and how many events it had."""
    log = EventLog(most, runs[-1][0])
    log.remember([(event(seq, run), size) for run, count in runs[:-1] for seq in range(1, count + 1)])
    for seq in range(1, runs[-1][1] + 1):
        log.add(event(seq, runs[-1][0]), size)
    return log


def settled(gaps, log):
    while gaps.wanted is not None:
        gaps.fill(log.after(gaps.wanted, gaps.run))
    return handed_out(gaps)


def test_the_log_answers_for_the_runs_before_and_says_which_followed(event):
    log = log_of(event, ("a", 3), ("b", 2), ("c", 1))
    assert [each.seq for each in log.after(1, "a").events] == [2, 3]
    assert (log.after(0, "a").first, log.after(0, "a").last, log.after(0, "a").followed_by) == (1, 3, "b")
    assert (log.after(2, "b").events, log.after(2, "b").followed_by) == ((), "c")
    assert [each.run for each in log.after(0).events] == ["c"]
    assert log.after(0, "c") == log.after(0)
    assert log.after(0, "nobody") == Events(first=0, last=0, events=(), run="nobody")


def test_the_log_remembers_the_newest_of_the_runs_before(event):
    log = log_of(event, ("a", 3), ("b", 4), ("c", 0), most=5)
    assert [each.seq for each in log.after(0, "a").events] == [3]
    assert len(log.after(0, "b").events) == 4


def test_a_long_answer_of_a_run_before_is_cut_too(event):
    log = log_of(event, ("a", 9), ("b", 0), size=MOST_BYTES // 2 + 1)
    assert [each.seq for each in log.after(4, "a").events] == [5]


def test_a_new_run_that_is_further_than_the_old_one_is_told_from_it(event):
    """By numbers alone 5 after 2 is a gap of two events; it is four of the new run, and the old one's third."""
    gaps = Gaps()
    for seq in (1, 2):
        gaps.push(event(seq, "a"))
    gaps.push(event(5, "b"))
    assert settled(gaps, log_of(event, ("a", 3), ("b", 5))) == [
        ("a", 1),
        ("a", 2),
        ("a", 3),
        *(("b", n) for n in range(1, 6)),
    ]
    assert (gaps.restarts, gaps.missed) == (1, 0)


def test_what_was_heard_live_of_a_run_before_the_one_that_answers_is_left_out(event):
    """It had waited to be read while Glimpse was started again, and its number means nothing to who asked since 0."""
    gaps, log = Gaps(since=0), log_of(event, ("a", 3), ("b", 2))
    assert settled(gaps, log) == [("b", 1), ("b", 2)]
    gaps.push(event(1, "a"))
    assert settled(gaps, log) == []
    gaps.push(event(3, "a"))
    assert settled(gaps, log) == []
    gaps.push(event(3, "b"))
    assert (handed_out(gaps), gaps.restarts, gaps.missed) == ([("b", 3)], 0, 0)


def test_runs_that_nobody_heard_come_in_between(event):
    gaps = Gaps()
    gaps.push(event(1, "a"))
    gaps.push(event(1, "d"))
    wanted = [("a", 1), ("a", 2), ("b", 1), ("c", 1), ("c", 2), ("d", 1)]
    assert settled(gaps, log_of(event, ("a", 2), ("b", 1), ("c", 2), ("d", 1))) == wanted


def test_of_a_run_that_was_not_kept_the_new_one_comes_at_once(event):
    gaps = Gaps()
    gaps.push(event(1, "a"))
    gaps.push(event(2, "b"))
    assert settled(gaps, log_of(event, ("b", 2))) == [("a", 1), ("b", 1), ("b", 2)]


def test_where_nobody_answers_the_new_run_is_handed_out_and_what_is_missing_counted(event):
    gaps = Gaps()
    gaps.push(event(7, "a"))
    gaps.push(event(3, "b"))
    gaps.give_up()
    assert (handed_out(gaps), gaps.missed) == ([("a", 7), ("b", 3)], 2)


def test_a_publisher_of_an_older_version_in_its_place_is_followed_too(event):
    gaps = Gaps()
    gaps.push(event(7, "a"))
    gaps.push(event(2))
    gaps.fill(Events(first=1, last=2, events=(event(1), event(2))))
    gaps.fill(Events(first=1, last=2, events=(event(1), event(2))))
    assert handed_out(gaps) == [("a", 7), ("", 1), ("", 2)]


@pytest.mark.parametrize("kept", [10_000, 30])
def test_whatever_is_lost_and_however_often_it_is_started_again_the_order_holds(kept, event):
    chance = random.Random(kept)
    for _ in range(40):
        gaps, got, sent, arrived = Gaps(since=0), [], [], deque()
        for run in "abcdef":
            log = EventLog(kept, run)
            log.remember([(event(seq, name), 100) for name, seq in sent])
            arrived.append((run, 0))  # connected again
            for seq in range(1, chance.randint(0, 30) + 1):
                log.add(event(seq, run), 100)
                sent.append((run, seq))
                if chance.random() < 0.6:
                    arrived.append((run, seq))
                while arrived and chance.random() < 0.7:
                    got += taken(gaps, *arrived.popleft(), event, log)
        arrived.append((run, 0))
        while arrived:
            got += taken(gaps, *arrived.popleft(), event, log)
        assert got == [each for each in sent if each in set(got)]
        assert got == sent[sent.index(got[0]) :] or kept < 1000  # it began with the run that first answered it


def taken(gaps, run, seq, event, log):
    """What is handed out for what came live; number 0 is a greeting."""
    if seq:
        gaps.push(event(seq, run))
    elif run == log.run:  # others were cut off before it was read
        gaps.announce(run, log.last)
    return settled(gaps, log)


def at(publisher, answers):
    ports = {"state_port": publisher.state_port, "events_port": publisher.events_port, "replay_port": answers.port}
    return msgspec.structs.replace(PUBLISH, **ports)


def heard(subscriber, count):
    return [(m.run, m.seq) for m in (subscriber.receive(10.0).message for _ in range(count))]


@pytest.mark.promise(
    "the recogniser is started again while a subscriber holds on",
    "seen without an event; what was kept of the run before is handed out first",
    "4 events of a run that went further were lost silently before; now 0",
)
def test_who_held_on_sees_it_and_gets_what_it_missed_before_any_new_event(event, caplog):
    with Publisher(PUBLISH) as publisher, Answers(PUBLISH, publisher, NoDesk()) as answers:
        reach = at(publisher, answers)
        subscriber = Subscriber(reach, states=None, events=True)
        meet(publisher, subscriber)
        sent = [publisher.event(event(seq)) for seq in (1, 2)]
        assert heard(subscriber, 2) == [(publisher.run, 1), (publisher.run, 2)]
        unheard = msgspec.structs.replace(sent[1], seq=3)
    with subscriber, Publisher(reach) as again:
        again.outlive(lambda event: None, [(each, 500) for each in (*sent, unheard)])
        with Answers(reach, again, NoDesk()):
            assert heard(subscriber, 1) == [(publisher.run, 3)]
            assert subscriber.restarts == 1
            assert f"started again: run {again.run}" in caplog.text
            again.event(event(1))
            assert heard(subscriber, 1) == [(again.run, 1)]
            assert subscriber.missed == 0


def test_the_states_alone_say_it_too(make):
    with Subscriber(msgspec.structs.replace(PUBLISH, state_port=1), states="all", events=False) as subscriber:
        for run, restarts in (("a", 0), ("a", 0), ("b", 1)):
            subscriber._gaps.see(run)
            assert subscriber.restarts == restarts


def test_a_journal_has_each_event_before_anybody_else(event):
    kept = []
    with Publisher(PUBLISH) as publisher:
        publisher.outlive(lambda each: kept.append((each.seq, publisher.last_event)), ())
        for _ in range(3):
            publisher.event(event(0))
    assert kept == [(1, 0), (2, 1), (3, 2)]
