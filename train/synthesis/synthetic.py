"""Micro-expressions of people who never made them: real faces and rendered heads, moved by action units.

Every clip is made anew from its id and the seed, so nothing is stored. Two products: `Synthetic` gives short clips
with one event or none, to train recognisers; its `video` gives long ones with many events and all distractors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from realtime.labels import MEGC3
from realtime.records import Floats, Frame
from train.config.clips import Clips
from train.datasets.annotation.sample import Sample
from train.datasets.folds import hold_out
from train.synthesis.actor import Actor, film, flow
from train.synthesis.camera import SyntheticCamera, draw
from train.synthesis.face import facekit
from train.synthesis.face.fields import fields
from train.synthesis.face.render import Rendered
from train.synthesis.face.warp import Warp
from train.synthesis.portraits import RENDERED_PREFIX, Portraits, framed
from train.synthesis.script.happening import Happening
from train.synthesis.script.prototypes import NONE
from train.synthesis.script.scene import Scene, clip_scene, video_scene

TERMS = "The pictures that were moved are not part of this package; FER-2013's have no clear licence."
Side = Literal["training", "calibration", "held-out"]
VIDEO = 1_000_000  # takes from this number on are videos


@dataclass(frozen=True, slots=True)
class Take:
    """What is filmed in one clip or video, before it is."""

    person: str
    seed: tuple[int, ...]
    scene: Scene
    camera: SyntheticCamera


class Synthetic:
    """Implements `sample.Dataset`: `people` x `per_person` clips, their classes in turn."""

    name = "synthetic"

    def __init__(self, clips: Clips, people: tuple[str, ...] | None = None) -> None:
        """`people` are their names, where they were found before."""
        self._clips = clips
        self._head = facekit.load(clips.head)
        self._portraits = Portraits(clips, people)
        self._actor: tuple[str, Actor] | None = None

    def __reduce__(self) -> tuple[type[Synthetic], tuple[Clips, tuple[str, ...]]]:
        return type(self), (self._clips, self.people)  # the models and FER+ are opened where they are wanted

    @property
    def labels(self) -> tuple[str, ...]:
        """With "none" where some clips show none."""
        return (*MEGC3, NONE) if self._clips.none else MEGC3

    @property
    def people(self) -> tuple[str, ...]:
        """Names, which are the samples' subjects."""
        return self._portraits.people

    @property
    def held_out(self) -> frozenset[str]:
        """People that only evaluations may see, in clips and in videos alike."""
        return hold_out(self.people, self._clips.held_out, self._clips.seed)

    @property
    def calibration(self) -> frozenset[str]:
        """People that engines are calibrated on, and settings chosen: none of them trains, none is held out."""
        if not self._clips.calibration:
            return frozenset()
        others = [person for person in self.people if person not in self.held_out]
        return hold_out(others, self._clips.calibration, self._clips.seed)

    def side(self, name: Side) -> list[str]:
        """Its people, in the order of all."""
        parts = {"held-out": self.held_out, "calibration": self.calibration}
        others = frozenset(self.people) - self.held_out - self.calibration
        return [person for person in self.people if person in parts.get(name, others)]

    def samples(self) -> list[Sample]:
        return [sample for person in self.people for sample in self.samples_of(person)]

    def samples_of(self, person: str) -> list[Sample]:
        """The clips of one of `people`."""
        return [self.sample(person, take) for take in range(self._clips.per_person)]

    def sample(self, person: str, take: int) -> Sample:
        """The clip `take` of one of `people`, of which there are more than are listed."""
        return self._sample(self.people.index(person), take)

    def frames(self, sample: Sample) -> list[Frame]:
        return list(self.film(self.take(sample)))

    def made_of(self, sample: Sample) -> Sequence[object]:
        head = Path(self._clips.head).stat().st_size
        return ("generator", 3, self._clips, sample.id, *self._portraits.made_of(sample.subject), head)

    def take(self, sample: Sample) -> Take:
        """Everything that happens in a clip, distractors too."""
        return self._take(*_numbers(sample.id))

    def video(self, person: str, number: int, seconds: float, micro_per_minute: float) -> Take:
        """A long film of one of `people`, with micro-expressions at this rate and all distractors at theirs."""
        seed = (self._clips.seed, self.people.index(person), VIDEO + number)
        rng = np.random.default_rng(seed)
        camera = draw(self._clips.film, rng, grey=self._portraits.grey(person))
        return Take(person, seed, video_scene(self._clips, seconds, micro_per_minute, rng), camera)

    def film(self, take: Take) -> Iterator[Frame]:
        """The frames of a clip or video, one after another."""
        yield from film(self.actor(take), take.scene, take.camera, np.random.default_rng((*take.seed, 1)))

    def flow(self, take: Take, start: float, end: float) -> Floats:
        """The exact displacement (S, S, 2) px from `start` to `end`, seconds, of what each pixel shows at `start`."""
        return flow(self.actor(take), take.scene, start, end)

    def actor(self, take: Take) -> Actor:
        """The last one is kept: the clips of a person come one after another, and a new face takes some time."""
        if self._actor is None or self._actor[0] != take.person:
            self._actor = (take.person, self._new_actor(take))
        return self._actor[1]

    def _new_actor(self, take: Take) -> Actor:
        clips, rng = self._clips, np.random.default_rng((*take.seed[:2], 0))
        if take.person.startswith(RENDERED_PREFIX):
            return Rendered(self._head, clips.framing, clips.size_px, rng)
        face = framed(self._portraits.portrait(take.person), clips.framing, clips.size_px, rng)
        picture = np.ascontiguousarray(face.image[..., 0]) if self._portraits.grey(take.person) else face.image
        return Warp(picture, fields(self._head, face.image, face.landmarks, teeth=float(rng.uniform())))

    def _take(self, person: int, take: int) -> Take:
        seed = (self._clips.seed, person, take)
        rng, name = np.random.default_rng(seed), self.people[person]
        scene = clip_scene(self._clips, self._label(person, take), rng)
        return Take(name, seed, scene, draw(self._clips.film, rng, grey=self._portraits.grey(name)))

    def _label(self, person: int, take: int) -> str | None:
        """The classes in turn; of those with none, half show a movement of no class and half no event at all."""
        number = person * self._clips.per_person + take
        before, after = (int(self._clips.none * count + 1e-9) for count in (number, number + 1))
        if after > before:
            return NONE if after % 2 else None
        return MEGC3[(number - after) % len(MEGC3)]

    def _sample(self, person: int, take: int) -> Sample:
        scene = self._take(person, take).scene
        id, subject = f"{person:05d}-{take}", self.people[person]
        event = _event(scene)
        if event is None:
            middle = 0.5 * scene.seconds
            return Sample(id, subject, NONE, 0.5 * middle, middle, 1.5 * middle)
        moments = (event.onset, event.apex, event.offset)
        if event.role != "micro":
            return Sample(id, subject, NONE, *_inside(moments, scene.seconds), raw_label=event.role)
        return Sample(id, subject, event.label, *moments, "", "micro", event.units)


def _event(scene: Scene) -> Happening | None:
    """The micro-expression, or whatever happens first."""
    micro = [happening for happening in scene.happenings if happening.role == "micro"]
    return next(iter([*micro, *scene.happenings]), None)


def _inside(moments: tuple[float, float, float], seconds: float) -> tuple[float, float, float]:
    """Moments of what may go on after the film's end."""
    onset, apex, offset = (min(moment, seconds) for moment in moments)
    return min(onset, 0.8 * seconds), min(max(apex, onset), 0.9 * seconds), offset


def _numbers(sample_id: str) -> tuple[int, int]:
    person, take = sample_id.split("-")
    return int(person), int(take)
