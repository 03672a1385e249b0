"""The bridge, heard by pylsl's own inlets over the loopback interface alone."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager

import msgspec
import pytest
from messages import PUBLISH

from realtime import bridge
from realtime.bridge import Bridge, Clocks, LslOutlet
from realtime.errors import PublishError
from realtime.publish import Answers, Publisher
from realtime.schema.message import Clock, Refused

NAME = f"Glimpse-{uuid.uuid4().hex[:8]}"
PATIENCE_S = 20.0
EXACT_S = 0.005
#: Nothing leaves this machine, and no stream of others is found. One stream hears the first question, which is meant
#: for multicast, and every stream those to KnownPeers, which follow after the shortest round trip of the first.
LOOPBACK = """
[multicast]
ResolveScope = machine
AddressesOverride = {127.0.0.1}
[lab]
KnownPeers = {127.0.0.1}
SessionID = %s
[tuning]
MulticastMinRTT = 0.02
MulticastMaxRTT = 0.1
UnicastMinRTT = 0.1
[log]
level = -3
"""


@pytest.fixture(scope="module")
def lsl(tmp_path_factory):
    """The library, which reads its configuration once."""
    path = tmp_path_factory.mktemp("lsl") / "lsl_api.cfg"
    path.write_text(LOOPBACK % NAME)
    os.environ["LSLAPICFG"] = str(path)
    return pytest.importorskip("pylsl", reason="the bridge needs the lsl extra")


class Desk:
    """Two cameras: one that started 100 s before this, one whose clock is the monotonic one."""

    def __init__(self):
        self.began = time.monotonic() - 100.0

    def answer(self, question):
        if question.__class__.__name__ != "AskClock":
            return Refused(why="only the clock")
        now = time.monotonic()
        return Clock(monotonic_s=now, unix_s=time.time(), cameras={"room-1": now - self.began, "room-2": now})


@contextmanager
def glimpse(desk):
    with Publisher(PUBLISH) as publisher, Answers(PUBLISH, publisher, desk) as answers:
        ports = {"state_port": publisher.state_port, "events_port": publisher.events_port, "replay_port": answers.port}
        yield publisher, msgspec.structs.replace(PUBLISH, **ports)


@contextmanager
def bridged(at, told):
    with Bridge(at, NAME, told.append) as running:
        thread = threading.Thread(target=running.run)
        thread.start()
        try:
            yield running
        finally:
            running.stop()
            thread.join()


def until(found, what, every=lambda: None):
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := found()):
        every()
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
    return answer


def inlet(lsl, name, send):
    """An inlet of that stream, open, and what the stream says of itself; `send` makes it appear."""
    found = until(lambda: lsl.resolve_byprop("name", name, timeout=0.5), f"no stream {name}", send)
    heard = lsl.StreamInlet(found[0])
    heard.open_stream(timeout=PATIENCE_S)
    return heard


def ahead(lsl):
    """LSL's clock less the monotonic one."""
    return lsl.local_clock() - time.monotonic()


def clock(**cameras):
    return Clock(monotonic_s=0.0, unix_s=0.0, cameras=cameras)


def test_of_several_comparisons_the_quickest_counts():
    clocks = Clocks()
    clocks.compare(110.0, clock(a=10.000), 110.020)  # the camera was read at the end of it: 10 ms wrong
    assert clocks.ours("a", 1.0) == pytest.approx(101.010)
    clocks.compare(111.0, clock(a=11.001), 111.002)
    assert clocks.ours("a", 1.0) == pytest.approx(101.000)
    clocks.compare(112.0, clock(a=12.000), 112.018)
    assert clocks.ours("a", 1.0) == pytest.approx(101.000)


def test_a_camera_that_no_answer_named_has_no_time():
    clocks = Clocks()
    clocks.compare(110.0, clock(a=10.0), 110.0)
    assert clocks.ours("b", 1.0) is None


def test_a_clock_that_was_set_anew_is_followed_at_once():
    clocks = Clocks()
    for second in range(20):
        clocks.compare(100.0 + second, clock(a=float(second), b=float(second)), 100.002 + second)
    clocks.compare(120.0, clock(a=0.5, b=20.0), 120.030)
    assert clocks.ours("a", 0.5) == pytest.approx(120.015)
    assert clocks.ours("b", 20.0) == pytest.approx(120.001)


def test_a_clock_that_drifts_is_followed():
    clocks = Clocks()
    for second in range(200):
        t = second * (1 + 1e-4)
        clocks.compare(100.0 + second, clock(a=t), 100.002 + second)
    assert clocks.ours("a", t) == pytest.approx(100.001 + second, abs=0.0012)


def test_time_stamps_of_a_stream_never_run_backwards(lsl):
    stream = LslOutlet(lsl, f"{NAME} alone", "Expression", [("motion", "")], text=False)
    heard = inlet(lsl, f"{NAME} alone", lambda: None)
    for value, stamp in ((1.0, 50.0), (2.0, 49.999), (3.0, 50.5)):
        stream.push([value], stamp)
    assert [heard.pull_sample(timeout=PATIENCE_S) for _ in range(3)] == [([1.0], 50.0), ([2.0], 50.0), ([3.0], 50.5)]


def test_a_face_is_a_stream_of_numbers_stamped_when_the_picture_was_taken(lsl, make):
    desk, told = Desk(), []
    with glimpse(desk) as (publisher, at), bridged(at, told) as running:

        def send(score=1.25):
            taken = time.monotonic() - 0.08  # as late as a busy pipeline
            publisher.state(msgspec.structs.replace(make.state(1, make.face(3, score)), t=taken - desk.began))
            return taken

        heard = inlet(lsl, f"{NAME} state room-1 face 3", send)
        info = heard.info(timeout=PATIENCE_S)
        assert info.get_channel_labels() == ["motion", "neutral", "happiness"]
        assert (info.type(), info.nominal_srate()) == ("Expression", lsl.IRREGULAR_RATE)
        until(lambda: heard.pull_sample(timeout=0.1)[0], "nothing came", send)
        while heard.pull_sample(timeout=0.2)[0]:
            pass
        for score in (2.0, 3.0, 4.0):
            taken = send(score)
            sample, stamp = heard.pull_sample(timeout=PATIENCE_S)
            assert sample == [score, 0.75, 0.25]
            assert stamp == pytest.approx(taken + ahead(lsl), abs=EXACT_S)
        assert running.unstamped == 0


def test_events_are_markers_and_numbers_with_all_their_times_on_the_clock_of_lsl(lsl, make):
    desk, told = Desk(), []
    with glimpse(desk) as (publisher, at), bridged(at, told):
        send = lambda: publisher.state(msgspec.structs.replace(make.state(1), t=time.monotonic() - desk.began))  # noqa: E731
        markers = inlet(lsl, f"{NAME} events room-1", send)
        values = inlet(lsl, f"{NAME} event values room-1", send)
        assert markers.info(timeout=PATIENCE_S).type() == "Markers"
        assert values.info(timeout=PATIENCE_S).get_channel_labels() == list(bridge.VALUES)
        apex = time.monotonic() - 0.4
        shift = ahead(lsl) + desk.began
        early = publisher.event(make.event(7, apex - desk.began, "early"))
        final = publisher.event(make.event(7, apex - desk.began, label="negative"))
        for event, stage in ((early, 0.0), (final, 1.0)):
            text, stamp = markers.pull_sample(timeout=PATIENCE_S)
            marker = json.loads(text[0])
            times = marker.pop("lsl")
            assert marker == msgspec.to_builtins(event, str_keys=True) | {"quality": [], "units": []}
            assert stamp == pytest.approx(event.t + shift, abs=EXACT_S)
            assert times["onset"] == pytest.approx(event.onset_s + shift, abs=EXACT_S)
            assert times["apex"] == pytest.approx(apex + ahead(lsl), abs=EXACT_S)
            sample, same = values.pull_sample(timeout=PATIENCE_S)
            assert same == stamp
            named = dict(zip(bridge.VALUES, sample, strict=True))
            assert named["seq"] == event.seq
            assert (named["id"], named["face"], named["micro"], named["stage"]) == (7.0, 1.0, 1.0, stage)
            assert named["onset"] == times["onset"]
            assert named["confidence"] == 0.8125
            if event is early:
                assert times["offset"] is None
                assert math.isnan(named["offset"])
            else:
                assert named["offset"] == times["offset"] == pytest.approx(event.offset_s + shift, abs=EXACT_S)


def test_faces_and_cameras_come_and_go(lsl, make, monkeypatch):
    monkeypatch.setattr(bridge, "AWAY_S", 0.6)
    monkeypatch.setattr(bridge, "ASK_S", 0.1)
    desk, told = Desk(), []
    with glimpse(desk) as (publisher, at), bridged(at, told):

        def send(*faces, camera="room-1"):
            publisher.state(msgspec.structs.replace(make.state(1, *faces, camera=camera), t=time.monotonic()))

        until(lambda: any("face 1" in line for line in told), "no face 1", lambda: send(make.face(1, 1.0)))
        until(
            lambda: any("room-2 face 9" in line for line in told),
            "no second camera",
            lambda: (send(make.face(1, 1.0)), send(make.face(9, 1.0), camera="room-2")),
        )
        until(
            lambda: f"closed {NAME} state room-2 face 9" in told, "room-2's face stays", lambda: send(make.face(1, 1.0))
        )
        until(lambda: f"closed {NAME} events room-2" in told, "room-2 stays", lambda: send(make.face(1, 1.0)))
        assert f"closed {NAME} state room-1 face 1" not in told
        assert [each.name() for each in lsl.resolve_streams(0.5) if "face" in each.name()] == [
            f"{NAME} state room-1 face 1"
        ]


def test_other_labels_make_another_stream_of_the_same_name(lsl, make):
    desk, told = Desk(), []
    with glimpse(desk) as (publisher, at), bridged(at, told):

        def send(face):
            publisher.state(msgspec.structs.replace(make.state(1, face), t=time.monotonic() - desk.began))

        first, second = make.face(1, 1.0), msgspec.structs.replace(make.face(1, 1.0), expression={"calm": 1.0})
        until(lambda: any("motion, neutral, happiness" in line for line in told), "no stream", lambda: send(first))
        until(lambda: any("motion, calm" in line for line in told), "no other stream", lambda: send(second))


def test_what_nobody_can_tell_the_time_of_is_left_out_and_counted(lsl, make):
    told = []
    with glimpse(Desk()) as (publisher, at), bridged(at, told) as running:
        until(lambda: running.unstamped, "all were stamped", lambda: publisher.state(make.state(1, camera="unknown")))
        assert told == []


def test_the_command_waits_passes_on_and_ends(lsl, make):
    with glimpse(Desk()) as (publisher, at):
        changes = [f"--set=publish.{key}={getattr(at, key)}" for key in ("state_port", "events_port", "replay_port")]
        command = [sys.executable, "-m", "realtime", "bridge-lsl", "--name", f"{NAME}-command", *changes]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert "waiting" in process.stdout.readline()
                inlet(lsl, f"{NAME}-command events room-1", lambda: publisher.state(make.state(1)))
                process.send_signal(signal.SIGINT)
                assert process.wait(PATIENCE_S) == 0
            finally:
                process.kill()
            assert f"opened {NAME}-command events room-1" in process.stdout.read()


def test_without_the_library_one_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(PublishError, match=r"pip install '\.\[lsl\]'"):
        Bridge(PUBLISH, NAME, print)
