"""What is installed: Glimpse, Python, and the libraries beside those that constraints.txt names."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from realtime.config import ROOT
from realtime.doctor.finding import Finding
from realtime.pipeline.summary import DISTRIBUTION, version

CONSTRAINTS = ROOT / "constraints.txt"
#: As pyproject.toml has it: mediapipe and several others have wheels for these.
PYTHONS = (3, 10), (3, 12)
#: Named in a line; the JSON of `pip list` is for more.
MOST_NAMED = 6


def software() -> list[Finding]:
    """Findings on Glimpse's version, Python and the libraries."""
    return [
        Finding("glimpse", "ok", f"{version()} on {platform.platform()}, {platform.machine()}"),
        judge_python(sys.version_info[:3]),
        judge_libraries(installed(), needed(), pinned(CONSTRAINTS)),
    ]


def installed() -> dict[str, str]:
    """Version by name of all that is installed here, the first of each on the path: what is imported."""
    found: dict[str, str] = {}
    for each in distributions():
        if name := each.metadata["Name"]:  # one that was removed in part has none
            found.setdefault(canonicalize_name(name), each.version)
    return found


def needed() -> list[Requirement]:
    """What Glimpse itself cannot do without; nothing where it runs from a folder and is not installed."""
    try:
        found = [Requirement(text) for text in requires(DISTRIBUTION) or ()]
    except PackageNotFoundError:
        return []
    return [each for each in found if each.marker is None or each.marker.evaluate({"extra": ""})]


def pinned(path: Path) -> dict[str, str]:
    """Version by name that a file of constraints holds for this Python; nothing where there is no such file."""
    if not path.is_file():
        return {}
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in path.read_text("utf-8").splitlines())
    found = [Requirement(line) for line in lines if line]
    return {
        canonicalize_name(each.name): str(next(iter(each.specifier)).version)
        for each in found
        if each.marker is None or each.marker.evaluate()
    }


def judge_python(found: tuple[int, ...]) -> Finding:
    """Whether this Python is one of those that Glimpse is installed on."""
    shown = ".".join(map(str, found))
    if PYTHONS[0] <= found[:2] <= PYTHONS[1]:
        return Finding("python", "ok", shown)
    return Finding("python", "stop", f"{shown}, wanted 3.10 to 3.12", "make PYTHON=python3.11 demo takes another")


def judge_libraries(found: Mapping[str, str], wanted: Iterable[Requirement], pins: Mapping[str, str]) -> Finding:
    """What is missing or of a version that does not work; then what differs from the pins."""
    broken = []
    for each in wanted:
        have = found.get(canonicalize_name(each.name))
        if have is None:
            broken.append(f"no {each.name}")
        elif not each.specifier.contains(have, prereleases=True):
            broken.append(f"{each.name} {have} instead of {each.specifier}")
    if broken:
        return Finding("libraries", "stop", _few(broken), "pip install -c constraints.txt -e .")
    if not pins:
        return Finding(
            "libraries", "look", "no constraints.txt to compare with", "work in the folder of the repository"
        )
    others = [
        f"{name} {have} instead of {pins[name]}"
        for name, have in sorted(found.items())
        if name in pins and Version(have).public != Version(pins[name]).public
    ]
    if others:
        return Finding("libraries", "look", _few(others), "pip install -c constraints.txt -e . puts them right")
    return Finding("libraries", "ok", f"{len(found.keys() & pins.keys())} are those of constraints.txt")


def _few(texts: list[str]) -> str:
    more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return ", ".join(texts[:MOST_NAMED]) + more
