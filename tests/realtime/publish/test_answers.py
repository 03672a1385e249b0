"""Questions and their answers, pictures and their inbox: as they should be used, and as they should not."""

import json
import logging
import os
import random
import socket
import stat
import threading
import time
from pathlib import Path

import jsonschema
import msgpack
import msgspec
import psutil
import pytest
import zmq
from messages import PUBLISH

from realtime import schema
from realtime.errors import DataError, PublishError
from realtime.publish import Answers, Asker, Inbox, Outbox, Publisher, Subscriber
from realtime.schema.message import (
    LONGEST_BYTES,
    AskClock,
    AskEvents,
    AskLeave,
    AskMoment,
    AskNeutral,
    AskPicture,
    AskWish,
    Clock,
    Done,
    Events,
    MomentPictures,
    Picture,
    Refused,
    Shown,
    encode,
    topic_of,
)

PICTURE = Picture(t=1.5, camera="visitor-1", number=3, jpeg=b"\xff\xd8 a picture")
KNOWN = {
    AskClock: Clock(monotonic_s=1.0, unix_s=2.0, cameras={"0": 3.0}),
    AskPicture: Shown(frame=7, t=1.0, jpeg=b"\xff\xd8"),
    AskMoment: MomentPictures(onset=b"a", apex=b"b", exaggerated=b"c", times=4.0),
    AskNeutral: Done(),
    AskWish: Done(),
    AskLeave: Done(),
}


class Clerk:
    """A desk that knows an answer to each kind of question."""

    def answer(self, question):
        if getattr(question, "camera", "") == "nobody":
            raise DataError("no camera 'nobody'; there is 'sample'")
        if getattr(question, "camera", "") == "mistake":
            raise ZeroDivisionError
        if getattr(question, "camera", "") == "huge":
            return Shown(frame=1, t=1.0, jpeg=bytes(LONGEST_BYTES))
        return KNOWN[type(question)]


@pytest.fixture
def publisher():
    with Publisher(PUBLISH) as publisher:
        yield publisher


@pytest.fixture
def answers(publisher):
    with Answers(PUBLISH, publisher, Clerk()) as answers:
        yield answers


@pytest.fixture
def asker(answers):
    with Asker(msgspec.structs.replace(PUBLISH, replay_port=answers.port), privately=True) as asker:
        yield asker


@pytest.fixture
def context():
    context = zmq.Context()
    context.linger = 0
    yield context
    context.destroy(linger=0)


@pytest.fixture
def taken():
    return []


@pytest.fixture
def inbox(taken):
    with Inbox(PUBLISH, taken.append) as inbox:
        yield inbox


def connected(context, kind, port):
    socket = context.socket(kind)
    socket.rcvhwm = 1  # what it leaves unread would lie in this process, where memory is measured
    socket.connect(f"tcp://127.0.0.1:{port}")
    return socket


def until(told, what="it happens"):
    deadline = time.monotonic() + 10
    while not told():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)


def valid(name, data):
    """The body, which keeps to the published schema of `name`."""
    body = msgpack.unpackb(data.partition(b"\0")[2])
    body = {key: value.decode("latin1") if isinstance(value, bytes) else value for key, value in body.items()}
    written = json.loads((schema.FOLDER / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(written)
    jsonschema.validate(body, written)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**body, "schema": 2}, written)
    return body


QUESTIONS = [
    AskClock(),
    AskPicture(camera="0", after=3),
    AskMoment(camera="0", event=4),
    AskNeutral(camera="0"),
    AskWish(camera="0", landmarks=True, head="cmn"),
    AskLeave(camera="0"),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: type(question).__name__)
def test_the_desk_answers_each_kind_of_question(question, asker):
    answer = asker.ask(question, 5.0)
    assert msgspec.structs.replace(answer, id=0) == KNOWN[type(question)]
    assert answer.id > 0


@pytest.mark.promise(
    "a program of another user of this machine asks for pictures, or changes how a camera is watched",
    "refused at the port; a socket in a folder of mode 0700 answers who started Glimpse",
    "any visitor's picture before; now 5 kinds of question of 5 refused, events and the clock answered",
)
@pytest.mark.parametrize("question", QUESTIONS[1:], ids=lambda question: type(question).__name__)
def test_what_shows_or_moves_a_camera_is_asked_in_private_alone(question, answers):
    with Asker(msgspec.structs.replace(PUBLISH, replay_port=answers.port)) as stranger:
        refused = stranger.ask(question, 5.0)
        assert isinstance(refused, Refused)
        assert "publish.private" in refused.why
        assert isinstance(stranger.ask(AskClock(), 5.0), Clock)
    path = Path(answers.private_address.removeprefix("ipc://"))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.parent.stat().st_uid == os.geteuid()


@pytest.mark.promise(
    "a folder for that socket which others may enter, or laid somewhere else",
    "neither answered in nor asked in",
    "4 of 4 refused, the rest of the wire goes on",
)
@pytest.mark.parametrize("what", ["open", "link", "file", "another user's"])
def test_a_folder_that_is_not_private_is_not_used(what, publisher, tmp_path, caplog, monkeypatch):
    folder = tmp_path / "private"
    if what == "open":
        folder.mkdir()
        folder.chmod(0o750)
    elif what == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    elif what == "file":
        folder.write_text("")
    else:
        folder.mkdir(mode=0o700)
        monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    publish = msgspec.structs.replace(PUBLISH, private=str(folder))
    with Answers(publish, publisher, Clerk()) as answers:
        reach = msgspec.structs.replace(publish, replay_port=answers.port)
        assert answers.private_address == ""
        assert "folder" in caplog.text
        with pytest.raises(PublishError, match="private"):
            Asker(reach, privately=True)
        with Asker(reach) as asker:
            assert isinstance(asker.ask(AskClock(), 5.0), Clock)
            assert isinstance(asker.ask(AskPicture(camera="0"), 5.0), Refused)


def test_sockets_that_killed_ones_left_behind_are_removed(publisher, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir(mode=0o700)
    for name, age_s in (("old.socket", 100), ("new.socket", 0)):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(folder / name))
        os.utime(folder / name, (time.time() - age_s,) * 2)
    with Answers(msgspec.structs.replace(PUBLISH, private=str(folder)), publisher, Clerk()) as answers:
        there = Path(answers.private_address.removeprefix("ipc://"))
        assert set(folder.iterdir()) == {folder / "new.socket", there}
    assert set(folder.iterdir()) == {folder / "new.socket"}


def test_the_kept_events_are_answered_without_the_desk(publisher, asker, make):
    sent = [publisher.event(make.event(number, 1.0)) for number in range(5)]
    assert asker.ask(AskEvents(since=2), 5.0) == Events(
        id=1, first=1, last=5, events=tuple(sent[2:]), run=publisher.run
    )


def test_real_questions_answers_and_pictures_keep_to_the_published_schema(publisher, answers, context, make):
    publisher.event(make.event(1, 1.0))
    socket = context.socket(zmq.REQ)
    socket.connect(answers.private_address)
    kinds = set()
    for question in [AskEvents(since=0), *QUESTIONS, AskLeave(camera="nobody")]:
        data = encode("ask", question)
        assert valid("ask", data)["ask"] == msgspec.to_builtins(question)["ask"]
        socket.send(data)
        kinds.add(valid("answer", socket.recv())["answer"])
    assert kinds == {"events", "clock", "picture", "moment", "done", "refused"}
    assert valid("frame", encode(topic_of(PICTURE), PICTURE))["number"] == 3


def test_what_the_desk_refuses_comes_back_with_its_reason(asker):
    assert asker.ask(AskNeutral(camera="nobody"), 5.0).why == "no camera 'nobody'; there is 'sample'"


@pytest.mark.promise(
    "an answer that would be too long",
    "refused instead",
    "1 of 1",
)
def test_an_answer_that_is_too_long_is_refused_instead(asker):
    answer = asker.ask(AskPicture(camera="huge"), 5.0)
    assert isinstance(answer, Refused)
    assert "at most" in answer.why


@pytest.mark.promise(
    "a question that makes a mistake of ours show",
    "told; the next one is answered",
    "1 of 1",
)
def test_a_mistake_at_the_desk_is_logged_and_the_next_question_answered(asker, caplog):
    with pytest.raises(PublishError):
        asker.ask(AskNeutral(camera="mistake"), 0.3)
    assert "ZeroDivisionError" in caplog.text
    assert isinstance(asker.ask(AskNeutral(camera="0"), 5.0), Done)  # and not the answer to an earlier one


def test_nobody_there_ends_the_asking_in_time_and_says_where(publisher):
    with Asker(msgspec.structs.replace(PUBLISH, replay_port=publisher.events_port + 1)) as asker:
        began = time.monotonic()
        with pytest.raises(
            PublishError, match=rf"no answer from 127.0.0.1:{publisher.events_port + 1}.*0.2 s.*running"
        ):
            asker.ask(AskClock(), 0.2)
        assert time.monotonic() - began < 2.0


def test_an_asker_may_come_before_the_answers(publisher):
    with Answers(PUBLISH, publisher, Clerk()) as first:
        port = msgspec.structs.replace(PUBLISH, replay_port=first.port)
    with Asker(port) as asker:
        with pytest.raises(PublishError):
            asker.ask(AskClock(), 0.05)
        with Answers(port, publisher, Clerk()):
            assert isinstance(asker.ask(AskClock(), 5.0), Clock)


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(context):
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    with Asker(msgspec.structs.replace(PUBLISH, replay_port=port)) as asker:
        with pytest.raises(PublishError):
            asker.ask(AskNeutral(camera="0"), 0.3)
        who, _ = router.recv_multipart()
        late, now = Done(id=1), Refused(id=2, why="busy")
        answering = threading.Timer(
            0.1, lambda: [router.send_multipart([who, encode("answer", a)]) for a in (late, now)]
        )
        answering.start()
        assert asker.ask(AskNeutral(camera="0"), 5.0) == now
        answering.join()


def test_a_question_of_another_version_is_refused_with_both_named_and_so_is_its_answer_here(answers, context, caplog):
    socket = connected(context, zmq.REQ, answers.port)
    for _ in range(3):
        socket.send(b"ask\0" + msgpack.packb({"schema": 2, "ask": "mood", "id": 4}))
        assert "version 2, I read 1" in msgpack.unpackb(socket.recv().partition(b"\0")[2])["why"]
    assert answers.malformed == 3
    assert caplog.text.count("version 2") == 1
    newer = context.socket(zmq.ROUTER)
    port = newer.bind_to_random_port("tcp://127.0.0.1")
    with Asker(msgspec.structs.replace(PUBLISH, replay_port=port)) as asker:

        def answer():
            newer.send_multipart([newer.recv_multipart()[0], b"answer\0" + msgpack.packb({"schema": 2, "id": 1})])

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(PublishError, match="version 2, I read 1"):
            asker.ask(AskClock(), 5.0)
        answering.join()


def test_fields_that_a_later_asker_added_are_skipped(answers, context):
    socket = connected(context, zmq.REQ, answers.port)
    socket.send(b"ask\0" + msgpack.packb({"schema": 1, "ask": "clock", "camera": "0", "mood": [1, {"a": 2}]}))
    assert msgpack.unpackb(socket.recv().partition(b"\0")[2])["answer"] == "clock"


def test_answering_alone_makes_subscribers_ready(publisher, answers):
    ports = {"state_port": publisher.state_port, "events_port": publisher.events_port}
    with Subscriber(msgspec.structs.replace(PUBLISH, **ports), states=None, events=True) as subscriber:
        assert subscriber.ready(5.0)
        until(lambda: publisher.subscribers == 1)
    until(lambda: publisher.subscribers == 0)


def test_pictures_come_as_they_went(inbox, taken):
    with Outbox(msgspec.structs.replace(PUBLISH, frames_port=inbox.port)) as outbox:
        until(lambda: outbox.send(PICTURE))
        until(lambda: taken)
    assert taken[0] == PICTURE


def test_a_picture_that_nobody_takes_is_said_to_be_gone_at_once():
    with Inbox(PUBLISH, print) as once:
        publish = msgspec.structs.replace(PUBLISH, frames_port=once.port)
    with Outbox(publish) as outbox:
        assert not outbox.send(PICTURE)
        taken = []
        with Inbox(publish, taken.append):
            until(lambda: outbox.send(PICTURE))
            until(lambda: taken)
        until(lambda: not outbox.send(PICTURE))


@pytest.mark.promise(
    "pictures faster than they can be looked at",
    "few wait, and no sender is held up",
    "1 of 1",
)
def test_an_inbox_that_is_too_slow_takes_few_and_holds_up_no_sender():
    busy = threading.Event()
    with Inbox(PUBLISH, lambda picture: busy.wait(10)) as inbox:
        with Outbox(msgspec.structs.replace(PUBLISH, frames_port=inbox.port)) as outbox:
            until(lambda: outbox.send(PICTURE))
            large = msgspec.structs.replace(PICTURE, jpeg=bytes(200_000))
            began = time.monotonic()
            sent = sum(outbox.send(large) for _ in range(1000))
            assert time.monotonic() - began < 5.0
            assert sent < 200
        busy.set()


def test_a_picture_that_is_refused_is_counted_and_the_next_one_taken(taken, caplog):
    def take(picture):
        if picture.camera == "late":
            raise DataError("4 of 4 places are taken")
        if picture.camera == "mistake":
            raise ZeroDivisionError
        taken.append(picture)

    with Inbox(PUBLISH, take) as inbox, Outbox(msgspec.structs.replace(PUBLISH, frames_port=inbox.port)) as outbox:
        for camera in ("late", "late", "mistake", "welcome"):
            until(lambda camera=camera: outbox.send(msgspec.structs.replace(PICTURE, camera=camera)))
        until(lambda: taken)
        assert inbox.malformed == 2
    assert [picture.camera for picture in taken] == ["welcome"]
    assert caplog.text.count("4 of 4 places") == 1


def garbage(chance, whole):
    """Frames that are no message, some of them nearly one."""
    for _ in range(300):
        cut = bytearray(chance.choice(whole))
        del cut[chance.randrange(len(cut)) :]
        yield [bytes(cut)]
        changed = bytearray(chance.choice(whole))
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        yield [bytes(changed)]
        yield [chance.randbytes(chance.randint(0, 50)) for _ in range(chance.randint(1, 5))]
    for topic in (b"ask\0", b"answer\0", b"frame/a\0", b"meta\0", b"state/" + b"x" * 500 + b"\0"):
        yield [topic + b"\x91" * 3000]  # nested without end
        yield [topic + b"\xdd\xff\xff\xff\xff"]  # four thousand million items
        yield [topic + msgpack.packb({"schema": 1, "t": float("nan"), "camera": "a", "number": 1, "jpeg": b""})]
        yield [topic, topic, topic]


def thrown(socket, frames):
    try:
        socket.send_multipart(frames, zmq.NOBLOCK)
    except zmq.ZMQError:
        return False
    return True


@pytest.mark.promise(
    "garbage at each port",
    "nobody is hurt; memory stays; the next question is answered",
    "900 mutations and 20 that lie, at 4 ports by 4 kinds of socket",
)
@pytest.mark.parametrize("kind", [zmq.DEALER, zmq.PUSH, zmq.XSUB, zmq.ROUTER])
def test_no_garbage_hurts_publisher_answers_or_inbox(kind, publisher, answers, inbox, taken, asker, context, caplog):
    caplog.set_level(logging.WARNING)
    whole = [encode("ask", AskPicture(camera="0")), encode(topic_of(PICTURE), PICTURE), b"\1event/", b"\0event/"]
    before = psutil.Process().memory_info().rss
    throwers = []
    for port in (answers.port, inbox.port, publisher.events_port, publisher.state_port):
        throwers.append(connected(context, kind, port))
        for frames in garbage(random.Random(1), whole):
            thrown(throwers[-1], frames)
        publisher.greet()
    if kind == zmq.DEALER:
        until(lambda: answers.malformed > 500, "it is thrown at the answers")
    if kind == zmq.PUSH:
        until(lambda: inbox.malformed > 500, "it is thrown at the inbox")
    for port, size in ((answers.port, 10_000), (inbox.port, LONGEST_BYTES + 1), (publisher.events_port, 10_000)):
        throwers.append(connected(context, kind, port))
        thrown(throwers[-1], [bytes(size)])
    assert isinstance(asker.ask(AskClock(), 10.0), Clock)
    with Outbox(msgspec.structs.replace(PUBLISH, frames_port=inbox.port)) as outbox:
        last = msgspec.structs.replace(PICTURE, number=99)
        until(lambda: outbox.send(last))
        until(lambda: last in taken, "the last picture is taken")  # garbage that is a picture may still follow
    ports = {"state_port": publisher.state_port, "events_port": publisher.events_port}
    with Subscriber(msgspec.structs.replace(PUBLISH, **ports), states=None, events=True) as subscriber:
        assert subscriber.ready(5.0)
    assert "Traceback" not in caplog.text
    assert caplog.text.count("left out") <= 45
    assert psutil.Process().memory_info().rss - before < 100e6


@pytest.mark.promise(
    "bytes that are no ZeroMQ at all",
    "nobody is hurt",
    "4 openings at 4 ports",
)
def test_bytes_that_are_no_zeromq_at_all_hurt_nobody(publisher, answers, inbox, asker):
    import socket

    chance = random.Random(2)
    for port in (answers.port, inbox.port, publisher.events_port, publisher.state_port):
        for opening in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"",
            bytes(64),
            b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(60),
        ):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(opening + chance.randbytes(200))
    assert isinstance(asker.ask(AskClock(), 5.0), Clock)


@pytest.mark.promise(
    "a flood of questions by one who never reads",
    "others are answered",
    "1 of 1",
)
def test_an_asker_that_floods_and_never_reads_holds_up_nobody(answers, asker, publisher, make, context):
    for number in range(1000):
        publisher.event(make.event(number, 1.0))
    before = psutil.Process().memory_info().rss
    socket, stop = connected(context, zmq.DEALER, answers.port), threading.Event()

    def flood():
        while not stop.is_set():
            if not thrown(socket, [encode("ask", AskEvents(since=0))]):
                time.sleep(0.001)

    flooding = threading.Thread(target=flood)
    flooding.start()
    waits = []
    for _ in range(50):
        began = time.monotonic()
        asker.ask(AskClock(), 10.0)
        waits.append(time.monotonic() - began)
    stop.set()
    flooding.join()
    assert sorted(waits)[25] < 0.1  # a few milliseconds on a quiet machine
    assert psutil.Process().memory_info().rss - before < 150e6
