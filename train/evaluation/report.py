"""A finished evaluation as one HTML file without anything around it: no script, no network, no time of day.

The same plan and predictions give the same bytes, so two runs can be compared by their hashes.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import msgspec

from realtime import markup
from train.clips import rates
from train.evaluation import beside, charts
from train.evaluation.beside import NAMES
from train.evaluation.evaluate import EvaluationPlan, fold_folder
from train.evaluation.metrics import FIGURES, Indices, Interval, Scores, bootstrap, confusion, majority, scores_of
from train.evaluation.predictions import Prediction, at, classes
from train.evaluation.published import Benchmark
from train.evaluation.scoring import by_rate
from train.storage.atomic import writing
from train.training.curves import CURVE

REPORT = "report.html"
DRAWS = 2000  # of people, for the intervals


def write(plan: EvaluationPlan, pooled: Sequence[Prediction], folder: Path, benchmark: Benchmark | None) -> Path:
    """`folder`/report.html from the predictions of `evaluate` at all rates; curves are read from the folds' folders."""
    path = folder / REPORT
    with writing(path) as file:
        file.write(page(plan, pooled, folder, benchmark).encode())
    return path


def page(plan: EvaluationPlan, pooled: Sequence[Prediction], folder: Path, benchmark: Benchmark | None) -> str:
    """The whole document: of the first rate but for the table by frame rate."""
    headline = at(pooled, plan.rates_hz[0])
    truth, said = classes(headline, plan.labels)
    table = confusion(truth, said, len(plan.labels))
    found = scores_of(table, plan.labels)
    people = [row.subject for row in headline]
    intervals = bootstrap(truth, said, people, len(plan.labels), draws=DRAWS, seed=plan.seed)
    sections = [
        f"<h1>{escape(plan.protocol)}</h1>{beside.warning(plan)}<p>{_summary(plan, headline)}</p>",
        "<h2>Scores</h2>" + _scores(found, intervals, scores_of(majority(table), plan.labels)),
        "<h2>Classes</h2>" + _classes(found) + charts.confusion(table, plan.labels),
        _rates(plan, pooled),
        _sets(plan, headline),
        beside.published(plan, headline, found, benchmark) if benchmark else "",
        beside.settings(plan),
        _curves(plan, folder),
        "<h2>Folds</h2>" + _folds(plan, headline, truth == said),
        f"<h2>Configuration</h2><pre>{escape(_configuration(plan))}</pre>",
    ]
    return markup.document(plan.protocol, sections)


def _summary(plan: EvaluationPlan, pooled: Sequence[Prediction]) -> str:
    people = len({row.subject for row in pooled})
    known = f"of {people} people, each predicted once by a model that has not seen its person"
    if people == len(pooled):
        known = "without two of one person: either all are different, or the data set does not tell them apart"
    return escape(
        f"{len(pooled)} clips {known}; {len(plan.folds)} folds, seed {plan.seed}, plan {plan.key()}. Scores are of one "
        f"confusion matrix over all folds. Intervals: 95 %, {DRAWS} draws of people with replacement."
    )


def _scores(found: Scores, intervals: Mapping[str, Interval], commonest: Scores) -> str:
    rows = [
        (NAMES[name], _share(getattr(found, name)), _between(intervals[name]), _share(getattr(commonest, name)))
        for name in FIGURES
    ]
    return markup.table(("score", "this run", "95 % interval", "always the commonest class"), rows)


def _classes(found: Scores) -> str:
    rows = [(label, str(n), _share(found.recall[label]), _share(found.f1[label])) for label, n in found.counts.items()]
    return markup.table(("class", "clips", "recall", "F1"), rows)


def _rates(plan: EvaluationPlan, pooled: Sequence[Prediction]) -> str:
    """Rate by rate, where the clips were seen through several cameras."""
    if len(plan.rates_hz) < 2:
        return ""
    rows = [
        (rates.words(rate_hz), str(sum(found.counts.values())), *(_share(getattr(found, name)) for name in FIGURES))
        for rate_hz, found in by_rate(pooled, plan.labels).items()
    ]
    note = (
        "<p>The same clips, judged by the same networks, through cameras of which each picture is the mean of the "
        "frames that its exposure covers. A clip that is no faster itself is seen as it was recorded. "
        "All else in this report is of the first row.</p>"
    )
    return "<h2>By frame rate</h2>" + note + markup.table(("rate", "clips", *NAMES.values()), rows)


def _sets(plan: EvaluationPlan, pooled: Sequence[Prediction]) -> str:
    """Part by part, where several data sets were tested."""
    parts = sorted({row.set for row in pooled})
    if len(parts) < 2:
        return ""
    rows = []
    for part in parts:
        table = _confusion([row for row in pooled if row.set == part], plan.labels)
        found, commonest = scores_of(table, plan.labels), scores_of(majority(table), plan.labels)
        figures = [f"{_share(getattr(found, name))} ({_share(getattr(commonest, name))})" for name in FIGURES]
        rows.append((part, str(int(table.sum())), *figures))
    note = "<p>In brackets: always the commonest class of the set.</p>"
    return "<h2>Data sets</h2>" + note + markup.table(("set", "clips", *NAMES.values()), rows)


def _curves(plan: EvaluationPlan, folder: Path) -> str:
    """A drawing for each column that the folds' curves have, with a line for each fold."""
    columns: dict[str, dict[str, list[float]]] = {}
    for fold in plan.folds:
        path = fold_folder(folder, fold) / CURVE
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    for name in row.keys() - {"epoch"}:
                        columns.setdefault(name, {}).setdefault(fold.name, []).append(float(row[name]))
    drawings = [charts.curves(name, columns[name]) for name in sorted(columns)]
    return "<h2>Curves</h2>" + "".join(drawings) if drawings else ""


def _folds(plan: EvaluationPlan, pooled: Sequence[Prediction], right: Sequence[bool]) -> str:
    hits = Counter(row.id for row, hit in zip(pooled, right, strict=True) if hit)
    rows = [
        (
            fold.name,
            str(plan.seed_of(fold)),
            str(len(fold.train)),
            str(len(fold.test)),
            str(sum(hits[id] for id in fold.test)),
        )
        for fold in plan.folds
    ]
    return markup.table(("fold", "seed", "clips to train", "clips to test", "of them right"), rows)


def _configuration(plan: EvaluationPlan) -> str:
    shown = {"seed": plan.seed, "threads": plan.threads, "labels": plan.labels, "method": plan.configuration}
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()


def _confusion(rows: Sequence[Prediction], labels: tuple[str, ...]) -> Indices:
    return confusion(*classes(rows, labels), len(labels))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _between(interval: Interval) -> str:
    return f"{interval.low:.4f} to {interval.high:.4f}"
