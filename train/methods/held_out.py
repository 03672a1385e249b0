"""What a network says of people whom it did not learn from: of those that calibrate it, and of those held out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from realtime.engine.package.manifest import Score
from realtime.labels import NONE
from train.evaluation.rejection import judged
from train.methods.method import Method, judge
from train.sources.source import Split


def accuracy(method: Method[Any, Any], config: Any, network: nn.Module, split: Split[Any]) -> dict[str, float]:
    """For the curve of a training: how often it names what the clips show that calibrate; nothing without any."""
    clips = split.calibration
    if not clips:
        return {}
    said = judge(method, network, method.inputs(config, clips, "final")).argmax(1)
    return {"valid_accuracy": float((said == split.vocabulary.indices(method.labels(clips))).float().mean())}


def report(method: Method[Any, Any], config: Any, network: nn.Module, split: Split[Any]) -> tuple[Score, ...]:
    """What the manifest says of `network`: figures on people that no part of it has seen."""
    own = method.report(config, network, split)
    if own is not None:
        return own
    (clips,) = split.test
    real, others = (
        [clip for clip, label in zip(clips, method.labels(clips), strict=True) if (label == NONE) == none]
        for none in (False, True)
    )
    told: dict[str, Tensor] = {
        answer: judge(method, network, method.inputs(config, real, answer)) for answer in method.answers
    }
    calm = "rest" in method.calibrates and NONE in split.vocabulary.labels
    nothing = {"rest": method.inputs(config, clips, "rest")} if calm else {}
    nothing |= {NONE: method.inputs(config, others, "final")} if others else {}
    rejected = {name: judge(method, network, inputs) for name, inputs in nothing.items() if rows(inputs)}
    return judged(told, method.labels(real), rejected, _protocol(method, config, len(real)))


def _protocol(method: Method[Any, Any], config: Any, events: int) -> str:
    words = f"{events} events of held-out people, pooled; {config.epochs} epochs, fixed in advance; annotated moments"
    if "early" in method.answers:
        words += f"; final: onset to offset, early: to {1000 * config.early.middle_s:.0f} ms after the apex"
    return words


def rows(inputs: Mapping[str, Tensor]) -> int:
    """Events that `inputs` (K, ...) are of."""
    return len(next(iter(inputs.values())))
