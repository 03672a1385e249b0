"""Folds on a real Ray, where it is installed; `test_evaluate.py` has the same promises on a fake one."""

import os
import signal
import sys
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from realtime.errors import GlimpseError
from train.config.sections import Machine, Optimiser
from train.datasets.annotation.sample import Sample
from train.datasets.folds import cases, leave_one_subject_out
from train.evaluation.cluster import Cluster
from train.evaluation.evaluate import PREDICTIONS, EvaluationPlan, evaluate, fold_folder
from train.evaluation.runners import Serial
from train.training import loop
from train.training.curves import CURVE

ray = pytest.importorskip("ray", reason="needs the cluster extra")

LABELS = ("negative", "positive")
RECIPE = Optimiser(
    kind="sgd", rate=0.1, weight_decay=1e-3, batch=8, warmup=0.25, schedule="cosine", clip=5.0, average=0.9
)


def plan():
    """Three people with four clips each, left out one by one."""
    clips = [
        Sample(id=f"{p}-{i}", subject=f"{p}", label=LABELS[(p + i) % 2], onset_s=0.0, apex_s=0.1, offset_s=0.2)
        for p in range(3)
        for i in range(4)
    ]
    found = cases({"toy": clips})
    return EvaluationPlan(
        protocol="toy clips, leave one subject out",
        seed=3,
        threads=1,
        labels=LABELS,
        cases=found,
        folds=leave_one_subject_out(found),
        rates_hz=(0.0,),
        configuration={},
    )


class Job:
    """Implements `loop.Job`; `at` is called before each epoch."""

    epochs, steps = 3, 2

    def __init__(self, seed, at):
        torch.manual_seed(seed)
        self.network = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
        self.seed, self.at = seed, at

    def batches(self, epoch):
        self.at(epoch)
        generator = torch.Generator().manual_seed(self.seed + epoch)
        for _ in range(self.steps):
            x = torch.randn(8, 6, generator=generator)
            yield x, (x.sum(1) > 0).long()

    def loss(self, batch):
        return nn.functional.cross_entropy(self.network(batch[0]), batch[1])

    def evaluate(self, network):
        return {}


@dataclass(frozen=True)
class Method:
    """A real network; the process of the fold `die_in` is killed in its second epoch, so often."""

    die_in: str = ""
    deaths: int = 0

    def __call__(self, train_ids, test_ids, seed, folder):
        with (folder / "calls").open("a") as file:
            file.write("x")
        calls = (folder / "calls").stat().st_size

        def at(epoch):
            if epoch == 1 and folder.name.endswith(self.die_in) and calls <= self.deaths:
                os.kill(os.getpid(), signal.SIGKILL)

        network = loop.fit(Job(seed, at), RECIPE, folder, Machine(accelerator="cpu", devices=1)).eval()
        with torch.no_grad():
            x = torch.randn(len(test_ids), 6, generator=torch.Generator().manual_seed(1))
            return network(x).softmax(1).numpy()[None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of an undisturbed serial run."""
    folder = tmp_path_factory.mktemp("whole")
    evaluate(plan(), Method(), folder, Serial())
    return folder


@pytest.fixture(autouse=True, scope="module")
def sent_whole():
    """Workers cannot import a test, so its classes are sent along."""
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


def contents(folder):
    paths = sorted(path for name in (PREDICTIONS, CURVE) for path in folder.rglob(name))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def calls(folder):
    return [(fold_folder(folder, fold) / "calls").stat().st_size for fold in plan().folds]


def test_ray_gives_the_same_bits_though_a_worker_is_killed(tmp_path, whole):
    evaluate(plan(), Method("1", deaths=1), tmp_path, Cluster("local", retries=1, gpus=0))
    assert calls(tmp_path) == [1, 2, 1]
    assert contents(tmp_path) == contents(whole)
    assert not ray.is_initialized()


def test_a_fold_that_wants_more_gpus_than_there_are_is_told(tmp_path):
    with pytest.raises(GlimpseError, match="a fold takes 1 CPUs and 999 GPUs, and no machine of this Ray has both"):
        evaluate(plan(), Method(), tmp_path, Cluster("local", retries=0, gpus=999))


def test_a_fold_that_always_kills_its_worker_costs_no_other_and_can_be_run_again(tmp_path, whole):
    runner = Cluster("local", retries=1, gpus=0)
    with pytest.raises(GlimpseError, match=r"died 2 times under each of these folds: toy/2\. The others are done"):
        evaluate(plan(), Method("2", deaths=2), tmp_path, runner)
    assert calls(tmp_path) == [1, 1, 2]
    assert len(list(tmp_path.rglob(PREDICTIONS))) == 2
    evaluate(plan(), Method(), tmp_path, runner)
    assert calls(tmp_path) == [1, 1, 3]
    assert contents(tmp_path) == contents(whole)
