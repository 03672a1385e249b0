"""The face mesh alone, on the same frames in the same minute: what figures of two machines can be compared by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import get_args

import msgspec

from realtime.capture.source import Source
from realtime.config import Config, FacesConfig, LandmarkEngine
from realtime.engine.landmarker import open_landmarker
from realtime.faces import mesh


class MeshAlone(msgspec.Struct, frozen=True, kw_only=True):
    """Decoding and the mesh of one face, in a plain loop."""

    engine: LandmarkEngine  #: what ran it: see `faces.landmarks`
    frames: int
    fps: float
    cpu_ms: float  #: of all threads, a frame


def meshes_alone(config: Config, played: Callable[[float], Source], seconds: float) -> list[MeshAlone]:
    """Every engine that is installed for its share of `seconds`; MediaPipe's, where it is, is the first.

    `played` gives the same frames for so many seconds.
    """
    engines = [name for name in get_args(LandmarkEngine) if name != "mediapipe" or mesh.installed()]
    chosen = [msgspec.structs.replace(config, faces=FacesConfig(landmarks=name)) for name in engines]
    return [mesh_alone(each, played(seconds / len(engines))) for each in chosen]


def mesh_alone(config: Config, source: Source) -> MeshAlone:
    """Find the landmarks of one face in every frame of `source`, and do nothing with them."""
    landmarker, frames = open_landmarker(config), 0
    wall, cpu = time.perf_counter(), time.process_time()
    for frame in source.frames():
        landmarker.find(frame.image, 1)
        frames += 1
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    landmarker.close()
    source.close()
    return MeshAlone(
        engine=config.faces.landmarks,
        frames=frames,
        fps=round(frames / wall, 2),
        cpu_ms=round(cpu * 1e3 / max(frames, 1), 3),
    )


def lines(found: Iterable[MeshAlone]) -> Iterable[str]:
    """For people."""
    for each in found:
        yield f"face mesh alone    {each.fps:.1f} frames a second   {each.cpu_ms:.2f} CPU-ms a frame   by {each.engine}"
