"""A crowd before the page, slow ones among it, and a page that has no descriptor left."""

import asyncio
import errno
import socket
import time

import httpx
import pytest
from raw_zmtp import hung_up_on

from realtime.view.serve import listen, server

SLOW = {
    "says nothing": b"",
    "a line without end": b"GET / HT",
    "headers without end": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n",
    "a body without end": b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nuser=",
    "a body of nobody": b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n",
    "a second request": b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HT",
}
ASKED = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


def healthy(page):
    try:
        return httpx.get(page.url + "health").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.promise(
    "a request that comes slowly: nothing, half a line, headers or a body without end",
    "hung up on after request_s, whatever it sends meanwhile",
    "600 stayed for ever before; now 6 kinds of 6 end in time",
)
def test_who_does_not_come_to_the_point_is_hung_up_on(serve, dial, caplog):
    page = serve("view.connections.request_s=0.3")
    lines = {kind: dial(page, said) for kind, said in SLOW.items()}
    began = time.monotonic()
    stays = set(lines)
    while stays and time.monotonic() < began + 3.0:
        for kind in list(stays):
            if hung_up_on(lines[kind], 0.02):
                stays.discard(kind)
            elif "nothing" not in kind and "second" not in kind:
                try:
                    lines[kind].sendall(b"x")
                except OSError:
                    stays.discard(kind)
    assert not stays
    assert httpx.get(page.url + "health").status_code == 200
    assert "Traceback" not in caplog.text


def test_who_asks_again_and_again_in_time_stays(serve):
    page = serve("view.connections.request_s=0.3")
    with httpx.Client(base_url=page.url) as client:
        for _ in range(4):
            stream = client.get("health").extensions["network_stream"]
            time.sleep(0.2)
        assert client.get("health").extensions["network_stream"] is stream, "it was one connection"


def test_a_websocket_is_no_request_that_lasts_too_long(serve, browse):
    browser = browse(serve("view.connections.request_s=0.3", "view.connections.unread_s=0.3"))
    browser.enter()
    time.sleep(0.9)
    browser.say("hello", camera="nowhere")
    assert browser.until("problem")


@pytest.mark.promise(
    "a crowd of connections to the page",
    "at most so many stay, of one address fewer, and the next one who may come is served",
    "600 stayed before; now 12 of 40, 8 of them of one address",
)
def test_a_crowd_leaves_room_for_others_and_later_for_itself(serve, dial, caplog, eventually):
    page = serve("view.connections.most=12", "view.connections.of_one=8", "view.connections.request_s=1")
    crowd = [dial(page) for _ in range(20)]
    there = [line for line in crowd if not hung_up_on(line, 0.01)]
    assert len(there) <= 8
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=page.url, transport=elsewhere) as client:
        assert client.get("health").status_code == 200
    others = [dial(page, address=f"127.0.0.{3 + number}") for number in range(20)]
    assert sum(not hung_up_on(line, 0.01) for line in others) <= 12 - len(there)
    assert caplog.text.count("turned away") == 1, "it is said once"
    for line in [*crowd, *others]:
        line.close()
    eventually(lambda: healthy(page))


@pytest.mark.promise(
    "a browser that asks for much and takes nothing", "hung up on after unread_s", "stayed for ever before; 1 of 1"
)
def test_who_takes_nothing_of_its_answer_is_hung_up_on(serve, dial):
    page = serve("view.connections.unread_s=0.3")
    line = dial(page)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.sendall(ASKED * 400)
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        time.sleep(0.1)
        try:
            line.sendall(b"GET")
        except OSError:
            return
    pytest.fail("it is still connected")


def test_proxies_that_speak_for_many_are_not_counted_as_one(serve, dial):
    page = serve("view.connections.of_one=2", "view.proxies=['127.0.0.0/30']")
    assert not any(hung_up_on(dial(page), 0.01) for _ in range(5))


@pytest.mark.promise(
    "no file descriptor left for who connects to the page",
    "who waits is hung up on, and the log says so once in ten seconds",
    "171,511 lines in 10 s before; now 1",
)
def test_at_the_limit_of_descriptors_who_waits_is_hung_up_on_and_the_log_stays_short(settings, monkeypatch, caplog):
    real = socket.socket.accept

    def accept(self):
        """Works while a spare descriptor is given up."""
        if getattr(self, "_spare", 0) >= 0:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(self)

    config = settings()
    door = listen(config.view)
    monkeypatch.setattr(socket.socket, "accept", accept)
    serving = server(config, lambda *_: None, door)
    lines = []

    async def crowd():
        task = asyncio.ensure_future(serving._serve([door]))
        while not serving.started:
            await asyncio.sleep(0.01)
        for _ in range(5):
            lines.append(socket.create_connection(door.getsockname()))
            await asyncio.sleep(0.05)
        serving.should_exit = True
        await task

    asyncio.run(crowd())
    assert all(hung_up_on(line, 0.2) for line in lines)
    assert len([record for record in caplog.records if "descriptor" in record.getMessage()]) == 1
    assert len(caplog.records) < 5
