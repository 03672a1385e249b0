"""What is read from a field, and what is claimed by it: readings, claims and the labels of an engine.

Readings are the two sides of each unit that is told, then the movements that are no units (`channels.OTHERS`), which
are read so that they explain their part of a field. A jaw that opens in speech is AU26 to whoever sees it, and counts
as such. Units that cannot be told apart are one reading, as strong as the stronger of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from realtime.errors import ConfigError
from realtime.recognition.units import LEFT, RIGHT
from realtime.records import Floats
from realtime.units import OR
from train.synthesis.face.channels import ACTION_UNITS, INDEX, OTHERS, SIDES
from train.synthesis.script.prototypes import SIDELESS

JAW, JAW_UNIT = "jaw", 26
#: Amount of AU26 that opens the jaw as far as the channel "jaw" at full strength.
JAW_SHARE = 1.0 / ACTION_UNITS[JAW_UNIT]["jawOpen"]
#: Channels beside units that have another name in a mirror, and those whose movement has another sign.
MIRRORED = {"blinkL": "blinkR", "blinkR": "blinkL", "gaze-left": "gaze-right", "gaze-right": "gaze-left"}
TURNED = ("jaw-aside",)


@dataclass(frozen=True, slots=True)
class Readings:
    """Columns of what is read, for the units `told`: "12", or "6+7" for two as one; ConfigError of one nobody knows."""

    told: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = sorted({number for unit in self.told for number in members(unit)} - set(ACTION_UNITS))
        if unknown:
            names, known = (", ".join(map(str, some)) for some in (unknown, sorted(ACTION_UNITS)))
            raise ConfigError(f"told names {names}, which no head here moves; there are the units {known}")

    @property
    def sided(self) -> tuple[bool, ...]:
        """Whether each of them has sides; the middle of the mouth moves as one."""
        return tuple(not SIDELESS & set(members(unit)) for unit in self.told)

    @property
    def labels(self) -> tuple[str, ...]:
        """An engine's: see `realtime.recognition.units`."""
        each = ((unit, unit + LEFT, unit + RIGHT) if sided else (unit,) for unit, sided in self.pairs())
        return tuple(chain.from_iterable(each))

    def __len__(self) -> int:
        return 2 * len(self.told) + len(OTHERS)

    def pairs(self) -> list[tuple[str, bool]]:
        """The units, each with whether it has sides."""
        return list(zip(self.told, self.sided, strict=True))

    def of(self, amounts: Floats) -> Floats:
        """Amounts (N, K) of `channels.NAMES` -> float32 (N, R): left, right of each unit in turn, then the others."""
        columns = [self._unit(amounts, unit, side) for unit in self.told for side in SIDES]
        columns += [amounts[:, INDEX[name]] for name in OTHERS]
        return np.stack(columns, 1).astype(np.float32)

    def _unit(self, amounts: Floats, unit: str, side: str) -> Floats:
        parts = []
        for number in members(unit):
            jaw = JAW_SHARE * amounts[:, INDEX[JAW]] if number == JAW_UNIT else 0.0
            parts.append(amounts[:, INDEX[f"{number}{side}"]] + jaw)
        return np.asarray(np.clip(np.max(parts, axis=0), -1.0, 1.0), np.float32)

    def mirrored(self, readings: Floats) -> Floats:
        """The readings (N, R) of the same faces in a mirror."""
        units = np.arange(2 * len(self.told)).reshape(-1, 2)[:, ::-1].ravel()
        names = list(OTHERS)
        others = [names.index(MIRRORED.get(name, name)) for name in names]
        signs = np.array([1.0] * len(units) + [-1.0 if name in TURNED else 1.0 for name in names], np.float32)
        return np.asarray(readings[:, [*units, *(len(units) + place for place in others)]] * signs, np.float32)


def members(unit: str) -> tuple[int, ...]:
    """The units of FACS that are told as `unit`."""
    return tuple(map(int, unit.split(OR)))
