"""What the commands of training share: options with one meaning, and how they end."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from realtime.config import ROOT
from realtime.console.console import errors_told
from realtime.console.options import AsJson as AsJson
from realtime.console.options import Overrides as Overrides
from realtime.console.options import answer as answer
from realtime.engine.package.manifest import Manifest, Precision
from realtime.errors import ConfigError

ConfigFiles = Annotated[
    list[Path],
    typer.Option("--config", help="A file of configs/methods and one of configs/data, or copies; given twice."),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes to do it in; all cores if not given, 1 is none beside this.")
]
Arithmetic = Annotated[Precision, typer.Option(help="What the engine computes in; int8: of pictures alone.")]
Engines = Annotated[Path, typer.Option(help="Folder of the engine packages.", show_default="engines")]

ENGINES = ROOT / "engines"


def told(as_json: bool) -> AbstractContextManager[None]:
    """Errors of ours end in one message, Ctrl-C in a word on how to go on."""
    return errors_told("train", as_json, "interrupted; the same command goes on where it was")


def numbers(option: str, text: str, least: float, most: float) -> list[float]:
    """ "1,0.5" as numbers; ConfigError where there are none, or one is none or not between `least` and `most`."""
    try:
        found = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        found = []
    if not found or not all(least <= each <= most for each in found):
        raise ConfigError(f"{option} {text!r}: wanted numbers between {least:g} and {most:g}, with commas between them")
    return found


def show(found: dict[str, object], as_json: bool) -> None:
    """Print what was made: names and values, or JSON."""
    answer(found, (f"{name:<24} {_text(value)}" for name, value in found.items()), as_json=as_json)


def _text(value: object) -> str:
    return (", ".join(value) or "none") if isinstance(value, tuple) else str(value)


def package(name: str, engines: Path, precision: Precision) -> Path:
    """The package of a recipe: packages of other precisions than fp32 lie beside each other."""
    return engines.resolve() / (name if precision == "fp32" else f"{name}-{precision}")


def made(manifest: Manifest, engines: Path) -> dict[str, object]:
    """What is printed of a package that was written."""
    return {"engine": str(engines / manifest.name)} | {score.name: score.value for score in manifest.scores}
