"""Visitors of the page, as browsers are: some watch the server's camera, some send their own, one records at times."""

import json
import struct
import threading
import time
from contextlib import suppress

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

#: Pictures a second of a visitor's camera, and how long the one who records does, and does not.
RATE_HZ = 10.0
RECORDS_S, PAUSES_S = 12.0, 18.0


class Visitor:
    """One browser; it comes again whenever the page does."""

    def __init__(self, port, camera, pictures=(), *, records=False):
        self.told = self.visits = 0
        self._url, self._camera = f"ws://127.0.0.1:{port}/live", camera
        self._pictures, self._records = pictures, records
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._stop.set()
        self._thread.join(10.0)

    def _run(self):
        while not self._stop.is_set():
            with (
                suppress(OSError, TimeoutError, EOFError, WebSocketException),  # the page was killed
                connect(self._url, max_size=None, open_timeout=5.0) as socket,
            ):
                self._visit(socket)
            self._stop.wait(0.5)

    def _visit(self, socket):
        self.visits += 1
        socket.send(json.dumps({"do": "hello", "camera": self._camera}))
        began, number, recording = time.monotonic(), 0, False
        while not self._stop.is_set():
            with suppress(TimeoutError):
                socket.recv(1 / RATE_HZ)
                self.told += 1
            now = time.monotonic() - began
            if self._pictures and now * RATE_HZ >= number:
                socket.send(struct.pack("<Id", number, now) + self._pictures[3 * number % len(self._pictures)])
                number += 1
            if self._records and recording != (now % (RECORDS_S + PAUSES_S) < RECORDS_S and now > 1.0):
                recording = not recording
                socket.send(json.dumps({"do": "record", "on": recording, "video": True}))
