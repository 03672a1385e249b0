"""`python -m train evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from realtime.errors import ConfigError
from train.console import AsJson, Overrides, Workers, show, told


def evaluate(
    config: Annotated[
        list[Path] | None, typer.Option(help="A file of configs/methods and one of recorded clips in configs/data.")
    ] = None,
    override: Overrides = None,
    ray: Annotated[
        str | None, typer.Option(help="Ray cluster to run folds on, such as auto or host:6379; local starts one here.")
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
    chained: Annotated[bool, typer.Option("--chain", hidden=True)] = False,
    data: Annotated[Path | None, typer.Option(hidden=True)] = None,
    rates: Annotated[str, typer.Option(hidden=True)] = "30,60,100,200",
) -> None:
    """Test by the data's protocol, each clip once by a model of its own fold; goes on after the last fold."""
    if chained:
        from train.commands.chain import chain

        if data is None:
            raise typer.BadParameter("give --data with --chain")

        print("train evaluate --chain is `python -m train chain` now, with the same options", file=sys.stderr)
        chain(data, config[0] if config else None, override, rates, workers, as_json)
        return
    with told(as_json):
        from train.evaluation.cluster import Cluster
        from train.evaluation.runners import Serial
        from train.evaluation.scoring import figures
        from train.methods import folds
        from train.registry import experiment, load
        from train.training.devices import gpus

        if not config:
            raise ConfigError("nothing to evaluate: give --config twice, a method's file and one of recorded clips")
        recipe = load(config, override or ())
        runner = Serial() if ray is None else Cluster(ray, retries=2, gpus=gpus(recipe.method.machine))
        report, scores = folds.evaluate(experiment(recipe, workers), runner)
        show({"report": str(report), **figures(scores)}, as_json)
