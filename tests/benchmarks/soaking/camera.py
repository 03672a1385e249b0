"""A camera of the network that comes and goes: the sample stream as Motion JPEG over HTTP."""

import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler

import cv2

from realtime.demo.truth import VIDEO

RATE_HZ = 30.0
PATH = "/camera.mjpg"


def pictures():
    """Every other frame of the sample, as JPEG."""
    video, found = cv2.VideoCapture(str(VIDEO)), []
    while video.grab():
        found.append(cv2.imencode(".jpg", video.retrieve()[1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
        if not video.grab():
            break
    return found


class NetworkCamera:
    """Serves `pictures` again and again at a port of its own; `away` closes it, `back` opens it at the same port."""

    def __init__(self, pictures):
        self._pictures, self._here = pictures, threading.Event()
        self._server, self.port, self.times_away = None, 0, -1
        self.back()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{PATH}"

    def back(self):
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                camera._send(self)

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

            def handle_error(self, *_):
                pass  # whoever watched was killed

        self.times_away += 1
        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._here.set()
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def away(self):
        self._here.clear()
        self._server.shutdown()
        self._server.server_close()

    def _send(self, handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        began, number = time.monotonic(), 0
        while self._here.is_set():
            jpeg = self._pictures[number % len(self._pictures)]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            try:
                handler.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:
                return
            number += 1
            time.sleep(max(0.0, began + number / RATE_HZ - time.monotonic()))
