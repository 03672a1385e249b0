"""`python -m train fit`."""

from __future__ import annotations

from train.console import AsJson, ConfigFiles, Overrides, show, told


def fit(config: ConfigFiles, override: Overrides = None, as_json: AsJson = False) -> None:
    """Train by the configuration: fixed epochs, no choice by any score; goes on after the last whole epoch."""
    with told(as_json):
        from train.registry import experiment, load

        show({"run": str(experiment(load(config, override or ())).fit())}, as_json)
