"""What a search found: as a file of settings, for programs, and for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from train.tuning.config import TuneConfig
from train.tuning.search import Setting
from train.tuning.worth import RateWorth


@dataclass(frozen=True, slots=True)
class TuningRow:
    """One setting on one side at one rate."""

    side: str
    setting: str
    rate_hz: float
    figures: RateWorth
    calibration_error: float | None  #: of strength / (strength + half_strength), over all detections


@dataclass(frozen=True, slots=True)
class Tuned:
    """Settings by name, the first those before the search, and what each is worth."""

    settings: dict[str, Setting]
    rows: tuple[TuningRow, ...]
    curve: list[float]  #: the best worth on the training side after each trial


def write(config: TuneConfig, tuned: Tuned) -> Path:
    """Into runs/<name>: a file of each setting, as --config takes it, and tuned.json with all else; that."""
    folder = Path(config.runs) / config.name
    folder.mkdir(parents=True, exist_ok=True)
    for name, setting in tuned.settings.items():
        by_section: dict[str, list[str]] = {}
        for key, value in setting.items():
            section, _, key_name = key.partition(".")
            by_section.setdefault(section, []).append(f"{key_name} = {value!r}")
        text = "\n\n".join(f"[{section}]\n" + "\n".join(told) for section, told in by_section.items())
        (folder / f"{name}.toml").write_text(text + "\n", "utf-8")
    path = folder / "tuned.json"
    told = {"configuration": msgspec.to_builtins(config), **asdict(tuned)}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
    return path


def lines(tuned: Tuned) -> list[str]:
    """Markdown."""
    head = ["side", "setting", "Hz", "worth", "F1 micro", "F1 macro", "false micro a minute", "taken back a minute"]
    head += ["apex error ms, median", "apex delay ms, p95", "calibration error"]
    told = [_line(head), _line(["---"] * len(head)), *map(_row, tuned.rows)]
    told += ["", _line(("key", *tuned.settings)), _line(["---"] * (1 + len(tuned.settings)))]
    keys = next(iter(tuned.settings.values()))
    return told + [_line((key, *(f"{each[key]:g}" for each in tuned.settings.values()))) for key in keys]


def _row(row: TuningRow) -> str:
    found, micro = row.figures, row.figures.micro
    late = 1e3 * micro.after_apex.p95_s if micro.after_apex else None
    times = ("-" if value is None else f"{value:.0f}" for value in (micro.apex_error_median_ms, late))
    shares = (f"{found.worth:.3f}", f"{micro.f1:.3f}", f"{found.macro.f1:.3f}", f"{micro.false_per_minute:.2f}")
    back = f"{found.taken_back_per_minute:.2f}"
    error = "-" if row.calibration_error is None else f"{row.calibration_error:.3f}"
    return _line((row.side, row.setting, f"{row.rate_hz:g}" if row.rate_hz else "own", *shares, back, *times, error))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
