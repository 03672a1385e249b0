import os
import pickle
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from realtime.errors import DataError, GlimpseError
from train.config.sections import Machine, Optimiser
from train.datasets.annotation.sample import Sample
from train.datasets.folds import cases, leave_one_subject_out
from train.evaluation import report
from train.evaluation.cluster import Cluster
from train.evaluation.evaluate import PLAN, PREDICTIONS, EvaluationPlan, evaluate, fold_folder, load
from train.evaluation.predictions import at
from train.evaluation.runners import Serial, run_fold
from train.training import loop
from train.training.curves import CURVE
from train.training.loop import CHECKPOINT

LABELS = ("negative", "positive", "surprise")
RECIPE = Optimiser(
    kind="sgd", rate=0.1, weight_decay=1e-3, batch=8, warmup=0.25, schedule="cosine", clip=5.0, average=0.9
)
MACHINE = Machine(accelerator="cpu", devices=1)


def plan(**changes):
    """Five people with four clips each, left out one by one."""
    clips = [
        Sample(id=f"{p}-{i}", subject=f"{p}", label=LABELS[(p + i) % 3], onset_s=0.0, apex_s=0.1, offset_s=0.2)
        for p in range(5)
        for i in range(4)
    ]
    found = cases({"toy": clips})
    values = {
        "protocol": "toy clips, leave one subject out",
        "seed": 3,
        "threads": 1,
        "labels": LABELS,
        "cases": found,
        "folds": leave_one_subject_out(found),
        "rates_hz": (0.0, 30.0),
        "configuration": {"epochs": 3},
    }
    return EvaluationPlan(**(values | changes))


def features(ids):
    """(K, 6): each clip's own noise around its class."""
    labels = {case.id: LABELS.index(case.label) for case in plan().cases}
    noise = [np.random.default_rng(list(id.encode())).normal(size=6) for id in ids]
    x = torch.tensor(np.array(noise), dtype=torch.float32)
    y = torch.tensor([labels[id] for id in ids])
    x[torch.arange(len(ids)), y] += 1.5
    return x, y


class Job:
    """Implements `loop.Job`; `at` is called before each epoch."""

    epochs, steps = 3, 2

    def __init__(self, x, y, seed, at):
        torch.manual_seed(seed)
        self.network = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))
        self.x, self.y, self.seed, self.at = x, y, seed, at

    def batches(self, epoch):
        self.at(epoch)
        order = torch.randperm(len(self.y), generator=torch.Generator().manual_seed(self.seed + epoch))
        yield from ((self.x[rows], self.y[rows]) for rows in order.chunk(self.steps))

    def loss(self, batch):
        return nn.functional.cross_entropy(self.network(batch[0]), batch[1])

    def evaluate(self, network):
        return {}


@dataclass(frozen=True)
class Method:
    """A real network, fitted by the real loop; in the second epoch of the fold `die_in` its process is killed."""

    die_in: str = ""

    def __call__(self, train_ids, test_ids, seed, folder):
        with (folder / "calls").open("a") as file:
            file.write("x")

        def at(epoch):
            if epoch == 1 and self.die_in and self.die_in in folder.name:
                os.kill(os.getpid(), signal.SIGKILL)

        x, y = features(train_ids)
        mean = x.mean(0)
        network = loop.fit(Job(x - mean, y, seed, at), RECIPE, folder, MACHINE).eval()
        with torch.no_grad():
            seen = (features(test_ids)[0] * clear - mean for clear in (1.0, 0.5))
            return np.stack([network(x).softmax(1).numpy() for x in seen])


class Raises(Method):
    """An error of the method itself, in the fold `die_in`."""

    def __call__(self, train_ids, test_ids, seed, folder):
        if self.die_in in folder.name:
            raise DataError("a clip is broken")
        return super().__call__(train_ids, test_ids, seed, folder)


class Backwards:
    """The last fold first, with noise in between: torch's own generator and its threads are not as they were."""

    def run(self, fit_predict, tasks):
        for task in reversed(tasks):
            torch.rand(17)
            torch.set_num_threads(2)
            yield task, run_fold(fit_predict, task)


class FakeRay(ModuleType):
    """What `cluster` uses of Ray, in one process: what is sent is pickled, and the last task is done first.

    `deaths` says how often the worker of a fold dies: it has then done its work, and its answer is lost.
    """

    def __init__(self, deaths=()):
        super().__init__("ray")
        names = ("WorkerCrashedError", "NodeDiedError", "LocalRayletDiedError", "OutOfMemoryError", "ObjectLostError")
        names = (*names, "RayTaskError")
        self.exceptions = SimpleNamespace(**{name: type(name, (Exception,), {}) for name in names})
        self.deaths = dict(deaths)
        self.objects, self.options, self.running, self.log = {}, {}, False, []

    def is_initialized(self):
        return self.running

    def init(self, address, log_to_driver):
        if address == "auto":
            raise ConnectionError("Could not find any running Ray instance.")
        self.running = True
        self.log.append(("init", address))

    def nodes(self):
        return [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": True, "Resources": {"CPU": 1.0, "GPU": 0.5}}]

    def shutdown(self):
        self.running = False
        self.log.append(("shutdown",))

    def put(self, value):
        self.objects["method"] = pickle.dumps(value)
        return "method"

    def remote(self, function):
        def options(**options):
            return SimpleNamespace(remote=lambda method, task: self._submit(function, method, task, options))

        return SimpleNamespace(options=options)

    def _submit(self, function, method, task, options):
        assert self.running
        reference = f"task {len(self.objects)}"
        self.objects[reference] = pickle.dumps((function, task))
        self.options[reference] = options
        return reference

    def wait(self, references, num_returns):
        return references[-num_returns:], references[:-num_returns]

    def get(self, reference):
        for _ in range(self.options[reference]["max_retries"] + 1):
            function, task = pickle.loads(self.objects[reference])
            try:
                outcome = function(pickle.loads(self.objects["method"]), task)
            except GlimpseError as error:
                wrapped = self.exceptions.RayTaskError(f"a traceback that ends in {error!r}")
                wrapped.cause = error
                raise wrapped from None
            if not self.deaths.get(task.fold.name):
                return pickle.loads(pickle.dumps(outcome))
            self.deaths[task.fold.name] -= 1
        raise self.exceptions.WorkerCrashedError("the worker died unexpectedly")


@pytest.fixture
def fake_ray(monkeypatch):
    def install(**deaths):
        ray = FakeRay({f"toy/{person[1:]}": n for person, n in deaths.items()})
        monkeypatch.setitem(sys.modules, "ray", ray)
        return ray

    return install


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of an undisturbed serial run."""
    folder = tmp_path_factory.mktemp("whole")
    report.write(plan(), evaluate(plan(), Method(), folder, Serial()), folder, None)
    return folder


def contents(folder, *names):
    """The files of these names, by their place; of all finished folds and of the report."""
    paths = sorted(path for name in names or (PREDICTIONS, CURVE, report.REPORT) for path in folder.rglob(name))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def calls(folder):
    """How often the method was called for each fold."""
    return {fold.name: len((fold_folder(folder, fold) / "calls").read_text()) for fold in plan().folds}


def test_every_clip_is_predicted_once_at_each_rate_in_the_plans_order_with_what_it_is(whole):
    pooled = load(plan(), whole)
    wanted = [(rate_hz, id) for fold in plan().folds for rate_hz in (0.0, 30.0) for id in fold.test]
    assert [(row.rate_hz, row.id) for row in pooled] == wanted
    for rate_hz in (0.0, 30.0):
        assert [row.id for row in at(pooled, rate_hz)] == [id for fold in plan().folds for id in fold.test]
    assert not any(a.probabilities == b.probabilities for a, b in zip(at(pooled, 0.0), at(pooled, 30.0), strict=True))
    by_id = {case.id: case for case in plan().cases}
    assert all((r.set, r.subject, r.truth) == (c.set, c.subject, c.label) for r in pooled for c in [by_id[r.id]])
    right = [LABELS[int(np.argmax(row.probabilities))] == row.truth for row in pooled]
    assert sum(right) > len(pooled) / 2  # it is a network that learns, and rows that were not shuffled


def test_neither_order_nor_what_ran_before_changes_a_bit(tmp_path, whole):
    evaluate(plan(), Method(), tmp_path, Backwards())
    assert contents(tmp_path, PREDICTIONS, CURVE) == contents(whole, PREDICTIONS, CURVE)


def test_torch_has_its_threads_again_after_a_fold(tmp_path):
    before = torch.get_num_threads()
    seen = []

    def method(train_ids, test_ids, seed, folder):
        seen.append(torch.get_num_threads())
        return np.full((2, len(test_ids), 3), 1 / 3)

    evaluate(plan(threads=before + 1), method, tmp_path, Serial())
    assert seen == [before + 1] * 5
    assert torch.get_num_threads() == before


def test_a_folds_seed_depends_on_the_plans_seed_and_its_name_only():
    first, other = plan(), plan(seed=4)
    seeds = [first.seed_of(fold) for fold in first.folds]
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert [first.seed_of(replace(fold, train=fold.train[:1])) for fold in first.folds] == seeds
    assert {other.seed_of(fold) for fold in other.folds}.isdisjoint(seeds)
    assert first.seed_of(first.folds[0]) == 1807094734  # for ever: published runs name their seeds


@pytest.mark.promise(
    "an evaluation is killed",
    "goes on, and ends in the same report",
    "1 of 1",
)
def test_a_killed_run_goes_on_and_ends_in_the_same_report(tmp_path, whole):
    program = (
        "import importlib.util, sys; from pathlib import Path\n"
        f"spec = importlib.util.spec_from_file_location('method', {__file__!r})\n"
        "module = sys.modules['method'] = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        f"module.evaluate(module.plan(), module.Method('2F2'), Path({str(tmp_path)!r}), module.Serial())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept = contents(tmp_path, PREDICTIONS)
    assert sorted(kept) == [f"fold-toy%2F{p}/{PREDICTIONS}" for p in (0, 1)]
    with pytest.raises(DataError, match="3 of 5 folds have no predictions") as refusal:
        load(plan(), tmp_path)
    assert refusal.value.problems == ("toy/2", "toy/3", "toy/4")
    report.write(plan(), evaluate(plan(), Method(), tmp_path, Serial()), tmp_path, None)
    assert calls(tmp_path) == {"toy/0": 1, "toy/1": 1, "toy/2": 2, "toy/3": 1, "toy/4": 1}
    assert contents(tmp_path) == contents(whole)


def test_a_checkpoint_is_there_until_its_fold_is_predicted(tmp_path, whole):
    class Failing(Method):
        def __call__(self, train_ids, test_ids, seed, folder):
            super().__call__(train_ids, test_ids, seed, folder)
            raise DataError("lost the test clips")

    with pytest.raises(DataError, match="lost the test clips"):
        evaluate(plan(), Failing(), tmp_path, Serial())
    assert set(contents(tmp_path, CHECKPOINT)) == {"fold-toy%2F0/last.pt"}
    evaluate(plan(), Method(), tmp_path, Serial())
    assert contents(tmp_path, CHECKPOINT) == {}
    assert contents(tmp_path, PREDICTIONS, CURVE) == contents(whole, PREDICTIONS, CURVE)


def test_a_finished_run_computes_nothing_again(tmp_path):
    first = evaluate(plan(), Method(), tmp_path, Serial())
    assert evaluate(plan(), Method(), tmp_path, Serial()) == first
    assert set(calls(tmp_path).values()) == {1}


def test_a_cluster_gives_the_same_bits_also_when_workers_die(tmp_path, whole, fake_ray):
    ray = fake_ray(p1=2, p4=1)
    pooled = evaluate(plan(), Method(), tmp_path, Cluster("head:6379", retries=2, gpus=0.5))
    report.write(plan(), pooled, tmp_path, None)
    assert contents(tmp_path) == contents(whole)
    assert calls(tmp_path) == {"toy/0": 1, "toy/1": 3, "toy/2": 1, "toy/3": 1, "toy/4": 2}
    assert ray.log == [("init", "head:6379"), ("shutdown",)]
    assert list(ray.options.values()) == [{"max_retries": 2, "num_cpus": 1, "num_gpus": 0.5}] * 5


def test_without_an_address_ray_starts_here_and_one_that_runs_already_is_left_running(tmp_path, fake_ray):
    ray = fake_ray()
    evaluate(plan(), Method(), tmp_path / "a", Cluster(None, retries=0, gpus=0))
    assert ray.log == [("init", None), ("shutdown",)]
    ray.running = True
    evaluate(plan(), Method(), tmp_path / "b", Cluster(None, retries=0, gpus=0))
    assert len(ray.log) == 2
    assert ray.running


def test_a_worker_that_dies_too_often_costs_its_own_fold_only(tmp_path, whole, fake_ray):
    ray = fake_ray(p2=9, p4=9)
    runner = Cluster(None, retries=1, gpus=0)
    with pytest.raises(GlimpseError, match=r"died 2 times under each of these folds: toy/4, toy/2\. "):
        evaluate(plan(), Method(), tmp_path, runner)
    assert sorted(contents(tmp_path, PREDICTIONS)) == [f"fold-toy%2F{p}/{PREDICTIONS}" for p in (0, 1, 3)]
    ray.deaths.clear()
    report.write(plan(), evaluate(plan(), Method(), tmp_path, runner), tmp_path, None)
    assert calls(tmp_path) == {"toy/0": 1, "toy/1": 1, "toy/2": 3, "toy/3": 1, "toy/4": 3}
    assert contents(tmp_path) == contents(whole)


def test_an_error_of_the_method_ends_the_run_and_keeps_what_is_done(tmp_path, fake_ray):
    ray = fake_ray()
    with pytest.raises(DataError, match=r"^a clip is broken$"):
        evaluate(plan(), Raises("2F2"), tmp_path / "cluster", Cluster(None, retries=3, gpus=0))
    assert len(contents(tmp_path / "cluster", PREDICTIONS)) == 2  # the last two folds came first
    assert not ray.running
    with pytest.raises(DataError, match="a clip is broken"):
        evaluate(plan(), Raises("2F2"), tmp_path / "serial", Serial())
    assert len(contents(tmp_path / "serial", PREDICTIONS)) == 2


def test_curves_come_back_from_machines_with_other_disks(tmp_path, whole):
    class Elsewhere:
        def run(self, fit_predict, tasks):
            for task in tasks:
                yield task, run_fold(fit_predict, replace(task, folder=tmp_path / "other" / task.folder.name))

    evaluate(plan(), Method(), tmp_path / "here", Elsewhere())
    assert contents(tmp_path / "here", CURVE) == contents(whole, CURVE)


def test_a_cluster_that_is_not_there_is_told_in_one_line(tmp_path, fake_ray):
    fake_ray()
    with pytest.raises(GlimpseError, match=r"no Ray at auto: .* Start one with ray start --head, or give local$"):
        evaluate(plan(), Method(), tmp_path, Cluster("auto", retries=0, gpus=0))


@pytest.mark.parametrize(("threads", "gpus"), [(3, 0), (1, 1), (2, 0.5)])
def test_a_fold_that_fits_on_no_machine_is_told_before_it_waits_for_ever(threads, gpus, tmp_path, fake_ray):
    ray = fake_ray()
    with pytest.raises(GlimpseError, match=f"a fold takes {threads} CPUs and {gpus} GPUs, and no machine of this Ray"):
        evaluate(plan(threads=threads), Method(), tmp_path, Cluster(None, retries=0, gpus=gpus))
    assert not ray.running


def test_without_ray_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(GlimpseError, match=r"pip install '\.\[cluster\]'"):
        evaluate(plan(), Method(), tmp_path, Cluster(None, retries=0, gpus=0))


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"threads": 2}, {"configuration": {"epochs": 4}}, {"rates_hz": (0.0, 25.0)}]
)
def test_a_folder_of_another_plan_is_refused_before_anything_runs(tmp_path, change):
    evaluate(plan(), Method(), tmp_path, Serial())
    with pytest.raises(DataError, match="give it a folder of its own"):
        evaluate(plan(**change), Method(), tmp_path, Serial())
    assert set(calls(tmp_path).values()) == {1}


def test_predictions_of_another_fold_or_plan_are_refused(tmp_path, whole):
    folders = [fold_folder(tmp_path, fold) for fold in plan().folds]
    folders[1].mkdir()
    stray = (fold_folder(whole, plan().folds[0]) / PREDICTIONS).read_bytes()
    (folders[1] / PREDICTIONS).write_bytes(stray)
    with pytest.raises(DataError, match="of another fold or plan"):
        evaluate(plan(), Method(), tmp_path, Serial())
    assert not folders[0].exists()


def test_a_plan_that_shares_a_subject_or_has_a_foreign_label_is_refused(tmp_path):
    (first, *others), given = plan().folds, plan().cases
    shared = replace(first, train=(*first.train, first.test[0]))
    with pytest.raises(DataError, match="fold toy/0: toy/0 on both sides"):
        evaluate(plan(folds=(shared, *others)), Method(), tmp_path, Serial())
    foreign = (replace(given[0], label="joy"), *given[1:])
    with pytest.raises(DataError, match="toy/0-0: 'joy'"):
        evaluate(plan(cases=foreign), Method(), tmp_path, Serial())
    assert not (tmp_path / PLAN).exists()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (np.ones((1, 4, 3)) / 3, r"fold toy/0: probabilities \(1, 4, 3\), wanted \(2, 4, 3\)"),
        (np.ones((2, 3, 3)) / 3, r"fold toy/0: probabilities \(2, 3, 3\), wanted \(2, 4, 3\)"),
        (np.ones((2, 4, 3)), "sum to 3"),
    ],
)
def test_answers_that_are_no_probabilities_of_the_clips_are_refused(tmp_path, answer, problem):
    with pytest.raises(DataError, match=problem):
        evaluate(plan(), lambda *given: answer, tmp_path, Serial())
    assert contents(tmp_path, PREDICTIONS) == {}
