"""Micro-expressions of people who never made them: neutral portraits moved by scripted action units.

First form: FER+ pictures with a neutral majority (a picture is a subject: FER-2013 names nobody), hand-drawn
action units, sway, noise and blinks. Every clip is made anew from its id and the seed, so nothing is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from realtime import config
from realtime.errors import DataError
from realtime.labels import FERPLUS, MEGC3
from realtime.records import Floats, Frame, Image
from realtime.track import MediaPipe
from train.config import Clips
from train.datasets import ferplus
from train.datasets.action_units import ActionUnit
from train.datasets.sample import Sample
from train.synthesis.film import Camera, film
from train.synthesis.puppet import Puppet
from train.synthesis.script import Movement, Script, blink, micro, sway

NEUTRAL_SHARE = 0.85  # of the votes: fewer and the face shows something already
LEAD_S = (0.25, 0.40)  # the face at rest before the onset
SIDE_PX, MARGIN_PX = 176, 56  # the enlarged picture and what is put around it, so that the detector finds the face
BLINK_SHARE = 0.25  # of the clips hold a blink as well


class Synthetic:
    """Implements `sample.Dataset`: `people` x `per_person` clips of three classes in turn."""

    name = "synthetic"
    labels: tuple[str, ...] = MEGC3

    def __init__(self, clips: Clips, people: Sequence[int] | None = None) -> None:
        """`people` are rows of FER+, where they were drawn before."""
        self._clips = clips
        self._seed = clips.seed
        self._faces = ferplus.load(Path(clips.ferplus), "train")
        self._landmarker = MediaPipe(config.load().track)  # as it serves: for stills it finds more faces
        self._people = people or self._find_people()
        self._puppet: tuple[int, Puppet] | None = None

    def __reduce__(self) -> tuple[type[Synthetic], tuple[Clips, Sequence[int]]]:
        return Synthetic, (self._clips, self._people)  # the models and FER+ are opened where they are wanted

    def samples(self) -> list[Sample]:
        return [
            self._sample(person, take) for person in range(len(self._people)) for take in range(self._clips.per_person)
        ]

    def frames(self, sample: Sample) -> list[Frame]:
        return list(self._film(sample))

    def made_of(self, sample: Sample) -> Sequence[object]:
        return (self._clips, sample.id)

    def _film(self, sample: Sample) -> Iterator[Frame]:
        person, take = _numbers(sample.id)
        rng = self._rng(person, take)
        movement = self._movement(rng, take)
        movements = (
            (movement, blink(rng.uniform(0.0, self._clips.seconds))) if rng.random() < BLINK_SHARE else (movement,)
        )
        head = sway(rng, degrees=rng.uniform(0.5, 4.0), shift=rng.uniform(0.01, 0.08))
        script = Script(self._clips.seconds, movements, head)
        camera = Camera(self._clips.rate_hz, noise=rng.uniform(0.5, 4.0), flicker=rng.uniform(0.0, 0.006))
        yield from film(self._puppet_of(person), script, camera, rng)

    def _sample(self, person: int, take: int) -> Sample:
        movement = self._movement(self._rng(person, take), take)
        subject = f"ferplus-{self._people[person]}"
        moments = (movement.onset, movement.apex, movement.offset)
        units = tuple(ActionUnit(number, "", "", True) for number in movement.units)
        return Sample(f"{person:05d}-{take}", subject, movement.label, *moments, kind="micro", action_units=units)

    def _movement(self, rng: np.random.Generator, take: int) -> Movement:
        return micro(self.labels[take % len(self.labels)], rng.uniform(*LEAD_S), rng, strength=(0.25, 0.7))

    def _rng(self, person: int, take: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, person, take])

    def _puppet_of(self, person: int) -> Puppet:
        """The last one is kept: the clips of a person come one after another, and the spline takes half a second."""
        if self._puppet is None or self._puppet[0] != person:
            image = portrait(self._faces.image(self._people[person]))
            self._puppet = (person, Puppet(image, self._find(image)[0]))
        return self._puppet[1]

    def _find_people(self) -> list[int]:
        """Rows of FER+, drawn at random, that are neutral and in which a face is found."""
        neutral = np.flatnonzero(self._faces.targets[:, FERPLUS.index("neutral")] >= NEUTRAL_SHARE)
        order = np.random.default_rng(self._seed).permutation(neutral)
        found: list[int] = []
        for row in map(int, order):
            if self._find(portrait(self._faces.image(row))):
                found.append(row)
            if len(found) == self._clips.people:
                return found
        raise DataError(
            f"only {len(found)} neutral faces in {self._clips.ferplus}; [clips] people asks for {self._clips.people}"
        )

    def _find(self, image: Image) -> list[Floats]:
        self._landmarker.restart()  # nothing is known from the picture before
        return self._landmarker.find(image, 1)


def portrait(face: Image) -> Image:
    """A 48x48 face enlarged, with its border repeated around it: uint8 (288, 288, 3)."""
    large = cv2.resize(face, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    padded = cv2.copyMakeBorder(large, MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def _numbers(sample_id: str) -> tuple[int, int]:
    person, take = sample_id.split("-")
    return int(person), int(take)
