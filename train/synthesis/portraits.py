"""Real faces to move: neutral pictures of FER+, pictures and videos of any folder; one person each.

FER+'s faces are 48 px wide: enlarged, they are good for crops of about 64 px and for how a whole face moves, and
have no fine texture that would carry a flow field at 128 px. Photographs and frames of videos have. They should be
neutral: a face that smiles already can only smile more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime import config
from realtime.engine.landmarker import open_landmarker
from realtime.errors import DataError
from realtime.faces import align
from realtime.faces.quality import eye_distance, head_pose
from realtime.faces.track import Landmarker
from realtime.labels import FERPLUS
from realtime.records import Floats, Image
from train.config.clips import Clips
from train.datasets import ferplus
from train.datasets.annotation.recorded import read_picture, read_video

NEUTRAL_SHARE = 0.85  # of the votes: fewer and the face shows something already
SIDE_PX, MARGIN_PX = 176, 56  # a FER+ face enlarged, and what is put around it, so that the detector finds it
TURNED_DEG = 20.0  # a face that is turned further has a side that is not seen
PICTURES, VIDEOS = (".jpg", ".jpeg", ".png", ".bmp", ".webp"), (".mp4", ".mov", ".avi", ".mkv", ".webm", ".gif")
LOOK_FRAMES, LOOK_EVERY = 40, 15  # of a video, in which its face is looked for
FERPLUS_PREFIX, FILE_PREFIX, RENDERED_PREFIX = "ferplus-", "file-", "rendered-"
EYES = (0.20, 0.30)  # distance of the outer eye corners in the side of a camera's picture, at least and at most


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A face in a picture."""

    image: Image
    landmarks: Floats  #: (468, 3) px


class Portraits:
    """People by name, `people` of them: those of files first, then those of FER+, drawn by the seed."""

    def __init__(
        self, clips: Clips, people: tuple[str, ...] | None = None, landmarker: Landmarker | None = None
    ) -> None:
        """`people` are their names, where they were found before."""
        self._clips = clips
        self._landmarker = landmarker or open_landmarker(config.load())  # as it serves: for stills it finds more faces
        self._faces = ferplus.load(Path(clips.ferplus), "train") if clips.ferplus else None
        self._files = {f"{FILE_PREFIX}{path.stem}": path for path in _files(clips.portraits)}
        self.people = people or tuple(self._found())

    def portrait(self, person: str) -> Portrait:
        """The face of one of `people` that is a picture; DataError if it is not there any more."""
        found = self._look(person)
        if found is None:
            raise DataError(f"no face is found any more in the picture of {person}; prepare the clips anew")
        return found

    def grey(self, person: str) -> bool:
        """Whether the pictures of `person` have no colour: FER+'s have none."""
        return person.startswith(FERPLUS_PREFIX)

    def made_of(self, person: str) -> tuple[str, int]:
        """What identifies the picture."""
        path = self._files.get(person)
        return person, path.stat().st_size if path else 0

    def _found(self) -> Iterator[str]:
        rendered = round(self._clips.rendered * self._clips.people)
        yield from (f"{RENDERED_PREFIX}{number}" for number in range(rendered))
        wanted, found = self._clips.people - rendered, 0
        for person in self._candidates():
            if found == wanted:
                return
            if self._look(person) is not None:
                found += 1
                yield person
        if found < wanted:
            raise DataError(
                f"only {found} neutral faces in {self._clips.ferplus or 'no FER+'} and {len(self._files)} files; "
                f"[clips] people asks for {wanted}: give more portraits, or fewer people"
            )

    def _candidates(self) -> Iterator[str]:
        yield from self._files
        if self._faces is not None:
            neutral = np.flatnonzero(self._faces.targets[:, FERPLUS.index("neutral")] >= NEUTRAL_SHARE)
            order = np.random.default_rng(self._clips.seed).permutation(neutral)
            yield from (f"{FERPLUS_PREFIX}{row}" for row in order)

    def _look(self, person: str) -> Portrait | None:
        if person in self._files:
            return next(filter(None, (found_face(p, self._landmarker) for p in _pictures(self._files[person]))), None)
        if self._faces is not None and person.startswith(FERPLUS_PREFIX):
            picture = enlarged(self._faces.image(int(person.removeprefix(FERPLUS_PREFIX))))
            return found_face(picture, self._landmarker)
        return None


def found_face(image: Image, landmarker: Landmarker) -> Portrait | None:
    """The face of `image`; None where none is found, or one that is turned too far."""
    landmarker.restart()  # nothing is known from the picture before
    found = landmarker.find(image, 1)
    if not found:
        return None
    pose = head_pose(found[0])
    if max(abs(pose.yaw), abs(pose.pitch)) > TURNED_DEG:
        return None
    return Portrait(image, found[0])


def enlarged(face: Image) -> Image:
    """A 48x48 face enlarged, with its border repeated around it: uint8 (288, 288, 3)."""
    large = cv2.resize(face, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    padded = cv2.copyMakeBorder(large, MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def framed(portrait: Portrait, framing: str, size_px: int, rng: np.random.Generator) -> Portrait:
    """A square part of `portrait`: as `align` cuts crops, or as a camera might see it."""
    points = portrait.landmarks
    matrix = align.similarity(points, size_px) if framing == "crop" else _camera(points, size_px, rng)
    scale = float(np.hypot(*matrix[:, 0]))
    image = portrait.image
    if scale < 0.8:  # or small pictures would flicker where they move
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 / scale), np.uint8)
    cut = cv2.warpAffine(image, matrix, (size_px, size_px), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    moved = points.copy()
    moved[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    moved[:, 2] *= scale
    return Portrait(np.asarray(cut, np.uint8), moved)


def _camera(points: Floats, size_px: int, rng: np.random.Generator) -> Floats:
    scale = size_px * rng.uniform(*EYES) / eye_distance(points[:, :2])
    middle = 0.5 * (points[:, :2].min(0) + points[:, :2].max(0))
    target = size_px * (0.5 + rng.uniform(-0.04, 0.04, 2))
    return np.column_stack([scale * np.eye(2), target - scale * middle]).astype(np.float32)


def _files(portraits: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for name in portraits:
        path = Path(name)
        if not path.exists():
            raise DataError(f"no portrait {name}; [clips] portraits wants pictures, videos or folders of them")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [file for file in inside if file.suffix.lower() in (*PICTURES, *VIDEOS)]
    stems = [path.stem for path in found]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise DataError("several portraits have one name, which is the person's; rename them", twice)
    return found


def _pictures(path: Path) -> Iterator[Image]:
    """The picture in a file, or some frames of a video."""
    if path.suffix.lower() in PICTURES:
        yield read_picture(path)
        return
    for index, frame in enumerate(read_video(path)):
        if index % LOOK_EVERY == 0:
            yield frame
        if index >= LOOK_FRAMES * LOOK_EVERY:
            return
