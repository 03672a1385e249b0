"""Runs a protocol fold by fold and pools what was said of each test clip, once at each frame rate, by its fold's model.

A fold's predictions depend on the plan, the fold's name and the method alone: neither on the folds that ran
before it or beside it, nor on where it ran, as long as the machines compute alike. A run that was killed goes
on with the folds that have no file yet. No score is computed before all folds are there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from realtime.errors import DataError
from train.datasets.folds import Case, Fold, checked
from train.evaluation import predictions
from train.evaluation.predictions import SCHEMA, FoldHeader, FoldPredictions, Prediction
from train.evaluation.runners import FitPredict, FoldAnswers, Runner, Task
from train.storage.atomic import writing
from train.storage.digest import digest
from train.training.curves import CURVE
from train.training.loop import CHECKPOINT

log = logging.getLogger(__name__)

PLAN, PREDICTIONS = "plan.json", "predictions.jsonl"


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationPlan:
    """Everything that the predictions depend on, but for the method's code."""

    protocol: str  #: in words, for the report
    seed: int
    threads: int  #: of torch in each fold
    labels: tuple[str, ...]
    cases: tuple[Case, ...]
    folds: tuple[Fold, ...]
    rates_hz: tuple[float, ...]  #: that each clip is judged at; the first one's scores are the headline
    configuration: Mapping[str, Any]  #: the method's, resolved

    def seed_of(self, fold: Fold) -> int:
        """31 bits that depend on the plan's seed and the fold's name only."""
        return int(digest(self.seed, fold.name), 16) % 2**31

    def key(self) -> str:
        """Changes when anything in the plan does."""
        return digest(self)


def evaluate(plan: EvaluationPlan, fit_predict: FitPredict, folder: Path, runner: Runner) -> tuple[Prediction, ...]:
    """Predict the folds that are still missing in `folder`, then pool them all, in the plan's order."""
    _check(plan)
    _claim(plan, folder)
    tasks = _tasks(plan, folder)
    left = [task for task in tasks if not (task.folder / PREDICTIONS).exists()]
    _read(plan, [task for task in tasks if task not in left])  # a wrong file is told now, not hours later
    log.info("%d of %d folds are left to run", len(left), len(tasks))
    for done, (task, outcome) in enumerate(runner.run(fit_predict, left), 1):
        _keep(plan, task, outcome)
        log.info("fold %s is done, %d of %d", task.fold.name, len(tasks) - len(left) + done, len(tasks))
    return load(plan, folder)


def load(plan: EvaluationPlan, folder: Path) -> tuple[Prediction, ...]:
    """The pooled predictions of a run that is complete; DataError lists the folds that are missing."""
    tasks = _tasks(plan, folder)
    missing = [task.fold.name for task in tasks if not (task.folder / PREDICTIONS).exists()]
    if missing:
        raise DataError(f"{folder}: {len(missing)} of {len(tasks)} folds have no predictions; run them first", missing)
    return _read(plan, tasks)


def fold_folder(folder: Path, fold: Fold) -> Path:
    """Where a fold keeps its files; its name may hold a slash."""
    return folder / f"fold-{quote(fold.name, safe='+')}"


def _check(plan: EvaluationPlan) -> None:
    checked(plan.folds, plan.cases)
    foreign = [f"{case.id}: {case.label!r}" for case in plan.cases if case.label not in plan.labels]
    if foreign:
        raise DataError(f"labels that are none of {', '.join(plan.labels)}; leave these cases out", foreign)


def _claim(plan: EvaluationPlan, folder: Path) -> None:
    """Write the plan into `folder`; refuse a folder of another one, whose checkpoints a method would go on from."""
    path, key = folder / PLAN, plan.key()
    if path.exists():
        there = msgspec.json.decode(path.read_bytes())["key"]
        if there != key:
            raise DataError(f"{folder} holds the evaluation {there}, this one is {key}; give it a folder of its own")
        return
    with writing(path) as file:
        file.write(msgspec.json.encode({"key": key, "plan": plan}))


def _tasks(plan: EvaluationPlan, folder: Path) -> list[Task]:
    root, key = folder.resolve(), plan.key()
    return [Task(key, fold, plan.seed_of(fold), plan.threads, fold_folder(root, fold)) for fold in plan.folds]


def _keep(plan: EvaluationPlan, task: Task, outcome: FoldAnswers) -> None:
    """The curve first: once there are predictions, the fold counts as done, and its checkpoint is of no more use."""
    found, wanted = outcome.probabilities, (len(plan.rates_hz), len(task.fold.test), len(plan.labels))
    if found.shape != wanted:
        raise DataError(f"fold {task.fold.name}: probabilities {found.shape}, wanted {wanted}; mend the method")
    cases = {case.id: case for case in plan.cases}
    rows = tuple(
        Prediction(id, rate_hz, cases[id].set, cases[id].subject, cases[id].label, tuple(float(p) for p in row))
        for rate_hz, at_rate in zip(plan.rates_hz, found, strict=True)
        for id, row in zip(task.fold.test, at_rate, strict=True)
    )
    task.folder.mkdir(parents=True, exist_ok=True)
    if outcome.curve is not None:
        (task.folder / CURVE).write_bytes(outcome.curve)
    predictions.write(task.folder / PREDICTIONS, FoldPredictions(_header(plan, task), rows))
    (task.folder / CHECKPOINT).unlink(missing_ok=True)


def _header(plan: EvaluationPlan, task: Task) -> FoldHeader:
    return FoldHeader(
        schema=SCHEMA,
        key=task.key,
        fold=task.fold.name,
        seed=task.seed,
        labels=plan.labels,
        clips=len(task.fold.test),
        rates_hz=plan.rates_hz,
    )


def _read(plan: EvaluationPlan, tasks: Sequence[Task]) -> tuple[Prediction, ...]:
    pooled: list[Prediction] = []
    truth = {case.id: case.label for case in plan.cases}
    for task in tasks:
        path = task.folder / PREDICTIONS
        found = predictions.read(path)
        told = [(row.rate_hz, row.id, row.truth) for row in found.rows]
        wanted = [(rate_hz, id, truth[id]) for rate_hz in plan.rates_hz for id in task.fold.test]
        if found.header != _header(plan, task) or told != wanted:
            raise DataError(f"{path} holds predictions of another fold or plan; delete it, and they are made anew")
        pooled += found.rows
    return tuple(pooled)
