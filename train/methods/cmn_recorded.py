"""The contrastive magnification head (see `train.methods.cmn`) on recorded clips, fitted anew in every fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import torch

from realtime.engine import Engine
from realtime.errors import DataError
from realtime.manifest import MODEL, Manifest, Score, Training
from train.answers import predict
from train.clips import ClipCrops
from train.collection import TERMS, Collection, named
from train.config import CmnRecordedConfig, digest
from train.embeddings import EmbeddedClip, embed, open_encoder
from train.events import Events, Parts
from train.export import vocabulary_of
from train.folds import hold_out
from train.methods.cmn import package, restore, train_head
from train.networks.cmn import CmnHead
from train.runners import Probabilities
from train.stored import StoredClip


@dataclass(frozen=True, slots=True)
class CmnFitPredict:
    """Implements `runners.FitPredict`. The people who calibrate are taken from those to train on."""

    config: CmnRecordedConfig
    collection: Collection

    def __call__(self, train_ids: Sequence[str], test_ids: Sequence[str], seed: int, folder: Path) -> Probabilities:
        labels, encoder = self.collection.labels, open_encoder(Path(self.config.encoder))
        train, test = (embedded(self.config, self.collection.of(ids), encoder) for ids in (train_ids, test_ids))
        nobody = [replace(clip, sample=replace(clip.sample, label=labels[0])) for clip in test]  # truth stays outside
        config = msgspec.structs.replace(self.config, seed=seed)
        head = _fitted(config, train, labels, folder)
        logits = predict(head, Events(nobody, labels), config, "final")
        found: Probabilities = logits.softmax(1).numpy()
        return found


def prepare(config: CmnRecordedConfig, collection: Collection) -> None:
    """Embed every clip, so that the folds only read."""
    embedded(config, collection.clips, open_encoder(Path(config.encoder)))


def fit(config: CmnRecordedConfig, collection: Collection) -> Path:
    """Train on all clips but those that calibrate, write `weights.pt` and `config.json`; the run's folder."""
    encoder = open_encoder(Path(config.encoder))
    clips = embedded(config, collection.clips, encoder)
    folder = run_folder(config, collection, encoder)
    head = _fitted(config, clips, collection.labels, folder)
    torch.save(head.state_dict(), folder / "weights.pt")
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    return folder


def run_folder(config: CmnRecordedConfig, collection: Collection, encoder: Engine) -> Path:
    """Named by everything that shapes the weights."""
    return Path(config.runs) / config.name / digest(config, encoder.manifest.files[MODEL], collection.key())


def export(config: CmnRecordedConfig, collection: Collection, scores: tuple[Score, ...], folder: Path) -> Manifest:
    """The engine package `folder` of the head that `fit` made; DataError if there is none.

    `scores` are those of the evaluation: of heads that were trained alike, without the people they were tested on.
    """
    vocabulary, encoder = vocabulary_of(collection.labels), open_encoder(Path(config.encoder))
    weights = run_folder(config, collection, encoder) / "weights.pt"
    if not weights.is_file():
        raise DataError(f"no {weights}: train first, with python -m train fit and the same configuration")
    training = Training(named(config.data), TERMS, msgspec.to_builtins(config), config.seed, config.epochs)
    return package(config, restore(weights, config.reference), encoder, vocabulary, training, scores, folder)


def embedded(config: CmnRecordedConfig, clips: Sequence[StoredClip], encoder: Engine) -> list[EmbeddedClip]:
    """The events of `clips`, embedded one after another: their pictures do not all fit into memory."""
    return [embed([_cut(clip)], encoder, config.views, config.seed, Path(config.cache))[0] for clip in clips]


def _fitted(config: CmnRecordedConfig, clips: Sequence[EmbeddedClip], labels: tuple[str, ...], folder: Path) -> CmnHead:
    """A head that some of the people of `clips` calibrate and all others train."""
    calibrating = hold_out((clip.sample.subject for clip in clips), config.calibration, config.seed)
    sides = ([clip for clip in clips if (clip.sample.subject in calibrating) == side] for side in (False, True))
    train, calibration = (Events(side, labels) for side in sides)
    return train_head(config, Parts(train, calibration, calibration, ""), folder)


def _cut(clip: StoredClip) -> ClipCrops:
    """The event, under the names that are unique over all data sets."""
    inside = slice(clip.event().start, clip.event().stop)
    sample = replace(clip.sample, id=clip.case.id, subject=clip.case.subject)
    return ClipCrops(sample, clip.times()[inside], list(clip.crops()[inside]))
