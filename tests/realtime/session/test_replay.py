"""A session that is played again: what is heard, when, and what is answered meanwhile."""

import logging
import threading
import time
from contextlib import contextmanager
from itertools import islice, pairwise

import msgspec
import pytest
from messages import PUBLISH

from realtime.errors import SessionError
from realtime.publish import Answers, Asker, Inbox, Outbox, Publisher, Subscriber
from realtime.schema.message import (
    AskClock,
    AskEvents,
    AskLeave,
    AskMoment,
    AskNeutral,
    AskPicture,
    AskWish,
    Clock,
    Done,
    Event,
    Events,
    Meta,
    Picture,
    Refused,
    Shown,
    State,
)
from realtime.session import Recorder, read
from realtime.session.desk import RecordedDesk, refuse
from realtime.session.laps import PAUSE_S, laps
from realtime.session.replay import Replay


@contextmanager
def on_stage(session, **how):
    """A replay that has not begun, its four sockets, and the configuration that reaches them."""
    with Publisher(PUBLISH) as publisher:
        replay = Replay(session, publisher, **how)
        with Answers(PUBLISH, publisher, RecordedDesk(session, replay)) as answers, Inbox(PUBLISH, refuse) as inbox:
            ports = {"replay_port": answers.port, "frames_port": inbox.port}
            ports |= {"state_port": publisher.state_port, "events_port": publisher.events_port}
            yield replay, msgspec.structs.replace(PUBLISH, **ports)
            replay.stop()


@contextmanager
def running(replay):
    thread = threading.Thread(target=replay.run)
    thread.start()
    yield thread
    replay.stop()
    thread.join()


class Timed:
    """An outlet that notes when it was sent what, and is slow with every tenth."""

    def __init__(self, pause_s=0.0):
        self.heard = []
        self._pause_s = pause_s

    def state(self, message):
        self.heard.append((time.monotonic(), message))
        if len(self.heard) % 10 == 0:
            time.sleep(self._pause_s)

    def event(self, message):
        self.state(message)
        return message

    meta = state


def test_a_subscriber_hears_what_was_recorded(play):
    session = play(seconds=3.0)
    recorded = [record.message for record in session]
    events = [message for message in recorded if isinstance(message, Event)]
    heard = []
    with on_stage(session, speed=2.0) as (replay, reach), Subscriber(reach, states="all", events=True) as subscriber:
        assert subscriber.ready(5.0)
        with running(replay) as thread:
            while (received := subscriber.receive(0.2)) is not None or thread.is_alive():
                heard += [received.message] if received else []
    told = [message for message in heard if isinstance(message, Event)]
    assert [
        msgspec.structs.replace(message, run="") for message in told
    ] == events  # which the replay numbers as its own
    assert len({message.run for message in told} - {""}) == 1
    states = [message for message in heard if isinstance(message, State)]
    assert all(state in recorded for state in states)
    assert len(states) > 70  # of 147: a busy machine drops some
    assert all(before.frame < after.frame for before, after in pairwise(states))
    for meta in (message for message in heard if isinstance(message, Meta)):
        assert msgspec.structs.replace(meta, subscribers=0, run="") in recorded


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_each_message_is_sent_when_it_was_then(play, speed):
    session = play(seconds=1.2)
    outlet = Timed()
    assert Replay(session, outlet, speed=speed).run() == len(outlet.heard) == len(list(session))
    began = outlet.heard[0][0]
    late = [at - began - (r.at_s - 0.5) / speed for (at, _), r in zip(outlet.heard, session, strict=True)]
    assert min(late) > -0.02
    assert sorted(late)[len(late) // 2] < 0.1


def test_what_is_late_makes_nothing_else_late(play):
    """Sleeping differences would add the pauses up: 6 of 30 ms at the end."""
    session = play(seconds=1.2)
    outlet = Timed(pause_s=0.03)
    Replay(session, outlet).run()
    took, wanted = outlet.heard[-1][0] - outlet.heard[0][0], 59 / 50
    assert wanted - 0.02 < took < wanted + 0.12


def test_it_ends_after_some_seconds_or_when_it_is_told(play):
    session = play(seconds=3.0)
    began = time.monotonic()
    assert 1 <= Replay(session, Timed()).run(0.2) <= 12
    replay = Replay(session, Timed())
    threading.Timer(0.2, replay.stop).start()
    assert 1 <= replay.run() < 100
    assert replay.stopped
    assert time.monotonic() - began < 2.0


def test_a_session_without_a_message_is_one_error(room, tmp_path):
    Recorder(tmp_path / "s", room, [], video=False).close()
    for repeat in (False, True):
        with pytest.raises(SessionError, match="holds no message"):
            Replay(read(tmp_path / "s"), Timed(), repeat=repeat).run()


def test_repeated_it_goes_on_like_a_camera(play):
    session = play(seconds=3.0)
    once = list(session)
    thrice = list(islice(laps(session, repeat=True), 3 * len(once)))
    assert [record.at_s for _, record in thrice[: len(once)]] == [record.at_s - once[0].at_s for record in once]
    sent = [(record.at_s, lap.of(record.message)) for lap, record in thrice]
    assert [message for _, message in sent[: len(once)]] == [record.message for record in once]
    assert all(before[0] <= after[0] for before, after in pairwise(sent))
    states = [message for _, message in sent if isinstance(message, State)]
    assert all(before.t < after.t and before.frame < after.frame for before, after in pairwise(states))
    events = [message for _, message in sent if isinstance(message, Event)]
    assert [event.id for event in events] == [1, 1, 2, 3, 3, 4, 5, 5, 6]
    assert [e.t - e.onset_s for e in events] == pytest.approx([0.25] * 9)
    assert [e.t - e.apex_s for e in events] == pytest.approx([0.15] * 9)
    assert [e.emitted_s for e in events] == [e.t for e in events]
    assert events[0].offset_s is None
    at_s, t = sent[len(once)][0] - sent[0][0], sent[len(once)][1].t - sent[0][1].t
    assert at_s == pytest.approx(149 / 50 + PAUSE_S)
    assert t == pytest.approx(3.0 + PAUSE_S)  # the last meta is of 3.0 s


def test_events_can_be_asked_for_and_are_numbered_anew(play):
    session = play(seconds=3.0)
    with on_stage(session, speed=100.0) as (replay, reach), Asker(reach) as asker:
        replay.run()
        found = asker.ask(AskEvents(since=1), 5.0)
    assert isinstance(found, Events)
    assert [(event.seq, event.id, event.stage) for event in found.events] == [(2, 1, "final"), (3, 2, "withdrawn")]


def test_the_clock_is_that_of_the_camera_as_it_is_played(play):
    with on_stage(play(), speed=2.0) as (replay, reach), Asker(reach) as asker, running(replay):
        time.sleep(0.3)
        first = asker.ask(AskClock(), 5.0)
        time.sleep(0.3)
        then = asker.ask(AskClock(), 5.0)
    assert isinstance(first, Clock)
    passed = then.monotonic_s - first.monotonic_s
    assert then.unix_s - first.unix_s == pytest.approx(passed, abs=0.05)
    assert then.cameras["room-1"] - first.cameras["room-1"] == pytest.approx(2.0 * passed, abs=0.15)


def test_the_picture_of_the_frame_that_is_played_is_shown(play, make):
    session = play(seconds=2.0, video=True)
    desk = RecordedDesk(session, replay := Replay(session, Timed()))
    assert desk.answer(AskPicture(camera=make.camera)) == Shown(frame=0, t=0.0, jpeg=b"")  # nothing has been played
    (first, _), *_ = laps(session, repeat=False)
    for played, wanted in ((0, 0), (10, 10), (61, 59), (70, 70), (200, 99), (200, 99), (3, 3)):
        replay.showing = (first, played)
        shown = desk.answer(AskPicture(camera=make.camera))
        assert shown == Shown(frame=wanted, t=wanted / make.rate_hz, jpeg=make.jpeg(wanted))
        assert desk.answer(AskPicture(camera=make.camera, after=wanted - 1)) == shown
        assert desk.answer(AskPicture(camera=make.camera, after=wanted)).jpeg == b""


def test_in_a_later_lap_pictures_and_moments_are_those_of_the_recording(play, make):
    session = play(video=True)
    desk = RecordedDesk(session, replay := Replay(session, Timed()))
    once = len(list(session))
    lap = next(islice(laps(session, repeat=True), once, None))[0]
    replay.showing = (lap, 10)
    shown = desk.answer(AskPicture(camera=make.camera))
    assert (shown.frame, shown.jpeg) == (210, make.jpeg(10))
    assert shown.t == lap.of(make.state(10)).t
    assert desk.answer(AskMoment(camera=make.camera, event=1)) == session.moment(1)
    assert desk.answer(AskMoment(camera=make.camera, event=3)) == session.moment(1)


def test_what_a_recording_cannot_do_is_refused_with_the_reason(play, make):
    with on_stage(play()) as (_, reach), Asker(reach, privately=True) as asker:

        def why(question):
            answer = asker.ask(question, 5.0)
            assert isinstance(answer, Refused)
            return answer.why

        for question in (AskNeutral, AskLeave):
            assert "recording" in why(question(camera=make.camera))
        assert "without video" in why(AskPicture(camera=make.camera))
        assert "only of 'room-1'" in why(AskPicture(camera="other"))
        assert "only of 'room-1'" in why(AskMoment(camera="other", event=1))
        assert "event 2" in why(AskMoment(camera=make.camera, event=2))
        assert asker.ask(AskMoment(camera=make.camera, event=1), 5.0).apex == make.jpeg(2)


def test_a_wish_is_done_where_it_was_recorded_so(play, room, make, tmp_path):
    """The page says how it wants to watch whatever it watches: what is so already is nothing to complain of."""
    session = play()
    desk = RecordedDesk(session, Replay(session, Timed()))
    assert desk.answer(AskWish(camera=make.camera, landmarks=False, pictures=True)) == Done()
    for wish, why in (({"landmarks": True}, "without landmarks"), ({"head": "cmn"}, "'cmn' cannot judge a recording")):
        with pytest.raises(SessionError, match=why):
            desk.answer(AskWish(camera=make.camera, **wish))
    with Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorder.write(make.state(0))
        recorder.write(make.state(1, make.face(1, 1.0, landmarks=((0.0, 1.0),) * 468)))
    session = read(tmp_path / "s")
    desk = RecordedDesk(session, Replay(session, Timed()))
    assert desk.answer(AskWish(camera=make.camera, landmarks=True)) == Done()
    with pytest.raises(SessionError, match="without pictures of its events"):
        desk.answer(AskWish(camera=make.camera, pictures=True))


def test_pictures_that_are_sent_to_a_recording_are_told_to_be_of_no_use(play, caplog):
    with on_stage(play()) as (_, reach), Outbox(reach) as outbox, caplog.at_level(logging.WARNING):
        until = time.monotonic() + 5.0
        while not caplog.messages and time.monotonic() < until:
            outbox.send(Picture(t=0.0, camera="visitor-1", number=0, jpeg=b"\xff\xd8"))
            time.sleep(0.02)
    assert len(caplog.messages) == 1
    assert "this is a recording, which takes none" in caplog.messages[0]
