"""`python -m train card`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.console import AsJson, show, told


def card(
    engine: Annotated[list[Path], typer.Option(help="Folder of an engine package; may be repeated.")],
    as_json: AsJson = False,
) -> None:
    """Write the model cards of packages that are there anew, from their manifests; all else in them stays."""
    with told(as_json):
        from train.packaging.model_card import rewrite
        from train.registry import card_of

        show({folder.name: str(rewrite(folder.resolve(), card_of)) for folder in engine}, as_json)
