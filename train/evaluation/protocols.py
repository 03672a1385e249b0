"""From a configuration and its clips to the plan of an evaluation: the folds, in words and in lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from train.clips import rates
from train.config.recipe import Recipe, Settings
from train.config.recorded import Composite, LeaveOneSubjectOut, Lists, RecordedSettings
from train.datasets.made_up import is_made_up
from train.evaluation.beside import MADE_UP
from train.evaluation.evaluate import EvaluationPlan
from train.evaluation.published import BENCHMARKS, Benchmark
from train.sources.collection import label_set, named
from train.sources.protocols import words
from train.sources.recorded import RecordedSource


def plan_of(recipe: Recipe[Settings], source: RecordedSource, files: Mapping[str, str]) -> EvaluationPlan:
    """What will be evaluated; `files` names those that the method reads beside the clips, by their hashes."""
    settings, collection, resolved = source.settings, source.collection, recipe.shaping()
    shaped: dict[str, Any] = {"clips": source.key(), "left_out": list(collection.left_out), "files": dict(files)}
    made_up = [each.name for each in settings.data if is_made_up(Path(each.root))]
    if made_up:
        shaped |= {MADE_UP: made_up}
    where = f"{' and '.join(named(settings.data))}, {words(settings.evaluate)}{_at(settings)}"
    return EvaluationPlan(
        protocol=f"{resolved['method']} on {where}",
        seed=settings.evaluate.seed,
        threads=settings.evaluate.threads,
        labels=collection.labels,
        cases=collection.cases,
        folds=source.folds(),
        rates_hz=settings.rates.test_hz,
        configuration=resolved | shaped,
    )


def _at(config: RecordedSettings) -> str:
    """Told where the headline is not of the clips as they were recorded."""
    headline_hz = config.rates.test_hz[0]
    return f", seen at {rates.words(headline_hz)}" if headline_hz else ""


def benchmark(config: RecordedSettings) -> Benchmark | None:
    """Published figures of the label set, where the protocol is the one they were measured by."""
    names = {label_set(data) for data in config.data}
    wanted = {"megc-3": Composite, "dfew-7": Lists}
    if len(names) != 1 or not isinstance(config.evaluate, wanted.get(min(names), LeaveOneSubjectOut)):
        return None
    return BENCHMARKS.get(min(names))
