"""What networks must not be trusted in: words that no manifest can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from realtime.engine.package.manifest import Manifest
from realtime.labels import NONE


@dataclass(frozen=True, slots=True)
class MethodCard:
    """What a method is, and what holds for every network that it trains."""

    what: str
    limits: tuple[str, ...]  #: what such a network must not be trusted in
    real: bool = False  #: whether it learns from marked clips of real people as well, where the recipe names any


SYNTHETIC = (
    "It was trained and scored on synthetic clips alone: faces moved by scripted action units, seen through simulated "
    "cameras. It was never shown a face that moved by itself, and its scores do not say how well it does on one."
)
REAL = (
    "It was scored on synthetic clips alone: faces moved by scripted action units, seen through simulated cameras. "
    "Beside them it learned from motion fields of a few real people; its scores do not say how well it does on others."
)
RECORDED = "It knows the people, cameras and lights of its data. On others it is worse as a rule."
FORCED = "It has no answer for a movement that none of its classes fits: whatever it is given gets one of them."
ALWAYS = (
    "A class says what coders or a crowd would call a face, not what a person feels, means or hides.",
    "Not measured: how its errors differ by age, sex, skin, glasses, beard or illness.",
    "It is not for decisions about people: not for hiring, policing, borders, insurance, schools or treatment, and not "
    "for telling lies from truth.",
)


def limits(manifest: Manifest, card: MethodCard) -> Iterator[str]:
    """Of the method, of the data, of the labels, and of everything that judges faces."""
    yield from card.limits
    recipe = manifest.training.recipe
    shown = REAL if card.real and recipe.get("marked", {}).get("clips") else SYNTHETIC
    yield shown if "clips" in recipe else RECORDED
    if manifest.task not in ("still-expression", "action-units") and not {NONE, "others"} & set(manifest.labels):
        yield FORCED
    yield from ALWAYS
