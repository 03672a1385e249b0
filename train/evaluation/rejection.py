"""What an engine is worth that may have "none" as a class: micro-expressions told apart as live, what is withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from realtime import config as realtime_config
from realtime.engine.package.manifest import Score
from realtime.labels import MEGC3, NONE, VOCABULARIES
from train.evaluation.metrics import Scores, scores
from train.evaluation.scoring import listed


def judged(
    told: Mapping[str, Tensor], labels: Sequence[str], nothing: Mapping[str, Tensor], protocol: str
) -> tuple[Score, ...]:
    """Figures of logits (K, 3 or 4) of micro-expressions with `labels` at each stage, and of what is none, by name.

    Micro-expressions are told apart as they are live, where none is no label to tell; beside that, how many of them
    would not have been withdrawn, and how many of each kind of `nothing` would have been; without any, only the first.
    """
    found: list[Score] = []
    for stage, said in told.items():
        result = judge(said, labels)
        found += listed({f"{stage}_{name}": value for name, value in result.figures().items()}, protocol, result.counts)
    if nothing:
        found += listed({"kept": 1.0 - rejected(told["final"])}, protocol, {"events": len(labels)})
    for name, said in nothing.items():
        found += listed({f"rejected_{name}": rejected(said)}, f"{len(said)} of held-out people", {NONE: len(said)})
    return tuple(found)


def judge(logits: Tensor, labels: Sequence[str]) -> Scores:
    """Scores over the classes that are told; logits (K, 3 or 4) of K micro-expressions."""
    truth = np.array([MEGC3.index(label) for label in labels])
    return scores(truth, logits[:, : len(MEGC3)].argmax(1).numpy(), MEGC3)


def rejected(logits: Tensor) -> float:
    """The share of events (K, 4) that serving would withdraw."""
    nothing = logits.softmax(1)[:, VOCABULARIES["megc-3-none"].index(NONE)]
    return float((nothing >= realtime_config.load().recognise.reject).float().mean()) if len(nothing) else 0.0
