"""One runner for every method and every source of clips: prepare, fit, restore, calibrate, export."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from realtime.engine.package.manifest import Manifest, Precision, Score, Training
from realtime.labels import NONE
from train.config.recipe import Recipe, Settings
from train.datasets.folds import Fold
from train.methods.held_out import report, rows
from train.methods.method import Answer, Method, judge
from train.packaging.export import WEIGHTS, Draft, trained
from train.packaging.export import export as write_package
from train.sources.source import ClipSource, Split
from train.storage.digest import digest
from train.training.calibration import calibrate
from train.training.curves import CURVE
from train.training.solved import learn

log = logging.getLogger(__name__)

CONFIG, SCORES = "config.json", "scores.json"


@dataclass(frozen=True)
class Experiment:
    """A method, its settings, and the clips that it learns from."""

    method: Method[Any, Any]
    recipe: Recipe[Settings]
    source: ClipSource
    workers: int | None = None  #: processes that prepare clips; they change no bit

    @property
    def config(self) -> Any:
        """The method's settings."""
        return self.recipe.method

    @cached_property
    def split(self) -> Split[Any]:
        """The clips of the network that is to be served, as the method sees them."""
        return self.method.see(self.config, self.source, self.source.whole(), self.workers)

    @property
    def run(self) -> Path:
        """The folder of its training, named by everything that shapes the weights."""
        shaped = (self.recipe.shaping(), self.source.key(), dict(self.method.files(self.config)))
        return Path(self.config.runs) / self.recipe.name / digest(*shaped)

    def prepare(self) -> Path:
        """Make the cache that all folds read; what is there already is kept."""
        for fold in self._covering():
            self.method.see(self.config, self.source, fold, self.workers)
        return Path(self.config.cache)

    def _covering(self) -> list[Fold]:
        """Folds that together show every clip through every camera: of many, one that trains on and tests all."""
        folds = list(dict.fromkeys((self.source.whole(), *self.source.folds())))
        if len(folds) <= 2:
            return folds
        ids = tuple(dict.fromkeys(id for fold in folds for id in (*fold.train, *fold.test)))
        return [Fold("all", ids, ids)]

    def fit(self, split: Split[Any] | None = None) -> Path:
        """Train, calibrate, score once on whom the source holds out, and return the run's folder.

        It holds `weights.pt`, `config.json` and, where somebody is held out, `scores.json`. `split` is that of an
        experiment with the same clips, where it is at hand.
        """
        split, run = split or self.split, self.run
        network = train(self.method, self.config, self.source, split, self.config.seed, run)
        torch.save(network.state_dict(), run / WEIGHTS)
        _write(run / CONFIG, self.recipe.tree())
        if any(len(clips) for clips in split.test):
            _write(run / SCORES, report(self.method, self.config, network, split))
        return run

    def restored(self) -> nn.Module:
        """The network that `fit` made; DataError if there is none."""
        labels = self.method.vocabulary(self.config, self.source.vocabulary).labels
        network = self.method.network(self.config, len(labels))
        network.load_state_dict(torch.load(trained(self.run), weights_only=True))
        return network.eval()

    def scores(self) -> tuple[Score, ...]:
        """Those that `fit` wrote."""
        path = self.run / SCORES
        return msgspec.json.decode(path.read_bytes(), type=tuple[Score, ...]) if path.exists() else ()

    def export(self, folder: Path, precision: Precision, scores: tuple[Score, ...]) -> Manifest:
        """The engine package `folder` of the network that `fit` made, with these scores; DataError if there is none."""
        method, config, network = self.method, self.config, self.restored()
        vocabulary, origin = method.vocabulary(config, self.source.vocabulary), self.source.provenance
        recipe = self.recipe.tree()
        draft = Draft(
            name=folder.name,
            method=recipe["method"],
            task=method.task,
            vocabulary=vocabulary.name,
            labels=vocabulary.labels,
            representation=method.representation(config),
            precision=precision,
            training=Training(origin.data, origin.terms, recipe, config.seed, config.epochs),
            scores=scores,
            card=method.card,
        )
        golden = method.golden(config, precision)
        step = method.step(config, network, golden)
        trial = method.trial(config, self.split) if precision == "int8" else None
        served, curve = method.served(network), self.run / CURVE
        return write_package(served, golden, method.outputs, draft, folder, curve, step=step, trial=trial)


def train(
    method: Method[Any, Any], config: Any, source: ClipSource, split: Split[Any], seed: int, folder: Path
) -> nn.Module:
    """A network that has gone through all stages and is calibrated; checkpoints of the last one lie in `folder`."""
    *before, last = method.stages(config, split, source, seed)
    for number, stage in enumerate(before, 1):
        learn(stage, folder / f"stage-{number}", config.machine)
    network = learn(last, folder, config.machine)
    if len(split.calibration) and method.calibrates:
        answers = tuple(answer for answer in method.calibrates if answer != "rest" or NONE in split.vocabulary.labels)
        found = _asked(method, config, split.calibration, answers)
        logits = torch.cat([judge(method, network, inputs) for inputs, _ in found])
        labels = split.vocabulary.indices(label for _, shown in found for label in shown)
        log.info("temperature %.3f", calibrate(method.classifier(network), logits, labels))
    return network


def _asked(
    method: Method[Any, Any], config: Any, clips: Any, answers: tuple[Answer, ...]
) -> list[tuple[Mapping[str, Tensor], list[str]]]:
    """Inputs and what they show, for each of `answers`: faces at rest show none."""
    found = []
    for answer in answers:
        inputs = method.inputs(config, clips, answer)
        if rows(inputs):
            found.append((inputs, [NONE] * rows(inputs) if answer == "rest" else list(method.labels(clips))))
    return found


def _write(path: Path, value: object) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value)))
