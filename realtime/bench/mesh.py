"""The face mesh alone, on the same frames in the same minute: what figures of two machines can be compared by."""

from __future__ import annotations

import time

import msgspec

from realtime.capture.source import Source
from realtime.config import Config
from realtime.faces.mesh import MediaPipe


class MeshAlone(msgspec.Struct, frozen=True, kw_only=True):
    """Decoding and the mesh of one face, in a plain loop."""

    frames: int
    fps: float
    cpu_ms: float  #: of all threads, a frame


def mesh_alone(config: Config, source: Source) -> MeshAlone:
    """Find the landmarks of one face in every frame of `source`, and do nothing with them."""
    landmarker, frames = MediaPipe(config.track), 0
    wall, cpu = time.perf_counter(), time.process_time()
    for frame in source.frames():
        landmarker.find(frame.image, 1)
        frames += 1
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    landmarker.close()
    source.close()
    return MeshAlone(frames=frames, fps=round(frames / wall, 2), cpu_ms=round(cpu * 1e3 / max(frames, 1), 3))
