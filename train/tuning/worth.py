"""What detections are worth in one number, and the figures behind it.

    worth = F1 micro + macro * F1 macro - false * (false micro alarms a minute) - delay * (apex delay p95, seconds)
            - taken_back * (early micro answers a minute that were not kept)

for each frame rate, and the mean of them. The prices are the configuration's. Where no micro-expression was found
nothing was told late, but F1 is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.chain.truth import Video
from train.spotting.detection_scores import IOU, DetectionScores, score
from train.spotting.movements import Detection, match
from train.tuning.config import Prices
from train.tuning.recordings import FaceRecording
from train.tuning.streams import Said

GRID = np.geomspace(0.1, 1e4, 240)


@dataclass(frozen=True, slots=True)
class RateWorth:
    """Of one frame rate."""

    worth: float
    micro: DetectionScores
    macro: DetectionScores
    taken_back_per_minute: float  #: micro-expressions that were told at their apex, and not at their end


@dataclass(frozen=True, slots=True)
class Side:
    """What there is to be found, at one frame rate: videos and their lengths."""

    rate_hz: float
    videos: tuple[Video, ...]
    seconds: dict[str, float]


def sides(recordings: Sequence[FaceRecording]) -> list[Side]:
    """Rate by rate."""
    rates = dict.fromkeys(recording.rate_hz for recording in recordings)
    by_rate = {rate: [each for each in recordings if each.rate_hz == rate] for rate in rates}
    return [
        Side(rate, tuple(each.video for each in own), {each.video.id: each.seconds for each in own})
        for rate, own in by_rate.items()
    ]


def figures(side: Side, said: Said, prices: Prices) -> RateWorth:
    """Of all that was said of the videos at one rate."""
    truth = [true for video in side.videos for true in video.expressions]
    found = score(truth, said.detections, side.seconds)
    micro, macro = found["micro"], found["macro"]
    late = micro.after_apex.p95_s if micro.after_apex else 0.0
    back = 60.0 * said.taken_back / sum(side.seconds.values())
    worth = micro.f1 + prices.macro * macro.f1 - prices.false * micro.false_per_minute - prices.delay * late
    return RateWorth(worth - prices.taken_back * back, micro, macro, back)


def mean_worth(found: Sequence[RateWorth]) -> float:
    """Over the rates."""
    return float(np.mean([each.worth for each in found]))


def hits(side: Side, said: Sequence[Detection]) -> tuple[list[float], list[bool]]:
    """The strength of every detection, and whether something is there."""
    truth = [true for video in side.videos for true in video.expressions]
    right = {id(found) for _, found in match(truth, said, IOU)}
    return [found.confidence for found in said], [id(found) in right for found in said]


def half_strength(strengths: Sequence[float], right: Sequence[bool], otherwise: float) -> float:
    """The h with the least log loss of strength / (strength + h), as in [recognise]; `otherwise` if there is none."""
    if len(strengths) == 0:
        return otherwise
    s, hit = np.asarray(strengths)[:, None], np.asarray(right, np.float64)[:, None]
    p = s / (s + GRID)
    losses = -(hit * np.log(p) + (1 - hit) * np.log(1 - p)).mean(0)
    return round(float(GRID[losses.argmin()]), 2)
