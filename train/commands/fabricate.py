"""`python -m train fabricate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.console import AsJson, show, told


def fabricate(
    root: Annotated[Path, typer.Option(help="Empty or new folder for the tree.")],
    ferplus: Annotated[str, typer.Option(help="Path of ferplus.npz, whose neutral faces are moved.")],
    head: Annotated[str, typer.Option(help="Path of ict_facekit.npz, whose action units move them.")],
    people: Annotated[int, typer.Option(min=1)] = 5,
    clips: Annotated[int, typer.Option(min=1, help="Of each of them.")] = 6,
    seed: int = 1,
    as_json: AsJson = False,
) -> None:
    """Write a made-up data set in the layout of CASME II, to try every other command without a licence."""
    with told(as_json):
        from train.synthesis.tree import fabricate as write_tree

        show({"table": str(write_tree(root, head, ferplus, people, clips, seed))}, as_json)
