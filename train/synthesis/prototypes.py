"""Which action units go together, and what class a combination shows.

Classes are those of the MEGC composite (See et al. 2019): negative, positive, surprise. A combination belongs to one
by the objective classes of Davison, Merghani and Yap 2018 ("Objective Classes for Micro-Facial Expression
Recognition", table 1: I happiness, II surprise, III anger, IV disgust, V sadness, VI fear, VII other), of which 1, 6,
5+24, 25+26, 4+5+7+9 and those with 38 or 40 are left out. What their table lacks and stands here follows codings that
MEGC counts so: 4+10 is disgust in CASME II (all 10 clips), 7 alone anger in SAMM (29), 17 alone repression in CASME II
(12 of 15), 14 contempt in SAMM (6; of one side, as EMFACS has it), 12+25 happiness in SAMM and 2+5 surprise in CASME II
(a clip each). 1+2+5 is ours, after EMFACS. Everything else is none: movements of a face that no class fits.

How often each is drawn follows, roughly, how often it was coded in CASME II and SAMM (Yan et al. 2014, Davison et
al. 2018): brows lowered lead (148 of their 414 clips), then lids tightened (84), and corners pulled up (69).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from realtime.labels import MEGC3
from train.datasets.action_units import ActionUnit

NONE = "none"
Units = tuple[int, ...]

#: Combination -> how often it is drawn among its class.
PROTOTYPES: dict[str, dict[Units, float]] = {
    "negative": {
        **{(4,): 30, (4, 7): 16, (4, 5): 3, (4, 5, 7): 1, (4, 6, 7): 2, (23,): 2, (17, 24): 2, (7,): 12},  # III
        **{(9,): 4, (10,): 4, (4, 9): 4, (4, 7, 9): 2, (4, 9, 17): 1, (4, 10): 4, (4, 7, 10): 3, (7, 10): 1},  # IV
        **{(15,): 5, (15, 17): 4, (1, 4): 3, (6, 15): 1, (17,): 6},  # V, and repression
        **{(20,): 4, (1, 2, 4): 2},  # VI
        **{(14,): 6},  # contempt: on one side
    },
    "positive": {(12,): 26, (6, 12): 12, (7, 12): 4, (6, 7, 12): 3, (12, 25): 2},
    "surprise": {(1, 2): 18, (1, 2, 5): 10, (5,): 8, (25,): 1, (1, 2, 25): 2, (2, 5): 1},
    NONE: {(24,): 8, (14,): 6, (2,): 4, (14, 24): 2, (12, 15): 3, (12, 17): 2, (12, 24): 2, (4, 12): 2, (1, 12): 1},
}
#: Combinations that have a class only on one side of the face.
ONE_SIDED: frozenset[tuple[str, Units]] = frozenset({("negative", (14,))})
BOTH_SIDES: frozenset[tuple[str, Units]] = frozenset({(NONE, (14,))})
#: Of the others that have sides. In CASME II's and SAMM's codings 22 % name a side, 15 % name one side for every unit.
ASYMMETRIC = 0.3
SIDELESS = frozenset({17, 23, 24, 25, 26})  # the middle of the mouth moves as one
#: Shares of full strength of FACS's intensities. FACS defines A to E in words ("trace" to "maximum"), at unequal
#: steps of which C and D are the widest; the shares are ours.
INTENSITIES: dict[str, tuple[float, float]] = {
    "A": (0.07, 0.14),
    "B": (0.14, 0.25),
    "C": (0.25, 0.42),
    "D": (0.42, 0.75),
    "E": (0.75, 0.95),
}


@dataclass(frozen=True, slots=True)
class Played:
    """One unit of an expression, on one side or both, with its share of full strength."""

    unit: ActionUnit
    share: float


def class_of(units: Iterable[ActionUnit]) -> str:
    """The class that a coding shows by the table above; `NONE` for what stands in none."""
    found = tuple(units)
    numbers = tuple(sorted({unit.number for unit in found}))
    one_sided = bool(found) and all(unit.side in ("L", "R") for unit in found) and len({u.side for u in found}) == 1
    for label in MEGC3:
        if numbers in PROTOTYPES[label]:
            return label if one_sided or (label, numbers) not in ONE_SIDED else NONE
    return NONE


def expression(label: str, intensities: tuple[str, ...], rng: np.random.Generator) -> tuple[Played, ...]:
    """A combination of class `label`, at one of `intensities`, which its units share but for a little."""
    combinations = list(PROTOTYPES[label])
    often = np.array([PROTOTYPES[label][units] for units in combinations], np.float64)
    units = combinations[int(rng.choice(len(combinations), p=often / often.sum()))]
    strength = intensities[int(rng.integers(len(intensities)))]
    share = float(rng.uniform(*INTENSITIES[strength]))
    one = (label, units) in ONE_SIDED or ((label, units) not in BOTH_SIDES and rng.random() < ASYMMETRIC)
    side = ("L", "R")[int(rng.integers(2))] if one and not SIDELESS & set(units) else ""
    return tuple(
        Played(ActionUnit(unit, side, strength, True), share * float(rng.uniform(0.85, 1.15))) for unit in units
    )
