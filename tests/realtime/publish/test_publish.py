import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import messages
import msgpack
import msgspec
import psutil
import pytest
import zmq
from waiting import meet

from realtime.config import PublishConfig
from realtime.errors import PublishError
from realtime.publish import Publisher, Received, Subscriber
from realtime.schema.message import decode

ROOT = Path(__file__).resolve().parents[3]
EVENT = messages.event(
    7, 12.31, probabilities={"cmn": {"surprise": 0.81, "negative": 0.19}}, confidence=0.81, camera="0"
)
META = messages.meta(13.0, camera="0")
FACE = messages.face(1, 3.2, landmarks=tuple((float(i), float(i)) for i in range(468)))

#: A subscriber written with nothing but pyzmq and msgpack, as README.md shows it.
PLAIN = """
import msgpack, zmq

socket = zmq.Context().socket(zmq.SUB)
socket.connect("tcp://127.0.0.1:5557")
socket.subscribe("event/")
while True:
    topic, _, body = socket.recv().partition(b"\\0")
    event = msgpack.unpackb(body)
    print(event["seq"], topic.decode(), event["stage"], event["label"], event["confidence"], flush=True)
"""


def state(frame, *faces):
    return messages.state(frame, *faces, camera="0")


@pytest.fixture
def publisher():
    with Publisher(messages.PUBLISH) as publisher:
        yield publisher


@pytest.fixture
def context():
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


def at(state_port: int, events_port: int, **others) -> PublishConfig:
    return msgspec.structs.replace(messages.PUBLISH, state_port=state_port, events_port=events_port, **others)


def subscribe(publisher: Publisher, *, states: str | None = None, events: bool = False, **others) -> Subscriber:
    publish = at(publisher.state_port, publisher.events_port, **{"host": "localhost", **others})
    return Subscriber(publish, states=states, events=events)


def join(send, listener: zmq.Socket) -> bytes:
    """Send again and again until `listener` hears it: a subscription takes a moment. The last that it heard."""
    until = time.monotonic() + 5
    while not listener.poll(20):
        send()
        assert time.monotonic() < until, "never subscribed"
    return drained(listener)[-1]


def patient(publish: PublishConfig = messages.PUBLISH) -> Publisher:
    """A publisher that drops no state because this machine is busy."""
    return Publisher(publish, states_waiting=10_000)


def until_heard(send, subscriber: Subscriber, topic: str) -> Received:
    """Send again and again until `topic` arrives: states and meta may miss the first."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        send()
        if (received := subscriber.receive(0.02)) is not None and received.topic == topic:
            return received
    raise AssertionError("nothing arrived")


def plain(context: zmq.Context, address: str, topic: str, **options: int) -> zmq.Socket:
    socket = context.socket(zmq.SUB)
    for name, value in options.items():
        socket.set(getattr(zmq, name), value)
    socket.connect(address)
    socket.subscribe(topic)
    return socket


def drained(socket: zmq.Socket) -> list[bytes]:
    frames = []
    while socket.poll(200):
        frames.append(socket.recv())
    return frames


def test_a_ready_subscriber_hears_every_event_from_the_first_numbered_from_one(publisher):
    with subscribe(publisher, events=True) as subscriber:
        meet(publisher, subscriber)
        sent = [publisher.event(EVENT) for _ in range(50)]
        received = [subscriber.receive(2.0) for _ in range(50)]
    assert [event.seq for event in sent] == list(range(1, 51))
    assert received == [Received("event/0/micro", event) for event in sent]
    assert subscriber.missed == 0


def test_a_subscriber_may_come_before_its_publisher():
    with Publisher(messages.PUBLISH) as first:
        ports = (first.state_port, first.events_port)
    with Subscriber(at(*ports), states=None, events=True) as early:
        assert not early.ready(0.05)
        config = msgspec.structs.replace(messages.PUBLISH, state_port=ports[0], events_port=ports[1])
        with Publisher(config) as publisher:
            meet(publisher, early)
            publisher.event(EVENT)
            assert early.receive(2.0).message.seq == 1


def test_ready_is_answered_by_whatever_the_publisher_sends(publisher):
    with subscribe(publisher, events=True) as subscriber:
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(subscriber.ready(5.0)))
        waiting.start()
        for frame in range(500):
            publisher.state(state(frame))
            if not waiting.is_alive():
                break
            time.sleep(0.01)
        waiting.join()
        assert answers == [True]
        assert subscriber.receive(0.05) is None  # the answer itself is no message


def test_the_states_of_a_slow_subscriber_are_the_newest_ones():
    with patient() as publisher, subscribe(publisher, states="newest") as subscriber:
        until_heard(lambda: publisher.state(state(0)), subscriber, "state/0")
        for frame in range(1, 101):
            publisher.state(state(frame))
        time.sleep(0.3)
        assert subscriber.receive(1.0).message.frame == 100
        assert subscriber.receive(0.05) is None


def test_meta_is_not_drowned_by_states():
    with patient() as publisher, subscribe(publisher, states="newest") as subscriber:
        for topic, send in {"meta": lambda: publisher.meta(META), "state/0": lambda: publisher.state(state(0))}.items():
            until_heard(send, subscriber, topic)
        publisher.meta(META)
        for frame in range(100):
            publisher.state(state(frame))
        time.sleep(0.3)
        assert [subscriber.receive(1.0).topic for _ in range(2)] == ["meta", "state/0"]


def test_meta_counts_the_events(publisher):
    for _ in range(3):
        publisher.event(EVENT)
    with subscribe(publisher, states="newest") as subscriber:
        assert until_heard(lambda: publisher.meta(META), subscriber, "meta").message.events == 3


def test_iterating_ends_when_the_subscriber_is_closed(publisher):
    subscriber = subscribe(publisher, events=True)
    meet(publisher, subscriber)
    for _ in range(3):
        publisher.event(EVENT)
    heard = []
    for received in subscriber:
        heard.append(received.message.seq)
        if len(heard) == 3:
            subscriber.close()
    assert heard == [1, 2, 3]


def times_heard(context: zmq.Context, rate_hz: float, times: list[float]) -> list[float]:
    """Of states with these times, those that are sent at `rate_hz`."""
    with patient(msgspec.structs.replace(messages.PUBLISH, rate_hz=rate_hz)) as publisher:
        listener = plain(context, publisher.state_address, "")
        join(lambda: publisher.meta(META), listener)
        for t in times:
            publisher.state(msgspec.structs.replace(state(0), t=t))
        return [decode(data)[1].t for data in drained(listener)]


@pytest.mark.parametrize(("rate_hz", "heard"), [(0.0, 240), (25.0, 100), (30.0, 120), (60.0, 240), (100.0, 240)])
def test_states_keep_to_the_rate_even_where_it_does_not_divide_the_cameras(rate_hz, heard, context):
    assert abs(len(times_heard(context, rate_hz, [frame / 60 for frame in range(240)])) - heard) <= 1


@pytest.mark.promise(
    "a camera's clock begins anew",
    "its states go on",
    "1 of 1",
)
def test_a_clock_that_begins_anew_does_not_silence_the_states(context):
    assert times_heard(context, 10.0, [100.0, 100.05, 0.0, 0.05, 0.1]) == [100.0, 0.0, 0.1]


def test_after_a_pause_the_states_do_not_hurry_to_catch_up(context):
    assert times_heard(context, 10.0, [0.0, 7.0, 7.02, 7.04, 7.06, 7.1]) == [0.0, 7.0, 7.1]


def test_any_program_with_zeromq_and_msgpack_reads_every_kind_of_message(publisher, context):
    sent = {
        "state/0": (publisher.state_address, lambda: publisher.state(state(5, FACE))),
        "meta": (publisher.state_address, lambda: publisher.meta(META)),
        "event/0/micro": (publisher.events_address, lambda: publisher.event(EVENT)),
    }
    for topic, (address, send) in sent.items():
        head, _, body = join(send, plain(context, address, topic)).partition(b"\0")
        assert head.decode() == topic
        fields = msgpack.unpackb(body)
        assert (fields["schema"], fields["camera"]) == (1, "0")


def test_the_ten_lines_of_the_readme_print_the_events(publisher):
    code = PLAIN.replace("5557", str(publisher.events_port))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        lines = []
        reading = threading.Thread(target=lambda: lines.append(process.stdout.readline()))
        reading.start()
        until = time.monotonic() + 10
        while reading.is_alive() and time.monotonic() < until:
            publisher.event(EVENT)
            time.sleep(0.02)
        process.kill()
    assert lines[0].split()[1:] == ["event/0/micro", "final", "surprise", "0.81"]


@pytest.mark.promise(
    "a subscriber that never reads",
    "the publisher and others are as quick as before",
    "1 of 1",
)
def test_a_subscriber_that_never_reads_holds_up_nobody(publisher, context):
    lazy = [
        plain(context, publisher.state_address, "state/", RCVHWM=1, RCVBUF=4096),
        plain(context, publisher.events_address, "event/", RCVHWM=1, RCVBUF=4096),
    ]
    with subscribe(publisher, events=True) as awake:
        meet(publisher, awake)
        size = len(join(lambda: publisher.state(state(0, FACE)), lazy[0]))
        join(lambda: publisher.event(EVENT), lazy[1])
        before, began = psutil.Process().memory_info().rss, time.monotonic()
        for frame in range(20_000):
            publisher.state(state(frame, FACE))
            publisher.event(EVENT)
            if frame % 5000 == 0:
                assert awake.receive(2.0) is not None
        took, grown = time.monotonic() - began, psutil.Process().memory_info().rss - before
    assert took < 120.0  # 3 s on a quiet machine; one that is held up never ends
    assert grown < 20_000 * size / 2  # half of the states at least were not kept for it; the events are, up to a limit


def test_events_that_a_slow_subscriber_had_no_room_for_are_counted(caplog):
    with Publisher(messages.PUBLISH, events_waiting=100) as narrow, subscribe(narrow, events=True) as subscriber:
        meet(narrow, subscriber)
        big = msgspec.structs.replace(EVENT, label="x" * 20_000)
        for _ in range(2000):
            narrow.event(big)
        heard = []
        while (received := subscriber.receive(0.3)) is not None:
            heard.append(received.message.seq)
        narrow.event(EVENT)
        assert subscriber.receive(2.0).message.seq == 2001
    assert len(heard) < 2000
    assert heard == sorted(heard)
    assert subscriber.missed == 2000 - len(heard)
    assert "never came" in caplog.text


def numbered(seq: int) -> bytes:
    return b"event/0/micro\0" + msgpack.packb({**msgspec.to_builtins(EVENT), "seq": seq})


def hear(context: zmq.Context, frames: list[bytes]) -> Subscriber:
    """A closed subscriber of events that has read `frames`, and in `heard` what came of them."""
    rogue = context.socket(zmq.XPUB)
    port = rogue.bind_to_random_port("tcp://127.0.0.1")
    with Subscriber(at(port, port), states=None, events=True) as subscriber:
        while not rogue.recv().startswith(b"\1event/"):
            pass
        for data in frames:
            rogue.send(data)
        while subscriber.receive(0.3) is not None:
            pass
    return subscriber


@pytest.mark.parametrize(
    ("numbers", "missed"),
    [
        ([1, 2, 3], 0),
        ([41, 42], 0),  # it came late
        ([1, 2, 5, 6, 9], 4),
        ([1, 2, 3, 1, 2], 0),  # another publisher on the same port
        ([8, 9, 3], 2),  # of which the first two never came
    ],
)
def test_missing_numbers_are_missed_events(numbers, missed, context):
    assert hear(context, [numbered(seq) for seq in numbers]).missed == missed


@pytest.mark.promise(
    "garbage from a publisher",
    "counted, told once; the rest is read",
    "5 of 7 messages",
)
def test_malformed_frames_are_counted_and_logged_once_and_the_rest_is_read(context, caplog):
    caplog.set_level(logging.WARNING)
    newer = numbered(1).replace(b"schema\x01", b"schema\x02")
    subscriber = hear(context, [b"event/\xff", newer, newer, newer, numbered(1), b"event/", numbered(3)])
    assert subscriber.malformed == 5
    assert subscriber.missed == 1
    assert caplog.text.count("version 2, I read 1") == 1


@pytest.mark.promise(
    "a subscriber is killed with -9",
    "publisher and others go on",
    "1 of 1",
)
def test_a_subscriber_that_dies_harms_neither_publisher_nor_others(publisher):
    code = PLAIN.replace("5557", str(publisher.events_port)).replace(
        "while True:", "while not print('here', flush=True):"
    )
    with (
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process,
        subscribe(publisher, events=True) as survivor,
    ):
        assert process.stdout.readline() == "here\n"
        meet(publisher, survivor)
        for _ in range(100):
            publisher.event(EVENT)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for _ in range(100):
            publisher.event(EVENT)
        assert [survivor.receive(2.0).message.seq for _ in range(200)] == list(range(1, 201))


@pytest.mark.promise(
    "two instances at one port",
    "the second says so, and the ways out",
    "2 ports of 2",
)
@pytest.mark.parametrize("key", ["state_port", "events_port"])
def test_a_port_in_use_is_named_with_the_ways_out(key):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            PublishError, match=rf"{port} \(publish\.{key}\) is in use.*ss -ltnp.*--set publish\.{key}="
        ):
            Publisher(msgspec.structs.replace(messages.PUBLISH, **{key: port}))


def test_a_failed_start_gives_its_first_port_back():
    with Publisher(messages.PUBLISH) as first:
        ports = {"state_port": first.state_port}
        taken = first.events_port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", taken))
        other.listen()
        with pytest.raises(PublishError):
            Publisher(msgspec.structs.replace(messages.PUBLISH, **ports, events_port=taken))
    with Publisher(msgspec.structs.replace(messages.PUBLISH, **ports)) as again:
        assert again.state_port == ports["state_port"]


@pytest.mark.promise(
    "the wire bound to the network without keys",
    "refused at both ends, in one line",
    "6 hosts of 6",
)
@pytest.mark.parametrize("host", ["0.0.0.0", "*", "192.168.1.5", "example.org", "", "127.0.0.1:80,"])
def test_beyond_this_machine_neither_end_goes_without_keys(host):
    with pytest.raises(PublishError, match="CURVE"):
        Publisher(msgspec.structs.replace(messages.PUBLISH, host=host))
    with pytest.raises(PublishError, match="CURVE"):
        Subscriber(at(5556, 5557, host=host), states="newest", events=True)


@pytest.mark.promise(
    "the wire reached from the network by default",
    "bound to this machine alone",
    "2 ports of 2",
)
def test_ports_are_bound_to_this_machine_alone(publisher):
    assert publisher.state_address == f"tcp://127.0.0.1:{publisher.state_port}"
    assert publisher.events_address == f"tcp://127.0.0.1:{publisher.events_port}"
    bound = {tuple(link.laddr) for link in psutil.Process().net_connections("tcp") if link.status == "LISTEN"}
    assert {("127.0.0.1", publisher.state_port), ("127.0.0.1", publisher.events_port)} <= bound


def test_the_new_loopback_address_is_this_machine_too():
    try:
        publisher = Publisher(msgspec.structs.replace(messages.PUBLISH, host="::1"))
    except PublishError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with publisher, subscribe(publisher, events=True, host="::1") as heard:
        meet(publisher, heard)
        publisher.event(EVENT)
        assert heard.receive(2.0).message.seq == 1


@pytest.mark.promise(
    "events on their way when Glimpse ends",
    "arrive",
    "all of them",
)
def test_what_is_on_its_way_when_the_publisher_closes_still_arrives():
    with Publisher(messages.PUBLISH) as publisher, subscribe(publisher, events=True) as subscriber:
        meet(publisher, subscriber)
        for _ in range(1000):
            publisher.event(EVENT)
        publisher.close()
        assert [subscriber.receive(2.0).message.seq for _ in range(1000)] == list(range(1, 1001))


def test_closing_waits_no_longer_than_it_was_told(context):
    publisher = Publisher(messages.PUBLISH)
    lazy = plain(context, publisher.events_address, "event/", RCVHWM=1, RCVBUF=4096)
    join(lambda: publisher.event(EVENT), lazy)
    for _ in range(2000):
        publisher.event(msgspec.structs.replace(EVENT, label="x" * 20_000))
    began = time.monotonic()
    publisher.close()
    assert 0.1 < time.monotonic() - began < 3.0


def test_nothing_to_hear_is_a_mistake():
    with pytest.raises(ValueError, match="neither"):
        Subscriber(at(5556, 5557), states=None, events=False)


def test_a_subscriber_needs_a_port_that_is_known():
    with pytest.raises(PublishError, match="port"):
        Subscriber(at(0, 0), states="newest", events=True)


def test_several_pipelines_send_at_once_and_every_event_has_its_number(publisher):
    def play(camera):
        for frame in range(300):
            publisher.event(msgspec.structs.replace(EVENT, camera=camera, id=frame))
            publisher.state(msgspec.structs.replace(state(frame, FACE), camera=camera))

    with subscribe(publisher, events=True) as subscriber:
        meet(publisher, subscriber)
        threads = [threading.Thread(target=play, args=(f"visitor-{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        heard = [subscriber.receive(10.0).message for _ in range(1200)]
        for thread in threads:
            thread.join()
    assert [event.seq for event in heard] == list(range(1, 1201))
    for number in range(4):  # and each pipeline's own order holds
        assert [event.id for event in heard if event.camera == f"visitor-{number}"] == list(range(300))


def test_who_asks_for_all_states_hears_each(context):
    with patient() as publisher, subscribe(publisher, states="all") as subscriber:
        until_heard(lambda: publisher.state(state(0)), subscriber, "state/0")
        for frame in range(1, 101):
            publisher.state(state(frame))
        frames = [0]
        while frames[-1] < 100:
            frames.append(subscriber.receive(5.0).message.frame)
    assert [frame for frame in frames if frame] == list(range(1, 101))


def test_each_cameras_states_keep_a_pace_of_their_own(context):
    with Publisher(msgspec.structs.replace(messages.PUBLISH, rate_hz=10.0)) as publisher:
        listener = plain(context, publisher.state_address, "")
        join(lambda: publisher.meta(META), listener)
        for camera in ("one", "two", "one", "two"):
            publisher.state(msgspec.structs.replace(state(0), camera=camera))
        assert [decode(data)[0] for data in drained(listener)] == ["state/one", "state/two"]


def test_subscribers_of_events_are_counted_also_when_they_are_killed(publisher, context):
    def settled(count):
        until = time.monotonic() + 10
        while publisher.subscribers != count:
            publisher.greet()
            assert time.monotonic() < until, f"{publisher.subscribers} subscribers"
            time.sleep(0.01)

    code = PLAIN.replace("5557", str(publisher.events_port))
    with (
        subscribe(publisher, events=True),
        subscribe(publisher, states="newest"),
        subprocess.Popen([sys.executable, "-c", code]) as process,
    ):
        settled(2)
        process.kill()
        settled(1)
        heard = plain(context, publisher.state_address, "meta")
        assert decode(join(lambda: publisher.meta(META), heard))[1].subscribers == 1
    settled(0)


def test_an_event_is_with_its_reader_in_a_moment(publisher):
    waits = []
    with subscribe(publisher, events=True) as subscriber:
        meet(publisher, subscriber)
        for _ in range(100):
            publisher.event(msgspec.structs.replace(EVENT, emitted_s=time.monotonic()))
            waits.append(time.monotonic() - subscriber.receive(5.0).message.emitted_s)
    assert sorted(waits)[50] < 0.02  # 0.5 ms on a quiet machine
