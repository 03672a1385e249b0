"""`python -m train confidence`: reports of `train real` -> [recognise.confidence], and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from realtime.errors import DataError
from realtime.recognition.confidence import Line, calibrated
from realtime.records import Kind
from train.chain.real.answers import Answer, line
from train.chain.reliability import Reliability, reliability

FEWEST = 20  # answers of a kind, to fit two numbers
KINDS: tuple[Kind, ...] = ("micro", "macro")


class _Report(msgspec.Struct):
    """What is read of a report; the rest of it is let be."""

    answers: list[Answer]
    configuration: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of one kind."""

    kind: Kind
    answers: int
    right: float  #: share
    said: float  #: mean confidence, as it was told
    error: float  #: expected calibration error, as it was told
    line: Line  #: for [recognise.confidence]; that of the reports where answers are too few
    error_then: float  #: of the same answers, with the line

    def text(self) -> str:
        """A line of TOML."""
        begin, slope = self.line
        figures = f"{self.answers} answers, {self.right:.2f} right, told {self.said:.2f}"
        errors = f"expected error {self.error:.2f}, then {self.error_then:.2f}"
        return f"{self.kind} = [{begin}, {slope}]  # {figures}; {errors}"


def fitted(reports: Sequence[Path]) -> list[Calibration]:
    """Each kind's line for the answers of all `reports` together, which were told with one; DataError otherwise."""
    read = [_read(path) for path in reports]
    lines = [msgspec.convert(each.configuration["recognise"]["confidence"], dict[Kind, Line]) for each in read]
    if any(each != lines[0] for each in lines):
        raise DataError("the reports were told with several [recognise.confidence]; wanted one: play them again")
    told = [answer for each in read for answer in each.answers]
    return [found for kind in KINDS if (found := _fitted(kind, told, lines[0][kind]))]


def _fitted(kind: Kind, every: Sequence[Answer], before: Line) -> Calibration | None:
    told = [answer for answer in every if answer.kind == kind]
    found = _reliability(told)
    if found is None:
        return None
    begin, slope = line(told) if len(told) >= FEWEST else (0.0, 1.0)
    then = _reliability([replace(each, confidence=calibrated(each.confidence, (begin, slope))) for each in told])
    assert then is not None
    whole = (round(begin + slope * before[0], 2), round(slope * before[1], 2))
    weights = [each.weight for each in told]
    right, said = (float(np.average(each, weights=weights)) for each in _columns(told))
    return Calibration(kind, len(told), right, said, found.expected_error, whole, then.expected_error)


def _columns(told: Sequence[Answer]) -> tuple[list[bool], list[float]]:
    return [each.right for each in told], [each.confidence for each in told]


def _reliability(told: Sequence[Answer]) -> Reliability | None:
    right, said = _columns(told)
    return reliability(said, right, [each.weight for each in told])


def _read(path: Path) -> _Report:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Report)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path} is no report of `train real`: {error}; wanted its real-PEOPLE.json") from None
