"""The files with hashes say what constraints.txt says, and nothing in them leads to a server."""

import re
from pathlib import Path

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "configs/locks"
PYTHONS = ("3.10", "3.11", "3.12")
BUILDS = {"setuptools"}  # which is no part of Glimpse, and so not among the constraints


def requirements(path):
    """Each requirement and its hashes."""
    text = path.read_text("utf-8").replace("\\\n", " ")
    for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()):
        if line:
            words, *hashes = line.split(" --hash=")
            yield Requirement(words), [each.strip() for each in hashes]


def versions(path, python):
    """Version by name for one Python on Linux."""
    where = {"python_version": python, "python_full_version": f"{python}.5", "sys_platform": "linux"}
    found = {}
    for each, _ in requirements(path):
        if each.marker is None or each.marker.evaluate({**where, "platform_machine": "x86_64"}):
            name = canonicalize_name(each.name)
            assert name not in found, f"{name} stands twice in {path.name} for Python {python}"
            found[name] = str(each.specifier).removeprefix("==")
    return found


@pytest.mark.parametrize("name", ["live.txt", "tools.txt"])
def test_every_version_is_one_and_has_hashes_and_no_address(name):
    found = list(requirements(LOCKS / name))
    assert len(found) > 30
    for each, hashes in found:
        assert re.fullmatch(r"==[\w.!+]+", str(each.specifier)), each
        assert hashes, f"{each} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes)
        assert each.url is None
    assert "://" not in (LOCKS / name).read_text("utf-8")


@pytest.mark.promise(
    "a file of a dependency is exchanged at the registry",
    "not installed by `make hashed`",
    "83 packages of the live system, each by SHA-256",
)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_live_system_is_locked_to_what_the_constraints_say(python):
    locked, pinned = versions(LOCKS / "live.txt", python), versions(ROOT / "constraints.txt", python)
    assert {name: version for name, version in locked.items() if name not in BUILDS and pinned[name] != version} == {}
    project = msgspec.toml.decode((ROOT / "pyproject.toml").read_bytes())["project"]
    wanted = [Requirement(text) for text in project["dependencies"]]
    wanted = [each for each in wanted if each.marker is None or each.marker.evaluate({"python_version": python})]
    for each in wanted:
        assert each.specifier.contains(locked[canonicalize_name(each.name)]), f"{each}: run make locks"


def test_the_tools_are_those_that_are_named():
    locked = versions(LOCKS / "tools.txt", "3.11")
    named = {each.name: str(each.specifier).removeprefix("==") for each, _ in requirements(LOCKS / "tools.in")}
    assert named.keys() == {"pip-audit", "pip-licenses", "cyclonedx-bom", "uv"}
    assert {name: locked[name] for name in named} == named


def test_a_changed_hash_and_a_missing_one_are_seen(tmp_path):
    path = tmp_path / "lock.txt"
    path.write_text("a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nb==2\n")
    assert [hashes for _, hashes in requirements(path)] == [["sha256:00", "sha256:11"], []]
