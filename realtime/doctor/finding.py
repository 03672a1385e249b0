"""What a check found."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["ok", "look", "stop"]
#: What a reader sees of each level, in a column of its own.
WORDS: dict[Level, str] = {"ok": "ok", "look": "LOOK", "stop": "STOP"}


class Finding(msgspec.Struct, frozen=True):
    """`found` in one sentence; `do` says what to do where `level` is "look", or "stop": then Glimpse cannot work."""

    check: str
    level: Level
    found: str
    do: str = ""

    def line(self) -> str:
        """In one line, the columns as wide as those of the others."""
        return f"{WORDS[self.level]:<5}{self.check:<10} {self.found}{f': {self.do}' if self.do else ''}"


class Report(msgspec.Struct, frozen=True):
    """All that was found."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing stops Glimpse."""
        return all(finding.level != "stop" for finding in self.findings)

    def lines(self) -> list[str]:
        """A line each, and what they come to."""
        stops = [finding.check for finding in self.findings if finding.level == "stop"]
        looks = sum(finding.level == "look" for finding in self.findings)
        end = f"stopped by: {', '.join(stops)}" if stops else "nothing stops Glimpse here"
        return [*(finding.line() for finding in self.findings), f"{end}; {looks} to look at"]
