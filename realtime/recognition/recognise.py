"""Moments of the detector + the window -> what the expression is, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from realtime.config import TOGETHER, RecogniseConfig
from realtime.engine.engine import Engine
from realtime.labels import NONE
from realtime.recognition.confidence import calibrated
from realtime.recognition.encode import Encoder, softmax
from realtime.recognition.groups import at_rest, group, grouped, refined
from realtime.recognition.pool import Shares, among, pool
from realtime.recognition.units import moved_units
from realtime.recognition.window import Encoded, Seen, Span, Window
from realtime.records import FEWEST_FRAMES, Apex, Expression, Kind, MovedUnit, Offset

#: How long around the apex a macro-expression is judged by the encoder's single frames.
AROUND_APEX_S = 0.15
#: How long before its onset, which is found late as a rule, a face is taken to look as it does at rest.
BEFORE_S = (0.6, 0.1)
ROUNDING = 1e-3  # of an interval
SPARSE = "sparse"  #: why a micro-expression is withdrawn of which the camera shows too few frames


@dataclass(frozen=True, slots=True)
class Judges:
    """The engines that look at events, each of which may take any representation."""

    micro: tuple[Engine, ...]  #: of micro-expressions, by one verdict
    macro: tuple[Engine, ...] = ()  #: of macro-expressions, together with the encoder: of its labels or of their groups
    units: Engine | None = None  #: says what moved, and judges nothing

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Those that judge, each once, those of micro-expressions last."""
        return (*(one for one in self.macro if one not in self.micro), *self.micro)

    def judge(self, event: Span, apex: float) -> dict[str, dict[str, float]]:
        """Engine -> label -> probability."""
        return {engine.manifest.name: _judged(engine, event, apex) for engine in self.engines}


def _judged(engine: Engine, event: Span, apex: float) -> dict[str, float]:
    manifest = engine.manifest
    logits = engine.run(manifest.representation.of_event(event, apex))["logits"]
    return dict(zip(manifest.labels, map(float, softmax(logits)[0]), strict=True))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the engines of one kind of expression say together.

    "none" and "neutral" name no expression: the likeliest other label is told, with the share that is left to it.
    """

    label: str
    share: float
    none: float  #: of both; 0 where nobody knows either
    probabilities: dict[str, dict[str, float]]  #: engine, or several joined by "+" -> label -> probability


class Recogniser:
    """Answers for events: early at the apex, final at the offset, withdrawn when it was no expression.

    Micro-expressions have the labels of `judges.micro`, macro-expressions the encoder's. What several engines say is
    pooled (see `pool`). The share of what names no expression, "none" of a micro-expression and "neutral" of a
    macro-expression, lowers the confidence of every answer, and withdraws the final one where it reaches `reject`.
    Until then an early one stands of a micro-expression, for half of the movement is still to come; of a
    macro-expression none is given, for there is a face to look at. A micro-expression of which the camera shows fewer
    than `FEWEST_FRAMES` frames is not told from noise.

    Of a micro-expression that is clear enough to be seen in a picture the look says more than how it moved. So the
    encoder is heard as well, where it knows what is told: as loud as all who see it move together, times `look`, as far
    as the face is not neutral at the apex and has changed since before the onset. Some look happy at rest.

    A macro-expression is judged by two witnesses: what the face looked like, as all engines of the encoder's labels
    say together, and how it moved, as those say that know groups of them (see `groups`). The latter have learned what
    begins at rest: a face that cries and relaxes moves as one at rest that is surprised. So their word counts as much
    as the face was neutral, to the encoder, at the onset.
    """

    def __init__(self, config: RecogniseConfig, encoder: Encoder, judges: Judges) -> None:
        self._config = config
        self._encoder = encoder
        self._judges = judges
        self._micro = [engine.manifest.name for engine in judges.micro]
        beside = [engine.manifest for engine in judges.macro]
        self._moved = [each.name for each in beside if not set(each.labels) <= set(encoder.labels)]
        self._looked = [encoder.manifest.name, *(each.name for each in beside if each.name not in self._moved)]
        told = {label for engine in judges.micro for label in engine.manifest.labels}
        self._look = config.look if told - {NONE} <= set(map(group, encoder.labels)) else 0.0
        self._rejects = NONE in told
        self._keys: dict[Kind, str] = {
            "micro": TOGETHER.join([*self._micro, encoder.manifest.name] if self._look else self._micro),
            "macro": TOGETHER.join(each.name for each in (encoder.manifest, *beside)),
        }

    def early(self, apex: Apex, window: Window, now: float, quality: tuple[str, ...]) -> Expression | None:
        """The answer as far as the event has been seen; None where that is too little, or a face that shows nothing."""
        if _sparse(apex.kind, apex.onset, now, window):
            return None
        found = self._judge(apex.kind, apex.onset, apex.t, now, window)
        if apex.kind == "macro" and found.none >= self._config.reject:
            return None
        confidence = self._confidence(apex.kind, found.share, apex.strength)
        return Expression(
            apex.event, apex.face, apex.kind, "early", apex.onset, apex.t, None, now,
            found.label, confidence, found.probabilities, quality, "", self._units(apex.onset, apex.t, now, window),
        )  # fmt: skip

    def final(self, offset: Offset, window: Window, now: float, quality: tuple[str, ...]) -> Expression:
        """The last answer; one with stage "withdrawn" when detector or engines found it to be no expression."""
        kind = offset.kind or "micro"
        found = self._judge(kind, offset.onset, offset.apex, offset.t, window)
        doubt = self._doubt(offset, found.none, window)
        kept = offset.kind is not None and not doubt
        confidence = self._confidence(kind, found.share, offset.strength) if kept else 0.0
        units = self._units(offset.onset, offset.apex, offset.t, window) if kept else ()
        return Expression(
            offset.event, offset.face, kind, "final" if kept else "withdrawn", offset.onset, offset.apex,
            offset.t, now, found.label, confidence, found.probabilities, quality, doubt or offset.reason, units,
        )  # fmt: skip

    def _doubt(self, offset: Offset, none: float, window: Window) -> str:
        """Why what the detector holds for an expression is not told; "" if it is."""
        if offset.kind is not None and none >= self._config.reject:
            return NONE
        return SPARSE if _sparse(offset.kind, offset.onset, offset.t, window) else ""

    def _judge(self, kind: Kind, onset: float, apex: float, end: float, window: Window) -> Verdict:
        event = window.span(onset, end)
        shares = self._judges.judge(event, apex)
        around = window.span(apex - AROUND_APEX_S, apex + AROUND_APEX_S)
        shares[self._encoder.manifest.name] = self._still(around.encoded)
        before = window.span(onset - BEFORE_S[0], onset - BEFORE_S[1])
        shares[self._keys["micro"]] = self._brief(shares, grouped(self._still(before.encoded)))
        shares[self._keys["macro"]] = self._refined(shares, at_rest(self._still(event.encoded[:1])))
        chosen = shares[self._keys[kind]]
        told = [label for label in chosen if group(label) != NONE]
        label = max(told, key=chosen.__getitem__)
        return Verdict(label, chosen[label], sum(chosen[each] for each in chosen if each not in told), shares)

    def _brief(self, shares: Mapping[str, Shares], before: Shares) -> dict[str, float]:
        """Of a micro-expression: what those say who see it move, and the look as far as it is one and a new one."""
        said, weights = [shares[name] for name in self._micro], self._weights(self._micro)
        sharpness = self._config.sharpness
        if self._look:
            look = grouped(shares[self._encoder.manifest.name])
            changed = 0.5 * sum(abs(look[name] - before[name]) for name in look)  # total variation, 0..1
            heard = self._look * (1.0 - at_rest(look)) * changed
            if len(said) == 1:  # one opinion alone stays as it is, and two that count alike are sharpened
                sharpness = 1.0 + (sharpness - 1.0) * min(heard, 1.0)
            weights.append(heard * sum(weights))
            said.append(look if self._rejects else among([name for name in look if name != NONE], look))
        return pool(said, weights, self._config.floor, sharpness)

    def _units(self, onset: float, apex: float, end: float, window: Window) -> tuple[MovedUnit, ...]:
        """The reason that people can see; nothing where no engine reads it."""
        reader = self._judges.units
        return () if reader is None else moved_units(reader, window.span(onset, end), apex)

    def _pooled(self, names: Sequence[str], shares: Mapping[str, Shares]) -> dict[str, float]:
        return pool([shares[name] for name in names], self._weights(names), self._config.floor)

    def _refined(self, shares: Mapping[str, Shares], rest: float) -> dict[str, float]:
        """Of a macro-expression at whose onset the face was neutral with probability `rest`.

        Either witness has the mean weight of its engines, so that two with the same eyes are no two witnesses.
        """
        looked, moved = self._weights(self._looked), self._weights(self._moved)
        weights = [sum(looked) / len(looked), *(rest * weight / len(moved) for weight in moved)]
        said = [shares[name] for name in self._moved]
        return refined(self._pooled(self._looked, shares), said, weights, self._config.floor)

    def _weights(self, names: Sequence[str]) -> list[float]:
        return [self._config.weights.get(name, 1.0) for name in names]

    def _still(self, seen: Sequence[tuple[Seen, Encoded]]) -> dict[str, float]:
        mean = np.mean([encoded.probabilities for _, encoded in seen], axis=0)
        return dict(zip(self._encoder.labels, map(float, mean), strict=True))

    def _confidence(self, kind: Kind, share: float, strength: float) -> float:
        """How likely a movement of this strength is an expression, and what it is said to be with this share."""
        line = self._config.confidence.micro if kind == "micro" else self._config.confidence.macro
        return calibrated(share * strength / (strength + self._config.half_strength), line)


def _sparse(kind: Kind | None, onset: float, end: float, window: Window) -> bool:
    """Whether a micro-expression is over before the camera has shown `FEWEST_FRAMES` intervals between frames."""
    return kind == "micro" and end - onset < (FEWEST_FRAMES - ROUNDING) * window.interval(onset, end)
