"""Streams of servers on this machine, through the real OpenCV and ffmpeg: opened, lost and found, and kept secret."""

import base64
import itertools
import logging
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest
from msgspec import structs

from realtime.capture import device
from realtime.capture.device import CvStream
from realtime.capture.source import open_source
from realtime.config import ROOT, load
from realtime.demo import truth
from realtime.errors import SourceError

CONFIG = structs.replace(load().source, late_s=0.1, reopen_first_s=0.3, reopen_most_s=2.0)
SECRET = "hunter2"
USER = f"admin:{SECRET}"
PATIENCE_S = 20.0
pytestmark = pytest.mark.timeout(60)


def picture(level):
    return cv2.imencode(".jpg", np.full((48, 64, 3), level, np.uint8))[1].tobytes()


class Mjpeg(BaseHTTPRequestHandler):
    """Pictures of the server's grey level at its pace, to whoever knows the password."""

    def do_GET(self):
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(USER.encode()).decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        jpeg = picture(self.server.level)
        part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)
        try:
            while not self.server.ended.wait(self.server.pace_s):
                if not self.server.silent.is_set():
                    self.wfile.write(part)
        except OSError:
            return  # whoever watched has left

    def log_message(self, *_):
        pass


class Recording(BaseHTTPRequestHandler):
    """A video that has an end."""

    def do_GET(self):
        content = truth.VIDEO.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except OSError:
            return  # it was refused

    def log_message(self, *_):
        pass


@contextmanager
def served(handler=Mjpeg, port=0, level=50, pace_s=0.02):
    """A server on a free port, or on one that is known already."""
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.level, server.pace_s = level, pace_s
        server.ended, server.silent = threading.Event(), threading.Event()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.ended.set()
        server.shutdown()


def address(server, user=USER):
    return f"http://{user}@127.0.0.1:{server.server_port}/video?key={SECRET}"


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


class Losses(logging.Handler):
    """Waits for what a camera's thread says of its losses."""

    def __init__(self):
        super().__init__()
        self.said, self.arrived = [], threading.Condition()

    def emit(self, record):
        if "is lost" in record.getMessage():
            with self.arrived:
                self.said.append(record.getMessage())
                self.arrived.notify_all()

    def wait(self, count):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.said) >= count, PATIENCE_S)
            return self.said[:count]


@pytest.fixture
def losses():
    handler, logger = Losses(), logging.getLogger("realtime.capture.camera")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def shown(frames, level):
    """The next picture of this grey; those of another that still wait are passed over."""
    return next(frame for frame in frames if abs(int(frame.image[0, 0, 0]) - level) < 8)


def test_a_stream_is_read_with_its_password_and_stamped_at_the_grab(caplog):
    before = time.monotonic()
    with (
        served() as server,
        caplog.at_level(logging.INFO),
        closing(open_source(address(server), CONFIG, fast=False)) as source,
    ):
        frames = list(itertools.islice(source.frames(), 5))
        assert frames[0].image.shape == (48, 64, 3)
        assert frames[0].image[0, 0, 0] == pytest.approx(50, abs=8)
        stamps = [frame.grabbed for frame in frames]
        assert stamps == sorted(stamps)
        assert before < stamps[0] < stamps[-1] < time.monotonic()
        assert f"stream http://***@127.0.0.1:{server.server_port}/video?***: MJPG 64x48 at" in caplog.text


def test_a_stream_that_is_slower_than_it_states_has_lost_nothing():
    with served(pace_s=0.1) as server, closing(open_source(address(server), CONFIG, fast=False)) as source:
        assert source.rate_hz == 25.0  # what ffmpeg says of every stream of this kind
        assert [frame.gap for frame in itertools.islice(source.frames(), 6)] == [0] * 6


def test_a_stream_that_ends_is_looked_for_with_growing_pauses_until_it_is_back(losses):
    with served(level=50) as server:
        source = open_source(address(server), CONFIG, fast=False)
        frames = source.frames()
        before = shown(frames, 50)
    said = losses.wait(2)
    with served(port=server.server_port, level=200), closing(source):
        after = shown(frames, 200)
    assert [text.rpartition("again in ")[2] for text in said] == ["0.3 s", "0.6 s"]
    assert after.grabbed - before.grabbed > 0.9
    assert after.t - before.t == pytest.approx(after.grabbed - before.grabbed)
    assert after.index - before.index > 0.8 * source.rate_hz  # what was lost meanwhile is counted


def test_a_stream_that_falls_silent_without_ending_is_asked_for_anew(losses, monkeypatch):
    monkeypatch.setattr(device, "READ_S", 0.3)
    with served() as server, closing(open_source(address(server), CONFIG, fast=False)) as source:
        frames = source.frames()
        shown(frames, 50)
        server.silent.set()
        losses.wait(1)
        server.level = 200
        server.silent.clear()
        shown(frames, 200)


@pytest.mark.parametrize("scheme", ["http", "https", "rtsp", "rtsps", "rtmp"])
def test_a_dead_address_is_one_clear_error_without_its_password(scheme):
    with pytest.raises(SourceError) as raised:
        open_source(f"{scheme}://{USER}@127.0.0.1:{closed_port()}/live?key={SECRET}", CONFIG, fast=False)
    assert str(raised.value).startswith(f"{scheme}://***@127.0.0.1:")
    assert "does not open; it must answer within 10 s. Check the address, user and password" in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_server_that_never_answers_is_left_after_the_longest_wait(scheme, monkeypatch):
    monkeypatch.setattr(device, "OPEN_S", 0.4)
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as dumb, pytest.raises(SourceError, match=r"within 0\.4 s"):
        open_source(f"{scheme}://127.0.0.1:{dumb.getsockname()[1]}/live", CONFIG, fast=False)
    assert 0.3 < time.monotonic() - began < 5.0


def test_a_wrong_password_is_an_error_that_does_not_show_it():
    with served() as server, pytest.raises(SourceError, match="password") as raised:
        CvStream(address(server, "admin:other2"), CONFIG)
    assert "other2" not in str(raised.value)


def test_an_address_of_another_kind_is_refused_with_those_that_are_taken():
    with pytest.raises(SourceError, match=r"ftp://\*\*\*@host/a is no stream .* wanted one of rtsp, .*or a file"):
        open_source(f"ftp://{USER}@host/a", CONFIG, fast=False)


def test_a_recording_at_an_address_is_refused_since_it_would_be_raced_through():
    with served(Recording) as server, pytest.raises(SourceError, match="is a recording and no live stream; download"):
        CvStream(f"http://127.0.0.1:{server.server_port}/a.mp4", CONFIG)


def test_no_line_and_no_thread_shows_a_password(losses, caplog):
    with caplog.at_level(logging.DEBUG), served() as server:
        source = open_source(address(server), CONFIG, fast=False)
        next(source.frames())
        names = [thread.name for thread in threading.enumerate()]
    losses.wait(1)
    source.close()
    assert any("127.0.0.1" in name for name in names)
    assert "is lost" in caplog.text
    assert SECRET not in caplog.text + " ".join(names)


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_the_command_line_says_one_line_without_the_password(scheme):
    spec = f"{scheme}://{USER}@127.0.0.1:{closed_port()}/live?key={SECRET}"
    words = [sys.executable, "-m", "realtime", "run", "--source", spec]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {scheme}://***@127.0.0.1:")
    assert done.stderr.count("\n") == 1
    assert SECRET not in done.stderr


def test_what_fails_while_a_stream_runs_ends_with_its_own_error():
    with served() as server, socket.create_server(("127.0.0.1", 0)) as held:
        taken = f"publish.state_port={held.getsockname()[1]}"
        words = [sys.executable, "-m", "realtime", "run", "--source", address(server), "--set", taken]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is in use" in done.stderr
    assert "terminate" not in done.stderr


class Rtsp(threading.Thread):
    """A camera that knows RTSP over TCP (RFC 2326, 10.12) and sends JPEG (RFC 2435), to one who watches."""

    def __init__(self, level):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.payload = rtp_jpeg(picture(level))
        self.asked = []
        self.ended = threading.Event()

    def run(self):
        with self.socket, self.socket.accept()[0] as watcher, watcher.makefile("rb") as lines:
            while request := lines.readline().decode().strip():
                method = request.split()[0]
                headers = dict(line.decode().strip().split(": ", 1) for line in iter(lines.readline, b"\r\n"))
                self.asked.append((method, headers))
                watcher.sendall(self.answer(method, headers))
                if method == "PLAY":
                    return self.play(watcher)

    def answer(self, method, headers):
        body, more = "", ""
        if headers.get("Authorization") != "Basic " + base64.b64encode(USER.encode()).decode() and method != "OPTIONS":
            return (
                f'RTSP/1.0 401 No\r\nCSeq: {headers["CSeq"]}\r\nWWW-Authenticate: Basic realm="camera"\r\n\r\n'.encode()
            )
        if method == "DESCRIBE":
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
                "m=video 0 RTP/AVP 26\r\na=framerate:50\r\na=control:track\r\n"
            )
            more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        if method == "SETUP":
            more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        return f"RTSP/1.0 200 OK\r\nCSeq: {headers['CSeq']}\r\n{more}\r\n{body}".encode()

    def play(self, watcher):
        number = 0
        while not self.ended.wait(0.02):
            packet = struct.pack(">BBHII", 0x80, 0x80 | 26, number % 65536, number * 1800, 7) + self.payload
            try:
                watcher.sendall(b"$" + struct.pack(">BH", 0, len(packet)) + packet)
            except OSError:
                return
            number += 1


def rtp_jpeg(jpeg):
    """The payload of one packet (RFC 2435, 3.1): a header, both tables of quantisation, and the scan."""
    tables, at = [], 2
    while jpeg[at + 1] != 0xDA:
        length = struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        if jpeg[at + 1] == 0xDB:
            segment = jpeg[at + 4 : at + 2 + length]
            tables += [segment[i + 1 : i + 65] for i in range(0, len(segment), 65)]
        at += 2 + length
    scan = jpeg[at + 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0] : -2]
    header = struct.pack(">IBBBB", 0, 1, 255, 64 // 8, 48 // 8) + struct.pack(">HH", 0, 128)
    return header + b"".join(tables) + scan


def test_rtsp_is_read_over_tcp_with_its_password():
    server = Rtsp(level=120)
    server.start()
    with closing(open_source(f"rtsp://{USER}@127.0.0.1:{server.port}/live", CONFIG, fast=False)) as source:
        shown(source.frames(), 120)
    server.ended.set()
    server.join(PATIENCE_S)
    transports = [headers["Transport"] for method, headers in server.asked if method == "SETUP"]
    assert len(transports) == 1
    assert transports[0].startswith("RTP/AVP/TCP")
