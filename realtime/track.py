"""Frame -> Faces with ids that stay. The only door to mediapipe.

mediapipe is pinned to 0.10.21: later wheels carry no face models and send usage
reports. Its FaceMesh searches the whole picture on every frame while it sees fewer
faces than it was told to, so here it is told exactly the number that is known, and a
separate detector looks for newcomers a few times a second. Both look with the full-range
detector: the short-range one, which FaceMesh comes with, loses a face that is narrower
than about a tenth of the picture (3 of the 5 faces of a group photograph were found). Where it
finds nobody, the short-range one has a look too: a face that fills the picture, as in clips that
are cut to the face, is often none to the full-range detector (of 30 it found 2, the other one all).
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from realtime import landmarks as lm
from realtime.config import TrackConfig
from realtime.quality import bounding_box, eye_distance, head_pose, quality
from realtime.records import Face, Floats, Frame, Image

log = logging.getLogger(__name__)

_SHORT_RANGE, _FULL_RANGE = 0, 1  # mediapipe's numbers for its detectors
_MESH_GRAPH = "modules/face_landmark/face_landmark_front_cpu.binarypb"
_MODELS = (
    "face_detection/face_detection_full_range_sparse.tflite",
    "face_detection/face_detection_short_range.tflite",
    "face_landmark/face_landmark.tflite",
)
_DETECTION_THRESHOLD = (
    "facedetectionfullrangecpu__facedetectionfullrange__facedetection__TensorsToDetectionsCalculator.min_score_thresh"
)
_BLANK = np.zeros((64, 64, 3), np.uint8)
_POINT = np.dtype(
    [
        ("tag", "u1"),
        ("size", "u1"),
        ("x_key", "u1"),
        ("x", "<f4"),
        ("y_key", "u1"),
        ("y", "<f4"),
        ("z_key", "u1"),
        ("z", "<f4"),
    ]
)


class Landmarker(Protocol):
    """What finds faces in one picture; mediapipe in life, a list of points in tests."""

    def count(self, image: Image) -> int:
        """How many faces a fresh look at `image` finds."""

    def find(self, image: Image, faces: int) -> list[Floats]:
        """Landmarks (468, 3) of up to `faces` faces, following those of the call before."""

    def restart(self) -> None:
        """Forget the faces that were followed: the next picture has nothing to do with the last."""

    def close(self) -> None:
        """Free the models."""


def version() -> str:
    """Another one where another mediapipe, graph or model finds the faces: what is kept of them depends on it."""
    wheel = metadata.distribution("mediapipe")
    parts = (_MESH_GRAPH, *(f"modules/{model}" for model in _MODELS))
    content = b"".join(Path(str(wheel.locate_file(f"mediapipe/{part}"))).read_bytes() for part in parts)
    return f"{wheel.version}-{hashlib.sha256(content).hexdigest()[:16]}"


class MediaPipe:
    """FaceMesh for landmarks and BlazeFace for newcomers, on the CPU.

    `still=True` takes every picture for itself and expects the face near, as in data sets of photographs.
    """

    def __init__(self, config: TrackConfig, *, still: bool = False) -> None:
        self._config = config
        self._still = still
        self._detectors: dict[int, Any] = {}
        self._meshes: dict[tuple[bool, int], Any] = {}
        self._last: tuple[bool, int] | None = None
        self._warned: set[tuple[bool, int]] = set()  # the meshes that saw a face: each warns again at its first
        self._near = False  # whoever is followed fills the picture
        self._followed = 0
        self._detector(_FULL_RANGE)

    def count(self, image: Image) -> int:
        found = self._detect(_FULL_RANGE, image)
        if self._followed:
            self._near = self._near and found <= self._followed
            return found
        self._near = not found and bool(found := self._detect(_SHORT_RANGE, image))
        return found

    def find(self, image: Image, faces: int) -> list[Floats]:
        key = (self._near or self._still, faces)
        mesh = self._mesh(key)
        scale = np.array([image.shape[1], image.shape[0], image.shape[1]], np.float32)
        with nullcontext() if key in self._warned else _quiet():
            found = mesh.process(image).multi_face_landmarks or ()
        if found:
            self._warned.add(key)
        self._followed = len(found)
        return [_points(face) * scale for face in found]

    def restart(self) -> None:
        self._last, self._near, self._followed = None, False, 0

    def close(self) -> None:
        for model in (*self._detectors.values(), *self._meshes.values()):
            model.close()

    def _detect(self, range: int, image: Image) -> int:
        return len(self._detector(range).process(image).detections or ())

    def _detector(self, range: int) -> Any:
        import mediapipe  # here, not above: it takes 2 s to import, and most of Glimpse does without

        if range not in self._detectors:
            with _quiet():
                detection = mediapipe.solutions.face_detection.FaceDetection
                self._detectors[range] = detection(self._config.detection_confidence, range)
                self._detectors[range].process(_BLANK)
        return self._detectors[range]

    def _mesh(self, key: tuple[bool, int]) -> Any:
        if key not in self._meshes:
            self._meshes[key] = self._start(*key)
        elif key != self._last:
            self._meshes[key].reset()  # or it would follow faces from where it saw them last
            self._warned.discard(key)
        self._last = key
        return self._meshes[key]

    def _start(self, near: bool, faces: int) -> Any:
        with _quiet():
            mesh = _near_mesh(faces, self._config, still=self._still) if near else _far_mesh(faces, self._config)
            mesh.process(_BLANK)
        return mesh


def _near_mesh(faces: int, config: TrackConfig, *, still: bool) -> Any:
    """FaceMesh as it comes, each picture for itself if they are `still`."""
    from mediapipe.python.solutions.face_mesh import FaceMesh

    return FaceMesh(
        static_image_mode=still,
        max_num_faces=faces,
        min_detection_confidence=config.detection_confidence,
        min_tracking_confidence=config.tracking_confidence,
    )


def _far_mesh(faces: int, config: TrackConfig) -> Any:
    """FaceMesh's own graph with the full-range detector in place of the short-range one, following faces."""
    import mediapipe
    from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig
    from mediapipe.python.solution_base import SolutionBase

    graph = CalculatorGraphConfig()
    graph.ParseFromString((Path(mediapipe.__file__).parent / _MESH_GRAPH).read_bytes())
    for node in graph.node:
        if node.calculator == "FaceDetectionShortRangeCpu":
            node.calculator = "FaceDetectionFullRangeCpu"
    return SolutionBase(
        graph_config=graph,
        side_inputs={"num_faces": faces, "with_attention": False, "use_prev_landmarks": True},
        calculator_params={
            _DETECTION_THRESHOLD: config.detection_confidence,
            "facelandmarkcpu__ThresholdingCalculator.threshold": config.tracking_confidence,
        },
        outputs=["multi_face_landmarks"],
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without stderr: mediapipe's C++ starts with warnings that no setting turns off, and none matters here."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@dataclass(slots=True)
class _Track:
    id: int
    landmarks: Floats
    seen: float


class Tracker:
    """Gives every face an id and keeps it through short losses; `push(Frame) -> [Face]`."""

    delay_s = 0.0

    def __init__(self, config: TrackConfig, landmarker: Landmarker | None = None) -> None:
        self._config = config
        self._landmarker = landmarker or MediaPipe(config)
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._known = 0  # faces seen in the last frame
        self._search_at = 0.0

    def push(self, frame: Frame) -> list[Face]:
        """Faces of `frame`, ordered by id."""
        wanted = self._known
        if frame.t >= self._search_at:
            self._search_at = frame.t + self._config.search_s
            wanted = max(wanted, min(self._landmarker.count(frame.image), self._config.max_faces))
        found = self._landmarker.find(frame.image, wanted) if wanted else []
        if len(found) < self._known:
            self._search_at = frame.t  # someone left: look again with the next frame
        self._known = len(found)
        return sorted((self._face(frame, id, points) for id, points in self._assign(found, frame.t)), key=_by_id)

    def flush(self) -> list[Face]:
        """Nothing is held back."""
        return []

    def close(self) -> None:
        """Free the models."""
        self._landmarker.close()

    def _assign(self, found: Sequence[Floats], t: float) -> list[tuple[int, Floats]]:
        """Nearest pairs first, by the mean distance of the rigid points in eye distances."""
        self._tracks = [track for track in self._tracks if t - track.seen <= self._config.retire_s]
        pairs = sorted(
            (_distance(track.landmarks, points), i, j)
            for i, track in enumerate(self._tracks)
            for j, points in enumerate(found)
        )
        owner: dict[int, _Track] = {}
        taken: set[int] = set()
        for distance, i, j in pairs:
            if distance < self._config.gate and i not in taken and j not in owner:
                taken.add(i)
                owner[j] = self._tracks[i]
        return [(self._follow(owner.get(j), points, t), points) for j, points in enumerate(found)]

    def _follow(self, track: _Track | None, points: Floats, t: float) -> int:
        if track is None:
            track = _Track(self._next_id, points, t)
            self._next_id += 1
            self._tracks.append(track)
            log.info("face %d appears at %.2f s", track.id, t)
        track.landmarks, track.seen = points, t
        return track.id

    @staticmethod
    def _face(frame: Frame, id: int, points: Floats) -> Face:
        box, pose = bounding_box(points), head_pose(points)
        return Face(id, frame.t, box, points, pose, quality(frame.image, points, box, pose))


def _by_id(face: Face) -> int:
    return face.id


def _distance(a: Floats, b: Floats) -> float:
    apart = np.linalg.norm(a[list(lm.RIGID), :2] - b[list(lm.RIGID), :2], axis=1).mean()
    return float(apart) / max(eye_distance(a[:, :2]), 1.0)


def _points(face: Any) -> Floats:
    """(468, 3) of a NormalizedLandmarkList, read from its wire form: 20 times faster than by attribute."""
    raw = face.SerializeToString()
    if len(raw) == lm.COUNT * _POINT.itemsize:
        packed = np.frombuffer(raw, _POINT)
        return np.stack([packed["x"], packed["y"], packed["z"]], axis=1)
    return np.array([(p.x, p.y, p.z) for p in face.landmark[: lm.COUNT]], np.float32)
