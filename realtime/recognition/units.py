"""Which action units moved in an event: what an engine reads from its field, and no more than stands clear of noise.

Such an engine gives two numbers for each of its labels. `strength` is how strongly a unit moved, as a share of the
strongest that a face can; `logits` say how far that is above what noise, and whatever else moves, read there too: at 0
and below it is not told. Labels are a unit's number ("12", "6+7" for two that cannot be told apart), as strong as the
larger of its sides, and behind it, where it has sides, "12L" and "12R": that one's strength, and whether it is sure to
have moved more than the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from realtime.engine.engine import Engine
from realtime.engine.package.manifest import LOGITS, STRENGTH
from realtime.recognition.window import Span
from realtime.records import Floats, MovedUnit
from realtime.units import Side, described

LEFT, RIGHT = "L", "R"  # behind a unit's number


def moved_units(engine: Engine, event: Span, apex: float) -> tuple[MovedUnit, ...]:
    """The units that moved from the event's onset to `apex`, the strongest first; often none, for none is guessed."""
    return told_by(engine, engine.manifest.representation.of_event(event, apex))


def strengths(engine: Engine, event: Span, at: float) -> dict[str, float]:
    """How strongly each unit had moved from the event's onset to `at`, 0..1, whether or not that is clear of noise."""
    found = engine.run(engine.manifest.representation.of_event(event, at))
    values = zip(engine.manifest.labels, map(float, found[STRENGTH][0]), strict=True)
    return {unit: _share(value) for unit, value in values if not unit.endswith((LEFT, RIGHT))}


def told_by(engine: Engine, inputs: Mapping[str, Floats]) -> tuple[MovedUnit, ...]:
    """The same of inputs (1, ...) that are made already."""
    found = engine.run(inputs)
    strength, clear = (
        dict(zip(engine.manifest.labels, map(float, found[name][0]), strict=True)) for name in (STRENGTH, LOGITS)
    )
    return tuple(sorted(_told(strength, clear), key=lambda unit: -max(unit.left, unit.right)))


def _told(strength: Mapping[str, float], clear: Mapping[str, float]) -> Iterator[MovedUnit]:
    for unit in strength:
        if unit.endswith((LEFT, RIGHT)) or clear[unit] <= 0.0:
            continue
        left, right = (_share(strength.get(unit + side, strength[unit])) for side in (LEFT, RIGHT))
        side = _side(*(clear.get(unit + each, 0.0) for each in (LEFT, RIGHT)))
        yield MovedUnit(unit, side, left, right, described(unit, side, left, right))


def _side(left: float, right: float) -> Side:
    """Where it is sure to have moved more."""
    if max(left, right) <= 0.0:
        return "both"
    return "left" if left > right else "right"


def _share(strength: float) -> float:
    """A reading may lie a little outside of what can be."""
    return round(min(max(strength, 0.0), 1.0), 3)
