"""Folds as tasks of Ray, on this machine or on many. The only door to ray.

Every machine needs the same Glimpse with its train and cluster extras, and the data at the same paths.
Predictions and curves come back to the machine that asked; checkpoints stay where the fold ran.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.errors import GlimpseError
from train.runners import FitPredict, Outcome, Task, run_fold

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Implements `runners.Runner`. A fold whose worker died is run again; one whose method raised is not."""

    address: str | None  #: such as "auto" or "ray://host:10001"; None lets `ray.init` find a Ray or start one here
    retries: int  #: of each fold, when its worker or machine died
    gpus: float  #: of each fold

    def run(self, fit_predict: FitPredict, tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        """As they are done; GlimpseError at the end names the folds that were lost, after all others are there."""
        if not tasks:
            return
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            ray.init(address=self.address)
        try:
            yield from self._run(ray, fit_predict, tasks)
        finally:
            if ours:
                ray.shutdown()

    def _run(self, ray: Any, fit_predict: FitPredict, tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        method, remote = ray.put(fit_predict), ray.remote(run_fold)  # once: it may carry the data
        waiting: dict[Any, Task] = {}
        for task in tasks:
            options = {"max_retries": self.retries, "num_cpus": task.threads, "num_gpus": self.gpus}
            waiting[remote.options(**options).remote(method, task)] = task
        lost: list[str] = []
        while waiting:
            for reference in ray.wait(list(waiting), num_returns=1)[0]:
                task = waiting.pop(reference)
                try:
                    outcome = ray.get(reference)
                except _deaths(ray) as error:
                    log.warning("fold %s is lost: %s", task.fold.name, error)
                    lost.append(task.fold.name)
                    continue
                yield task, outcome
        if lost:
            raise GlimpseError(
                f"workers died {self.retries + 1} times under each of these folds: {', '.join(lost)}. "
                "The others are done; the same command runs only these again, better with fewer at a time"
            )


def _ray() -> Any:
    try:
        import ray
    except ModuleNotFoundError:
        raise GlimpseError("Ray is not installed; install glimpse[cluster], or run without a cluster") from None
    return ray


def _deaths(ray: Any) -> tuple[type[Exception], ...]:
    """What `ray.get` raises when a task's process or machine is gone; errors of the method itself are not among it."""
    errors = ray.exceptions
    return (
        errors.WorkerCrashedError,
        errors.NodeDiedError,
        errors.LocalRayletDiedError,
        errors.OutOfMemoryError,
        errors.ObjectLostError,
    )
