"""From a training to an engine package, whatever the method: with the scores that belong to it."""

from __future__ import annotations

import logging
from pathlib import Path

from realtime.bench.engines import Speed
from realtime.engine.package.manifest import Manifest, Precision
from train.methods import folds
from train.methods.experiment import Experiment
from train.packaging import torch_tensorrt
from train.packaging.graph import rounded
from train.sources.recorded import RecordedSource

log = logging.getLogger(__name__)


def export(asked: Experiment, folder: Path, precision: Precision, *, anew: bool = False) -> Manifest:
    """The trained network as the engine package `folder`, proven before it is written.

    With `anew` from the data on: prepare, fit and export, each of which goes on where it was interrupted. What
    `evaluate` tested fold by fold has no network of all clips yet: it is trained first, unless `fit` has.
    """
    asked.method.representation(asked.config)  # what cannot be served is refused before it is trained
    recorded = isinstance(asked.source, RecordedSource)
    if anew:
        log.info("%s is prepared in %s", asked.recipe.name, asked.prepare())
    if anew or recorded:
        log.info("%s is trained in %s", asked.recipe.name, asked.fit())
    return asked.export(folder, precision, folds.evaluated(asked) if recorded else asked.scores())


def convert(asked: Experiment, folder: Path) -> Speed:
    """The trained network by torch-tensorrt, held against the package that `export` made of it; how fast it is."""
    torch_tensorrt.library()  # or all that follows is in vain
    return torch_tensorrt.convert(rounded(asked.method.served(asked.restored())), folder)
