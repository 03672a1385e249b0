"""Print the newest state of a running Glimpse twice a second, and how old it is: pip install pyzmq msgpack."""

import argparse
import itertools
import pathlib
import signal
import sys
import time

import msgpack
import zmq
import zmq.auth

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--state-port", type=int, default=5556)
parser.add_argument("--replay-port", type=int, default=5558)
parser.add_argument("--keys", type=pathlib.Path, help="folder of CURVE keys, if Glimpse was started with one")
options, context, numbers = parser.parse_args(), zmq.Context(), itertools.count(1)
signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback


def connect(kind, port, **settings):
    socket = context.socket(kind)
    for name, value in settings.items():
        setattr(socket, name, value)
    if options.keys:
        if not (options.keys / "client.key_secret").exists():
            sys.exit(f"{options.keys} holds no keys of a client; `python -m realtime keys` makes such folders")
        socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(options.keys / "client.key_secret")
        socket.curve_serverkey, _ = zmq.auth.load_certificate(options.keys / "server.key")
    socket.connect(f"tcp://{options.host}:{port}")
    return socket


def unpack(frame):
    message = msgpack.unpackb(frame.partition(b"\0")[2])
    if message["schema"] != 1:
        sys.exit(f"Glimpse sends version {message['schema']}, I read 1: take the latest.py of that Glimpse")
    return message


def ahead(camera):
    """How far that camera's clock is ahead of time.monotonic(): of five answers the quickest is the most exact."""
    found = []
    for number in itertools.islice(numbers, 5):
        asked = time.monotonic()
        replay.send(b"ask\0" + msgpack.packb({"schema": 1, "ask": "clock", "id": number}))
        if not replay.poll(500):
            break
        clock, answered = unpack(replay.recv()), time.monotonic()
        while clock["id"] < number and replay.poll(500):  # the late answer to a question that was given up
            clock, answered = unpack(replay.recv()), time.monotonic()
        if clock["id"] == number and camera in clock["cameras"]:
            found.append((answered - asked, clock["cameras"][camera] - (asked + answered) / 2))
    return min(found)[1] if found else None


heard = connect(zmq.SUB, options.state_port, conflate=True)  # one message is kept: the newest
replay = connect(zmq.DEALER, options.replay_port)
heard.subscribe("state/")  # name a camera, as in "state/0", where there are several
while True:
    while not heard.poll(2000):
        print(f"waiting for Glimpse at {options.host}:{options.state_port} ...", file=sys.stderr, flush=True)
    state, read = unpack(heard.recv()), time.monotonic()
    offset = ahead(state["camera"])
    age = "?" if offset is None else f"{(read + offset - state['t']) * 1000:.1f} ms"
    faces = ", ".join(f"face {each['id']} moves {each['score']:.1f}" for each in state["faces"])
    print(f"{state['camera']} frame {state['frame']} taken {age} ago: {faces or 'nobody'}", flush=True)
    time.sleep(0.5)  # a slow reader: the next state is as fresh as this one
