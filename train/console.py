"""What the commands of training share: options with one meaning, and how they end."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from realtime.config import ROOT
from realtime.console.console import errors_told, print_json
from realtime.engine.package.manifest import Manifest, Precision

ConfigFiles = Annotated[
    list[Path],
    typer.Option("--config", help="A file of configs/methods and one of configs/data, or copies; given twice."),
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change one key; may be given several times.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes to do it in; all cores if not given, 1 is none beside this.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
Arithmetic = Annotated[Precision, typer.Option(help="What the engine computes in; int8: of pictures alone.")]
Engines = Annotated[Path, typer.Option(help="Folder of the engine packages.", show_default="engines")]

ENGINES = ROOT / "engines"


def told(as_json: bool) -> AbstractContextManager[None]:
    """Errors of ours end in one message, Ctrl-C in a word on how to go on."""
    return errors_told("train", as_json, "interrupted; the same command goes on where it was")


def show(found: dict[str, object], as_json: bool) -> None:
    """Print what was made: names and values, or JSON."""
    if as_json:
        print_json(found)
    else:
        print("\n".join(f"{name:<24} {_text(value)}" for name, value in found.items()))


def _text(value: object) -> str:
    return (", ".join(value) or "none") if isinstance(value, tuple) else str(value)


def package(name: str, engines: Path, precision: Precision) -> Path:
    """The package of a recipe: packages of other precisions than fp32 lie beside each other."""
    return engines.resolve() / (name if precision == "fp32" else f"{name}-{precision}")


def made(manifest: Manifest, engines: Path) -> dict[str, object]:
    """What is printed of a package that was written."""
    return {"engine": str(engines / manifest.name)} | {score.name: score.value for score in manifest.scores}
