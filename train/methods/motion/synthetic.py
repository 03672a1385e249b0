"""The network of displacement fields (see `train.methods.motion.motion`) on synthetic clips, with "none" as a class."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import msgspec
import numpy as np
import torch
from torch import Tensor

from realtime.engine.package.manifest import Manifest, Precision, Score
from realtime.labels import NONE
from realtime.representation.event import EventFrames
from realtime.representation.flow_fields import FIELDS
from train.clips.exact import Movements, movements
from train.clips.fields import MovingClip
from train.clips.sequences import rests
from train.clips.subject_split import DATA, LABELS, TERMS, VOCABULARY, Parts
from train.clips.subject_split import split as by_person
from train.config.old import shaping
from train.evaluation.rejection import judged
from train.methods.motion.config import MotionConfig
from train.methods.motion.motion import Mixed, MotionJob, inputs, package, predict, representation
from train.methods.motion.motion import fit as train_network
from train.methods.motion.network import MotionNet
from train.networks import checkpoints
from train.packaging.export import WEIGHTS, trained, trained_by
from train.storage.digest import digest
from train.synthesis.synthetic import Synthetic
from train.training.calibration import calibrate as temper

log = logging.getLogger(__name__)


def split(config: MotionConfig, clips: Sequence[MovingClip]) -> Parts[MovingClip]:
    """The clips of people to train on, to calibrate by and to test on."""
    return by_person(config.clips, clips, lambda clip: (crc32(clip.times.tobytes()), crc32(clip.fields.tobytes())))


def fit(config: MotionConfig, parts: Parts[MovingClip]) -> Path:
    """Train, calibrate, score once on the held-out people, and return the run's folder.

    It holds `weights.pt`, `config.json` and `scores.json`, and is named by everything that shaped them.
    """
    folder = run_folder(config, parts)
    known = _exact(config, parts.train)
    mixed = Mixed(LABELS.index(NONE), config.rest, known, config.exact.share)
    network = train_network(MotionJob(config, LABELS, [parts.train], config.seed, mixed, parts.calibration), folder)
    log.info("temperature %.3f", calibrate(network, config, parts.calibration))
    torch.save(network.state_dict(), folder / WEIGHTS)
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    found = report(network, config, parts.test)
    (folder / "scores.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    return folder


def run_folder(config: MotionConfig, parts: Parts[MovingClip]) -> Path:
    """Named by everything that shapes the weights."""
    return Path(config.runs) / config.name / digest(shaping(config), parts.key, checkpoints.fingerprint(config.initial))


def restored(config: MotionConfig, parts: Parts[MovingClip]) -> MotionNet:
    """The network that `fit` made; DataError if there is none."""
    network = MotionNet(len(LABELS))
    network.load_state_dict(torch.load(trained(run_folder(config, parts)), weights_only=True))
    return network.eval()


def export(config: MotionConfig, parts: Parts[MovingClip], folder: Path, precision: Precision) -> Manifest:
    """The engine package `folder` of a finished run, with the scores that `fit` wrote; DataError if there is none."""
    network, run = restored(config, parts), run_folder(config, parts)
    found = msgspec.json.decode((run / "scores.json").read_bytes(), type=tuple[Score, ...])
    training = trained_by(config, DATA, TERMS)
    return package(config, network, VOCABULARY, LABELS, training, found, run, folder, precision)


@torch.no_grad()
def calibrate(network: MotionNet, config: MotionConfig, clips: Sequence[MovingClip]) -> float:
    """Fold into the last layer the temperature that fits events and faces at rest, and return it."""
    events, still = inputs(config, clips), resting(config, clips)
    labels = [LABELS.index(clip.sample.label) for clip in clips] + [LABELS.index(NONE)] * len(still)
    return temper(network.fc, predict(network, config, torch.cat([events, still])), torch.tensor(labels))


def resting(config: MotionConfig, clips: Sequence[MovingClip]) -> Tensor:
    """What serving would feed the network if the detector took a face at rest for an event: (K, N, 3, S, S)."""
    made = representation(config)
    rows = [np.zeros((0, made.frames, 3, made.size_px, made.size_px), np.float32)]
    for clip in clips:
        for span in rests(clip):
            times = clip.times[span]
            calm = EventFrames(times, fields=clip.fields[span])
            rows.append(made.of_event(calm, float(times[len(times) // 2]))[FIELDS])
    return torch.from_numpy(np.concatenate(rows))


def report(network: MotionNet, config: MotionConfig, clips: Sequence[MovingClip]) -> tuple[Score, ...]:
    """What the manifest says of `network`: figures on people that no part of it has seen."""
    real = [clip for clip in clips if clip.sample.label != NONE]
    others = [clip for clip in clips if clip.sample.label == NONE]
    protocol = (
        f"{len(real)} events of held-out people, pooled; {config.epochs} epochs, fixed in advance; annotated moments; "
        f"final: onset to offset, early: to {1000 * config.early.middle_s:.0f} ms after the apex"
    )
    shown = {"final": inputs(config, real), "early": inputs(config, real, config.early.middle_s)}
    nothing = {"rest": resting(config, clips)} | ({"none": inputs(config, others)} if others else {})
    told, rejected = ({k: predict(network, config, x) for k, x in each.items()} for each in (shown, nothing))
    return judged(told, [clip.sample.label for clip in real], rejected, protocol)


def _exact(config: MotionConfig, clips: Sequence[MovingClip]) -> Movements | None:
    """Movements of the people in `clips`; None where none are wanted."""
    if not config.exact.share:
        return None
    people = {clip.sample.subject.removeprefix(f"{Synthetic.name}/") for clip in clips}
    return movements(config.clips, sorted(people), config.exact.each, Path(config.cache))
