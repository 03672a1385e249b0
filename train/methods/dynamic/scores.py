"""What the manifest says of a head of dynamic expressions, beside what the encoder says without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from realtime.engine.package.manifest import Score
from realtime.labels import FERPLUS
from realtime.recognition.recognise import AROUND_APEX_S
from train.evaluation.metrics import Scores, scores
from train.methods.dynamic.config import DynamicConfig
from train.methods.dynamic.enactments import MANNERS, Enactments
from train.synthesis.script.emotions import LABELS

#: Which pictures each group of scores is of.
GROUPS = {"": MANNERS, "backward_": ("backward",), "forward_": ("forward",), "fade_": ("fade",)}


def scored(clips: Enactments, said: Tensor) -> Scores:
    """Pooled scores of classes `said` (K,)."""
    return scores(clips.labels.numpy(), said.numpy(), LABELS)


def at_apex(clips: Enactments) -> Tensor:
    """Shares (K, 7) of the encoder's single frames around the apex, as macro-expressions are judged without a head.

    Its other label, contempt, is left out, and the rest are brought back to a sum of 1.
    """
    away = (clips.times - clips.moments[:, 1:2]).abs()
    near = (away <= AROUND_APEX_S) | (away == away.min(1, keepdim=True).values)
    shares = clips.logits.softmax(2)[:, :, [FERPLUS.index(label) for label in LABELS]]
    mean = (shares * near[:, :, None]).sum(1) / near.sum(1, keepdim=True)
    return torch.as_tensor(mean / mean.sum(1, keepdim=True))


def report(logits: Mapping[str, Tensor], clips: Enactments, config: DynamicConfig) -> tuple[Score, ...]:
    """Figures of the answers `logits` (K, C) by stage, and of the encoder alone, on pictures of FER+'s test split.

    Over all clips; then of pictures that show the expression, of neutral ones that were moved, and of those that fade.
    `uar` is the mean recall of the classes that are there: neutral is not, in two of the groups.
    """
    said = {stage: rows.argmax(1) for stage, rows in logits.items()} | {"encoder": at_apex(clips).argmax(1)}
    found = []
    for prefix, manners in GROUPS.items():
        rows = torch.isin(clips.manners, torch.tensor([MANNERS.index(manner) for manner in manners]))
        if not rows.any():
            continue
        truth = clips.labels[rows]
        for name, classes in said.items():
            judged = scores(truth.numpy(), classes[rows].numpy(), LABELS)
            found += list(_told(f"{prefix}{name}", judged, config, whole=not prefix))
    return tuple(found)


def _told(name: str, judged: Scores, config: DynamicConfig, *, whole: bool) -> Iterator[Score]:
    there = [label for label, count in judged.counts.items() if count]
    uar = sum(judged.recall[label] for label in there) / len(there)
    figures = {"accuracy": judged.accuracy, "uar": uar}
    if whole:
        figures |= {"uf1": judged.uf1, "majority_accuracy": judged.majority}
        figures |= {f"recall_{label}": judged.recall[label] for label in there}
    protocol = (
        f"FER+ pictures of the test split brought into motion, no recorded clips; {config.epochs} epochs, fixed in "
        f"advance; known moments; final: onset to offset, early: to {1000 * config.early.middle_s:.0f} ms after the "
        "apex, encoder: its single frames around the apex; backward: pictures of the expression, forward: neutral "
        "ones, fade: neutral ones that become others'"
    )
    for figure, value in figures.items():
        yield Score(name=f"{name}_{figure}", value=round(value, 4), protocol=protocol, counts=judged.counts)
