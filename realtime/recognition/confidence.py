"""How sure an answer is told to be: what engines and detector say, and how often that was right on real people.

Platt (1999), "Probabilistic outputs for support vector machines", in the form of Kull et al. 2017 for probabilities.
"""

from __future__ import annotations

import math

LEAST = 1e-6

Line = tuple[float, float]  #: where it begins, how steep it is


def calibrated(said: float, line: Line) -> float:
    """The probability whose logit is begin + slope * logit of `said`, 0..1; (0, 1) changes nothing but rounding."""
    begin, slope = line
    return logistic(begin + slope * logit(said))


def logit(share: float) -> float:
    """Finite, however sure it is."""
    kept = min(max(share, LEAST), 1.0 - LEAST)
    return math.log(kept / (1.0 - kept))


def logistic(x: float) -> float:
    """Of any number."""
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else 1.0 - logistic(-x)
