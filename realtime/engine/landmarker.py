"""What finds the landmarks of faces, as `faces.landmarks` says: MediaPipe, or its models run by OpenVINO."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from importlib import metadata

from realtime.config import Config, LandmarkEngine, TrackConfig
from realtime.engine.backends.picture_network import PictureNetwork
from realtime.faces import face_mesh, mesh
from realtime.faces.face_mesh import FaceMesh
from realtime.faces.mesh import MediaPipe
from realtime.faces.public_models import MODELS
from realtime.faces.track import Landmarker


def _face_mesh(config: TrackConfig, still: bool) -> Landmarker:
    return FaceMesh(config, PictureNetwork, still=still)


#: By name: of how faces are found, and whether every picture stands alone.
LANDMARKERS: dict[LandmarkEngine, Callable[[TrackConfig, bool], Landmarker]] = {
    "mediapipe": lambda config, still: MediaPipe(config, still=still),
    "openvino": _face_mesh,
}


def open_landmarker(stages: Config, *, still: bool = False) -> Landmarker:
    """The one that is configured; `still=True` takes every picture for itself and expects the face near.

    ConfigError where it is MediaPipe, which is not installed.
    """
    return LANDMARKERS[stages.faces.landmarks](stages.track, still)


class SpareLandmarker:
    """One that is open already, for whoever comes next: opening one takes a second. Any thread may `take`."""

    def __init__(self, stages: Config) -> None:
        self._stages = stages
        self._waiting = [open_landmarker(stages)]
        self._closed = False
        self._lock = threading.Lock()

    def take(self) -> Landmarker:
        """The one that waits, or else a new one; closed, it waits for the next, unless another one does."""
        with self._lock:
            waiting = self._waiting.pop() if self._waiting else None
        return _Lent(waiting or open_landmarker(self._stages), self._take_back)

    def close(self) -> None:
        """Free the models of the one that waits, and of those that come back later."""
        with self._lock:
            self._closed, waiting, self._waiting = True, self._waiting, []
        for each in waiting:
            each.close()

    def _take_back(self, landmarker: Landmarker) -> None:
        with self._lock:
            kept = not self._waiting and not self._closed
            if kept:
                landmarker.restart()
                self._waiting.append(landmarker)
        if not kept:
            landmarker.close()


class _Lent:
    """A `Landmarker` that goes back where it comes from."""

    def __init__(self, landmarker: Landmarker, give_back: Callable[[Landmarker], None]) -> None:
        self.count, self.find, self.restart = landmarker.count, landmarker.find, landmarker.restart
        self._landmarker, self._give_back = landmarker, give_back

    def close(self) -> None:
        give_back, self._give_back = self._give_back, lambda landmarker: None  # once
        give_back(self._landmarker)


def landmarker_version(stages: Config) -> str:
    """Another one where another library, graph or model finds the faces: what is kept of them depends on it."""
    if stages.faces.landmarks == "mediapipe":
        return mesh.version()
    models = hashlib.sha256("".join(model.sha256 for model in MODELS).encode()).hexdigest()[:16]
    return f"openvino-{metadata.version('openvino')}-{face_mesh.VERSION}-{models}"


def sight(stages: Config) -> tuple[object, ...]:
    """The same for what was kept before there was a choice: MediaPipe's configuration alone."""
    return (stages.track,) if stages.faces.landmarks == "mediapipe" else (stages.track, landmarker_version(stages))
