"""The search itself, in rounds.

Each round searches over the motion that the whole detector measured with the best setting so far, then lets the whole
detector judge what was found; a setting is only kept if that says so too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from realtime.config import Config
from train.config import TuneConfig
from train.tuning import search
from train.tuning.recordings import Recording
from train.tuning.search import Setting, applied
from train.tuning.streams import Whole, again, all_streams, whole
from train.tuning.worth import figures, half_strength, hits, mean_worth, sides

log = logging.getLogger(__name__)


def searched(
    config: TuneConfig, recordings: Sequence[Recording], start: Setting, stages: Config
) -> tuple[Setting, list[float]]:
    """The best settings over `stages`, from `start` on, and the best worth after each trial, round after round."""
    rng = np.random.default_rng(config.seed)
    there = sides(recordings)
    best, found = start, [whole(each, applied(start, stages)) for each in recordings]
    most = _worth(config, recordings, found)
    curve: list[float] = []
    for number in range(config.rounds):
        streams = all_streams(found)

        def worth(setting: Setting) -> float:
            apex = applied(setting, stages).apex
            said = [(stream.rate_hz, again(stream, apex)) for stream in streams]  # noqa: B023
            own = [[one for rate, each in said if rate == side.rate_hz for one in each] for side in there]
            return mean_worth([figures(side, each, config.prices) for side, each in zip(there, own, strict=True)])

        fast = [each for each in config.keys if each.key.startswith("apex.")]
        tried, told = search.climb(best, fast, worth, config.trials, rng)
        curve += told
        tried = _slow(config, recordings, tried, stages, rng)
        checked = [whole(each, applied(tried, stages)) for each in recordings]
        value = _worth(config, recordings, checked)
        log.info(
            "round %d: %.4f by the motion that was kept, %.4f whole; so far %.4f", number + 1, told[-1], value, most
        )
        if value > most:
            best, most, found = tried, value, checked
    return best, curve


def _slow(
    config: TuneConfig, recordings: Sequence[Recording], setting: Setting, stages: Config, rng: np.random.Generator
) -> Setting:
    """Keys of [motion] change the motion itself, so each trial takes the whole detector: there are few."""
    slow = [each for each in config.keys if each.key.startswith("motion.")]
    if not slow:
        return setting

    def worth(tried: Setting) -> float:
        return _worth(config, recordings, [whole(each, applied(tried, stages)) for each in recordings])

    return search.climb(setting, slow, worth, config.whole_trials, rng)[0]


def _worth(config: TuneConfig, recordings: Sequence[Recording], found: Sequence[Whole]) -> float:
    parts = []
    for side in sides(recordings):
        pairs = zip(recordings, found, strict=True)
        said = [one for recording, each in pairs if recording.rate_hz == side.rate_hz for one in each.said]
        parts.append(figures(side, said, config.prices))
    return mean_worth(parts)


def calibrated(recordings: Sequence[Recording], stages: Config) -> float:
    """The half strength that fits what the whole detector says of `recordings`."""
    strengths: list[float] = []
    right: list[bool] = []
    for side in sides(recordings):
        own = [each for each in recordings if each.rate_hz == side.rate_hz]
        told = hits(side, [one for each in own for one in whole(each, stages).said])
        strengths, right = strengths + told[0], right + told[1]
    return half_strength(strengths, right, stages.recognise.half_strength)
