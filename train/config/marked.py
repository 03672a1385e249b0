"""Real clips beside those that nobody recorded."""

from __future__ import annotations

from realtime.config import Positive, Section
from train.config.sections import Part


class MarkedSettings(Section, frozen=True):
    """Real clips whose expressions are marked: see `train.clips.marked`. None is of people for testing."""

    clips: str  #: the folder that they lie in; "" is none
    without: tuple[str, ...]  #: people who are not shown, so that they can be asked about what was learned of others
    speeds: tuple[Positive, ...]  #: each expression is played so many times as fast,
    strengths: tuple[Part, ...]  #: at such a share of its strength
