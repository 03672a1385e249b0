"""A method tested by its source's protocol: a fresh network in each fold, each clip judged once at each rate."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from realtime.engine.package.manifest import Score
from realtime.errors import ConfigError
from train.datasets.folds import Fold
from train.evaluation import evaluate as evaluation
from train.evaluation import report
from train.evaluation.evaluate import EvaluationPlan
from train.evaluation.metrics import Scores
from train.evaluation.protocols import benchmark, plan_of
from train.evaluation.runners import Probabilities, Runner
from train.evaluation.scoring import by_rate, figures, listed
from train.methods.experiment import Experiment, train
from train.methods.method import Method, judge
from train.sources.recorded import RecordedSource
from train.sources.source import Vocabulary

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoldPredict:
    """Implements `runners.FitPredict` for any method."""

    experiment: Experiment

    def __call__(self, train_ids: Sequence[str], test_ids: Sequence[str], seed: int, folder: Path) -> Probabilities:
        method, config, source = self.experiment.method, self.experiment.config, self.experiment.source
        split = method.see(config, source, Fold(folder.name, tuple(train_ids), tuple(test_ids)), 1)
        network = train(method, config, source, split, seed, folder)
        takes = (_nameless(clips, split.vocabulary) for clips in split.test)
        return np.stack([_judged(method, config, network, clips).softmax(1).numpy() for clips in takes])


def evaluate(experiment: Experiment, runner: Runner) -> tuple[Path, dict[float, Scores]]:
    """Fit and test the folds that are missing, and write the report: its path, and the pooled scores by frame rate."""
    _require_classes(experiment)
    experiment.prepare()  # so that the folds, which may run elsewhere, only read
    plan, folder = _plan(experiment)
    pooled = evaluation.evaluate(plan, FoldPredict(replace(experiment, workers=1)), folder, runner)
    return report.write(plan, pooled, folder, benchmark(_recorded(experiment).settings)), by_rate(pooled, plan.labels)


def evaluated(experiment: Experiment) -> tuple[Score, ...]:
    """For the manifest: the figures of the finished evaluation by the same configuration; none before it."""
    plan, folder = _plan(experiment)
    if not (folder / report.REPORT).exists():
        log.warning("%s is exported without scores; python -m train evaluate makes them", experiment.recipe.name)
        return ()
    found = by_rate(evaluation.load(plan, folder), plan.labels)
    epochs = experiment.config.epochs
    protocol = f"{plan.protocol}; pooled over {len(plan.folds)} folds, {epochs} epochs, fixed in advance"
    counts = next(iter(found.values())).counts  # the same at all rates
    return listed(figures(found), protocol, counts)


def _plan(experiment: Experiment) -> tuple[EvaluationPlan, Path]:
    """The plan, and the folder that is its own."""
    source, files = _recorded(experiment), experiment.method.files(experiment.config)
    plan = plan_of(experiment.recipe, source, files)
    return plan, Path(experiment.config.runs) / experiment.recipe.name / f"evaluation-{plan.key()}"


def _require_classes(experiment: Experiment) -> None:
    """ConfigError where some clips are of no class: each must be judged, and by its own label."""
    shown = _recorded(experiment).vocabulary
    told = experiment.method.vocabulary(experiment.config, shown).labels
    if told != shown.labels:
        raise ConfigError(
            f"{experiment.recipe.name} tells {', '.join(told)} apart, its clips show {', '.join(shown.labels)}: give "
            "each label a class, as rest above 0 does for none, or leave its clips out of the data"
        )


def _judged(method: Method[Any, Any], config: Any, network: nn.Module, clips: Sequence[Any]) -> Tensor:
    """Logits (K, C) at the events' ends; a few clips at a time, as all of a large set fill the memory."""
    chunks = (clips[first : first + method.chunk] for first in range(0, len(clips), method.chunk))
    return torch.cat([judge(method, network, method.inputs(config, chunk, "final")) for chunk in chunks])


def _nameless(clips: Any, vocabulary: Vocabulary) -> list[Any]:
    """Test clips without their truth, which stays outside."""
    label = vocabulary.labels[0]
    return [replace(clip, sample=replace(clip.sample, label=label)) for clip in clips]


def _recorded(experiment: Experiment) -> RecordedSource:
    if not isinstance(experiment.source, RecordedSource):
        raise ConfigError(
            f"{experiment.recipe.name} holds its own people out: its scores come with `fit` and `export`. Give a "
            "source that has a protocol, such as configs/data/casme2-5.toml"
        )
    return experiment.source
