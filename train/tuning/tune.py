"""`python -m train tune`: record, search on the training side, measure both sides, write the settings.

Nothing is chosen on the held-out side: each setting that was found is measured there once. The learned gate is trained
on the training side's motion and its settings searched there too, where it knows the people: only the held-out rows say
what it is worth, and whether it becomes the default is for whoever reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from realtime import config as realtime_config
from realtime import gate
from realtime.config import Config
from realtime.errors import ConfigError, DataError
from train.chain import scripted
from train.chain.reliability import reliability
from train.chain.truth import Video, people
from train.config import TuneConfig
from train.tuning import gating, search
from train.tuning.recordings import Recording, record
from train.tuning.report import Row, Tuned, write
from train.tuning.rounds import calibrated, searched
from train.tuning.search import Setting, applied
from train.tuning.streams import all_streams, whole
from train.tuning.worth import figures, hits, sides

SECTIONS = ("apex", "motion")
HALF = "recognise.half_strength"
BEFORE, AFTER, GATED = "before", "tuned", "gated"


def tune(config: TuneConfig, workers: int | None = None) -> Tuned:
    """Everything; files are in runs/<name>, where `python -m realtime run --config` finds its settings."""
    stages = realtime_config.load()
    start = {each.key: _start(each.key, stages) for each in config.keys}
    learn, held = _videos(config.data), _videos(config.held_out)
    both = people(learn) & people(held)
    if both:
        raise DataError("people on both sides; a setting that was chosen on them says nothing of them", sorted(both))
    training, testing = (record(side, config.rates_hz, stages, Path(config.cache), workers) for side in (learn, held))
    found: dict[str, tuple[Config, Setting]] = {BEFORE: (stages, {**start, HALF: stages.recognise.half_strength})}
    curves: dict[str, list[float]] = {}
    found[AFTER], curves[AFTER] = _found(config, training, start, stages)
    gates: dict[str, Path] = {}
    if config.gate.train:
        gates[GATED] = _gate(config, training, applied(found[AFTER][1], stages))
        gated = msgspec.structs.replace(stages, apex=msgspec.structs.replace(stages.apex, gate=str(gates[GATED])))
        tuned = {key: found[AFTER][1][key] for key in start}
        found[GATED], curves[GATED] = _found(config, training, tuned, gated)
    rows = [
        row
        for side, recordings in (("training", training), ("held out", testing))
        for name, (base, setting) in found.items()
        for row in _measured(config, side, name, recordings, applied(setting, base))
    ]
    result = Tuned({name: setting for name, (_, setting) in found.items()}, gates, tuple(rows), curves)
    write(config, result)
    return result


def _found(
    config: TuneConfig, recordings: Sequence[Recording], start: Setting, stages: Config
) -> tuple[tuple[Config, Setting], list[float]]:
    best, curve = searched(config, recordings, start, stages)
    return (stages, {**best, HALF: calibrated(recordings, applied(best, stages))}), curve


def _gate(config: TuneConfig, recordings: Sequence[Recording], stages: Config) -> Path:
    streams = all_streams([whole(each, stages) for each in recordings])
    path = (Path(config.runs) / config.name / "gate.npz").resolve()
    gate.save(path, gating.train(streams, config.gate, stages.apex, config.seed))
    gate.load.cache_clear()  # there may have been another one of this name
    return path


def _videos(folders: Sequence[str]) -> list[Video]:
    found = [video for folder in folders for video in scripted.read(Path(folder).expanduser())]
    twice = sorted({video.id for video in found if [each.id for each in found].count(video.id) > 1})
    if twice:
        raise DataError("videos of one name; give each another, so that their events are not mixed up", twice)
    return found


def _start(key: str, stages: Config) -> float:
    if key.partition(".")[0] not in SECTIONS:
        raise ConfigError(f"{key} cannot be searched: only keys of {' and '.join(SECTIONS)} act on what is recorded")
    try:
        return search.value_of(key, stages)
    except AttributeError:
        raise ConfigError(f"{key} is no key of configs/realtime.toml; wanted one such as apex.threshold") from None


def _measured(
    config: TuneConfig, side_name: str, name: str, recordings: Sequence[Recording], stages: Config
) -> list[Row]:
    rows = []
    for side in sides(recordings):
        own = [each for each in recordings if each.rate_hz == side.rate_hz]
        said = [one for each in own for one in whole(each, stages).said]
        strengths, right = hits(side, said)
        sure = [s / (s + stages.recognise.half_strength) for s in strengths]
        meant = reliability(sure, right)
        error = meant.expected_error if meant else None
        rows.append(Row(side_name, name, side.rate_hz, figures(side, said, config.prices), error))
    return rows
