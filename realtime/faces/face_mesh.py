"""Pictures -> the landmarks of faces, by networks that are handed in: MediaPipe's models without MediaPipe.

The network of landmarks looks at a turned square of each frame (see `region`) and says whether a face is in it. Where
it is, the landmarks give the next frame's square; detectors look only where fewer faces are seen than are wanted
(Kartynnik et al. 2019, arXiv:1907.06724). A face that is followed goes on so when another one joins or leaves, where
`mesh` finds all of them anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2

from realtime.config import TrackConfig
from realtime.faces import landmarks as lm
from realtime.faces.blazeface import FaceDetector
from realtime.faces.public_models import FACE_LANDMARKS, FULL_RANGE, SHORT_RANGE, OpenNetwork, PublicModel
from realtime.faces.reach import Range, Reach
from realtime.faces.region import Region, around_landmarks, distinct
from realtime.records import Floats, Image

VERSION = 1  # of what is made of the networks' answers
_DETECTORS: dict[Range, PublicModel] = {"short": SHORT_RANGE, "full": FULL_RANGE}
_SIDE = FACE_LANDMARKS.side_px


class FaceMesh:
    """A `track.Landmarker`. `still=True` takes every picture for itself and expects the face near.

    One picture at a time; the same pictures in the same order give the same landmarks, bit for bit.
    """

    def __init__(self, config: TrackConfig, network: OpenNetwork, *, still: bool = False) -> None:
        self._config, self._open, self._still = config, network, still
        self._mesh = network(FACE_LANDMARKS)
        self._detectors: dict[Range, FaceDetector] = {}
        self._reach = Reach(still=still)
        self._regions: list[Region] = []  # where those who are followed are looked for
        self._counted: tuple[Image, Range, list[Region]] | None = None  # that `find` need not look again
        ranges: tuple[Range, ...] = ("short",) if still else ("full", "short")
        for range in ranges:
            self._detector(range)  # now, or the first frame that wants it would wait

    def count(self, image: Image) -> int:
        return self._reach.count(lambda range: self._look(range, image))

    def find(self, image: Image, faces: int) -> list[Floats]:
        found = self._seen(image, distinct(self._regions)[:faces])
        if len(found) < faces:
            newcomers = distinct(self._newcomers(image), map(around_landmarks, found))
            found += self._seen(image, newcomers[: faces - len(found)])
        self._regions = [] if self._still else [around_landmarks(points) for points in found]
        self._counted = None
        self._reach.follow(len(found))
        return found

    def restart(self) -> None:
        self._regions, self._counted = [], None
        self._reach.restart()

    def close(self) -> None:
        self._detectors.clear()
        self.restart()

    def _newcomers(self, image: Image) -> list[Region]:
        range = self._reach.now
        if self._counted is not None and self._counted[0] is image and self._counted[1] == range:
            return self._counted[2]
        return self._detector(range).find(image)

    def _look(self, range: Range, image: Image) -> int:
        found = self._detector(range).find(image)
        self._counted = image, range, found
        return len(found)

    def _detector(self, range: Range) -> FaceDetector:
        if range not in self._detectors:
            model = _DETECTORS[range]
            self._detectors[range] = FaceDetector(model, self._open(model), self._config.detection_confidence)
        return self._detectors[range]

    def _seen(self, image: Image, regions: Sequence[Region]) -> list[Floats]:
        """The landmarks of the faces that are in `regions`."""
        found = (self._landmarks(image, region) for region in regions if region.usable)
        return [points for points in found if points is not None]

    def _landmarks(self, image: Image, region: Region) -> Floats | None:
        """(468, 3) px of the face in `region`; None where the network sees none."""
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        picture, edge = self._mesh.picture, cv2.BORDER_REPLICATE
        cv2.warpAffine(image, region.matrix(_SIDE), (_SIDE, _SIDE), dst=picture, flags=flags, borderMode=edge)
        points, logit = self._mesh.run()
        if not _likely(float(logit.flat[0])) > self._config.tracking_confidence:
            return None
        return region.placed(points.reshape(lm.COUNT, 3), _SIDE)


def _likely(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(logit, -500.0)))  # below that, exp overflows
