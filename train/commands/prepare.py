"""`python -m train prepare`."""

from __future__ import annotations

from train.console import AsJson, ConfigFiles, Overrides, Workers, show, told


def prepare(
    config: ConfigFiles,
    override: Overrides = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Bring the data through the serving stages into the cache; goes on where it was interrupted."""
    with told(as_json):
        from train.registry import experiment, load

        show({"cache": str(experiment(load(config, override or ()), workers).prepare())}, as_json)
