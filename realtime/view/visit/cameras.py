"""All cameras that are watched."""

from __future__ import annotations

from realtime.schema.message import Published
from realtime.view.upstream.asker import AsyncAsker
from realtime.view.upstream.camera_names import is_browser_camera
from realtime.view.visit.viewer import Viewer
from realtime.view.visit.watched_camera import ServerCamera, WatchedCamera


class Cameras:
    """By name; a camera is opened for its first viewer, and closed after its last."""

    def __init__(self, asker: AsyncAsker, picture_asker: AsyncAsker, *, landmarks: bool) -> None:
        self._asker, self._picture_asker = asker, picture_asker
        self._landmarks = landmarks
        self._watched: dict[str, WatchedCamera] = {}

    def hear(self, message: Published) -> None:
        """Pass a message on to who watches its camera."""
        if message.camera in self._watched:
            self._watched[message.camera].hear(message)

    def join(self, name: str, viewer: Viewer) -> None:
        """Let `viewer` watch this camera, or wish for something else there."""
        if name not in self._watched:
            self._watched[name] = self._open(name)
        self._watched[name].join(viewer)

    def first(self, name: str) -> Viewer:
        """Who watches this camera longest."""
        return self._watched[name].viewers[0]

    def part(self, name: str, viewer: Viewer) -> None:
        """Let it watch no longer."""
        self._watched[name].part(viewer)
        if not self._watched[name].viewers:
            self._watched.pop(name).close()

    def _open(self, name: str) -> WatchedCamera:
        if is_browser_camera(name):
            return WatchedCamera(name, self._asker, landmarks=False)
        return ServerCamera(name, self._asker, self._picture_asker, landmarks=self._landmarks)
