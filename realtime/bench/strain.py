"""Programs at the other end of the wire, for `bench --wire`: readers as they should be, and some that misuse it.

Each runs in a process of its own: it says True through its pipe once it is at work, goes on until it is sent
something, and answers with what it found. Those that misuse use zmq bare, since no Subscriber behaves so badly.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import zmq

from realtime.config import PublishConfig
from realtime.publish.subscriber import Subscriber
from realtime.schema.message import Event, State

SPAWN = multiprocessing.get_context("spawn")  # a fork would take the sockets' threads for its own
HOST = "127.0.0.1"
TAKES_S = 0.03  # what the slow reader does with each message
LAST_S = 10.0  # longest wait for an event that was sent
PAUSE_S = 0.01  # between two rounds of garbage: a flood would measure how fast this machine can throw things away
HUGE = bytes(3 << 20)
#: Rounds between two huge messages, and between two new connections, which make Glimpse forget the subscriptions.
HUGE_EVERY, ANEW_EVERY = 100, 1000


@contextmanager
def beside(program: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """One of the programs below, with its pipe; it is ended with the block."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=program, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()  # so that the pipe breaks when the program does
    try:
        yield ours
    finally:
        process.terminate()
        process.join()


def end(pipe: Connection, word: Any = None) -> Any:
    """Ask a program to end, with `word`; what it found."""
    pipe.send(word)
    return pipe.recv()


def read_slowly(pipe: Connection, publish: PublishConfig) -> None:
    """The newest state, and then a long time with it; finds how old each was, in seconds."""
    found: list[float] = []
    with Subscriber(publish, states="newest", events=False) as subscriber:
        while not pipe.poll():
            received = subscriber.receive(0.1)
            if received is None or not isinstance(received.message, State):
                continue
            if not found:
                pipe.send(True)
            found.append(time.monotonic() - received.message.t)
            time.sleep(TAKES_S)
    pipe.send(found)


def hear(pipe: Connection, publish: PublishConfig) -> None:
    """Every event up to the number that ends it; finds their numbers as they came, and how late, in seconds."""
    found: list[tuple[int, float]] = []
    with Subscriber(publish, states=None, events=True) as subscriber:
        while not subscriber.ready(1.0):
            pass
        pipe.send(True)
        last = None
        deadline = float("inf")
        while (last is None or not found or found[-1][0] < last) and time.monotonic() < deadline:
            received = subscriber.receive(0.05)
            if received is not None and isinstance(received.message, Event):
                found.append((received.message.seq, time.monotonic() - received.message.emitted_s))
            if last is None and pipe.poll():
                last, deadline = pipe.recv(), time.monotonic() + LAST_S
    pipe.send(found)


def crowd(pipe: Connection, publish: PublishConfig, size: int) -> None:
    """So many subscribers that read every state at once; at work when each has heard one. Counts what they read."""
    context, poller, read = zmq.Context(), zmq.Poller(), 0
    waiting = set()
    for _ in range(size):
        subscriber = _reader(context, publish.state_port)
        poller.register(subscriber, zmq.POLLIN)
        waiting.add(subscriber)
    while not pipe.poll():
        for subscriber, _ in poller.poll(100):
            subscriber.recv()
            read += 1
            if subscriber in waiting:
                waiting.remove(subscriber)
                if not waiting:
                    pipe.send(True)
    pipe.send(read)
    context.destroy(linger=0)


def hang(pipe: Connection, publish: PublishConfig) -> None:
    """One that subscribes to everything and reads nothing."""
    context = zmq.Context()
    subscribers = [_reader(context, port, RCVHWM=1, RCVBUF=4096) for port in (publish.state_port, publish.events_port)]
    pipe.send(True)
    pipe.recv()
    pipe.send(len(subscribers))
    context.destroy(linger=0)


def restart(pipe: Connection, publish: PublishConfig) -> None:
    """One that breaks off every second, in the midst of what it hears, and comes again; counts how often."""
    pipe.send(True)
    restarts = 0
    while not pipe.poll():
        context = zmq.Context()
        for port in (publish.state_port, publish.events_port):
            _reader(context, port)
        pipe.poll(1.0)
        context.destroy(linger=0)
        restarts += 1
    pipe.send(restarts)


def garbage(pipe: Connection, publish: PublishConfig) -> None:
    """One that sends what no client should, to every socket, without end; counts the pieces."""
    pipe.send(True)
    sent = rounds = 0
    while not pipe.poll():
        with zmq.Context() as context:
            ends = _talkers(context, publish)
            for _ in range(ANEW_EVERY):
                sent += sum(_litter(end, rounds) for end in ends)
                rounds += 1
                if pipe.poll(PAUSE_S):
                    break
            context.destroy(linger=0)
        sent += sum(map(_shout, _ports(publish)))
    pipe.send(sent)


def _reader(context: zmq.Context[zmq.Socket[bytes]], port: int, **options: int) -> zmq.Socket[bytes]:
    subscriber = context.socket(zmq.SUB)
    for name, value in options.items():
        subscriber.set(getattr(zmq, name), value)
    subscriber.connect(f"tcp://{HOST}:{port}")
    subscriber.subscribe("")
    return subscriber


def _ports(publish: PublishConfig) -> tuple[int, int, int, int]:
    return publish.state_port, publish.events_port, publish.replay_port, publish.frames_port


def _talkers(context: zmq.Context[zmq.Socket[bytes]], publish: PublishConfig) -> list[zmq.Socket[bytes]]:
    """A socket that may send to each of the ports; the first two take subscriptions, or what is none."""
    kinds = (zmq.XSUB, zmq.XSUB, zmq.DEALER, zmq.PUSH)
    talkers = []
    for kind, port in zip(kinds, _ports(publish), strict=True):
        talker = context.socket(kind)
        talker.connect(f"tcp://{HOST}:{port}")
        talkers.append(talker)
    return talkers


def _litter(end: zmq.Socket[bytes], number: int) -> int:
    """One round of garbage; how many pieces were taken."""
    newer = msgspec.msgpack.encode({"schema": 99, "t": 0.0, "camera": "0", "ask": "clock", "id": 1})
    pieces = [
        os.urandom(64),  # noise
        b"\1" + os.urandom(16),  # a subscription that nothing will ever match
        b"\1ready/" + os.urandom(8).hex().encode(),  # one that wants an answer, and a new one each time
        b"ask\0" + newer,  # another version
        b"frame/0\0" + newer,
        b"ask\0" + b"\x91" * 5000,  # lists in lists in lists
        b"",
    ]
    if number % HUGE_EVERY == 0:
        pieces.append(HUGE)
    taken = 0
    for piece in pieces:
        with suppress(zmq.ZMQError):  # nobody there to take it, for now
            end.send(piece, zmq.NOBLOCK)
            taken += 1
    with suppress(zmq.ZMQError):
        end.send_multipart([b"ask", b"\0", os.urandom(8)], zmq.NOBLOCK)  # more than one frame
        taken += 1
    return taken


def _shout(port: int) -> int:
    """Noise without ZeroMQ's greeting."""
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1.0) as plain:
        plain.sendall(os.urandom(4096))
        return 1
    return 0
