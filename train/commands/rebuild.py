"""`python -m train rebuild`."""

from __future__ import annotations

from train.console import (
    ENGINES,
    Arithmetic,
    AsJson,
    ConfigFiles,
    Engines,
    Overrides,
    Workers,
    made,
    package,
    show,
    told,
)


def rebuild(
    config: ConfigFiles,
    override: Overrides = None,
    precision: Arithmetic = "fp32",
    engines: Engines = ENGINES,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Make an engine from its recipe: prepare, fit and export in one; goes on where it was interrupted."""
    with told(as_json):
        from train.methods import packages
        from train.registry import experiment, load

        asked = experiment(load(config, override or ()), workers)
        manifest = packages.export(asked, package(asked.recipe.name, engines, precision), precision, anew=True)
        show(made(manifest, engines), as_json)
