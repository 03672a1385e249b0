"""A page server that says what a test tells it to say: for messages that the real one sends seldom."""

import asyncio
import base64
import socket
import struct
import threading
from contextlib import suppress

import gradio as gr
import msgspec
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.staticfiles import StaticFiles

from realtime import config
from realtime.labels import FERPLUS
from realtime.schema.message import Engine, Event, FaceQuality, FaceState, HeadPose, Meta, Percentiles, State
from realtime.view.blocks import APPEARANCE, STATIC, STATIC_URL, blocks

CAMERA = "visitor-1"
BOX = (230.0, 90.0, 180.0, 220.0)  #: left, top, width, height of the face in every state


def face(landmarks=False, reasons=(), score=1.0, id=1):
    left, top, width, height = BOX
    points = tuple((left + width * (i % 22) / 22, top + height * (i // 22) / 22) for i in range(468))
    return FaceState(
        id=id,
        box=BOX,
        landmarks=points if landmarks else None,
        pose=HeadPose(yaw=0.0, pitch=0.0, roll=0.0),
        quality=FaceQuality(size_px=90.0, sharpness=90.0, brightness=90.0, reasons=tuple(reasons)),
        score=score,
        threshold=4.5,
        expression=dict(zip(FERPLUS, (0.5, 0.2, 0.1, 0.05, 0.05, 0.04, 0.03, 0.03), strict=True)),
    )


def event(t, stage="final", **changes):
    whole = Event(
        t=t, camera=CAMERA, seq=1, id=1, face=1, kind="micro", stage=stage,
        onset_s=t - 0.3, apex_s=t - 0.2,
        offset_s=None if stage == "early" else t - 0.08, emitted_s=t, label="surprise", confidence=0.64,
        probabilities={}, quality=(), rate_hz=30.0, reason="",
    )  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


def meta(t, rate_hz=22.0, **changes):
    engines = tuple(
        Engine(name=name, sha256="0", labels=(), precision="bf16", backend="openvino") for name in ("encoder", "cmn")
    )
    whole = Meta(
        t=t, camera=CAMERA, engines=engines, rate_hz=rate_hz,
        latency_ms={"total": Percentiles(p50=21.0, p95=30.0, p99=41.0)},
        frames=100, gaps=3, dropped=2, faces=1, shortest_event_s=4 / rate_hz, version="1",
    )  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


class Scripted:
    """Answers each picture with one face at BOX; all else comes from the test, by `say`."""

    def __init__(self, cameras=(), port=0):
        self._cameras, self._sockets = list(cameras), set()
        self.reset()
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        app = FastAPI()
        app.mount(STATIC_URL, StaticFiles(directory=STATIC))
        app.websocket("/live")(self._live)
        app = gr.mount_gradio_app(app, blocks(config.load()), path="", **APPEARANCE)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def reset(self):
        """As it began, but for who is connected."""
        self.welcome = {"camera": CAMERA, "cameras": self._cameras, "heads": ["cmn", "other"],
                        "most_hz": 65.0, "longest_kb": 512, "calibrate_s": 3.0}  # fmt: skip
        self.faces = lambda: (face(landmarks=self._landmarks),)
        self.heard, self.numbers = [], []  #: what was said, and numbers of pictures
        self.t = 0.0  #: capture time of the newest picture
        self._landmarks = False
        self.gap = 0  #: frames that were left out before each
        self.mute = False  #: as if the network were gone

    def say(self, kind, **rest):
        """Send a message to every page; a record goes under its own name."""
        text = msgspec.json.encode({"kind": kind, **rest}).decode()
        asyncio.run_coroutine_threadsafe(self._tell(text), self._loop).result(5)

    def show(self, frame, t, jpeg):
        """Send a picture of the server's camera to every page."""
        asyncio.run_coroutine_threadsafe(self._tell(struct.pack("<Id", frame, t) + jpeg), self._loop).result(5)

    def hang_up(self):
        """Close every connection; who comes again is welcome."""
        for live in list(self._sockets):
            asyncio.run_coroutine_threadsafe(live.close(), self._loop).result(5)

    def close(self):
        self._server.should_exit = True
        self._thread.join(10)
        self._listening.close()

    def _run(self):
        self._loop = asyncio.new_event_loop()
        self._loop.create_task(self._live_on())
        self._loop.run_until_complete(self._server.serve([self._listening]))

    async def _live_on(self):
        """Say now and then that the page is there, as the real one does."""
        while True:
            await asyncio.sleep(1.0)
            if not self.mute:
                await self._tell('{"kind": "alive"}')

    async def _tell(self, message):
        for live in list(self._sockets):
            with suppress(RuntimeError, WebSocketDisconnect):  # it has just gone
                await (live.send_text if isinstance(message, str) else live.send_bytes)(message)

    async def _live(self, live: WebSocket):
        await live.accept()
        if self.mute:
            await asyncio.sleep(3600)
        self._sockets.add(live)
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                message = await live.receive()
                if message["type"] == "websocket.disconnect":
                    break
                if message.get("text"):
                    await self._hear(live, msgspec.json.decode(message["text"]))
                elif message.get("bytes"):
                    await self._see(live, message["bytes"])
        self._sockets.discard(live)

    async def _hear(self, live, said):
        self.heard.append(said)
        if said["do"] == "hello":
            self._landmarks = said["landmarks"]
            if self.welcome:
                await live.send_text(msgspec.json.encode({"kind": "welcome", **self.welcome}).decode())

    async def _see(self, live, data):
        number, self.t = struct.unpack_from("<Id", data)
        assert data[12:14] == b"\xff\xd8", "no JPEG"
        self.numbers.append(number)
        if self.mute:
            return
        state = State(t=self.t, camera=CAMERA, frame=number, gap=self.gap, latency_ms=20.0, faces=self.faces())
        await live.send_text(msgspec.json.encode({"kind": "state", "state": state}).decode())


def picture(colour):
    """A small JPEG as base64."""
    import cv2
    import numpy as np

    return base64.b64encode(cv2.imencode(".jpg", np.full((64, 64, 3), colour, np.uint8))[1].tobytes()).decode()
