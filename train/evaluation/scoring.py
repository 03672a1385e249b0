"""From pooled predictions to scores, at each frame rate that the clips were judged at, and to those of a manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from realtime.engine.package.manifest import Score
from train.evaluation.metrics import Scores, scores
from train.evaluation.predictions import Prediction, at, classes


def by_rate(rows: Sequence[Prediction], labels: tuple[str, ...]) -> dict[float, Scores]:
    """The scores at each rate, in the plan's order: the headline first."""
    rates = dict.fromkeys(row.rate_hz for row in rows)
    return {rate_hz: scores(*classes(at(rows, rate_hz), labels), labels) for rate_hz in rates}


def figures(found: Mapping[float, Scores]) -> dict[str, float]:
    """All figures by name: the headline's as they are called, such as "uf1", the others' as "uf1_30hz" or "uf1_own"."""
    headline, *_ = found
    endings = {hz: "" if hz == headline else f"_{hz:g}hz" if hz else "_own" for hz in found}
    return {name + endings[hz]: value for hz, at_rate in found.items() for name, value in at_rate.figures().items()}


def listed(found: Mapping[str, float], protocol: str, counts: Mapping[str, int]) -> tuple[Score, ...]:
    """Figures by name, as manifests have them, to four places."""
    return tuple(
        Score(name=name, value=round(value, 4), protocol=protocol, counts=dict(counts)) for name, value in found.items()
    )
