"""The READMEs leave nothing out: methods, sources of clips, recipes, commands and folders are all in their tables."""

import re
from pathlib import Path

import pytest
import typer

from realtime.__main__ import app as realtime_app
from train import registry
from train.__main__ import app as train_app

ROOT = Path(__file__).resolve().parents[1]
APPS = {"realtime": realtime_app, "train": train_app}


def first_cells(half, heading):
    """Code and targets of links in the first cell of each row below a heading of a half's README."""
    text = (ROOT / half / "README.md").read_text("utf-8")
    (part,) = re.findall(rf"^## {heading}$(.*?)(?=^## |\Z)", text, re.M | re.S)
    _, _, *rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("|")]
    return [name for cell in rows for name in re.findall(r"`([^`]+)`|\]\(([^)]+)\)", cell) for name in name if name]


@pytest.mark.parametrize(
    ("heading", "known"),
    [("Methods", registry.METHODS), ("Sources of clips", registry.SOURCES)],
    ids=["methods", "sources"],
)
def test_all_that_recipes_are_made_of_is_explained_and_nothing_else(heading, known):
    assert sorted(first_cells("train", heading)) == sorted(known)


@pytest.mark.parametrize("method", registry.METHODS)
def test_the_table_says_what_a_method_learns_from(method):
    (row,) = re.findall(rf"^\| `{method}` \|.*\| ([^|]+) \|$", (ROOT / "train/README.md").read_text("utf-8"), re.M)
    assert set(row.split(", ")) == set(registry.METHODS[method].sources)


def test_all_recipes_are_named():
    text = (ROOT / "train/README.md").read_text("utf-8")
    files = [path.name for room in ("methods", "data") for path in (ROOT / "configs" / room).glob("*.toml")]
    assert [name for name in files if f"`{name}`" not in text] == []


@pytest.mark.parametrize(("half", "heading"), [("realtime", "How it is built"), ("train", "Folders")])
def test_all_folders_are_linked(half, heading):
    folders = {path.parent.name for path in (ROOT / half).glob("*/__init__.py")}
    assert folders - {link.partition("/")[0] for link in first_cells(half, heading)} == set()


@pytest.mark.parametrize("half", APPS)
def test_all_commands_are_listed(half):
    listed = [words.split() for words in first_cells(half, "Commands")]
    commands = {words[3] for words in listed if words[:3] == ["python", "-m", half]}
    assert commands == set(typer.main.get_command(APPS[half]).commands)
