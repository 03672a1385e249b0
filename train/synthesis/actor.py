"""Whoever can be filmed: a picture that is warped, or a head that is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from realtime.records import Floats, Frame, Image, Times
from train.synthesis.camera import SyntheticCamera, expose, moments
from train.synthesis.face.performance import Extent, HeadMotion
from train.synthesis.script.hand import covered
from train.synthesis.script.scene import Scene

HEAD_CM = 11.0  # from the pivot to the tip of the nose: what a turn moves most


class Actor(Protocol):
    """One face that can be moved in every way."""

    @property
    def extent(self) -> Extent:
        """Its sizes."""

    def frames(self, amounts: Floats, pose: HeadMotion) -> Iterator[Image]:
        """uint8 (S, S, 3), or (S, S) without colour, for each row of `amounts` (T, K), in order."""

    def between(self, amounts: Floats, pose: HeadMotion) -> Floats:
        """(S, S, 2) px: where what each pixel shows at the first of two moments has gone by the second."""


def film(actor: Actor, scene: Scene, camera: SyntheticCamera, rng: np.random.Generator) -> Iterator[Frame]:
    """`scene` played by `actor` and taken by `camera`, stamped with exact times from 0."""
    times = camera.times(scene.seconds)
    moved = _moved(actor.extent, scene, times, camera.open_s)
    at, counts = moments(times, camera.open_s, moved)
    pictures = actor.frames(scene.amounts(at), scene.pose(at))
    if scene.hands:
        pictures = covered(pictures, at, scene.hands, actor.extent.eye_px)
    yield from expose(pictures, counts, scene.lamp.seen(times, camera.open_s), camera, rng)


def flow(actor: Actor, scene: Scene, start: float, end: float) -> Floats:
    """The exact displacement (S, S, 2) px from `start` to `end`, seconds; the head's own movement is in it."""
    at = np.array([start, end])
    return actor.between(scene.amounts(at), scene.pose(at))


def _moved(extent: Extent, scene: Scene, times: Times, open_s: float) -> Times:
    """(T,) px: the most that anything moves while the shutter is open, or a little more."""
    at = np.concatenate([times - open_s / 2, times + open_s / 2])
    amounts, pose, count = scene.amounts(at), scene.pose(at), len(times)
    face = (np.abs(amounts[:count] - amounts[count:]) * extent.most).max(1)
    turned = np.radians(np.abs(pose.turn[:count] - pose.turn[count:]).sum(1)) * HEAD_CM * extent.scale
    shifted = np.abs(pose.shift[:count] - pose.shift[count:]).max(1) * extent.eye_px
    return np.asarray(face + turned + shifted, np.float64)
