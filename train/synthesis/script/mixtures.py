"""Which channels of a face move, and how strongly, where nothing is to be learned of which go together.

In `prototypes` units go together as people were coded, and whoever learns from them alone reads a brow's outer end from
its inner one. Here every unit is as likely beside any other, on both sides or on one, at any of FACS's intensities; so
what tells them apart is what they do to a face. All figures are ours.
"""

from __future__ import annotations

import math

import numpy as np

from realtime.records import Floats
from train.synthesis.face.channels import ACTION_UNITS, INDEX, NAMES, OTHERS, SIDES
from train.synthesis.script.prototypes import INTENSITIES, SIDELESS

HOW_MANY = (0.1, 0.35, 0.3, 0.15, 0.1)  #: shares of the mixtures that have no unit, one, two ...
OTHER = 0.3  #: share that has something beside them that is no unit: a blink, a glance, a mouth that speaks
ONE_SIDE = 0.4  #: of the units that have sides
UNEVEN = 0.25  #: standard deviation of the logarithm by which either side of both differs
LEAST, MOST = INTENSITIES["A"][0], INTENSITIES["E"][1]


def mixture(rng: np.random.Generator) -> Floats:
    """Shares of full strength (K,) of the channels `NAMES`."""
    amounts = np.zeros(len(NAMES), np.float32)
    count = int(rng.choice(len(HOW_MANY), p=HOW_MANY))
    for unit in rng.choice(list(ACTION_UNITS), count, replace=False).tolist():
        for side, share in _sides(unit, rng).items():
            amounts[INDEX[f"{unit}{side}"]] = share
    if rng.random() < OTHER or not count:
        amounts[INDEX[str(rng.choice(list(OTHERS)))]] = _share(rng)
    return amounts


def _sides(unit: int, rng: np.random.Generator) -> dict[str, float]:
    """Side -> share, of those that move; even over the logarithm, as weak ones are told apart least."""
    share = _share(rng)
    if unit in SIDELESS:
        return dict.fromkeys(SIDES, share)
    if rng.random() < ONE_SIDE:
        return {SIDES[int(rng.integers(2))]: share}
    return {side: min(share * float(np.exp(UNEVEN * rng.standard_normal())), 1.0) for side in SIDES}


def _share(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(math.log(LEAST), math.log(MOST))))
