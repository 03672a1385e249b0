"""What says how likely an expression is under way: all that the decision knows of networks, windows and clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from realtime.records import Crop

PAUSE_S = 0.5  # after a longer gap between frames nothing is known of what came before


@dataclass(frozen=True, slots=True)
class Spot:
    """What is said of one moment; three probabilities, each on its own."""

    t: float  #: seconds; earlier than the frame that made it known
    expression: float  #: that one is under way, of any length
    micro: float  #: that it will be over as soon as a micro-expression is: a guess, for early answers
    apex: float  #: that this is its apex


class Scorer(Protocol):
    """The crops of one face -> spots, of rising times; causal.

    No spot is of a moment before the first crop, which is also the next one after `restart`, or a gap over `PAUSE_S`.
    """

    delay_s: float  #: the spot of a moment is told with the first crop that comes so long after it, or later

    def push(self, crop: Crop) -> list[Spot]:
        """The spots that become known with this crop."""

    def restart(self) -> None:
        """Forget the past."""
