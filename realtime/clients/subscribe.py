"""Print every event of a running Glimpse, and lose none: pip install pyzmq msgpack, then python subscribe.py."""

import argparse
import itertools
import pathlib
import signal
import sys

import msgpack
import zmq
import zmq.auth

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--events-port", type=int, default=5557)
parser.add_argument("--replay-port", type=int, default=5558)
parser.add_argument("--keys", type=pathlib.Path, help="folder of CURVE keys, if Glimpse was started with one")
options, context, numbers = parser.parse_args(), zmq.Context(), itertools.count(1)
signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback


def connect(kind, port):
    socket = context.socket(kind)
    socket.immediate = True  # a question waits for somebody who can take it
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
        sys.exit(f"Glimpse sends version {message['schema']}, I read 1: take the subscribe.py of that Glimpse")
    return message


def ask_events(since, run=""):
    question = {"schema": 1, "ask": "events", "id": next(numbers), "since": since, "run": run}
    while True:
        if replay.poll(2000, zmq.POLLOUT):
            replay.send(b"ask\0" + msgpack.packb(question))
            while replay.poll(2000):
                answer = unpack(replay.recv())
                if answer["answer"] == "refused":
                    sys.exit(answer["why"])
                if answer["id"] == question["id"]:  # not that of a question which was given up
                    return answer
        print(f"waiting for Glimpse at {options.host}:{options.replay_port} ...", file=sys.stderr, flush=True)


def missing(run, since, newest):
    while run != newest.get("run", ""):  # Glimpse was started again: first what it kept of the runs before
        answer = ask_events(since, run)
        yield from answer["events"]
        if not answer["events"]:
            run, since = answer.get("followed_by") or newest.get("run", ""), 0
            print(f"Glimpse was started again: its events are those of run {run} now", file=sys.stderr, flush=True)
        else:  # an answer may hold only a part of them
            since = answer["events"][-1]["seq"]
    while since < newest["seq"] - 1:
        found = [event for event in ask_events(since, run)["events"] if event["seq"] < newest["seq"]]
        yield from found
        since = found[-1]["seq"] if found else newest["seq"]  # the rest is no longer kept


heard, replay = connect(zmq.SUB, options.events_port), connect(zmq.DEALER, options.replay_port)
known = ask_events(2**53)
run, last = known.get("run", ""), known["last"]
heard.subscribe("event/")
print(f"listening for what follows event {last}", file=sys.stderr, flush=True)
line = "{seq} {camera} face {face} {kind} {stage} {label} {confidence:.2f} {apex_s:.3f} s"
while True:
    newest = unpack(heard.recv())
    since = last if run or last < newest["seq"] else 0  # an older Glimpse, which says no run, began anew
    for event in [*missing(run, since, newest), newest]:
        print(line.format(**event), flush=True)
    run, last = newest.get("run", ""), newest["seq"]
