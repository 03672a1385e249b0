"""`python -m train tune`: record, spot, search on the training side, measure both sides, write the settings.

Nothing is chosen on the held-out side: what was found is measured there once. Nobody of the training side should be
among those whom the spotter was trained on, for of them it is surer than of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from realtime import config as realtime_config
from realtime.config import Config
from realtime.errors import ConfigError, DataError
from realtime.recognition import heads
from train.chain import scripted
from train.chain.reliability import reliability
from train.chain.truth import Video, people
from train.tuning import search
from train.tuning.config import TuneConfig
from train.tuning.recordings import record
from train.tuning.report import Tuned, TuningRow, write
from train.tuning.search import Setting, applied
from train.tuning.streams import FaceStream, Said, said, streams, together
from train.tuning.worth import Side, figures, half_strength, hits, mean_worth, sides

SECTION = "spotter"
HALF = "recognise.half_strength"
BEFORE, AFTER = "before", "tuned"
Spotted = tuple[list[Side], list[FaceStream]]


def tune(config: TuneConfig, workers: int | None = None) -> Tuned:
    """Everything; files are in runs/<name>, where `python -m realtime run --config` finds its settings."""
    stages = realtime_config.load()
    start = {each.key: _start(each.key, stages) for each in config.keys}
    learn, held = _videos(config.data), _videos(config.held_out)
    both = people(learn) & people(held)
    if both:
        raise DataError("people on both sides; a setting that was chosen on them says nothing of them", sorted(both))
    training, testing = (_spotted(config, side, stages, workers) for side in (learn, held))
    before = {**start, HALF: stages.recognise.half_strength}
    best, curve = _searched(config, training, start, stages)
    found: dict[str, Setting] = {BEFORE: before, AFTER: {**best, HALF: _calibrated(training, applied(best, stages))}}
    rows = [
        row
        for name, side in (("training", training), ("held out", testing))
        for setting, values in found.items()
        for row in _measured(config, name, setting, side, applied(values, stages))
    ]
    result = Tuned(found, tuple(rows), curve)
    write(config, result)
    return result


def _spotted(config: TuneConfig, videos: Sequence[Video], stages: Config, workers: int | None) -> Spotted:
    recordings = record(videos, config.rates_hz, stages, Path(config.cache), workers)
    return sides(recordings), streams(recordings, heads.spotter(stages))


def _searched(config: TuneConfig, spotted: Spotted, start: Setting, stages: Config) -> tuple[Setting, list[float]]:
    def worth(setting: Setting) -> float:
        tried = applied(setting, stages)
        return mean_worth([figures(side, _said(side, spotted, tried), config.prices) for side in spotted[0]])

    return search.climb(start, config.keys, worth, config.trials, np.random.default_rng(config.seed))


def _said(side: Side, spotted: Spotted, stages: Config) -> Said:
    return together(said(stream, stages.spotter) for stream in spotted[1] if stream.rate_hz == side.rate_hz)


def _calibrated(spotted: Spotted, stages: Config) -> float:
    """The half strength that fits what is said."""
    told = [hits(side, _said(side, spotted, stages).detections) for side in spotted[0]]
    strengths, right = ([one for each in told for one in each[column]] for column in (0, 1))
    return half_strength(strengths, [bool(each) for each in right], stages.recognise.half_strength)


def _videos(folders: Sequence[str]) -> list[Video]:
    found = [video for folder in folders for video in scripted.read(Path(folder).expanduser())]
    twice = sorted({video.id for video in found if [each.id for each in found].count(video.id) > 1})
    if twice:
        raise DataError("videos of one name; give each another, so that their events are not mixed up", twice)
    return found


def _start(key: str, stages: Config) -> float:
    if key.partition(".")[0] != SECTION:
        raise ConfigError(f"{key} cannot be searched: only keys of {SECTION} act on what the spotter says")
    try:
        return search.value_of(key, stages)
    except AttributeError:
        raise ConfigError(f"{key} is no key of configs/realtime.toml; wanted one such as spotter.micro") from None


def _measured(config: TuneConfig, name: str, setting: str, spotted: Spotted, stages: Config) -> list[TuningRow]:
    rows = []
    for side in spotted[0]:
        told = _said(side, spotted, stages)
        strengths, right = hits(side, told.detections)
        meant = reliability([s / (s + stages.recognise.half_strength) for s in strengths], right)
        error = meant.expected_error if meant else None
        rows.append(TuningRow(name, setting, side.rate_hz, figures(side, told, config.prices), error))
    return rows
