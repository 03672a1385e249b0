"""The network of the apex (see `apexnet`) on synthetic clips, with or without "none" as a class."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor

from realtime.engine.package.manifest import Manifest, Precision, Score
from realtime.labels import NONE, VOCABULARIES
from train.clips.subject_split import DATA, TERMS, Parts
from train.clips.subject_split import split as by_person
from train.config.old import shaping
from train.evaluation.rejection import judged
from train.methods.apexnet.apexnet import (
    ApexnetJob,
    bare,
    indices,
    inputs,
    nothing,
    predict,
    representation,
    shown,
    vocabulary,
)
from train.methods.apexnet.config import ApexnetConfig
from train.methods.apexnet.pairs import Filmed, still
from train.methods.apexnet.se_resnext import SeResNeXt
from train.networks import checkpoints
from train.packaging.export import WEIGHTS, Draft, trained, trained_by
from train.packaging.export import export as write_package
from train.packaging.golden import golden_inputs
from train.storage.digest import digest
from train.training import loop
from train.training.calibration import calibrate as temper
from train.training.curves import CURVE

log = logging.getLogger(__name__)


def split(config: ApexnetConfig, clips: Sequence[Filmed]) -> Parts[Filmed]:
    """The clips of people to train on, to calibrate by and to test on; without a class "none", of what is one."""
    known = [clip for clip in clips if config.rest or clip.sample.label != NONE]
    return by_person(config.clips, known, lambda clip: (clip.key, clip.times.tolist()))


def fit(config: ApexnetConfig, parts: Parts[Filmed]) -> Path:
    """Train, calibrate, score once on the held-out people, and return the run's folder.

    It holds `weights.pt`, `config.json` and `scores.json`, and is named by everything that shaped them.
    """
    folder = run_folder(config, parts)
    job = ApexnetJob(config, parts.train, parts.calibration)
    loop.fit(job, config.optimiser, folder, config.machine)
    log.info("temperature %.3f", calibrate(job.judge, config, parts.calibration))
    torch.save(job.judge.state_dict(), folder / WEIGHTS)
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    found = report(job.judge, config, parts.test)
    (folder / "scores.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    return folder


def run_folder(config: ApexnetConfig, parts: Parts[Filmed]) -> Path:
    """Named by everything that shapes the weights."""
    shaped = (shaping(config), parts.key, checkpoints.fingerprint(config.initial))
    return Path(config.runs) / config.name / digest(*shaped)


def restored(config: ApexnetConfig, parts: Parts[Filmed]) -> SeResNeXt:
    """The network that `fit` made; DataError if there is none."""
    network = bare(config)
    network.load_state_dict(torch.load(trained(run_folder(config, parts)), weights_only=True))
    return network.eval()


def calibrate(network: SeResNeXt, config: ApexnetConfig, clips: Sequence[Filmed]) -> float:
    """Fold into the last layer the temperature that fits events and faces at rest, and return it."""
    calm = resting(config, clips)
    labels = torch.cat([indices(clips), nothing(len(calm))])
    return temper(network.fc, predict(network, torch.cat([inputs(config, clips), calm])), labels)


def resting(config: ApexnetConfig, clips: Sequence[Filmed]) -> Tensor:
    """What serving would feed the network if the detector took a face at rest for an event: (K, 3, S, S).

    Nothing where rest is no class.
    """
    made = representation(config)
    rows = [np.zeros((0, 3, made.size_px, made.size_px), np.float32)]
    rows += [shown(clip, at, at[1], made) for clip in clips for at in still(clip) if config.rest]
    return torch.from_numpy(np.concatenate(rows))


def report(network: SeResNeXt, config: ApexnetConfig, clips: Sequence[Filmed]) -> tuple[Score, ...]:
    """What the manifest says of `network`: figures on people that no part of it has seen."""
    real = [clip for clip in clips if clip.sample.label != NONE]
    others = [clip for clip in clips if clip.sample.label == NONE]
    protocol = (
        f"{len(real)} events of held-out people, pooled; {config.epochs} epochs, fixed in advance; annotated moments"
    )
    calm = {"rest": resting(config, clips)} | ({"none": inputs(config, others)} if others else {})
    rejected = {name: predict(network, images) for name, images in calm.items() if len(images)}
    labels = [clip.sample.label for clip in real]
    return judged({"final": predict(network, inputs(config, real))}, labels, rejected, protocol)


def export(config: ApexnetConfig, parts: Parts[Filmed], folder: Path, precision: Precision) -> Manifest:
    """The engine package `folder` of a finished run, with the scores that `fit` wrote; DataError if there is none."""
    network, run, made = restored(config, parts), run_folder(config, parts), representation(config)
    found = msgspec.json.decode((run / "scores.json").read_bytes(), type=tuple[Score, ...])
    name = vocabulary(config)
    draft = Draft.of(
        folder, precision, trained_by(config, DATA, TERMS), vocabulary=name, labels=VOCABULARIES[name],
        representation=made, scores=found,
    )  # fmt: skip
    return write_package(network, golden_inputs(made), ("embedding", "logits"), draft, folder, run / CURVE)
