"""`python -m train confidence`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from train.console import AsJson, answer, told


def confidence(
    reports: Annotated[list[Path], typer.Argument(help="real-choosing.json of `train real`, one or several.")],
    as_json: AsJson = False,
) -> None:
    """Fit how sure answers are told to be on reports of real faces, of people whom the spotter has not seen."""
    with told(as_json):
        from train.chain.real.confidence import fitted

        found = fitted(reports)
        answer(
            [asdict(each) for each in found],
            ["[recognise.confidence]", *(each.text() for each in found)],
            as_json=as_json,
        )
