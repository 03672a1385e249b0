import csv
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from realtime.errors import ConfigError
from train.config.sections import Machine, Optimiser
from train.training import loop
from train.training.loop import CHECKPOINT, Average, Progress, Turn, rate_at

CPU = Machine(accelerator="cpu", devices=1)


def fit(job, recipe, folder):
    return loop.fit(job, recipe, folder, CPU)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks of this size are slower on two threads, and much slower when something else runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def recipe(**changes):
    values = {"kind": "sgd", "rate": 0.05, "weight_decay": 1e-3, "batch": 8, "warmup": 0.25, "average": 0.9}
    return Optimiser(**(values | {"schedule": "cosine", "clip": 5.0} | changes))


class Killed(BaseException):
    pass


class Line:
    """A job with batch normalisation and weights to learn; it can be killed in the middle of an epoch."""

    epochs, steps = 5, 4

    def __init__(self, kill_at=None, seed=0):
        torch.manual_seed(seed)
        self.network = nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1))
        self.kill_at = kill_at
        self.seen = []

    def batches(self, epoch):
        generator = torch.Generator().manual_seed(1000 + epoch)
        for step in range(self.steps):
            if (epoch, step) == self.kill_at:
                raise Killed
            x = torch.randn(8, 3, generator=generator)
            self.seen.append((epoch, step))
            yield x, x.sum(1, keepdim=True)

    def loss(self, batch):
        return (self.network(batch[0]) - batch[1]).square().mean()

    def evaluate(self, network):
        network.eval()
        with torch.no_grad():
            return {"at_one": float(network(torch.ones(1, 3)))}


def curve(folder):
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def last(folder):
    """The weights as the last step left them, which are not those that are kept."""
    return torch.load(folder / CHECKPOINT, weights_only=True)["network"]


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.promise(
    "a training is killed",
    "goes on, and ends with the same weights, bit for bit",
    "9 of 9",
)
@pytest.mark.parametrize("changes", [{"average": 0.0}, {"average": 0.9}, {"kind": "adamw"}])
@pytest.mark.parametrize("kill_at", [(0, 2), (2, 0), (3, 3)])
def test_a_killed_training_that_goes_on_ends_with_the_same_weights_bit_for_bit(tmp_path, kill_at, changes):
    wanted = fit(Line(), recipe(**changes), tmp_path / "whole")
    with pytest.raises(Killed):
        fit(Line(kill_at), recipe(**changes), tmp_path / "killed")
    resumed = Line(seed=99 if kill_at[0] else 0)  # behind a checkpoint the first weights must not matter
    found = fit(resumed, recipe(**changes), tmp_path / "killed")
    assert same(found.state_dict(), wanted.state_dict())
    assert same(last(tmp_path / "killed"), last(tmp_path / "whole"))
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")


class OneStep(Line):
    epochs, steps = 1, 1


def test_sgd_steps_as_far_as_the_gradient_is_long_and_adamw_always_as_far_as_the_rate(tmp_path):
    fresh = OneStep().network
    before = [weights.detach().clone() for weights in fresh.parameters()]
    (batch,) = OneStep().batches(0)
    (fresh(batch[0]) - batch[1]).square().mean().backward()
    gradients = [weights.grad for weights in fresh.parameters()]
    assert sum(g.square().sum() for g in gradients) < 25  # none is clipped
    for kind, wanted in (("sgd", lambda g: 1.9 * g), ("adamw", lambda g: g / (g.abs() + 1e-8))):
        found = fit(OneStep(), recipe(kind=kind, weight_decay=0.0, average=0.0, warmup=0.0), tmp_path / kind)
        for now, then, g in zip(found.parameters(), before, gradients, strict=True):
            assert torch.allclose(now, then - 0.05 * wanted(g), atol=1e-6)


def test_adam_is_the_plain_one_of_torch_with_l2_in_its_gradient(tmp_path):
    job = Line()
    by_hand = Line()
    optimiser = torch.optim.Adam(
        [
            {"params": [p for p in by_hand.network.parameters() if p.ndim > 1], "weight_decay": 0.1},
            {"params": [p for p in by_hand.network.parameters() if p.ndim <= 1]},
        ],
        lr=0.01,
    )
    for epoch in range(by_hand.epochs):
        for batch in by_hand.batches(epoch):
            optimiser.zero_grad()
            by_hand.loss(batch).backward()
            optimiser.step()
    plain = {"warmup": 0.0, "schedule": "constant", "clip": 0.0, "average": 0.0}
    found = fit(job, recipe(kind="adam", rate=0.01, weight_decay=0.1, **plain), tmp_path)
    assert same(found.state_dict(), by_hand.network.state_dict())


@pytest.mark.parametrize(("clip", "far"), [(0.0, 1.0), (0.5, 0.5), (5.0, 1.0)])
def test_a_gradient_longer_than_the_clip_is_shortened_to_it_and_none_by_a_clip_of_zero(tmp_path, clip, far):
    class Slope(OneStep):
        def loss(self, batch):
            return next(self.network.parameters())[0, 0]  # a gradient of length 1

    before = next(Slope().network.parameters()).detach().clone()[0, 0]
    plain = recipe(rate=0.1, weight_decay=0.0, warmup=0.0, average=0.0, clip=clip)
    after = next(fit(Slope(), plain, tmp_path).parameters())[0, 0]
    assert float((before - after).detach()) == pytest.approx(0.1 * 1.9 * far, rel=1e-4)


def test_a_training_that_goes_on_repeats_no_finished_epoch(tmp_path):
    with pytest.raises(Killed):
        fit(Line((3, 1)), recipe(), tmp_path)
    resumed = Line()
    fit(resumed, recipe(), tmp_path)
    assert resumed.seen[0] == (3, 0)
    finished = Line()
    fit(finished, recipe(), tmp_path)
    assert finished.seen == []
    assert same(finished.network.state_dict(), resumed.network.state_dict())


def test_a_checkpoint_is_never_half_written(tmp_path, monkeypatch):
    with pytest.raises(Killed):
        fit(Line((2, 0)), recipe(), tmp_path)
    before = (tmp_path / "last.pt").read_bytes()

    def half(state, file):
        file.write(b"half")
        raise Killed

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(Killed):
        fit(Line(), recipe(), tmp_path)
    assert (tmp_path / "last.pt").read_bytes() == before


def test_training_makes_the_loss_smaller(tmp_path):
    fit(Line(), recipe(rate=0.1), tmp_path)
    losses = [float(row["loss"]) for row in curve(tmp_path)]
    assert losses[-1] < 0.5 * losses[0]


def test_the_rate_rises_linearly_then_falls_by_half_a_cosine():
    assert rate_at(0.0, 0.2) == 1e-3  # never zero: a first step without any would be wasted
    assert rate_at(0.05, 0.2) == pytest.approx(0.25)
    assert rate_at(0.2, 0.2) == pytest.approx(1.0)
    assert rate_at(0.6, 0.2) == pytest.approx(0.5)
    assert rate_at(0.4, 0.2) == pytest.approx(0.5 + 0.5 * math.cos(math.pi / 4))
    assert rate_at(1.0, 0.2) == pytest.approx(0.0, abs=1e-12)
    assert rate_at(1.1, 0.2) == pytest.approx(0.0, abs=1e-12)


def test_a_constant_rate_rises_and_stays_or_is_highest_at_once():
    assert rate_at(0.05, 0.2, "constant") == pytest.approx(0.25)
    assert {rate_at(share, 0.2, "constant") for share in (0.2, 0.6, 1.0)} == {1.0}
    assert {rate_at(share, 0.0, "constant") for share in (0.0, 0.5, 1.0)} == {1.0}
    assert rate_at(0.0, 0.0) == 1.0


def test_the_rates_of_a_training_are_those_of_the_schedule(tmp_path, monkeypatch):
    used = []
    step = torch.optim.SGD.step

    def watched(self, *args, **kwargs):
        used.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.SGD, "step", watched)
    fit(Line(), recipe(), tmp_path)
    assert used == pytest.approx([0.05 * rate_at(i / 20, 0.25) for i in range(20)])


def test_weights_decay_and_biases_do_not(tmp_path):
    class Still(Line):
        def loss(self, batch):
            return sum(p.sum() for p in self.network.parameters()) * 0.0

    job = Still()
    with torch.no_grad():
        for parameter in job.network.parameters():
            parameter.fill_(1.0)
    fit(job, recipe(weight_decay=0.1), tmp_path)
    for parameter in job.network.parameters():
        assert bool((parameter < 1.0).all()) if parameter.ndim > 1 else bool((parameter == 1.0).all())


def test_the_average_follows_its_recurrence_and_copies_counters():
    network = nn.BatchNorm1d(1)
    average, value = Average(network, 0.9), 1.0
    for seen in range(1, 200):
        with torch.no_grad():
            network.weight.fill_(float(seen))
        network.num_batches_tracked.fill_(seen)
        average.update(network)
        decay = min(0.9, (1 + seen) / (10 + seen))
        value = decay * value + (1 - decay) * seen
    assert float(average.network.weight.detach()) == pytest.approx(value, rel=1e-5)
    assert int(average.network.num_batches_tracked) == 199


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_the_average_is_kept_or_the_last_weights_without_one(tmp_path, average):
    job = Line()
    assert fit(job, recipe(average=average), tmp_path) is job.network
    assert same(job.network.state_dict(), last(tmp_path)) == (average == 0.0)


class Rivals:
    """Two lines that see the same batches in turn: one is to give 1, the other what the first gives, and 2 more."""

    epochs, steps = 30, 4

    def __init__(self):
        torch.manual_seed(0)
        self.network = nn.ModuleDict({"first": nn.Linear(1, 1), "second": nn.Linear(1, 1)})

    def batches(self, epoch):
        yield from [(torch.ones(8, 1), torch.arange(8))] * self.steps  # the batch carries the person

    def first(self, batch):
        return (self.network["first"](batch[0]) - 1.0).square().mean()

    def second(self, batch):
        return (self.network["second"](batch[0]) - self.network["first"](batch[0]) - 2.0).square().mean()

    def loss(self, batch):
        raise AssertionError("its turns have losses of their own")

    def evaluate(self, network):
        return {}

    def turns(self, **slower):
        rate = recipe(average=0.0, rate=0.1, weight_decay=0.0)
        second = recipe(average=0.0, weight_decay=0.0, **slower)
        return Turn(self.network["first"], rate, self.first), Turn(self.network["second"], second, self.second)


def test_optimisers_that_take_turns_step_their_own_weights_alone(tmp_path):
    job = Rivals()
    network = fit(job, job.turns(rate=0.1), tmp_path)
    one = torch.ones(1, 1)
    assert network["first"](one).item() == pytest.approx(1.0, abs=0.02)
    assert network["second"](one).item() == pytest.approx(3.0, abs=0.05)


def test_each_of_several_optimisers_has_a_rate_of_its_own(tmp_path):
    job = Rivals()
    before = {name: weight.clone() for name, weight in job.network.state_dict().items()}
    network = fit(job, job.turns(rate=1e-12), tmp_path)
    moved = {name: float((weight - before[name]).abs().max()) for name, weight in network.state_dict().items()}
    assert moved["first.weight"] > 0.01
    assert moved["second.weight"] < 1e-6


def test_a_turn_may_step_several_times_on_each_batch_and_its_rate_falls_as_slowly(tmp_path):
    job, seen = Rivals(), []
    first, second = job.turns(rate=0.1)
    turns = (
        replace(first, loss=lambda batch: seen.append("first") or job.first(batch)),
        replace(second, loss=lambda batch: seen.append("second") or job.second(batch), times=3),
    )
    fit(job, turns, tmp_path)
    assert seen == (["first"] + ["second"] * 3) * (job.epochs * job.steps)
    constant = [replace(turn, loss=lambda batch: 0.0 * job.first(batch) + 1.0) for turn in turns]
    fit(job, tuple(constant), tmp_path / "constant")
    with (tmp_path / "constant" / "curve.csv").open() as file:
        assert {row["loss"] for row in csv.DictReader(file)} == {"2.0"}  # the mean of a turn's steps, of both turns
    paces = Progress(job, turns).paces
    half = job.epochs * job.steps / 2
    shares = [pace.schedule.lr_lambdas[0](half * turn.times) for pace, turn in zip(paces, turns, strict=True)]
    assert shares == [rate_at(0.5, 0.25)] * 2


def test_a_killed_training_in_turns_ends_with_the_same_weights(tmp_path):
    whole = fit(job := Rivals(), job.turns(rate=0.1), tmp_path / "whole").state_dict()
    short = Rivals()
    short.epochs = 30
    batches, calls = short.batches, []

    def killed(epoch):
        calls.append(epoch)
        if epoch == 11:
            raise Killed
        return batches(epoch)

    short.batches = killed
    with pytest.raises(Killed):
        fit(short, short.turns(rate=0.1), tmp_path / "cut")
    again = fit(job := Rivals(), job.turns(rate=0.1), tmp_path / "cut").state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_several_optimisers_and_several_devices_are_refused(tmp_path):
    job = Rivals()
    with pytest.raises(ConfigError, match="take turns on one device"):
        loop.fit(job, job.turns(rate=0.1), tmp_path, Machine(accelerator="cpu", devices=2))
