"""The model card of an engine package: card.md, the manifest in words, with what the network must not be trusted in.

The manifest lists the card with its SHA-256 like every other file, so that it can neither be lost nor be changed by
hand unnoticed, and whoever serves packages needs no exception for it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from textwrap import fill, indent
from typing import Any

import msgspec

from realtime.config import ROOT, read_toml
from realtime.engine.package import manifest as package
from realtime.engine.package.manifest import MANIFEST, MODEL, Manifest, Precision, Task
from realtime.representation.contract.tensor_spec import TensorSpec
from train.packaging.limits import MethodCard, limits
from train.storage.atomic import move

CARD = "card.md"
WIDTH = 120

PURPOSES: dict[Task, str] = {
    "still-expression": "It names the expression of a face in a single picture.",
    "micro-expression": "It names the class of a micro-expression, a movement of under half a second that was found.",
    "dynamic-expression": "It names the expression of a movement that was found, however long.",
    "spotting": "It finds the events that others name.",
    "action-units": "It says what moved in an event that was found, and judges nothing.",
}
ARITHMETIC: dict[Precision, str] = {
    "fp32": "float32; large weights are kept as float16 and cast.",
    "fp16": "float16 between inputs and outputs that are float32.",
    "int8": "convolutions in INT8 between QuantizeLinear and DequantizeLinear, all else in float32.",
}


def add(manifest: Manifest, folder: Path, card: MethodCard) -> Manifest:
    """Write card.md into `folder`, where the package's other files lie, and give the manifest that lists it."""
    (folder / CARD).write_text("\n".join(lines(manifest, folder, card)) + "\n", "utf-8")
    files = manifest.files | {CARD: package.sha256(folder / CARD)}
    return msgspec.structs.replace(manifest, files=dict(sorted(files.items())))


def rewrite(folder: Path, card_of: Callable[[str], MethodCard]) -> Path:
    """Write the card of the package `folder` anew, whole or not at all; EngineError if the package is not sound.

    A relative `folder` lies beside configs/. Nothing but card.md and its SHA-256 in the manifest changes.
    """
    folder = ROOT / folder
    manifest = package.load(folder)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        made = shutil.copytree(folder, Path(scratch) / "new")
        package.relist(made, add(manifest, made, card_of(manifest.method)).files)
        move(made, folder, Path(scratch) / "old")
    return folder / CARD


def lines(manifest: Manifest, folder: Path, card: MethodCard) -> list[str]:
    """The card, in Markdown; sizes are those of the files in `folder`."""
    parts = {
        "Input": _input(manifest),
        "Answers": _answers(manifest),
        "Data and terms": [*map(_item, manifest.training.data), "", _wrapped(manifest.training.terms)],
        "Recipe": _recipe(manifest),
        "Scores": _scores(manifest),
        "Limits": map(_item, limits(manifest, card)),
        "Precision and size": _size(manifest, folder),
    }
    found = [f"# {manifest.name}", "", _wrapped(f"{card.what} {PURPOSES[manifest.task]}")]
    for title, part in parts.items():
        found += ["", f"## {title}", "", *part]
    return found


def _input(manifest: Manifest) -> Iterator[str]:
    shown = " and ".join(map(_shown, manifest.inputs))
    yield _wrapped(f"{shown}: {manifest.representation.describe()}.")


def _answers(manifest: Manifest) -> Iterator[str]:
    labels = ", ".join(f"`{label}`" for label in manifest.labels)
    yield _wrapped(f"{labels}, in this order ({manifest.vocabulary}).")
    yield ""
    yield from (_item(_shown(spec)) for spec in manifest.outputs)


def _recipe(manifest: Manifest) -> Iterator[str]:
    files = _files(manifest)
    precision = "" if manifest.precision == "fp32" else f" --precision {manifest.precision}"
    if files:
        yield f"    python -m train rebuild {' '.join(f'--config {file}' for file in files)}{precision}"
        yield ""
    commit, _, changed = manifest.commit.partition("+")
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    yield _wrapped(
        f"The configuration stands as it was in {MANIFEST}, `training.recipe`; its file may have changed since. Seed "
        f"{manifest.training.seed}, {manifest.training.epochs} epochs; Glimpse at commit {commit}"
        f"{' and changes to it' if changed else ''}; {versions}; {manifest.created:%Y-%m-%d}."
    )


def _files(manifest: Manifest) -> list[str]:
    """The method's and the source's configuration, as paths in the repository; they may have changed since.

    None where either is nobody's here: a recipe of a user's own. Of several files of one name it is the one that the
    recipe has most in common with.
    """
    recipe, configs = manifest.training.recipe, ROOT / "configs"
    trees = {path: read_toml(path) for path in sorted(configs.glob("*/*.toml"))}
    name = str(recipe.get("name", "")).removesuffix(f"-{recipe.get('set')}")
    wanted = ({"method": recipe.get("method"), "name": name}, {"source": _source(recipe), "set": recipe.get("set", "")})
    named = [{path: tree for path, tree in trees.items() if part.items() <= tree.items()} for part in wanted]
    return [_nearest(recipe, found).relative_to(ROOT).as_posix() for found in named] if all(named) else []


def _nearest(recipe: Mapping[str, Any], trees: Mapping[Path, Mapping[str, Any]]) -> Path:
    """The file that most values of `recipe` stand in."""
    return max(trees, key=lambda path: sum(recipe.get(key) == value for key, value in trees[path].items()))


def _source(recipe: Mapping[str, Any]) -> str | None:
    """The kind of clips that a recipe learned from, also of packages from before recipes said it."""
    marks = {"films": "films", "fades": "enacted", "clips": "synthetic", "ferplus": "ferplus"}
    return recipe.get("source") or next((kind for key, kind in marks.items() if key in recipe), None)


def _scores(manifest: Manifest) -> Iterator[str]:
    if not manifest.scores:
        yield "None: nobody has measured it."
    for number, (whom, group) in enumerate(groupby(manifest.scores, lambda score: (score.protocol, score.counts))):
        protocol, counts = whom
        shown = ", ".join(f"{label} {count}" for label, count in counts.items())
        yield from ([""] if number else [])
        yield _wrapped(f"On {protocol} ({shown}):")
        yield from ("", "| score | value |", "|---|---|")
        yield from (f"| {score.name} | {score.value:.4f} |" for score in group)


def _size(manifest: Manifest, folder: Path) -> Iterator[str]:
    yield _wrapped(f"{manifest.precision}: {ARITHMETIC[manifest.precision]} ONNX opset {manifest.opset}.")
    yield ""
    for name in sorted(name for name in manifest.files if Path(name).suffix == Path(MODEL).suffix):
        size = (folder / name).stat().st_size / 1e6
        yield _item(f"`{name}`: {size:.2f} MB, SHA-256 {manifest.files[name]}")


def _shown(spec: TensorSpec) -> str:
    return f"`{spec.name}` {spec.layout} {list(spec.shape)} {spec.dtype}"


def _item(text: str) -> str:
    return indent(_wrapped(text, WIDTH - 2), "  ").replace("  ", "- ", 1)


def _wrapped(text: str, width: int = WIDTH) -> str:
    return fill(text, width, break_long_words=False, break_on_hyphens=False)
