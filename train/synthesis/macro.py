"""Macro-expressions of the same people: strong, 0.5 to 4 s long, one in each clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.labels import MEGC3
from train.datasets.annotation.sample import Sample
from train.synthesis.camera import draw
from train.synthesis.script.scene import macro_scene
from train.synthesis.synthetic import Synthetic, Take

VERSION = 1  # of the clips
APART = 2_000_000  # from which number on takes are macro-expressions: their draws are others than micro-expressions'


class SyntheticMacro(Synthetic):
    """Implements `sample.Dataset`: `people` x `per_person` clips, classes in turn; each is as long as it takes."""

    name = "synthetic-macro"

    @property
    def labels(self) -> tuple[str, ...]:
        """Never "none"."""
        return MEGC3

    def made_of(self, sample: Sample) -> Sequence[object]:
        return (*super().made_of(sample), "macro", VERSION)

    def _take(self, person: int, take: int) -> Take:
        seed = (self._clips.seed, person, APART + take)
        rng, name = np.random.default_rng(seed), self.people[person]
        scene = macro_scene(self._clips, self._label(person, take), rng)
        return Take(name, seed, scene, draw(self._clips.film, rng, grey=self._portraits.grey(name)))

    def _label(self, person: int, take: int) -> str:
        """The classes in turn."""
        return MEGC3[(person * self._clips.per_person + take) % len(MEGC3)]

    def _sample(self, person: int, take: int) -> Sample:
        scene = self._take(person, take).scene
        shown = next(each for each in scene.happenings if each.role == "macro")
        id, subject = f"{person:05d}-{take}", self.people[person]
        return Sample(id, subject, shown.label, shown.onset, shown.apex, shown.offset, "", "macro", shown.units)
