"""`python -m train ablate`."""

from __future__ import annotations

from typing import Annotated

import typer

from realtime.errors import ConfigError
from train.console import AsJson, ConfigFiles, Overrides, answer, told


def ablate(
    config: ConfigFiles,
    vary: Annotated[
        list[str],
        typer.Option(
            help="A setting and what to compare, such as head=patent,cmnet, or of a list without=,blink,gaze+turn; "
            "may be given again."
        ),
    ],
    override: Overrides = None,
    seeds: Annotated[int, typer.Option(min=1, help="So many trainings of each.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Compare settings of a method on the same held-out people: mean and deviation over the seeds."""
    with told(as_json):
        from train.evaluation.ablation import table
        from train.methods.comparison import compare
        from train.registry import experiment, load
        from train.sources.recorded import RecordedSource

        asked = experiment(load(config, override or ()))
        if isinstance(asked.source, RecordedSource):
            raise ConfigError(
                f"{asked.recipe.name} holds nobody out: what is compared is measured on people whom a source of made "
                "clips holds out, such as configs/data/synthetic.toml"
            )
        rows = compare(asked, vary, range(1, seeds + 1))
        answer({"rows": rows}, table(rows), as_json=as_json)
