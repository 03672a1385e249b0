"""The network of displacement fields (see `motion`) on recorded clips, fitted anew in every fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch

from realtime.engine.package.manifest import Manifest, Precision, Score
from train.clips.collection import TERMS, Collection, named, vocabulary
from train.clips.fields import moving
from train.config.old import shaping
from train.evaluation.runners import Probabilities
from train.methods.motion.config import MotionRecordedConfig
from train.methods.motion.motion import MotionJob, inputs, package, predict
from train.methods.motion.motion import fit as train_network
from train.methods.motion.network import MotionNet
from train.networks import checkpoints
from train.packaging.export import WEIGHTS, trained, trained_by
from train.storage.digest import digest


@dataclass(frozen=True, slots=True)
class MotionFitPredict:
    """Implements `runners.FitPredict`."""

    config: MotionRecordedConfig
    collection: Collection

    def __call__(self, train_ids: Sequence[str], test_ids: Sequence[str], seed: int, folder: Path) -> Probabilities:
        config, collection = self.config, self.collection
        takes = [moving(clips, 1) for clips in collection.takes(train_ids, config.rates.train_hz)]
        network = train_network(MotionJob(config, collection.labels, takes, seed), folder)
        tests = (inputs(config, moving(clips, 1)) for clips in collection.takes(test_ids, config.rates.test_hz))
        return np.stack([predict(network, config, fields).softmax(1).numpy() for fields in tests])


def prepare(collection: Collection, workers: int | None = None) -> None:
    """Make the fields of every clip, so that the folds only read."""
    for clips in collection.takes(collection.ids(), collection.at):
        moving(clips, workers)


def fit(config: MotionRecordedConfig, collection: Collection) -> Path:
    """Train on all clips, write `weights.pt` and `config.json`, and return the run's folder."""
    folder = run_folder(config, collection)
    takes = [moving(clips) for clips in collection.takes(collection.ids(), config.rates.train_hz)]
    network = train_network(MotionJob(config, collection.labels, takes, config.seed), folder)
    torch.save(network.state_dict(), folder / WEIGHTS)
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    return folder


def run_folder(config: MotionRecordedConfig, collection: Collection) -> Path:
    """Named by everything that shapes the weights."""
    shaped = (shaping(config), collection.key(), checkpoints.fingerprint(config.initial))
    return Path(config.runs) / config.name / digest(*shaped)


def restored(config: MotionRecordedConfig, collection: Collection) -> MotionNet:
    """The network that `fit` made; DataError if there is none."""
    network = MotionNet(len(collection.labels))
    network.load_state_dict(torch.load(trained(run_folder(config, collection)), weights_only=True))
    return network.eval()


def export(
    config: MotionRecordedConfig, collection: Collection, scores: tuple[Score, ...], folder: Path, precision: Precision
) -> Manifest:
    """The engine package `folder` of the network that `fit` made; DataError if there is none.

    `scores` are those of the evaluation: of networks that were trained alike, without the people they were tested on.
    """
    network, run = restored(config, collection), run_folder(config, collection)
    training, name = trained_by(config, named(config.data), TERMS), vocabulary(config.data)
    return package(config, network, name, collection.labels, training, scores, run, folder, precision)
