"""Pictures -> the landmarks of faces. The only door to mediapipe.

mediapipe is pinned to 0.10.21: later wheels carry no face models and send usage
reports. Its FaceMesh searches the whole picture on every frame while it sees fewer
faces than it was told to, so here it is told exactly the number that is known, and a
separate detector looks for newcomers, see `track`. Both look with the detector that `reach` says.

Its graphs are run by hand: `process` copies each picture, makes a class for each answer, and turns landmarks into
objects, all of it under Python's lock.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from realtime.config import TrackConfig
from realtime.errors import ConfigError
from realtime.faces import landmarks as lm
from realtime.faces.reach import Range, Reach
from realtime.records import Floats, Image

_NUMBERS: dict[Range, int] = {"short": 0, "full": 1}  # mediapipe's, of its detectors
_MESH_GRAPH = "modules/face_landmark/face_landmark_front_cpu.binarypb"
_MODELS = (
    "face_detection/face_detection_full_range_sparse.tflite",
    "face_detection/face_detection_short_range.tflite",
    "face_landmark/face_landmark.tflite",
)
_DETECTION_THRESHOLD = (
    "facedetectionfullrangecpu__facedetectionfullrange__facedetection__TensorsToDetectionsCalculator.min_score_thresh"
)
_STEP_US = 33_333  # that mediapipe's own Python lets pass between two pictures
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


def installed() -> bool:
    """Whether mediapipe is there to be imported."""
    return find_spec("mediapipe") is not None


def version() -> str:
    """Another one where another mediapipe, graph or model finds the faces: what is kept of them depends on it."""
    _require_installed()
    wheel = metadata.distribution("mediapipe")
    parts = (_MESH_GRAPH, *(f"modules/{model}" for model in _MODELS))
    content = b"".join(Path(str(wheel.locate_file(f"mediapipe/{part}"))).read_bytes() for part in parts)
    return f"{wheel.version}-{hashlib.sha256(content).hexdigest()[:16]}"


class MediaPipe:
    """FaceMesh for landmarks and BlazeFace for newcomers, on the CPU.

    `still=True` takes every picture for itself and expects the face near, as in data sets of photographs.
    """

    def __init__(self, config: TrackConfig, *, still: bool = False) -> None:
        _require_installed()
        self._config = config
        self._still = still
        self._reach = Reach(still=still)
        self._detectors: dict[Range, _Graph] = {}
        self._meshes: dict[tuple[bool, int], _Graph] = {}
        self._last: tuple[bool, int] | None = None
        self._warned: set[tuple[bool, int]] = set()  # the meshes that saw a face: each warns again at its first
        self._detector("full")
        self._mesh((still, 1))  # now, or the first frames with a face would wait for it

    def count(self, image: Image) -> int:
        return self._reach.count(lambda range: len(self._detector(range).run(image)))

    def find(self, image: Image, faces: int) -> list[Floats]:
        key = (self._reach.now == "short", faces)
        mesh = self._mesh(key)
        scale = np.array([image.shape[1], image.shape[0], image.shape[1]], np.float32)
        with nullcontext() if key in self._warned else _quiet():
            found = mesh.run(image)
        if found:
            self._warned.add(key)
        self._reach.follow(len(found))
        return [_points(face) * scale for face in found]

    def restart(self) -> None:
        self._last = None
        self._reach.restart()

    def close(self) -> None:
        for model in (*self._detectors.values(), *self._meshes.values()):
            model.close()

    def _detector(self, range: Range) -> _Graph:
        import mediapipe  # here, not above: it takes 2 s to import, and most of Glimpse does without

        if range not in self._detectors:
            with _quiet():
                detection = mediapipe.solutions.face_detection.FaceDetection
                self._detectors[range] = _Graph(
                    detection(self._config.detection_confidence, _NUMBERS[range]), "detections"
                )
                self._detectors[range].run(_BLANK)
        return self._detectors[range]

    def _mesh(self, key: tuple[bool, int]) -> _Graph:
        if key not in self._meshes:
            self._meshes[key] = self._start(*key)
        elif key != self._last:
            self._meshes[key].reset()  # or it would follow faces from where it saw them last
            self._warned.discard(key)
        self._last = key
        return self._meshes[key]

    def _start(self, near: bool, faces: int) -> _Graph:
        with _quiet():
            mesh = _near_mesh(faces, self._config, still=self._still) if near else _far_mesh(faces, self._config)
            graph = _Graph(mesh, "multi_face_landmarks")
            graph.run(_BLANK)
        return graph


class _Graph:
    """One of mediapipe's solutions, given pictures by reference; what it finds stays in its wire form."""

    def __init__(self, solution: Any, output: str) -> None:
        from mediapipe.python import packet_creator
        from mediapipe.python._framework_bindings import _packet_getter, image_frame

        self._packet = partial(packet_creator.create_image_frame, image_format=image_frame.ImageFormat.SRGB)
        self._count, self._messages = _packet_getter._get_proto_vector_size, _packet_getter._get_serialized_proto_list
        self._solution, self._output = solution, output
        (self._input,) = solution._input_stream_type_info

    def run(self, image: Image) -> list[bytes]:
        """The messages of `output` for `image` (H, W, 3), each as bytes."""
        solution, shared = self._solution, np.ascontiguousarray(image).view()
        shared.flags.writeable = False  # what cannot be changed is not copied
        solution._graph_outputs.clear()
        solution._simulated_timestamp += _STEP_US
        packet = self._packet(shared).at(solution._simulated_timestamp)
        solution._graph.add_packet_to_input_stream(stream=self._input, packet=packet)
        solution._graph.wait_until_idle()
        found = solution._graph_outputs.get(self._output)
        if found is None or found.is_empty() or not self._count(found):
            return []
        messages: list[bytes] = self._messages(found)
        return messages

    def reset(self) -> None:
        """Forget the pictures before."""
        self._solution.reset()

    def close(self) -> None:
        """Free the model."""
        self._solution.close()


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


def _require_installed() -> None:
    if not installed():
        raise ConfigError(
            "faces.landmarks is mediapipe, which is not installed; "
            "install mediapipe==0.10.21, or set faces.landmarks=openvino"
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


def _points(message: bytes) -> Floats:
    """(468, 3) of a NormalizedLandmarkList in its wire form: without an object for each point."""
    if len(message) == lm.COUNT * _POINT.itemsize:
        packed = np.frombuffer(message, _POINT)
        return np.stack([packed["x"], packed["y"], packed["z"]], axis=1)
    from mediapipe.framework.formats.landmark_pb2 import NormalizedLandmarkList

    points = NormalizedLandmarkList.FromString(message).landmark
    return np.array([(p.x, p.y, p.z) for p in points[: lm.COUNT]], np.float32)
