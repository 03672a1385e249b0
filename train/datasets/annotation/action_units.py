"""Action units as the tables spell them -> records (Facial Action Coding System, Ekman, Friesen and Hager 2002).

4+L10   R1+R2   A9+12   10A/B   5B+24   (R6 or R12)+R15   ref(43)   12L   AD38   4,24   ?   NULL
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from realtime.errors import DataError

_NOTHING = frozenset({"", "?", "/", "\\", "null", "none", "nan"})
_ALTERNATIVES = re.compile(r"\bor\b|(?<=\d)or(?=\d)", re.IGNORECASE)
_UNIT = re.compile(r"(?:AU|AD|M)?([LRATB](?:/[LRATB])?)?([0-9]{1,2})([A-E](?:/[A-E])?)?([LR])?")


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """One unit of a coding."""

    number: int  #: descriptors (AD38) and head movements (M58) have numbers of the same count
    side: str  #: "L", "R", "T" and "B" (top, bottom lip), "A" asymmetric, "A/L" undecided; "" both sides
    strength: str  #: "A" trace ... "E" maximum, "A/B" between; "" not scored
    sure: bool  #: False for one of several alternatives ("R6 or R12") and for mere references ("ref(43)")


def parse(text: str) -> tuple[ActionUnit, ...]:
    """The units of a cell, in its order; () when nothing was coded. DataError when a number cannot be understood.

    Remarks without a number ("soft focus") are no units and are passed over.
    """
    parts = re.split(r"[+,]", text)
    return tuple(unit for part in parts if part.strip().lower() not in _NOTHING for unit in _parse_part(part))


def _parse_part(part: str) -> list[ActionUnit]:
    alternatives = _ALTERNATIVES.split(part)
    sure = len(alternatives) == 1 and "ref" not in part.lower()
    spellings = [re.sub(r"ref|[()\s?]", "", each, flags=re.IGNORECASE) for each in alternatives]
    return [_parse_unit(spelling, sure=sure) for spelling in spellings if any(map(str.isdigit, spelling))]


def _parse_unit(spelling: str, *, sure: bool) -> ActionUnit:
    found = _UNIT.fullmatch(spelling.upper())
    if found is None or (found[1] and found[4]):
        raise DataError(f"action unit {spelling!r} is not understood; wanted such as 4, L10, 5B, 12L; correct the cell")
    return ActionUnit(int(found[2]), found[1] or found[4] or "", found[3] or "", sure)
