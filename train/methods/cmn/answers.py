"""What a trained head answers when serving would ask it: early, soon after the apex, and finally, at the offset."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from train.evaluation.metrics import Scores, scores
from train.methods.cmn.config import CmnSettings
from train.methods.cmn.events import Events
from train.networks.cmn import CmnHead
from train.training.calibration import temperature

Stage = Literal["final", "early"]
STAGES: tuple[Stage, ...] = ("final", "early")


@torch.no_grad()
def predict(network: nn.Module, events: Events, config: CmnSettings, stage: Stage) -> Tensor:
    """Logits (K, C) of K events, from the frames that serving would take."""
    network.eval()
    lengths = events.lengths if stage == "final" else events.early(config.early.middle_s)
    logits: Tensor = network(events.sequences(lengths, config.frames))[0]
    return logits


def evaluate(network: nn.Module, events: Events, config: CmnSettings) -> dict[Stage, Scores]:
    """Pooled scores of both kinds of answers."""
    truth = events.labels.numpy()
    said = {stage: predict(network, events, config, stage).argmax(1).numpy() for stage in STAGES}
    return {stage: scores(truth, classes, events.vocabulary) for stage, classes in said.items()}


@torch.no_grad()
def calibrate(head: CmnHead, events: Events, config: CmnSettings) -> float:
    """Fold into the last layer the temperature that fits both kinds of answers on `events`, and return it."""
    logits = torch.cat([predict(head, events, config, stage) for stage in STAGES])
    found = temperature(logits, events.labels.repeat(len(STAGES)))
    head.classifier.weight.div_(found)
    head.classifier.bias.div_(found)
    return found
