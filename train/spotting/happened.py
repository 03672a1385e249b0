"""What happens in a film beside what is said of it: what a false alarm lies on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from train.config.clips import Distractors
from train.spotting.movements import Movement
from train.synthesis.script.scene import Scene

MUCH = {"flicker": 0.5, "sway": 0.55}  # of the most there is: half of the films have more, see `scene.composed`


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that a face, a head or a lamp did, an expression too; seconds on its film's clock."""

    name: str  #: micro, macro, blink, gaze ...
    onset_s: float
    offset_s: float


def happened(scene: Scene, most: Distractors) -> tuple[Happened, ...]:
    """All that happens in a film of which `most` has the bounds.

    A lamp flickers and a head sways in every film, from its beginning to its end: those of the upper half have it.
    """
    found = [Happened(each.role, each.onset, each.offset) for each in scene.happenings]
    if scene.lamp.size > MUCH["flicker"] * most.flicker:
        found.append(Happened("flicker", 0.0, scene.seconds))
    if scene.sway and sum(scene.sway["yaw"].sizes) > MUCH["sway"] * most.sway_deg:
        found.append(Happened("sway", 0.0, scene.seconds))
    return tuple(found)


def under(found: Movement, everything: Iterable[Happened]) -> dict[str, float]:
    """Seconds that `found` shares with what happened meanwhile, by name, the longest of each; the rest is left out."""
    shared: dict[str, float] = {}
    for each in everything:
        seconds = min(found.offset_s, each.offset_s) - max(found.onset_s, each.onset_s)
        if seconds > 0.0:
            shared[each.name] = max(seconds, shared.get(each.name, 0.0))
    return shared
