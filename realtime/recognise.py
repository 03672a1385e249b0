"""Moments of the detector + the window -> what the expression is, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.config import RecogniseConfig
from realtime.engine import Engine
from realtime.errors import EngineError
from realtime.labels import NONE
from realtime.manifest import Manifest, input_of
from realtime.preprocess import (
    ApexChange,
    ClipImages,
    CropImages,
    EmbeddingSequence,
    FlowFields,
    Representation,
    apex_change,
    clip_images,
    crop_images,
    embedding_sequence,
    flow_fields,
)
from realtime.records import Apex, Crop, Expression, Floats, Offset
from realtime.window import Encoded, Seen, Window

#: How long around the apex a macro-expression is judged by the encoder's single frames.
AROUND_APEX_S = 0.15


def softmax(logits: Floats) -> Floats:
    """Probabilities (..., C) of logits (..., C)."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)


class Encoder:
    """Crops -> embeddings and still-expression probabilities, once for every frame of every face."""

    def __init__(self, engine: Engine) -> None:
        self.manifest = engine.manifest
        self.labels: tuple[str, ...] = tuple(engine.manifest.labels)
        self._engine = engine
        self._representation = _crops(engine.manifest)

    def see(self, crops: Sequence[Crop]) -> list[Encoded]:
        """One result a crop; the faces of a frame go through together."""
        if not crops:
            return []
        found = self._engine.run({"images": crop_images([crop.image for crop in crops], self._representation)})
        probabilities = softmax(found["logits"])
        return [Encoded(crop, found["embedding"][i], probabilities[i]) for i, crop in enumerate(crops)]


class Smoothed:
    """A face's expression probabilities over time: the first form of the dynamic-expression output."""

    def __init__(self, config: RecogniseConfig) -> None:
        self._time_s = config.smooth_s
        self._t = 0.0
        self._value: Floats | None = None

    def push(self, view: Encoded) -> Floats:
        """Probabilities (C,) after a causal low-pass of `smooth_s`."""
        step, self._t = view.crop.t - self._t, view.crop.t
        if self._value is None or self._time_s == 0.0:
            self._value = view.probabilities
        else:
            self._value = self._value + (1.0 - np.float32(np.exp(-step / self._time_s))) * (
                view.probabilities - self._value
            )
        return self._value


def event_input(event: Sequence[Seen], apex: float, representation: Representation) -> Floats:
    """What an engine is fed for the frames of an event whose apex is at `apex`: one row."""
    match representation:
        case EmbeddingSequence():
            return embedding_sequence([seen.embedding for seen in event], representation)
        case ClipImages():
            return clip_images([seen.crop.image for seen in event], representation)
        case FlowFields():
            times = np.array([seen.crop.t for seen in event])
            return flow_fields(times, np.stack([seen.field for seen in event]), apex, representation)
        case CropImages():
            nearest = min(event, key=lambda seen: abs(seen.crop.t - apex))
            return crop_images([nearest.crop.image], representation)
        case ApexChange():
            times = np.array([seen.crop.t for seen in event])
            return apex_change(times, [seen.crop.image for seen in event], apex, representation)


class Recogniser:
    """Answers for events: early at the apex, final at the offset, withdrawn when it was no expression.

    Micro-expressions have the labels of `head`, which may take any representation; macro-expressions the encoder's.
    The share that `head` gives to "none" lowers the confidence of every answer, and withdraws the final one where it
    reaches `reject`; the early one stands until then, for half of the movement is still to come.
    """

    def __init__(self, config: RecogniseConfig, encoder: Encoder, head: Engine) -> None:
        self._config = config
        self._encoder = encoder
        self._head = head
        self._input = input_of(head.manifest.representation).name

    def early(self, apex: Apex, window: Window, now: float, quality: tuple[str, ...]) -> Expression:
        """The answer as far as the event has been seen."""
        label, share, probabilities = self._judge(apex.kind, apex.onset, apex.t, now, window)
        confidence = share * self._detection(apex.strength)
        return Expression(
            apex.event, apex.face, apex.kind, "early", apex.onset, apex.t, None, now,
            label, confidence, probabilities, quality, "",
        )  # fmt: skip

    def final(self, offset: Offset, window: Window, now: float, quality: tuple[str, ...]) -> Expression:
        """The last answer; one with stage "withdrawn" when the detector or the head found it to be no expression."""
        kind = offset.kind or "micro"
        label, share, probabilities = self._judge(kind, offset.onset, offset.apex, offset.t, window)
        nothing = probabilities[self._head.manifest.name].get(NONE, 0.0) if offset.kind == "micro" else 0.0
        rejected = nothing >= self._config.reject
        kept = offset.kind is not None and not rejected
        confidence = share * self._detection(offset.strength) if kept else 0.0
        return Expression(
            offset.event, offset.face, kind, "final" if kept else "withdrawn", offset.onset, offset.apex,
            offset.t, now, label, confidence, probabilities, quality, NONE if rejected else offset.reason,
        )  # fmt: skip

    def _judge(
        self, kind: str, onset: float, apex: float, end: float, window: Window
    ) -> tuple[str, float, dict[str, dict[str, float]]]:
        """Label, its probability, all probabilities: the head judges micro-, the encoder macro-expressions.

        "none" is no label to tell: the likeliest other one is told, with the share that is left to it.
        """
        still = self._still(window.span(apex - AROUND_APEX_S, apex + AROUND_APEX_S))
        moving = self._moving(window.span(onset, end), apex)
        chosen = moving if kind == "micro" else still
        label = max((label for label in chosen if label != NONE), key=chosen.__getitem__)
        return label, chosen[label], {self._head.manifest.name: moving, self._encoder.manifest.name: still}

    def _still(self, span: Sequence[Seen]) -> dict[str, float]:
        mean = np.mean([seen.probabilities for seen in span], axis=0)
        return dict(zip(self._encoder.labels, map(float, mean), strict=True))

    def _moving(self, span: Sequence[Seen], apex: float) -> dict[str, float]:
        row = event_input(span, apex, self._head.manifest.representation)
        probabilities = softmax(self._head.run({self._input: row})["logits"])[0]
        return dict(zip(self._head.manifest.labels, map(float, probabilities), strict=True))

    def _detection(self, strength: float) -> float:
        """How likely a movement of this strength is an expression at all, 0..1."""
        return strength / (strength + self._config.half_strength)


def _crops(manifest: Manifest) -> CropImages:
    if not isinstance(manifest.representation, CropImages):
        raise EngineError(f"engine {manifest.name} cannot be the encoder", ["it does not take crops as pictures"])
    return manifest.representation
