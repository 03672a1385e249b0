"""`python -m train tune`: record, search on the training side, measure both sides, write the settings.

Each round searches over the motion that the whole detector measured with the best setting so far, then lets the whole
detector judge what was found; a setting is only kept if that says so too. Nothing is chosen on the held-out side.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np

from realtime import config as realtime_config
from realtime.config import Config
from realtime.errors import ConfigError, DataError
from train.chain import scripted
from train.chain.reliability import reliability
from train.chain.truth import Video, people
from train.config import TuneConfig
from train.tuning import search
from train.tuning.recordings import Recording, record
from train.tuning.search import Setting, applied
from train.tuning.streams import Whole, again, all_streams, whole
from train.tuning.worth import Figures, figures, half_strength, hits, mean_worth, sides

log = logging.getLogger(__name__)

SECTIONS = ("apex", "motion")
HALF = "recognise.half_strength"


@dataclass(frozen=True, slots=True)
class Row:
    """One setting on one side at one rate."""

    side: str
    setting: str
    rate_hz: float
    figures: Figures
    calibration_error: float | None  #: of strength / (strength + half_strength), over all detections


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search found, and what it is worth."""

    before: Setting
    after: Setting
    rows: tuple[Row, ...]
    curve: tuple[float, ...]  #: the best worth on the training side after each trial, round after round
    path: Path


def tune(config: TuneConfig, workers: int | None = None) -> Tuned:
    """Everything; the settings are in runs/<name>/tuned.toml, for `python -m realtime run --config`."""
    stages = realtime_config.load()
    before = {each.key: _start(each.key, stages) for each in config.keys}
    learn, held = _videos(config.data), _videos(config.held_out)
    both = people(learn) & people(held)
    if both:
        raise DataError("people on both sides; a setting that was chosen on them says nothing of them", sorted(both))
    cache = Path(config.cache)
    training = record(learn, config.rates_hz, stages, cache, workers)
    after, curve = _searched(config, training, before, stages)
    after = {**after, HALF: _calibrated(training, applied(after, stages))}
    before = {**before, HALF: stages.recognise.half_strength}
    rows: list[Row] = []
    for side, recordings in (
        ("training", training),
        ("held out", record(held, config.rates_hz, stages, cache, workers)),
    ):
        for name, setting in (("before", before), ("after", after)):
            rows += _measured(config, side, name, recordings, applied(setting, stages))
    return Tuned(before, after, tuple(rows), tuple(curve), _write(config, before, after, rows, curve))


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


def _searched(
    config: TuneConfig, recordings: Sequence[Recording], start: Setting, stages: Config
) -> tuple[Setting, list[float]]:
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


def _calibrated(recordings: Sequence[Recording], stages: Config) -> float:
    strengths: list[float] = []
    right: list[bool] = []
    for side in sides(recordings):
        own = [each for each in recordings if each.rate_hz == side.rate_hz]
        told = hits(side, [one for each in own for one in whole(each, stages).said])
        strengths, right = strengths + told[0], right + told[1]
    return half_strength(strengths, right, stages.recognise.half_strength)


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


def _write(config: TuneConfig, before: Setting, after: Setting, rows: Sequence[Row], curve: Sequence[float]) -> Path:
    folder = Path(config.runs) / config.name
    folder.mkdir(parents=True, exist_ok=True)
    by_section: dict[str, list[str]] = {}
    for key, value in after.items():
        section, _, name = key.partition(".")
        by_section.setdefault(section, []).append(f"{name} = {value!r}")
    text = "\n\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in by_section.items())
    path = folder / "tuned.toml"
    path.write_text(text + "\n", "utf-8")
    told = {
        "configuration": msgspec.to_builtins(config),
        "before": before,
        "after": after,
        "rows": [asdict(row) for row in rows],
        "curve": list(curve),
    }
    (folder / "tuned.json").write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
    return path


def lines(tuned: Tuned) -> list[str]:
    """For people."""
    head = ["side", "setting", "Hz", "worth", "F1 micro", "F1 macro", "false micro a minute"]
    head += ["apex error ms, median", "apex delay ms, p95", "calibration error"]
    told = [_line(head), _line(["---"] * len(head))]
    for row in tuned.rows:
        found, micro = row.figures, row.figures.micro
        late = 1e3 * micro.after_apex.p95_s if micro.after_apex else None
        told.append(
            _line([
                row.side, row.setting, f"{row.rate_hz:g}" if row.rate_hz else "own", f"{found.worth:.3f}",
                f"{micro.f1:.3f}", f"{found.macro.f1:.3f}", f"{micro.false_per_minute:.2f}",
                *("-" if value is None else f"{value:.0f}" for value in (micro.apex_error_median_ms, late)),
                "-" if row.calibration_error is None else f"{row.calibration_error:.3f}",
            ])
        )  # fmt: skip
    told += ["", _line(("key", "before", "after")), _line(["---"] * 3)]
    told += [_line((key, f"{tuned.before[key]:g}", f"{value:g}")) for key, value in tuned.after.items()]
    return [*told, "", f"settings: {tuned.path}"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
