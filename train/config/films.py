"""Long films: of how many people, how long, and what happens in them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from realtime.config import Count, NotNegative
from train.config.clips import Clips
from train.config.marked import MarkedSettings
from train.config.recipe import SourceSettings


class FilmSettings(SourceSettings, frozen=True, tag="films"):
    """Films of people who make micro-expressions and much else."""

    films: Count  #: people to train on, a film each
    test_films: Count  #: people who are held out, a film each
    seconds: Annotated[float, msgspec.Meta(ge=10)]  #: of each film
    micro_per_minute: NotNegative  #: micro-expressions in films
    marked: MarkedSettings
    clips: Clips  #: who is filmed, by which cameras, and what else happens
