"""`python -m train export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from realtime.errors import ConfigError
from train.console import ENGINES, Arithmetic, AsJson, Engines, Overrides, made, package, show, told


def export(
    config: Annotated[
        list[Path] | None, typer.Option(help="A file of configs/methods and one of configs/data, or copies.")
    ] = None,
    override: Overrides = None,
    precision: Arithmetic = "fp32",
    engines: Engines = ENGINES,
    converter: Annotated[
        Literal["onnx", "torch-tensorrt"],
        typer.Option(help="torch-tensorrt, on a GPU: hold what that makes of it against the package that is there."),
    ] = "onnx",
    triton: Annotated[
        Path | None, typer.Option(help="Also write all packages of --engines into this Triton model repository.")
    ] = None,
    plan: Annotated[
        list[Path] | None, typer.Option(help="Serve this TensorRT plan there, not its package's ONNX; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the trained network as an engine package: ONNX, manifest and golden inputs, parity proven first.

    With --triton and no --config, nothing but a Triton model repository is written, of the packages that are there.
    """
    with told(as_json):
        if not config and triton is None:
            raise ConfigError("nothing to export: give --config for a trained network, --triton for a model repository")
        if plan and triton is None:
            raise ConfigError("--plan is of a model repository: give --triton with it")
        found: dict[str, object] = {}
        if config:
            from train.methods import packages
            from train.registry import experiment, load

            asked = experiment(load(config, override or ()))
            folder = package(asked.recipe.name, engines, precision)
            if converter == "torch-tensorrt":
                found |= packages.convert(asked, folder).figures()
            else:
                found |= made(packages.export(asked, folder, precision), engines)
        if triton is not None:
            from train.packaging.triton import write

            found |= {"repository": str(triton), "models": write(engines.resolve(), triton, plan or ())}
        show(found, as_json)
