"""Dynamic expressions of people who were photographed once: FER+ pictures that `train.synthesis` brings into motion.

Pictures of the training split make clips to train on, those of the validation split calibrate, those of the test
split are scored: FER-2013 names nobody, so a picture is a person. The pictures are aligned as `align` cuts crops.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from realtime.faces.track import Landmarker
from realtime.labels import FERPLUS
from realtime.records import Image
from train.config.clips import Enactment
from train.datasets import ferplus
from train.datasets.ferplus import SPLITS, FerPlus
from train.synthesis.actor import film
from train.synthesis.camera import SyntheticCamera, draw
from train.synthesis.face import facekit
from train.synthesis.face.fields import fields
from train.synthesis.face.warp import Warp
from train.synthesis.portraits import enlarged, found_face, framed
from train.synthesis.script.emotions import EMOTIONS, LABELS, NEUTRAL
from train.synthesis.script.enact import Enacted, enact, manner_of


@dataclass(frozen=True, slots=True)
class Role:
    """A picture, and the classes that it plays, one clip each."""

    split: str
    row: int  #: in its split of FER+
    shown: str
    plays: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.split}-{self.row}"


@dataclass(frozen=True, slots=True)
class Cast:
    """Pictures of one split and what they play, before it is filmed."""

    split: str
    clips: Enactment
    roles: tuple[Role, ...]
    cache: Path  #: where what is made of their clips may be kept

    def __len__(self) -> int:
        return len(self.roles)

    def films(self) -> tuple[object, ...]:
        """Everything that shapes the clips of a role, but not how many roles there are."""
        clips = self.clips
        files = [Path(path).stat().st_size if Path(path).is_file() else 0 for path in (clips.head, clips.ferplus)]
        return (
            clips.seed, clips.back, clips.forward, clips.size_px, clips.frames, clips.distractors, clips.film, files,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One clip as the encoder sees it."""

    enacted: Enacted
    times: tuple[float, ...]  #: s, from the film's beginning
    crops: tuple[Image, ...]  #: uint8 (S, S, 3)


def cast(clips: Enactment, split: str) -> list[Role]:
    """Who plays what: pictures drawn by the seed, in fixed order. Whether a face is found in them shows later."""
    data = ferplus.load(Path(clips.ferplus), split)
    share = 1.0 if split == "train" else clips.held_out
    expressive, neutral, resting = (max(round(share * n), 1) for n in (clips.expressive, clips.neutral, clips.resting))
    found = []
    for label in EMOTIONS:
        rows = _drawn(data, label, clips, expressive)
        takes = -(-expressive // max(len(rows), 1))  # rare expressions have few pictures, which play several clips
        found += [Role(split, row, label, (label,) * min(takes, clips.most_takes)) for row in rows]
    rows = _drawn(data, NEUTRAL, clips, neutral + resting)
    found += [Role(split, row, NEUTRAL, LABELS if n < neutral else (NEUTRAL,)) for n, row in enumerate(rows)]
    return found


def _drawn(data: FerPlus, label: str, clips: Enactment, count: int) -> list[int]:
    agreed = np.flatnonzero(data.targets[:, FERPLUS.index(label)] >= clips.agreed)
    return [int(row) for row in np.random.default_rng(clips.seed).permutation(agreed)[:count]]


class Studio:
    """Where roles become clips."""

    def __init__(self, clips: Enactment, landmarker: Landmarker) -> None:
        self._clips, self._landmarker = clips, landmarker
        self._head = facekit.load(clips.head)
        self._data: dict[str, FerPlus] = {}

    def clips(self, role: Role) -> Iterator[Clip]:
        """Those of `role`; none where no face is found, or one that is turned."""
        if role.split not in self._data:
            self._data[role.split] = ferplus.load(Path(self._clips.ferplus), role.split)
        found = found_face(enlarged(self._data[role.split].image(role.row)), self._landmarker)
        if found is None:
            return
        seed = (self._clips.seed, SPLITS.index(role.split), role.row)
        rng = np.random.default_rng(seed)
        face = framed(found, "crop", self._clips.size_px, rng)
        made = fields(self._head, face.image, face.landmarks, teeth=float(rng.uniform()))
        actor = Warp(np.ascontiguousarray(face.image[..., 0]), made)
        for number, label in enumerate(role.plays):
            rng = np.random.default_rng((*seed, number))
            enacted = enact(label, manner_of(role.shown, label), self._clips, rng)
            frames = list(film(actor, enacted.scene, self._camera(enacted.scene.seconds, rng), rng))
            yield Clip(enacted, tuple(frame.t for frame in frames), tuple(frame.image for frame in frames))

    def _camera(self, seconds: float, rng: np.random.Generator) -> SyntheticCamera:
        """A camera of the configuration of whose frames only so many are kept, each as sharp as it was."""
        camera = draw(self._clips.film, rng, grey=True)
        rate = self._clips.frames / seconds
        return replace(camera, rate_hz=rate, open_share=camera.open_share * rate / camera.rate_hz)
