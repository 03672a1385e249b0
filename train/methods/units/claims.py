"""What may be told of a unit, that it moved and on which side more, and whether that is right, wrong, or neither."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.records import Floats
from realtime.units import TRACE

Rows = npt.NDArray[np.bool_]
#: A unit that moved by less was not there; between this and a trace, to tell it is neither right nor wrong.
NOTHING = TRACE / 2
#: So many times as strong as the other a side has moved more, and so many times at most it has not.
MORE, SAME = 1.5, 1.1


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """Of N examples how clear something is, and whether telling it would be right or wrong."""

    clear: Floats  #: (N,) as a multiple of the noise
    right: Rows
    wrong: Rows


def moved(left: Floats, right: Floats, true_left: Floats, true_right: Floats, noise: Floats, *, sided: bool) -> Claim:
    """That a unit moved, on either side: what is read of both (N,), and what is true."""
    read = np.maximum(left, right) if sided else (left + right) / 2
    true = np.maximum(true_left, true_right)
    return Claim(read / noise, true >= TRACE, true < NOTHING)


def more(one: Floats, other: Floats, true_one: Floats, true_other: Floats, noise: Floats) -> Claim:
    """That one side moved more than the other, of a unit that moved."""
    right = true_one >= MORE * np.maximum(true_other, 0.0)
    return Claim((one - other) / noise, right, true_one <= SAME * true_other)


def together(one: Claim, other: Claim) -> Claim:
    """Both sides of a unit, which have one threshold."""
    return Claim(*(np.concatenate([getattr(each, name) for each in (one, other)]) for name in Claim.__slots__))
