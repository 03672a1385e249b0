"""Still faces: which file holds them, and how they are cut."""

from __future__ import annotations

from realtime.config import Count
from train.config.recipe import SourceSettings


class StillsSettings(SourceSettings, frozen=True, tag="ferplus"):
    """FER+, in the splits of its authors."""

    ferplus: str  #: path of ferplus.npz
    crop_px: Count  #: of the crops that serving makes, as which faces are cut
