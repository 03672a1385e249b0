"""A report's part that holds a run beside what others published: the figures, and what differs, counts and settings."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from realtime import markup
from train.evaluation.evaluate import EvaluationPlan
from train.evaluation.metrics import FIGURES, Scores, scores
from train.evaluation.paper import paper
from train.evaluation.predictions import Prediction, classes
from train.evaluation.published import Benchmark

NAMES = {"accuracy": "accuracy (WAR)", "uf1": "UF1", "uar": "UAR"}
MADE_UP = "made_up"  #: of a plan's configuration: the data sets whose clips are
#: As large as a heading, in a frame of its own.
LOUD = "font-size:2em;line-height:1.2;font-weight:bold;border:.15em solid;padding:.4em"


def warning(plan: EvaluationPlan) -> str:
    """In large letters that the clips are made up; nothing where they are not."""
    sets = plan.configuration.get(MADE_UP)
    if not sets:
        return ""
    words = f"Made-up clips, not {' and '.join(sets)}: nobody's recordings. These scores say nothing of the data set."
    return f'<p role="note" style="{LOUD}">{escape(words)}</p>'


def settings(plan: EvaluationPlan) -> str:
    """What differs from the paper's configuration of the method; nothing where there is none."""
    found = paper(plan.configuration)
    if found is None:
        return ""
    head = f"<h2>Settings beside the paper's</h2><p>Held against {escape(found.file)}, whose comments tell what the "
    told = f"{head}document says and what it leaves open. What else differs stands at the top of the method's file. "
    if not found.departures:
        return f"{told}No setting differs.</p>"
    count = len(found.departures)
    rows = [(each.key, each.here, each.there) for each in found.departures]
    said = f"{count} setting{'s' if count > 1 else ''} differ{'' if count > 1 else 's'}:</p>"
    return told + said + markup.table(("setting", "this run", "paper's configuration"), rows)


def differences(plan: EvaluationPlan, pooled: Sequence[Prediction], benchmark: Benchmark) -> list[str]:
    """What keeps this run from being compared with `benchmark`, as far as counting can tell."""
    people = len({row.subject for row in pooled})
    counted = [
        ("clips", len(pooled), benchmark.clips),
        ("people", people, benchmark.subjects),
        ("classes", len(plan.labels), benchmark.classes),
    ]
    made_up = ["made-up clips, there recorded ones"] if plan.configuration.get(MADE_UP) else []
    return made_up + [f"{ours} {what}, there {theirs}" for what, ours, theirs in counted if theirs not in (None, ours)]


def published(plan: EvaluationPlan, pooled: Sequence[Prediction], found: Scores, benchmark: Benchmark) -> str:
    """The run's figures and those of `benchmark`. Those of made-up clips are not set off above the others."""
    apart = differences(plan, pooled, benchmark)
    verdict = "Not comparable: " + "; ".join(apart) if apart else "Clips, people and classes are as many as there"
    made_up = bool(plan.configuration.get(MADE_UP))
    caution = "made-up clips" if made_up else ""
    rows = [("this run", "", *(_share(getattr(found, name)) for name in FIGURES), "", _joined(caution, POOLED), "")]
    if benchmark.mean_of_folds:
        rows.append(("this run", "", *_mean_of_folds(plan, pooled), "", _joined(caution, MEAN), ""))
    rows += [
        (f.method, f.part, *map(_share, (f.accuracy, f.uf1, f.uar)), f.source, f.caution, _shares(f.recall))
        for f in benchmark.figures
    ]
    head = ("method", "set", *NAMES.values(), "source", "caution", "recall by class")
    words = ". ".join(filter(None, (f"Protocol there: {benchmark.protocol}", verdict, benchmark.caution))) + "."
    table = markup.table(head, rows, own=not made_up)
    return f"<h2>Published: {escape(benchmark.name)}</h2><p>{escape(words)}</p>" + table


POOLED, MEAN = "pooled over the folds", "mean over the folds, as published"


def fold_means(plan: EvaluationPlan, pooled: Sequence[Prediction]) -> tuple[float, float]:
    """Mean accuracy (WAR) and mean UAR of the folds, as DFEW's authors tell them; a class that a fold lacks is 0."""
    by_id = {row.id: row for row in pooled}
    found = [scores(*classes([by_id[id] for id in fold.test], plan.labels), plan.labels) for fold in plan.folds]
    return float(np.mean([each.accuracy for each in found])), float(np.mean([each.uar for each in found]))


def _mean_of_folds(plan: EvaluationPlan, pooled: Sequence[Prediction]) -> tuple[str, str, str]:
    war, uar = fold_means(plan, pooled)
    return _share(war), "", _share(uar)


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _shares(values: Sequence[float]) -> str:
    return " ".join(map(_share, values))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
