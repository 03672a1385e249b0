"""Frame -> Faces with ids that stay."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol

import numpy as np

from realtime.config import TrackConfig
from realtime.faces import landmarks as lm
from realtime.faces.quality import bounding_box, eye_distance, head_pose, quality
from realtime.records import Face, Floats, Frame, Image

log = logging.getLogger(__name__)

#: Where somebody is followed, newcomers are looked for so many times less often: a look costs as much as two frames.
SELDOM = 4


class Landmarker(Protocol):
    """What finds faces in one picture: see `engine.landmarker` for those that there are; a list of points in tests."""

    def count(self, image: Image) -> int:
        """How many faces a fresh look at `image` finds."""

    def find(self, image: Image, faces: int) -> list[Floats]:
        """Landmarks (468, 3) of up to `faces` faces, following those of the call before."""

    def restart(self) -> None:
        """Forget the faces that were followed: the next picture has nothing to do with the last."""

    def close(self) -> None:
        """Free the models."""


@dataclass(slots=True)
class _Track:
    id: int
    landmarks: Floats
    seen: float


class Tracker:
    """Gives every face an id and keeps it through short losses; `push(Frame) -> [Face]`."""

    delay_s = 0.0

    def __init__(self, config: TrackConfig, landmarker: Landmarker) -> None:
        self._config = config
        self._landmarker = landmarker
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._known = 0  # faces seen in the last frame
        self._search_at = 0.0

    def push(self, frame: Frame) -> list[Face]:
        """Faces of `frame`, ordered by id."""
        wanted = self._known
        if frame.t >= self._search_at:
            self._search_at = frame.t + self._config.search_s * (SELDOM if self._known else 1)
            wanted = max(wanted, min(self._landmarker.count(frame.image), self._config.max_faces))
        found = self._landmarker.find(frame.image, wanted) if wanted else []
        if len(found) < self._known:
            self._search_at = frame.t  # someone left: look again with the next frame
        self._known = len(found)
        assigned = sorted(self._assign(found, frame.t), key=itemgetter(0))
        return [measured(frame, id, points) for id, points in assigned]

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


def measured(frame: Frame, id: int, points: Floats) -> Face:
    """The face whose landmarks in `frame` are `points` (468, 3)."""
    box, pose = bounding_box(points), head_pose(points)
    return Face(id, frame.t, box, points, pose, quality(frame.image, points, box, pose))


def _distance(a: Floats, b: Floats) -> float:
    apart = np.linalg.norm(a.take(lm.RIGID_ROWS, axis=0)[:, :2] - b.take(lm.RIGID_ROWS, axis=0)[:, :2], axis=1).mean()
    return float(apart) / max(eye_distance(a[:, :2]), 1.0)
