"""Folds as tasks of Ray, on this machine or on many. The only door to ray.

Every machine needs the same Glimpse with its train and cluster extras, and the data at the same paths.
Predictions and curves come back to the machine that asked; checkpoints, TensorBoard's logs and all that a fold
prints stay where it ran.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.errors import GlimpseError
from train.evaluation.runners import FitPredict, FoldAnswers, Task, run_fold

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Implements `runners.Runner`. A fold whose worker died is run again; one whose method raised is not."""

    address: str | None  #: such as "auto" or "ray://host:10001"; None lets `ray.init` find a Ray or start one here
    retries: int  #: of each fold, when its worker or machine died
    gpus: float  #: of each fold

    def run(self, fit_predict: FitPredict, tasks: Sequence[Task]) -> Iterator[tuple[Task, FoldAnswers]]:
        """As they are done; GlimpseError at the end names the folds that were lost, after all others are there.

        GlimpseError at once if there is no Ray, or no machine of it that a fold fits on: it would wait for ever.
        """
        if not tasks:
            return
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            self._connect(ray)
        try:
            self._find_room(ray, tasks)
            yield from self._run(ray, fit_predict, tasks)
        finally:
            if ours:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        try:
            ray.init(address=self.address, log_to_driver=False)  # what it logs would come on stdout, into the answer
        except ConnectionError as error:
            raise GlimpseError(
                f"no Ray at {self.address}: {str(error).rstrip('.')}. Start one with ray start --head, or give local"
            ) from None

    def _find_room(self, ray: Any, tasks: Sequence[Task]) -> None:
        wanted = {"CPU": max(task.threads for task in tasks), "GPU": self.gpus}
        machines = [{name: node["Resources"].get(name, 0) for name in wanted} for node in ray.nodes() if node["Alive"]]
        if not any(all(machine[name] >= wanted[name] for name in wanted) for machine in machines):
            raise GlimpseError(
                f"a fold takes {wanted['CPU']} CPUs and {wanted['GPU']:g} GPUs, and no machine of this Ray has both: "
                f"{machines}; set threads in [evaluate], or devices in [machine], lower, or accelerator to cpu"
            )

    def _run(self, ray: Any, fit_predict: FitPredict, tasks: Sequence[Task]) -> Iterator[tuple[Task, FoldAnswers]]:
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
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from error  # the method's own, which Ray has wrapped
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
        raise GlimpseError("Ray is not installed; run pip install '.[cluster]', or go on without a cluster") from None
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
