"""What a subscriber can do to the process that publishes: nothing."""

import os
import socket
import threading
import time
from contextlib import suppress
from itertools import count

import msgspec
import psutil
import pytest
import raw_zmtp
import zmq
from waiting import until

from realtime.config import load
from realtime.publish import Answers, Publisher, Subscriber
from realtime.publish.connection import peers

CONFIG = load(overrides=[f"publish.{name}_port=0" for name in ("state", "events", "replay", "frames")]).publish


def subscriber_of(publisher):
    ports = {"state_port": publisher.state_port, "events_port": publisher.events_port}
    return Subscriber(msgspec.structs.replace(CONFIG, **ports), states=None, events=True)


@pytest.mark.promise(
    "a crowd of subscriptions that hangs up, a PING among them", "nobody ends", "aborted at once before; now 0 of 6"
)
@pytest.mark.parametrize("port", ["state", "events"])
def test_a_crowd_of_subscriptions_that_hangs_up_ends_nobody(port, wire):
    """libzmq 4.3.5 aborts where a full queue holds up a peer, that peer is cut off, and a PING is still unread."""
    there = wire(rate_hz=5)
    for _ in range(3):
        line = raw_zmtp.connected(there.ports[port], b"SUB")
        topics = b"".join(raw_zmtp.subscription(b"%05d" % number) for number in range(400))
        line.sendall(topics + raw_zmtp.PING + topics[:100])
        time.sleep(0.05)
        raw_zmtp.reset(line)
    time.sleep(0.5)
    assert there.process.poll() is None, there.process.stderr.read()


def accepted(port):
    """This process's ends of the connections to one of its ports."""
    links = psutil.Process().net_connections("tcp")
    return [link.fd for link in links if link.laddr.port == port and link.status == "ESTABLISHED" and link.fd > 0]


@pytest.mark.promise(
    "a peer whose cable is pulled",
    "noticed after silent_s, without a timer that aborts",
    "heartbeats off at every socket",
)
def test_the_system_asks_a_silent_peer_and_zeromqs_heartbeats_do_not():
    """Their timer aborts the process where a peer hung up that was held up; a pulled cable is noticed all the same."""
    with Publisher(CONFIG) as publisher, raw_zmtp.connected(publisher.state_port, b"SUB"):
        until(lambda: accepted(publisher.state_port), "the connection is there")
        with socket.socket(fileno=os.dup(accepted(publisher.state_port)[0])) as line:
            asks = {
                name: line.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
            }
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert asks == {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 30_000}
        assert all(each.get(zmq.HEARTBEAT_IVL) == 0 for each in (publisher._states, publisher._events))


@pytest.mark.promise(
    "subscriptions without end", "hung up on; others are heard", "926 MB before; now at most 100 MB, for a moment"
)
@pytest.mark.parametrize("port", ["state_port", "events_port"])
def test_one_who_subscribes_without_end_is_hung_up_on_and_costs_nobody_anything(port, caplog):
    with Publisher(CONFIG) as publisher:
        before = psutil.Process().memory_info().rss
        greedy = raw_zmtp.connected(getattr(publisher, port), b"SUB")
        stop = threading.Event()

        def subscribe():
            with suppress(OSError):
                for number in count():
                    greedy.sendall(b"".join(raw_zmtp.subscription(b"%08d" % number + b"x" * 900) for _ in range(50)))
                    if stop.is_set():
                        return

        subscribing = threading.Thread(target=subscribe)
        subscribing.start()
        assert raw_zmtp.hung_up_on(greedy, 2.0)
        stop.set()
        subscribing.join()
        with Answers(CONFIG, publisher, None), subscriber_of(publisher) as modest:
            assert modest.ready(2.0)
        assert psutil.Process().memory_info().rss - before < 100e6
    assert f"hung up on a peer at publish.{port}" in caplog.text


@pytest.mark.promise(
    "a crowd of short subscriptions", "who comes is ready within 2 s", "30,000 of 20 peers; minutes before"
)
def test_a_crowd_of_short_subscriptions_keeps_nobody_from_being_heard():
    with Publisher(CONFIG) as publisher, Answers(CONFIG, publisher, None):
        crowd = [raw_zmtp.connected(publisher.events_port, b"SUB") for _ in range(20)]
        for member, line in enumerate(crowd):
            line.sendall(b"".join(raw_zmtp.subscription(b"%02d%04d" % (member, each)) for each in range(1500)))
        with subscriber_of(publisher) as modest:
            assert modest.ready(2.0)
        for line in crowd:
            line.close()


@pytest.mark.parametrize(("forgiven_bps", "cut"), [(20_000.0, False), (0.0, True)])
def test_a_subscribers_own_heartbeats_do_not_add_up_to_a_flood(forgiven_bps, cut, monkeypatch):
    monkeypatch.setattr(peers, "FORGIVEN_BPS", forgiven_bps)
    limits = msgspec.structs.replace(CONFIG.limits, subscriptions_kb=1)
    with (
        Publisher(msgspec.structs.replace(CONFIG, limits=limits)) as publisher,
        raw_zmtp.connected(publisher.state_port, b"SUB") as line,
    ):
        with suppress(OSError):
            for _ in range(10):
                line.sendall(20 * raw_zmtp.PING)
                time.sleep(0.1)
        assert raw_zmtp.hung_up_on(line, 0.5) == cut


def test_a_subscriber_that_comes_and_goes_all_day_is_not_taken_for_a_greedy_one():
    publish_s = 0.5
    with Publisher(CONFIG) as publisher, raw_zmtp.connected(publisher.state_port, b"SUB") as line:
        line.sendall(raw_zmtp.subscription(b"state/") + raw_zmtp.frame(b"\0state/") * 500)
        assert not raw_zmtp.hung_up_on(line, publish_s)
