"""CURVE keys: how they are made, and who is let in with which."""

import stat
import struct
import subprocess
import sys
import time

import msgspec
import pytest
import zmq
import zmq.auth
from messages import PUBLISH
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.config import ROOT
from realtime.errors import PublishError
from realtime.publish import Answers, Asker, Inbox, Outbox, Publisher, Subscriber
from realtime.publish.connection.keys import (
    add_client,
    client_pair,
    known_clients,
    make_keys,
    server_pair,
    server_public,
)
from realtime.publish.connection.trouble import Trouble
from realtime.schema.message import AskClock, Clock, Picture, encode, topic_of

PICTURE = Picture(t=1.5, camera="visitor-1", number=3, jpeg=b"\xff\xd8 a picture")


class Clerk:
    def answer(self, question):
        return Clock(monotonic_s=1.0, unix_s=2.0, cameras={})


class Monitored:
    """Stands for the socket on which ZeroMQ tells how handshakes ended."""

    def __init__(self):
        self.told = []

    def tell(self, event, value=0, times=1):
        self.told += [[struct.pack("=HI", event, value), b"tcp://there"]] * times

    def poll(self, timeout):
        return bool(self.told)

    def recv_multipart(self, flags):
        return self.told.pop(0)


class Glimpse:
    """All four sockets; `reached` is the configuration by which they are."""

    def __init__(self, publish):
        self.taken = []
        self.publisher = Publisher(publish)
        self.answers = Answers(publish, self.publisher, Clerk())
        self.inbox = Inbox(publish, self.taken.append)
        ports = {"state_port": self.publisher.state_port, "events_port": self.publisher.events_port}
        self.reached = msgspec.structs.replace(
            publish, **ports, replay_port=self.answers.port, frames_port=self.inbox.port
        )

    def close(self):
        for part in (self.inbox, self.answers, self.publisher):
            part.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys") / "glimpse"
    make_keys(folder)
    return folder


@pytest.fixture(scope="module")
def stranger(folder, tmp_path_factory):
    """Keys that are good, but not known: those of another Glimpse, with this one's server key."""
    other = tmp_path_factory.mktemp("keys") / "stranger"
    make_keys(other)
    (other / "server.key").write_bytes((folder / "server.key").read_bytes())
    return other


@pytest.fixture
def locked(folder):
    glimpse = Glimpse(msgspec.structs.replace(PUBLISH, keys=str(folder)))
    yield glimpse
    glimpse.close()


@pytest.fixture
def unlocked():
    glimpse = Glimpse(PUBLISH)
    yield glimpse
    glimpse.close()


def call(*words):
    return CliRunner().invoke(app, ["keys", *map(str, words)], env={"COLUMNS": "200"})


def until(told):
    deadline = time.monotonic() + 10
    while not told():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def let_in(glimpse, publish, make):
    """It hears states and events, is answered, and its pictures are taken."""
    with (
        Subscriber(publish, states="newest", events=True) as subscriber,
        Asker(publish) as asker,
        Outbox(publish) as outbox,
    ):
        assert subscriber.ready(10.0), subscriber.look()
        glimpse.publisher.event(make.event(1, 1.0))
        until(lambda: [glimpse.publisher.state(make.state(1)), subscriber.receive(0.02)][1] is not None)
        assert isinstance(asker.ask(AskClock(), 10.0), Clock)
        until(lambda: outbox.send(PICTURE))
        until(lambda: glimpse.taken)


def shut_out(glimpse, publish, make, *words):
    """It hears nothing, is not answered, and none of its pictures is taken; all its ends are told the reason."""
    with (
        Subscriber(publish, states="all", events=True) as subscriber,
        Asker(publish) as asker,
        Outbox(publish) as outbox,
    ):
        assert not subscriber.ready(0.3)
        for number in range(20):
            glimpse.publisher.event(make.event(number, 1.0))
            glimpse.publisher.state(make.state(number))
            assert not outbox.send(PICTURE)
        assert subscriber.receive(0.3) is None
        for told in (subscriber.look, outbox.look, lambda: unanswered(asker)):
            until(lambda told=told: told() and all(word in told() for word in words))
        assert glimpse.taken == []
        assert glimpse.publisher.subscribers == 0


def unanswered(asker):
    with pytest.raises(PublishError, match="no answer") as refused:
        asker.ask(AskClock(), 0.5)
    return str(refused.value)


def test_the_right_key_hears_asks_and_sends(locked, make):
    let_in(locked, locked.reached, make)


@pytest.mark.promise(
    "CURVE: a key that nobody knows",
    "hears nothing, is not answered, sends no pictures",
    "20 events, states and pictures: none",
)
def test_an_unknown_key_hears_nothing_is_not_answered_and_sends_no_pictures(locked, stranger, make, caplog):
    shut_out(locked, msgspec.structs.replace(locked.reached, keys=str(stranger)), make, str(stranger), "--client NAME")
    assert "whose key is not in" in caplog.text  # where they are kept it is told too
    let_in(locked, locked.reached, make)


@pytest.mark.promise(
    "CURVE: no key",
    "hears nothing, and is told how to get one",
    "20 events, states and pictures: none",
)
def test_no_key_hears_nothing_and_is_told_how_to_get_one(locked, make):
    shut_out(locked, msgspec.structs.replace(locked.reached, keys=""), make, "wants keys", "python -m realtime keys")


def test_a_key_for_a_glimpse_that_goes_without_is_explained(unlocked, folder, make):
    shut_out(unlocked, msgspec.structs.replace(unlocked.reached, keys=str(folder)), make, "goes without")


def test_what_is_known_of_a_failure_outlives_those_that_say_nothing(folder):
    with zmq.Context() as context, context.socket(zmq.SUB) as watched:
        trouble = Trouble(context, watched, str(folder))
        trouble.socket.close(0)
        trouble.socket = Monitored()
        trouble.socket.tell(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, times=3)
        assert "server.key" in trouble.reason()
        trouble.socket.tell(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        trouble.socket.tell(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, times=9)
        assert "goes without" in trouble.reason()
        trouble.socket.tell(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        assert trouble.reason() == ""


@pytest.mark.promise(
    "CURVE: another server in Glimpse's place",
    "not talked to, and explained",
    "1 of 1",
)
def test_the_key_of_another_server_is_explained(locked, folder, tmp_path, make):
    make_keys(tmp_path / "other")
    (tmp_path / "other" / "client.key_secret").write_bytes((folder / "client.key_secret").read_bytes())
    shut_out(locked, msgspec.structs.replace(locked.reached, keys=str(tmp_path / "other")), make, "server.key")


def test_a_bare_program_without_keys_hears_nothing(locked, make):
    with zmq.Context() as context:
        for kind, port in ((zmq.SUB, locked.reached.state_port), (zmq.SUB, locked.reached.events_port)):
            socket = context.socket(kind)
            socket.connect(f"tcp://127.0.0.1:{port}")
            socket.subscribe("")
            until_s = time.monotonic() + 0.3
            while time.monotonic() < until_s:
                locked.publisher.state(make.state(1))
                locked.publisher.event(make.event(1, 1.0))
            assert not socket.poll(50)
            socket.close(0)


def test_any_program_with_pyzmq_and_the_key_files_hears(locked, folder, make):
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.curve_serverkey, _ = zmq.auth.load_certificate(folder / "server.key")
        socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(folder / "client.key_secret")
        socket.connect(locked.publisher.events_address)
        socket.subscribe("event/")
        until(lambda: [locked.publisher.event(make.event(1, 1.0)), socket.poll(20)][1])
        assert socket.recv().startswith(b"event/")


@pytest.mark.promise(
    "CURVE: a client that is let in no longer",
    "shut out from its next connection on, without a restart",
    "1 of 1",
)
def test_a_client_that_is_added_or_taken_away_needs_no_restart(locked, tmp_path, make):
    folder = tmp_path / "keys"
    make_keys(folder)
    glimpse = Glimpse(msgspec.structs.replace(PUBLISH, keys=str(folder)))
    copy = add_client(folder, "laptop")
    publish = msgspec.structs.replace(glimpse.reached, keys=str(copy))
    let_in(glimpse, publish, make)
    (folder / "clients" / "laptop.key").unlink()
    glimpse.taken.clear()
    until(lambda: [glimpse.publisher.greet(), glimpse.publisher.subscribers][1] == 0)
    shut_out(glimpse, publish, make)
    glimpse.close()


@pytest.mark.promise(
    "one key of a client that is broken", "skipped and told; all others are let in", "locked out everybody before"
)
def test_a_broken_key_in_the_folder_locks_nobody_else_out_and_is_told(tmp_path, make, caplog):
    make_keys(tmp_path / "keys")
    glimpse = Glimpse(msgspec.structs.replace(PUBLISH, keys=str(tmp_path / "keys")))
    (tmp_path / "keys" / "clients" / "another.key").write_text("no key")
    (tmp_path / "keys" / "clients" / "odd.key").mkdir()
    let_in(glimpse, glimpse.reached, make)
    assert "another.key is no key" in caplog.text
    assert "odd.key" in caplog.text
    glimpse.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "*", "localhost", "127.0.0.1"])
def test_with_keys_other_machines_may_be_let_in(host, folder, make):
    glimpse = Glimpse(msgspec.structs.replace(PUBLISH, host=host, keys=str(folder)))
    assert glimpse.answers.address.startswith("tcp://0.0.0.0" if host in ("0.0.0.0", "*") else "tcp://127.0.0.1")
    let_in(glimpse, glimpse.reached, make)
    glimpse.close()


@pytest.mark.promise(
    "an open bind: beyond this machine without keys",
    "refused",
    "3 hosts, 5 sockets",
)
@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org"])
@pytest.mark.parametrize(
    "party",
    [
        Publisher,
        lambda publish: Inbox(publish, print),
        lambda publish: Answers(publish, None, Clerk()),
        lambda publish: Asker(msgspec.structs.replace(publish, replay_port=5558)),
        lambda publish: Outbox(msgspec.structs.replace(publish, frames_port=5559)),
    ],
)
def test_without_keys_nothing_goes_beyond_this_machine(party, host):
    with pytest.raises(PublishError, match="python -m realtime keys"):
        party(msgspec.structs.replace(PUBLISH, host=host))


def test_a_host_that_nobody_knows_is_named(folder):
    with pytest.raises(PublishError, match="no such host"):
        Publisher(msgspec.structs.replace(PUBLISH, host="no such host.invalid", keys=str(folder)))


def test_a_folder_without_keys_is_named_with_what_makes_them(tmp_path, folder):
    for keys in (tmp_path, tmp_path / "nowhere", add_client(folder, "reader")):
        with pytest.raises(PublishError, match=r"server\.key_secret.*python -m realtime keys DIR"):
            Publisher(msgspec.structs.replace(PUBLISH, keys=str(keys)))
    with pytest.raises(PublishError, match=r"client\.key_secret.*python -m realtime keys DIR"):
        Asker(msgspec.structs.replace(PUBLISH, keys=str(tmp_path), replay_port=5558))


def test_the_guards_threads_end_with_their_sockets(folder):
    import threading

    before = threading.active_count()
    glimpse = Glimpse(msgspec.structs.replace(PUBLISH, keys=str(folder)))
    assert threading.active_count() == before + 9  # answers, inbox, a guard at each of three, and peers at four ports
    glimpse.close()
    assert threading.active_count() == before


@pytest.mark.promise(
    "secret keys that others can read",
    "made with mode 0600",
    "all",
)
def test_keys_are_made_that_only_their_owner_reads(tmp_path):
    made = call(tmp_path / "keys")
    assert made.exit_code == 0, made.output
    assert f"publish.keys={tmp_path / 'keys'}" in made.stdout
    added = call(tmp_path / "keys", "--client", "laptop")
    assert str(tmp_path / "keys" / "copies" / "laptop") in added.stdout
    secrets = sorted((tmp_path / "keys").rglob("*_secret"))
    assert [path.name for path in secrets] == ["client.key_secret", "client.key_secret", "server.key_secret"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    public = list((tmp_path / "keys").rglob("*.key"))
    assert len(public) == 4
    assert not any(b"secret-key" in path.read_bytes() for path in public)


def test_the_pairs_belong_together(folder):
    assert server_public(folder) == server_pair(folder)[0]
    assert client_pair(folder)[0] in known_clients(folder)[0]
    copy = add_client(folder, "tablet")
    assert server_public(copy) == server_public(folder)
    assert client_pair(copy)[0] in known_clients(folder)[0]
    for public, secret in (server_pair(folder), client_pair(folder), client_pair(copy)):
        assert zmq.curve_public(secret) == public


def test_no_key_is_written_over(tmp_path):
    call(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = call(tmp_path)
    assert again.exit_code == 2
    assert again.stderr.startswith("error: ")
    assert "is there already" in again.stderr
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert call(tmp_path, "--client", "laptop").exit_code == 0
    assert "knows a client 'laptop' already" in call(tmp_path, "--client", "laptop").stderr
    assert "knows a client 'client' already" in call(tmp_path, "--client", "client").stderr


@pytest.mark.promise(
    "a client's name with a path in it",
    "refused",
    "6 of 6",
)
@pytest.mark.parametrize("name", ["", "../server", "a/b", "a b", "x" * 65, "."])
def test_a_client_whose_name_would_break_a_path_is_refused(name, tmp_path):
    call(tmp_path)
    assert "wanted at most 64 letters" in call(tmp_path, "--client", name).stderr


def test_a_clients_folder_lets_nobody_in(tmp_path):
    call(tmp_path)
    copy = add_client(tmp_path, "laptop")
    assert call(copy, "--client", "friend").exit_code == 2
    assert call(copy).exit_code == 2


def test_a_subscriber_told_why_logs_it_once(locked, caplog):
    with Subscriber(msgspec.structs.replace(locked.reached, keys=""), states=None, events=True) as subscriber:
        until(lambda: [subscriber.receive(0.05), "wants keys" in caplog.text][1])
        assert subscriber.receive(0.5) is None
    assert len(set(caplog.messages)) == len(caplog.messages)


@pytest.mark.promise(
    "CURVE: pictures in clear",
    "never reach the inbox",
    "1 of 1",
)
def test_an_encoded_picture_never_reaches_an_inbox_in_clear(locked):
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.linger = 0
        socket.connect(locked.inbox.address)
        socket.send(encode(topic_of(PICTURE), PICTURE))
        time.sleep(0.3)
        assert locked.taken == []


def test_listening_with_keys_prints_the_events(locked, folder, make):
    ports = {key: getattr(locked.reached, key) for key in ("state_port", "events_port", "replay_port")}
    words = [word for key, value in {**ports, "keys": folder}.items() for word in ("--set", f"publish.{key}={value}")]
    command = [sys.executable, "-m", "realtime", "listen", "--events", "--json", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=pipe, stderr=pipe) as listener:
        assert "listening" in listener.stderr.readline()
        for number in range(3):
            locked.publisher.event(make.event(number, 1.0))
        heard = [msgspec.json.decode(listener.stdout.readline())["seq"] for _ in range(3)]
        listener.terminate()
    assert heard == [1, 2, 3]
