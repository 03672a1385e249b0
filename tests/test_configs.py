"""Every configuration file loads, states every key, and refuses what it does not know."""

import copy
import json
import random
import re
from pathlib import Path

import msgspec
import pytest

import realtime.config
from realtime.errors import ConfigError
from train import registry
from train.registry import METHODS
from train.tuning import config as tuning

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "configs").rglob("*.toml"))


def load(path, like):
    """`path` by the half of the program that reads the file `like`, beside a file that it fits."""
    match like.parent.name, like.stem:
        case "methods", _:
            kinds = METHODS[realtime.config.read_toml(like)["method"]].sources
            return registry.load([path, DATA[kinds[0]]]).method
        case "data", _:
            kind = realtime.config.read_toml(like)["source"]
            fitting = next(name for name, method in METHODS.items() if kind in method.sources)
            return registry.load([ROOT / f"configs/methods/{fitting}.toml", path]).source
        case _, "tune":
            return tuning.load(path)
    return realtime.config.load(path)


def places(value, at=()):
    """Where values stand in nested tables and lists of tables: tuples of keys and indices."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from places(below, (*at, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, below in enumerate(value):
            yield from places(below, (*at, index))
    else:
        yield at


def tables(tree):
    """Every table of the tree, as the place it stands in; () is the file itself."""
    return sorted({place[:-1] for place in places(tree)}, key=str)


def at(tree, place):
    for key in place:
        tree = tree[key]
    return tree


def write(tree, path):
    """`tree` as TOML with inline tables."""
    path.write_text("".join(f"{key} = {inline(value)}\n" for key, value in tree.items()), "utf-8")
    return path


def inline(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value)


def path_of(place):
    """As the error names it."""
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)


DATA = {realtime.config.read_toml(path)["source"]: path for path in FILES if path.parent.name == "data"}
#: A test for each file and not for each key, of which there are two thousand: what fails says its place.
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")


def keys(path):
    """The file as a tree of its own for each place at which a value stands, but for what says its kind."""
    tree = realtime.config.read_toml(path)
    for place in places(tree):
        if place not in (("method",), ("source",)):
            yield copy.deepcopy(tree), place


def refused(path, tree, like):
    """What is said of `tree` as the file `path`."""
    with pytest.raises(ConfigError) as refusal:
        load(write(tree, path), like)
    assert path.name in str(refusal.value)
    return str(refusal.value)


def test_there_are_files_to_test():
    assert ROOT / "configs/realtime.toml" in FILES
    assert ROOT / "configs/methods/expression.toml" in FILES
    assert {kind for method in METHODS.values() for kind in method.sources} == set(DATA)


@each_file
def test_every_file_loads(path):
    load(path, path)


@each_file
def test_a_file_survives_being_written_again(path, tmp_path):
    tree = realtime.config.read_toml(path)
    assert load(write(tree, tmp_path / "again.toml"), path) == load(path, path)


@each_file
def test_an_unknown_key_is_refused_by_file_and_name(path, tmp_path):
    for place in tables(realtime.config.read_toml(path)):
        tree = realtime.config.read_toml(path)
        letters = list(random.Random(str(place)).choice(sorted(at(tree, place))))
        unknown = "".join(letters[:-1]) + "x_" + letters[-1]  # a slip of the fingers in a key that is known
        at(tree, place)[unknown] = 1
        message = refused(tmp_path / "slip.toml", tree, path)
        assert f"unknown field `{unknown}`" in message
        assert place == () or f"`{path_of(place)}`" in message


@each_file
def test_a_value_of_the_wrong_type_is_refused_by_file_key_and_expectation(path, tmp_path):
    for tree, place in keys(path):
        right = at(tree, place)
        at(tree, place[:-1])[place[-1]] = True if isinstance(right, str | list) else "many"
        message = refused(tmp_path / "wrong.toml", tree, path)
        assert f"`{path_of(place)}`" in message
        assert re.search(r"Expected `\w+", message)


@each_file
def test_no_key_has_a_hidden_default(path):
    kind = type(load(path, path))
    for tree, place in keys(path):
        del at(tree, place[:-1])[place[-1]]
        with pytest.raises(ConfigError, match=f"missing required field `{place[-1]}`"):
            realtime.config.convert(tree, kind, path)


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name in ("methods", "data")])
def test_training_crops_as_the_live_half_does(path):
    crop_px = msgspec.to_builtins(load(path, path)).get("crop_px")
    assert crop_px in (None, realtime.config.load().align.size_px)
