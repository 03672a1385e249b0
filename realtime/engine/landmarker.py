"""What finds the landmarks of faces, as `faces.landmarks` says: MediaPipe, or its models run by OpenVINO."""

from __future__ import annotations

import hashlib
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

    def take(self) -> Landmarker:
        """The one that waits, or else a new one; closed, it waits for the next, unless another one does."""
        try:
            return _Lent(self._waiting.pop(), self._take_back)
        except IndexError:
            return _Lent(open_landmarker(self._stages), self._take_back)

    def close(self) -> None:
        """Free the models of the one that waits."""
        while self._waiting:
            self._waiting.pop().close()

    def _take_back(self, landmarker: Landmarker) -> None:
        if self._waiting:
            landmarker.close()
        else:
            landmarker.restart()
            self._waiting.append(landmarker)


class _Lent:
    """A `Landmarker` that goes back where it comes from."""

    def __init__(self, landmarker: Landmarker, give_back: Callable[[Landmarker], None]) -> None:
        self.count, self.find, self.restart = landmarker.count, landmarker.find, landmarker.restart
        self._landmarker, self._give_back = landmarker, give_back

    def close(self) -> None:
        self._give_back(self._landmarker)


def landmarker_version(stages: Config) -> str:
    """Another one where another library, graph or model finds the faces: what is kept of them depends on it."""
    if stages.faces.landmarks == "mediapipe":
        return mesh.version()
    models = hashlib.sha256("".join(model.sha256 for model in MODELS).encode()).hexdigest()[:16]
    return f"openvino-{metadata.version('openvino')}-{face_mesh.VERSION}-{models}"


def sight(stages: Config) -> tuple[object, ...]:
    """The same for what was kept before there was a choice: MediaPipe's configuration alone."""
    return (stages.track,) if stages.faces.landmarks == "mediapipe" else (stages.track, landmarker_version(stages))
