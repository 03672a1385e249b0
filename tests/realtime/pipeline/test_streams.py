"""Cameras elsewhere, played from the sample's pictures, through the real stages with tiny engines."""

import logging
import threading
import time
from itertools import count

import cv2
import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.capture.remote import decoded
from realtime.capture.source import open_source
from realtime.demo import truth
from realtime.errors import ConfigError, EngineError, SourceError
from realtime.pipeline.moments import jpeg
from realtime.pipeline.people import Person
from realtime.pipeline.streams import Streams
from realtime.recognition.encode import Encoder
from realtime.schema.message import (
    AskClock,
    AskEvents,
    AskLeave,
    AskMoment,
    AskNeutral,
    AskPicture,
    AskWish,
    Done,
    MomentPictures,
    Picture,
    Refused,
    Shown,
)

RATE_HZ = 60.0


class Kept:
    """An outlet that keeps what it is given."""

    def __init__(self):
        self.states, self.events, self.metas = [], [], []
        self._came = threading.Condition()

    def state(self, state):
        self._keep(self.states, state)

    def event(self, event):
        numbered = msgspec.structs.replace(event, seq=len(self.events) + 1)
        self._keep(self.events, numbered)
        return numbered

    def meta(self, meta):
        self._keep(self.metas, meta)
        return meta

    def _keep(self, kind, message):
        with self._came:
            kind.append(message)
            self._came.notify_all()

    def wait(self, holds):
        """Wait until `holds()`."""
        with self._came:
            assert self._came.wait_for(holds, timeout=30.0)

    def of(self, camera):
        return [state for state in self.states if state.camera == camera]


@pytest.fixture(scope="module")
def jpegs():
    source = open_source(str(truth.VIDEO), config.load().source, fast=True)
    try:
        return [jpeg(frame.image, 90) for frame, _ in zip(source.frames(), range(12), strict=False)]
    finally:
        source.close()


@pytest.fixture(scope="module")
def settings(packages):
    changes = {
        "engines.folder": packages,
        "engines.dynamic": "",
        "engines.units": "",
        "engines.head": "head",
        "engines.device": "cpu",
        "engines.precision": "f32",
        "align.size_px": 48,
        "budget.enabled": "false",  # on a busy machine it leaves pictures out whose states are waited for
        "streams.visitors": 2,
        "streams.silent_s": 30.0,
        "publish.camera": "own",
        "spotter.open": 0.6,  # the tiny spotter is less sure than the shipped one, for which these are found
        "spotter.close": 0.3,
        "spotter.early": 0.7,
        "spotter.micro": 0.7,
    }
    return config.load(overrides=[f"{key}={value}" for key, value in changes.items()])


@pytest.fixture
def outlet():
    return Kept()


@pytest.fixture
def open_streams(settings, outlet):
    opened = []

    def with_changes(head="head", **changes):
        replace = msgspec.structs.replace
        chosen = replace(
            settings, streams=replace(settings.streams, **changes), engines=replace(settings.engines, head=head)
        )
        opened.append(Streams(chosen, outlet))
        return opened[-1]

    yield with_changes
    for streams in opened:
        streams.close()


@pytest.fixture
def streams(open_streams):
    return open_streams()


class Browser:
    """Sends pictures one after the other, each once the state of the one before has come."""

    def __init__(self, streams, outlet, jpegs, camera, first=0):
        self.streams, self.outlet, self.jpegs, self.camera = streams, outlet, jpegs, camera
        self.numbers = count(first)

    def send(self):
        number = next(self.numbers)
        data = self.jpegs[number % len(self.jpegs)]
        self.streams.take(Picture(camera=self.camera, t=1000.0 + number / RATE_HZ, number=number, jpeg=data))
        return number

    def watched(self, pictures):
        """Send so many; the states that came back."""
        for _ in range(pictures):
            number = self.send()
            self.outlet.wait(lambda number=number: self.outlet.of(self.camera)[-1:] and self._newest() >= number)
        return self.outlet.of(self.camera)[-pictures:]

    def _newest(self):
        return self.outlet.of(self.camera)[-1].frame


@pytest.fixture
def browser(streams, outlet, jpegs):
    return lambda camera="visitor-1", first=0: Browser(streams, outlet, jpegs, camera, first)


def test_a_camera_elsewhere_begins_with_its_first_picture_and_keeps_its_numbers(browser):
    states = browser(first=40).watched(5)
    assert [state.frame for state in states] == [40, 41, 42, 43, 44]
    assert [state.t for state in states] == pytest.approx([n / RATE_HZ for n in range(5)])
    assert [len(state.faces) for state in states] == [1] * 5


def test_two_cameras_have_a_stream_each(browser, outlet):
    one, other = browser("visitor-1"), browser("visitor-2", first=100)
    one.watched(2)
    other.watched(3)
    assert {state.frame for state in outlet.of("visitor-1")} == {0, 1}
    assert {state.frame for state in outlet.of("visitor-2")} == {100, 101, 102}
    assert {meta.camera for meta in outlet.metas} == {"visitor-1", "visitor-2"}


@pytest.mark.promise(
    "more cameras elsewhere than places",
    "as many as streams.visitors; one more is turned away",
    "1 of 1",
)
def test_one_more_than_there_is_room_for_is_turned_away_until_another_leaves(open_streams, outlet, jpegs, caplog):
    streams = open_streams(visitors=1, silent_s=600.0)  # what is waited for is the place alone
    Browser(streams, outlet, jpegs, "visitor-1").watched(1)
    late = Browser(streams, outlet, jpegs, "visitor-2")
    late.send()
    late.send()
    assert caplog.text.count("no room for camera visitor-2: streams.visitors = 1") == 1
    assert streams.answer(AskLeave(camera="visitor-1")) == Done()
    until = time.monotonic() + 20.0
    while not outlet.of("visitor-2") and time.monotonic() < until:
        late.send()
        time.sleep(0.1)
    assert outlet.of("visitor-2")


@pytest.mark.promise("camera names without pictures", "take no place", "4 names of 4 took all before; now none")
def test_names_without_pictures_take_no_place(open_streams, outlet, jpegs):
    streams = open_streams(visitors=2)
    junk = (b"", b"GIF89a" + bytes(99), b"\xff\xd8 no picture", jpegs[0][:2] + b"\xff\xda" * 2000 + jpegs[0][2:])
    for number, data in enumerate(junk):
        with pytest.raises(SourceError):
            streams.take(Picture(camera=f"junk-{number}", t=1.0, number=0, jpeg=data))
    assert len(Browser(streams, outlet, jpegs, "visitor-1").watched(2)) == 2
    assert len(Browser(streams, outlet, jpegs, "visitor-2").watched(2)) == 2


@pytest.mark.promise(
    "hundreds of camera names, each with a picture that can be decoded",
    "take no place that is taken; told once, and who is there goes on",
    "300 names of 300",
)
def test_hundreds_of_names_with_pictures_disturb_nobody(open_streams, outlet, jpegs, caplog):
    streams = open_streams(visitors=1, silent_s=600.0)
    first = Browser(streams, outlet, jpegs, "visitor-1")
    first.watched(1)
    for number in range(300):
        Browser(streams, outlet, jpegs, f"name-{number}").send()
    [told] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "no room for camera name-0" in told.getMessage()
    assert len(first.watched(2)) == 2
    assert {state.camera for state in outlet.states} == {"visitor-1"}


def test_a_camera_that_falls_silent_has_left(open_streams, outlet, jpegs):
    streams = open_streams(silent_s=0.3)
    Browser(streams, outlet, jpegs, "visitor-1").watched(1)
    until = time.monotonic() + 20.0
    while streams.answer(AskClock()).cameras and time.monotonic() < until:
        time.sleep(0.05)
    assert streams.answer(AskClock()).cameras == {}


@pytest.mark.promise(
    "pictures under the name of the server's own camera",
    "refused",
    "1 of 1",
)
def test_the_name_of_the_own_camera_cannot_be_taken(streams, outlet, jpegs):
    source = open_source(str(truth.VIDEO), config.load().source, fast=False)
    running = threading.Thread(target=streams.run, args=(source,))
    running.start()
    outlet.wait(lambda: outlet.states)
    streams.take(Picture(camera="own", t=0.0, number=0, jpeg=jpegs[0]))
    assert list(streams.answer(AskClock()).cameras) == ["own"]
    streams.stop()
    running.join(20.0)
    assert not running.is_alive()
    assert streams.stopped


def test_without_a_source_of_its_own_it_waits_until_it_is_stopped(streams):
    assert streams.run(None, seconds=0.05) is None
    threading.Timer(0.1, streams.stop).start()
    assert streams.run(None) is None


def test_the_newest_picture_is_had_once(streams, browser):
    browser().watched(3)
    shown = streams.answer(AskPicture(camera="visitor-1"))
    assert (shown.frame, shown.t) == (2, pytest.approx(2 / RATE_HZ))
    assert decoded(shown.jpeg, config.load().streams).ndim == 3
    assert streams.answer(AskPicture(camera="visitor-1", after=2)) == Shown(frame=0, t=0.0, jpeg=b"")


def test_landmarks_come_when_they_are_wished_for(streams, browser):
    visitor = browser()
    assert visitor.watched(1)[0].faces[0].landmarks is None
    assert streams.answer(AskWish(camera="visitor-1", landmarks=True)) == Done()
    assert len(visitor.watched(2)[-1].faces[0].landmarks) == 468
    assert streams.answer(AskWish(camera="visitor-1", pictures=True)) == Done()
    assert len(visitor.watched(1)[-1].faces[0].landmarks) == 468  # what is not named stays


def test_a_head_is_chosen_for_one_camera_alone(streams, browser, outlet):
    visitor, other = browser("visitor-1"), browser("visitor-2")
    visitor.watched(1)
    other.watched(1)
    assert set(outlet.metas[0].heads) == {"head", "apex", "change", "clips", "fields"}
    assert streams.answer(AskWish(camera="visitor-1", head="apex")) == Done()
    outlet.metas.clear()
    visitor.watched(62)  # a second, after which meta comes again
    other.watched(62)
    told = {meta.camera: meta.engines[-1].name for meta in outlet.metas}
    assert told == {"visitor-1": "apex", "visitor-2": "head"}


def test_engines_that_judge_together_are_a_choice_and_so_is_each_alone(open_streams, outlet, jpegs):
    streams = open_streams(head="fields+head")
    visitor = Browser(streams, outlet, jpegs, "visitor-1")
    visitor.watched(1)
    outlet.wait(lambda: outlet.metas)  # it comes after the state
    assert outlet.metas[0].heads == ("fields+head", "fields", "head", "apex", "change", "clips")
    assert [engine.name for engine in outlet.metas[0].engines] == ["encoder", "spotter", "fields", "head"]
    assert streams.answer(AskWish(camera="visitor-1", head="fields")) == Done()
    outlet.metas.clear()
    visitor.watched(62)
    outlet.wait(lambda: outlet.metas)
    assert [engine.name for engine in outlet.metas[-1].engines] == ["encoder", "spotter", "fields"]
    assert streams.answer(AskWish(camera="visitor-1", head="fields+head")) == Done()


def test_a_head_that_is_not_there_is_refused_with_those_that_are(streams, browser):
    browser().watched(1)
    with pytest.raises(
        EngineError, match="'cnn' is no engine that judges events here; there are head, apex, change, clips"
    ):
        streams.answer(AskWish(camera="visitor-1", head="cnn"))


@pytest.mark.parametrize(
    "question",
    [AskPicture(camera="x"), AskMoment(camera="x", event=1), AskNeutral(camera="x"), AskWish(camera="x")],
    ids=lambda question: type(question).__name__,
)
def test_a_camera_that_is_not_watched_is_named_and_no_visitor_is(streams, browser, question):
    browser().watched(1)
    with pytest.raises(ConfigError, match="camera 'x' is not watched now") as refused:
        streams.answer(question)
    assert "visitor" not in str(refused.value)


def test_an_event_that_is_not_kept_is_refused_with_what_would_keep_it(streams, browser):
    browser().watched(1)
    refused = streams.answer(AskMoment(camera="visitor-1", event=77))
    assert isinstance(refused, Refused)
    assert "event 77" in refused.why
    assert "AskWish" in refused.why


def test_who_asks_for_pictures_of_the_source_looks_at_it(streams, browser):
    browser().watched(1)
    streams.answer(AskPicture(camera="visitor-1"))
    assert not streams.looked_at()  # a visitor's own camera is another
    with pytest.raises(ConfigError):
        streams.answer(AskPicture(camera="own"))  # it begins, and somebody waits for it
    assert streams.looked_at()


def test_what_belongs_to_another_desk_is_refused(streams):
    assert streams.answer(AskEvents(since=0)) == Refused(why="AskEvents is not answered here")


def test_neutral_is_passed_to_everybody_in_view(streams, browser, monkeypatch):
    visitor = browser()
    visitor.watched(1)
    asked = []
    monkeypatch.setattr(Person, "calibrate", lambda person: asked.append(person.presence.id))
    assert streams.answer(AskNeutral(camera="visitor-1")) == Done()
    assert asked == [1]


def test_nobody_in_view_cannot_be_neutral(streams, browser, outlet):
    visitor = browser()
    visitor.jpegs = [jpeg(np.full((90, 160, 3), 80, np.uint8), 90)]
    visitor.watched(1)
    refused = streams.answer(AskNeutral(camera="visitor-1"))
    assert isinstance(refused, Refused)
    assert "nobody in view" in refused.why


def test_what_is_recorded_with_its_pictures_keeps_them_whatever_is_wished(streams, outlet):
    source = open_source(str(truth.VIDEO), config.load().source, fast=False)
    running = threading.Thread(target=streams.run, args=(source,), kwargs={"pictures": True})
    running.start()
    outlet.wait(lambda: outlet.states)
    assert streams.answer(AskWish(camera="own", pictures=False)) == Done()
    outlet.wait(lambda: outlet.events)
    assert isinstance(streams.answer(AskMoment(camera="own", event=outlet.events[0].id)), MomentPictures)
    streams.stop()
    running.join(20.0)


def test_the_clock_runs_on_between_frames(streams, browser):
    browser().watched(2)
    one = streams.answer(AskClock())
    time.sleep(0.05)
    other = streams.answer(AskClock())
    ran = other.monotonic_s - one.monotonic_s
    assert other.cameras["visitor-1"] - one.cameras["visitor-1"] == pytest.approx(ran)
    assert other.unix_s - one.unix_s == pytest.approx(ran, abs=0.05)


@pytest.mark.promise(
    "a camera elsewhere that fails again and again",
    "is not begun again at once",
    "1 of 1",
)
@pytest.mark.parametrize("error", [EngineError("encoder cannot take these inputs:"), cv2.error("encoder cannot")])
def test_a_camera_that_failed_is_not_taken_again_at_once(open_streams, outlet, jpegs, monkeypatch, caplog, error):
    streams = open_streams(silent_s=60.0)
    tries = []

    def broken(encoder, crops):
        tries.append(crops)
        raise error

    monkeypatch.setattr(Encoder, "see", broken)
    visitor = Browser(streams, outlet, jpegs, "visitor-1")
    until = time.monotonic() + 20.0
    while "visitor-1 ends: encoder cannot" not in caplog.text and time.monotonic() < until:
        visitor.send()
        time.sleep(0.02)
    failed = len(tries)
    for _ in range(20):
        visitor.send()
    assert len(tries) == failed
    assert streams.answer(AskClock()).cameras == {}
