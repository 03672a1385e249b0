"""The contrastive magnification head (see `train.methods.cmn.cmn`) on recorded clips, fitted anew in every fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Generator

from realtime.engine.engine import Engine
from realtime.engine.package.manifest import MODEL, Manifest, Precision, Score
from train.clips.clip import ClipCrops
from train.clips.embeddings import EmbeddedClip, embed, open_encoder
from train.clips.fields import moving
from train.clips.stored import StoredClip
from train.clips.takes import draw, jittered
from train.config.old import shaping
from train.datasets.folds import hold_out
from train.evaluation.runners import Probabilities
from train.methods.cmn.answers import predict
from train.methods.cmn.cmn import package, restore, train_head
from train.methods.cmn.config import CmnRecordedConfig
from train.methods.cmn.events import Events, Parts
from train.methods.cmn.moved import beside
from train.networks.cmn import CmnHead
from train.packaging.export import WEIGHTS, trained, trained_by
from train.sources.collection import TERMS, Collection, named, vocabulary
from train.storage.digest import digest


class Takes(Events):
    """Events as several cameras saw them, of which each epoch sees each through one, cut at moments of its own."""

    def __init__(self, takes: Sequence[Sequence[EmbeddedClip]], labels: tuple[str, ...], jitter_s: float) -> None:
        """`takes`: the same clips through each camera, with the frames that lie up to `jitter_s` around the event."""
        super().__init__(takes[0], labels)
        self._takes, self._jitter_s = takes, jitter_s

    def shown(self, generator: Generator) -> Events:
        if len(self._takes) == 1 and not self._jitter_s:
            return self
        clips = draw(self._takes, generator)
        cut = (replace(c, sample=jittered(c.sample, c.times, self._jitter_s, generator)) for c in clips)
        return Events(list(cut), self.vocabulary)


@dataclass(frozen=True, slots=True)
class CmnFitPredict:
    """Implements `runners.FitPredict`. The people who calibrate are taken from those to train on."""

    config: CmnRecordedConfig
    collection: Collection

    def __call__(self, train_ids: Sequence[str], test_ids: Sequence[str], seed: int, folder: Path) -> Probabilities:
        labels, encoder = self.collection.labels, open_encoder(Path(self.config.encoder))
        train, tests = (
            [embedded(self.config, clips, encoder) for clips in self.collection.takes(ids, rates_hz)]
            for ids, rates_hz in ((train_ids, self.config.rates.train_hz), (test_ids, self.config.rates.test_hz))
        )
        config = msgspec.structs.replace(self.config, seed=seed)
        head = _fitted(config, train, labels, folder)
        logits = (predict(head, Events(_nameless(clips, labels), labels), config, "final") for clips in tests)
        return np.stack([each.softmax(1).numpy() for each in logits])


def prepare(config: CmnRecordedConfig, collection: Collection) -> None:
    """Embed every clip, so that the folds only read."""
    encoder = open_encoder(Path(config.encoder))
    for clips in collection.takes(collection.ids(), collection.at):
        embedded(config, clips, encoder)


def fit(config: CmnRecordedConfig, collection: Collection) -> Path:
    """Train on all clips but those that calibrate, write `weights.pt` and `config.json`; the run's folder."""
    encoder = open_encoder(Path(config.encoder))
    takes = [embedded(config, clips, encoder) for clips in collection.takes(collection.ids(), config.rates.train_hz)]
    folder = run_folder(config, collection, encoder)
    head = _fitted(config, takes, collection.labels, folder)
    torch.save(head.state_dict(), folder / WEIGHTS)
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    return folder


def run_folder(config: CmnRecordedConfig, collection: Collection, encoder: Engine) -> Path:
    """Named by everything that shapes the weights."""
    return Path(config.runs) / config.name / digest(shaping(config), encoder.manifest.files[MODEL], collection.key())


def restored(config: CmnRecordedConfig, collection: Collection, encoder: Engine) -> CmnHead:
    """The head that `fit` made; DataError if there is none."""
    return restore(trained(run_folder(config, collection, encoder)), config)


def export(
    config: CmnRecordedConfig, collection: Collection, scores: tuple[Score, ...], folder: Path, precision: Precision
) -> Manifest:
    """The engine package `folder` of the head that `fit` made; DataError if there is none.

    `scores` are those of the evaluation: of heads that were trained alike, without the people they were tested on.
    """
    encoder = open_encoder(Path(config.encoder))
    run, head = run_folder(config, collection, encoder), restored(config, collection, encoder)
    training = trained_by(config, named(config.data), TERMS)
    name, labels = vocabulary(config.data), collection.labels
    return package(config, head, encoder, name, labels, training, scores, run, folder, precision)


def embedded(config: CmnRecordedConfig, clips: Sequence[StoredClip], encoder: Engine) -> list[EmbeddedClip]:
    """The events of `clips`, and what lies up to `jitter_s` around them.

    Embedded one after another: their pictures do not all fit into memory.
    """
    cut = (_cut(clip, config.jitter_s) for clip in clips)
    found = [embed([clip], encoder, config.views, config.seed, Path(config.cache))[0] for clip in cut]
    if not config.motion.cells:
        return found
    both = zip(found, moving(clips), strict=True)
    return [beside(clip, moved, config.motion, config.seed) for clip, moved in both]


def _cut(clip: StoredClip, around_s: float) -> ClipCrops:
    onset, offset = clip.sample.onset_s, clip.sample.offset_s
    wide = replace(clip, sample=replace(clip.sample, onset_s=onset - around_s, offset_s=offset + around_s)).cut()
    return replace(wide, sample=replace(wide.sample, onset_s=onset, offset_s=offset))


def _nameless(clips: Sequence[EmbeddedClip], labels: tuple[str, ...]) -> list[EmbeddedClip]:
    """Test clips without their truth, which stays outside."""
    return [replace(clip, sample=replace(clip.sample, label=labels[0])) for clip in clips]


def _fitted(
    config: CmnRecordedConfig, takes: Sequence[Sequence[EmbeddedClip]], labels: tuple[str, ...], folder: Path
) -> CmnHead:
    """A head that some of the people of the clips calibrate, through all cameras, and all others train."""
    calibrating = hold_out((clip.sample.subject for clip in takes[0]), config.calibration, config.seed)
    own, others = (
        [[clip for clip in clips if (clip.sample.subject in calibrating) == side] for clips in takes]
        for side in (True, False)
    )
    calibration = Events([clip for clips in own for clip in clips], labels)
    train = Takes(others, labels, config.jitter_s)
    return train_head(config, Parts(train, calibration, calibration, ""), folder)
