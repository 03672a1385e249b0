"""The network of displacement fields (see `train.methods.motion`) on synthetic clips, with "none" as a class."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import msgspec
import numpy as np
import torch
from torch import Tensor

from realtime import config as realtime_config
from realtime.errors import DataError
from realtime.labels import MEGC3, NONE, VOCABULARIES
from realtime.manifest import Manifest, Precision, Score
from realtime.preprocess import flow_fields
from train.calibration import temperature
from train.config import MotionConfig, digest, shaping
from train.datasets.synthetic import Synthetic
from train.exact import Movements, movements
from train.export import WEIGHTS, trained, trained_by
from train.fields import MovingClip
from train.folds import hold_out
from train.methods.motion import Mixed, MotionJob, inputs, package, predict, representation
from train.methods.motion import fit as train_network
from train.metrics import Scores, scores
from train.networks import checkpoints
from train.networks.motion import MotionNet
from train.sequences import rests

log = logging.getLogger(__name__)

VOCABULARY = "megc-3-none"
LABELS = VOCABULARIES[VOCABULARY]
DATA = ("synthetic micro-expressions: neutral faces moved by scripted action units",)
TERMS = "The pictures that were moved are not part of this package; FER-2013's have no clear licence."


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The clips of three groups of people."""

    train: list[MovingClip]
    calibration: list[MovingClip]  #: sets the temperature of the logits, and nothing else
    test: list[MovingClip]  #: is scored once, when all else is fixed
    key: str  #: changes with the clips and the split


def split(config: MotionConfig, clips: Sequence[MovingClip]) -> Parts:
    """The people of the test are held out first, then those who calibrate, as in `train.events`."""
    foreign = sorted({clip.sample.label for clip in clips} - set(LABELS))
    if foreign:
        raise DataError(f"clips that show {', '.join(foreign)}; wanted {', '.join(LABELS)} alone")
    shares, seed = config.clips, config.clips.seed
    test = hold_out((clip.sample.subject for clip in clips), shares.held_out, seed)
    others = {clip.sample.subject for clip in clips} - test
    calibrating = hold_out(others, shares.calibration, seed)
    sides = (others - calibrating, calibrating, test)
    train, calibration, last = ([clip for clip in clips if clip.sample.subject in side] for side in sides)
    shaped = [(clip.sample, crc32(clip.times.tobytes()), crc32(clip.fields.tobytes())) for clip in clips]
    return Parts(train, calibration, last, digest(shaped, *(sorted(side) for side in sides)))


def fit(config: MotionConfig, parts: Parts) -> Path:
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


def run_folder(config: MotionConfig, parts: Parts) -> Path:
    """Named by everything that shapes the weights."""
    return Path(config.runs) / config.name / digest(shaping(config), parts.key, checkpoints.fingerprint(config.initial))


def restored(config: MotionConfig, parts: Parts) -> MotionNet:
    """The network that `fit` made; DataError if there is none."""
    network = MotionNet(len(LABELS))
    network.load_state_dict(torch.load(trained(run_folder(config, parts)), weights_only=True))
    return network.eval()


def export(config: MotionConfig, parts: Parts, folder: Path, precision: Precision) -> Manifest:
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
    logits = predict(network, config, torch.cat([events, still]))
    found = temperature(logits, torch.tensor(labels))
    network.fc.weight.div_(found)
    network.fc.bias.div_(found)
    return found


def resting(config: MotionConfig, clips: Sequence[MovingClip]) -> Tensor:
    """What serving would feed the network if the detector took a face at rest for an event: (K, N, 3, S, S)."""
    made = representation(config)
    rows = [np.zeros((0, made.frames, 3, made.size_px, made.size_px), np.float32)]
    for clip in clips:
        for span in rests(clip):
            times = clip.times[span]
            rows.append(flow_fields(times, clip.fields[span], float(times[len(times) // 2]), made))
    return torch.from_numpy(np.concatenate(rows))


def report(network: MotionNet, config: MotionConfig, clips: Sequence[MovingClip]) -> tuple[Score, ...]:
    """What the manifest says of `network`: figures on people that no part of it has seen.

    Micro-expressions are told apart as they are live, where none is no label to tell; beside that, how many of them
    would not have been withdrawn, and how many stretches of rest and movements of no class would have been.
    """
    real = [clip for clip in clips if clip.sample.label != NONE]
    others = [clip for clip in clips if clip.sample.label == NONE]
    protocol = (
        f"{len(real)} events of held-out people, pooled; {config.epochs} epochs, fixed in advance; annotated moments; "
        f"final: onset to offset, early: to {1000 * config.early.middle_s:.0f} ms after the apex"
    )
    logits = {"final": inputs(config, real), "early": inputs(config, real, config.early.middle_s)}
    told = {stage: predict(network, config, fields) for stage, fields in logits.items()}
    found = []
    for stage, said in told.items():
        judged = judge(said, real)
        found += [_score(f"{stage}_{k}", v, protocol, judged.counts) for k, v in judged.figures().items()]
    nothing = [resting(config, clips), *([inputs(config, others)] if others else [])]
    found.append(_score("kept", 1.0 - _rejected(told["final"]), protocol, {"events": len(real)}))
    for name, fields in zip(("rejected_rest", "rejected_none"), nothing, strict=False):
        share = _rejected(predict(network, config, fields))
        found.append(_score(name, share, f"{len(fields)} of held-out people", {NONE: len(fields)}))
    return tuple(found)


def judge(logits: Tensor, clips: Sequence[MovingClip]) -> Scores:
    """Scores over the classes that are told; logits (K, C) of K micro-expressions."""
    truth = np.array([MEGC3.index(clip.sample.label) for clip in clips])
    return scores(truth, logits[:, : len(MEGC3)].argmax(1).numpy(), MEGC3)


def _rejected(logits: Tensor) -> float:
    """The share of events (K, C) that serving would withdraw."""
    nothing = logits.softmax(1)[:, LABELS.index(NONE)]
    return float((nothing >= realtime_config.load().recognise.reject).float().mean()) if len(nothing) else 0.0


def _score(name: str, value: float, protocol: str, counts: dict[str, int]) -> Score:
    return Score(name=name, value=round(value, 4), protocol=protocol, counts=counts)


def _exact(config: MotionConfig, clips: Sequence[MovingClip]) -> Movements | None:
    """Movements of the people in `clips`; None where none are wanted."""
    if not config.exact.share:
        return None
    people = {clip.sample.subject.removeprefix(f"{Synthetic.name}/") for clip in clips}
    return movements(config.clips, sorted(people), config.exact.each, Path(config.cache))
