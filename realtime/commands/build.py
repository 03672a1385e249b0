"""`python -m realtime build`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from realtime.config import GpuBackend, load
from realtime.console.console import errors_told
from realtime.console.options import AsJson, ConfigFile, Overrides, Verbose, answer


def build(
    engine: Annotated[list[Path], typer.Argument(help="Folders of engine packages, such as engines/*.")],
    backend: Annotated[
        GpuBackend, typer.Option(help="tensorrt builds for the GPU at hand; tensorrt-rtx needs none.")
    ] = "tensorrt",
    capability: Annotated[
        str | None, typer.Option(help="With tensorrt-rtx: for GPUs of this compute capability, such as 8.6, alone.")
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Build TensorRT's plans into engines.cache, where the live system looks for them; the log shows how far it is.

    A plan that is there and fits is left as it is. Naming the nodes, it fails for packages that TensorRT cannot read.
    """
    from realtime.engine.build import build as make
    from realtime.engine.build import lines

    with errors_told("realtime", as_json, level=logging.DEBUG if verbose else logging.INFO):
        built = make([folder.resolve() for folder in engine], load(config, override).engines, backend, capability)
        answer(built, lines(built), as_json=as_json)
