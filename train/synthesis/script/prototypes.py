"""Which action units go together, and what class a combination shows.

Classes are those of the MEGC composite (See et al. 2019): negative, positive, surprise. A combination belongs to the
one that most of its codings have in five coding tables, emotions brought to classes as MEGC does and "others" left
out: CASME II (Yan et al. 2014), SAMM (Davison et al. 2018), MMEW (Ben et al. 2021), CAS(ME)^3 (Li et al. 2022) and
DFME (Zhao et al. 2023). Where they are of two minds (1 alone is negative 22 times and surprise 19 times, 12+15 three
times and twice) it stands under none, with a few blends that they hardly have. 5+7 with 4, 9+17, 6+15, 12+25 and
1+2+5+25 and their like are single codings. Most follow the objective classes of Davison, Merghani and Yap 2018 (table
1: I happiness, II surprise, III anger, IV disgust, V sadness, VI fear); 14 and 24, which have no such class, are
negative 91 of 99 and 38 of 41 times.

How often each is drawn follows, roughly, how often it was coded, CAS(ME)^3 aside, in which half of all negative
codings are 4 alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.datasets.annotation.action_units import ActionUnit

NONE = "none"
Units = tuple[int, ...]

#: Combination -> how often it is drawn among its class.
PROTOTYPES: dict[str, dict[Units, float]] = {
    "negative": {
        **{(4,): 30, (4, 7): 18, (7,): 12, (4, 5): 4, (4, 5, 7): 1, (4, 6, 7): 2},
        **{(23,): 2, (24,): 5, (17, 24): 2, (14, 24): 3},
        **{(9,): 4, (10,): 5, (4, 9): 4, (4, 7, 9): 2, (4, 9, 17): 1, (4, 9, 14): 1},
        **{(4, 10): 4, (4, 7, 10): 3, (7, 10): 1},
        **{(15,): 5, (15, 17): 4, (1, 4): 3, (6, 15): 1, (17,): 6, (4, 17): 1, (14, 17): 1},
        **{(20,): 4, (1, 2, 4): 2, (14,): 10},
    },
    "positive": {(12,): 26, (6, 12): 12, (7, 12): 4, (6, 7, 12): 3, (12, 25): 2, (12, 24): 2},
    "surprise": {
        **{(1, 2): 18, (1, 2, 5): 12, (5,): 8, (2,): 3, (2, 5): 1, (1, 5): 1},
        **{(1, 2, 25): 2, (1, 2, 26): 1, (25,): 1, (26,): 2, (5, 26): 1, (25, 26): 1},
    },
    NONE: {(1,): 4, (12, 15): 3, (12, 17): 2, (4, 12): 2, (1, 12): 1},
}
#: Of those that have sides. In CASME II's and SAMM's codings 22 % name a side, 15 % name one side for every unit.
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
class PlayedUnit:
    """One unit of an expression, on one side or both, with its share of full strength."""

    unit: ActionUnit
    share: float


def expression(label: str, intensities: tuple[str, ...], rng: np.random.Generator) -> tuple[PlayedUnit, ...]:
    """A combination of class `label`, at one of `intensities`, which its units share but for a little."""
    combinations = list(PROTOTYPES[label])
    often = np.array([PROTOTYPES[label][units] for units in combinations], np.float64)
    units = combinations[int(rng.choice(len(combinations), p=often / often.sum()))]
    strength = intensities[int(rng.integers(len(intensities)))]
    share = float(rng.uniform(*INTENSITIES[strength]))
    one = rng.random() < ASYMMETRIC and not SIDELESS & set(units)
    side = ("L", "R")[int(rng.integers(2))] if one else ""
    return tuple(
        PlayedUnit(ActionUnit(unit, side, strength, True), share * float(rng.uniform(0.85, 1.15))) for unit in units
    )
