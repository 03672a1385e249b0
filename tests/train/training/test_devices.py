import logging
import pickle
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.strategies import DDPStrategy
from torch import nn

from realtime.errors import ConfigError, DataError
from train.config.sections import Machine, Optimiser
from train.losses.ecstfl import ecstfl, ecstfl_official
from train.losses.focal import focal
from train.methods.cmn.inter import inter_contrast
from train.methods.cmn.intra import intra_contrast
from train.training import devices, loop
from train.training.devices import OnDevice, Seat
from train.training.loop import CHECKPOINT, Turn

RECIPE = Optimiser(
    kind="sgd", rate=0.05, weight_decay=1e-3, batch=6, warmup=0.25, schedule="cosine", clip=5.0, average=0.9
)


class Shared:
    """A job without dropout or batch statistics: several devices must step as one does. It notes what it starts from.

    Its batches cannot be halved evenly, and those of the epoch `broken` raise an error of ours.
    """

    epochs, steps = 9, 2

    def __init__(self, notes, broken):
        torch.manual_seed(1)
        self.network = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
        self.notes, self.broken = notes, broken

    def batches(self, epoch):
        if epoch == self.broken:
            raise DataError("a clip is broken")
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        torch.save((self.network.state_dict(), torch.rand(2)), self.notes / f"{epoch}-{rank}.pt")
        generator = torch.Generator().manual_seed(epoch)
        for _ in range(self.steps):
            x = torch.randn(5, 3, generator=generator)
            yield x, x.sum(1, keepdim=True)

    def loss(self, batch):
        return (self.network(batch[0]) - batch[1]).square().mean()

    def evaluate(self, network):
        with torch.no_grad():
            return {"at_one": float(network(torch.ones(1, 3)))}


def fit_until(epoch, folder, count):
    """The checkpoint before the epoch that is broken."""
    folder.mkdir(exist_ok=True)
    with pytest.raises(DataError, match=r"^a clip is broken$"):
        loop.fit(Shared(folder, epoch), RECIPE, folder, Machine(accelerator="cpu", devices=count))
    return torch.load(folder / CHECKPOINT, weights_only=True)


def test_two_processes_go_on_as_one_would_and_tell_an_error_of_ours_as_it_is(tmp_path):
    wanted = fit_until(4, tmp_path / "one", 1)
    fit_until(1, tmp_path / "two", 1)
    found = fit_until(4, tmp_path / "two", 2)
    for part in ("network", "kept"):
        for key, value in wanted[part].items():
            assert found[part][key].numpy() == pytest.approx(value.numpy(), abs=1e-6)
    assert len(found["curve"]) == 4
    for mine, theirs in zip(found["curve"], wanted["curve"], strict=True):
        assert mine == pytest.approx(theirs, abs=2e-5)
    drawn = set()
    for epoch in (1, 2, 3):
        notes = [torch.load(tmp_path / f"two/{epoch}-{rank}.pt") for rank in (0, 1)]
        assert all(torch.equal(notes[0][0][key], notes[1][0][key]) for key in notes[0][0])
        drawn |= {tuple(noise.tolist()) for _, noise in notes}
    assert len(drawn) == 6  # each process and epoch has dropout of its own


def left_by(fabric, sent):
    """The names of the threads of a process that has done its part, and the error."""
    error = devices._sit(fabric, sent, 1, 1, logging.WARNING)
    return [task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").iterdir()], error


def test_a_process_ends_without_threads_of_the_group_which_could_abort_it(tmp_path):
    strategy = DDPStrategy(start_method="spawn", cluster_environment=LightningEnvironment())
    job = Shared(tmp_path, 2)
    sent = pickle.dumps((loop._train, (job, (Turn(job.network, RECIPE, job.loss),), tmp_path)))
    names, error = Fabric(accelerator="cpu", devices=2, strategy=strategy).launch(left_by, sent)
    assert str(error) == "a clip is broken"
    assert not [name for name in names if "gloo" in name]


class OfMany:
    """What a seat uses of Fabric, for one process of several."""

    device = torch.device("cpu")

    def __init__(self, count, rank):
        self.world_size, self.global_rank = count, rank

    def to_device(self, x):
        return x


@pytest.mark.parametrize(("rows", "count"), [(5, 1), (5, 2), (12, 3), (13, 4)])
def test_every_row_of_a_batch_is_in_one_share_and_weighs_the_same(rows, count):
    batch = (torch.arange(rows), torch.arange(rows)[:, None] * 10)
    shares = [Seat(OfMany(count, rank), 1).share(batch) for rank in range(count)]
    assert torch.equal(torch.cat([share[0] for share, _ in shares]), batch[0])
    assert torch.equal(torch.cat([share[1] for share, _ in shares]), batch[1])
    assert [weight / len(share[0]) for share, weight in shares] == pytest.approx([count / rows] * count)


def test_a_batch_that_is_too_small_to_be_shared_is_refused():
    with pytest.raises(ConfigError, match="5 samples in a batch are too few for 3 devices, which need 2 each; set"):
        Seat(OfMany(3, 0), 1).share((torch.zeros(5),))


def test_one_cpu_goes_on_with_torchs_generator_and_others_start_it_anew():
    torch.manual_seed(7)
    before = torch.get_rng_state()
    Seat(OfMany(1, 0), 1).seed(3)
    assert torch.equal(torch.get_rng_state(), before)
    draws = []
    for seed, epoch, rank in [(1, 3, 0), (1, 3, 0), (1, 3, 1), (1, 4, 0), (2, 3, 0)]:
        Seat(OfMany(2, rank), seed).seed(epoch)
        draws.append(float(torch.rand(())))
    assert draws[0] == draws[1]
    assert len(set(draws)) == 4


@pytest.mark.parametrize(
    ("accelerator", "seen", "wanted"), [("cpu", 4, 0), ("auto", 0, 0), ("auto", 4, 2), ("cuda", 0, 2)]
)
def test_gpus_are_taken_where_they_are_wanted(accelerator, seen, wanted, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: seen > 0)
    assert devices.gpus(Machine(accelerator=accelerator, devices=2)) == wanted


@pytest.mark.parametrize("count", [1, 3])
def test_gpus_that_are_not_there_are_missed_before_anything_runs(count, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count - 1)
    with pytest.raises(ConfigError, match=rf"\[machine\] wants {count} GPUs, and torch .* finds {count - 1}; set"):
        devices.launch(Machine(accelerator="cuda", devices=count), pytest.fail)


def test_scores_are_computed_from_and_to_the_cpu():
    class Elsewhere(nn.Linear):
        def forward(self, x):
            assert x.device.type == "meta"
            return torch.ones(2, 3), {"logits": torch.zeros(2)}  # a tensor on "meta" has no values to bring back

    found = OnDevice(Elsewhere(3, 1).to("meta"))(torch.ones(2, 3))
    assert found[0].shape == (2, 3)
    assert found[1]["logits"].device.type == "cpu"


@pytest.mark.parametrize("loss", ["focal", "inter", "intra", "ecstfl", "ecstfl_official"])
def test_losses_follow_their_inputs_to_another_device(loss):
    x, labels = torch.zeros(4, 3, device="meta"), torch.zeros(4, dtype=torch.long, device="meta")
    frames, negatives = torch.zeros(4, 2, 3, device="meta"), torch.zeros(4, 2, 5, 3, device="meta")
    costs = {
        "focal": lambda: focal(x, labels, 2.0, torch.ones(3)),
        "inter": lambda: inter_contrast(x, labels, 0.1),
        "intra": lambda: intra_contrast(frames, frames, negatives, 0.1),
        "ecstfl": lambda: ecstfl(x, labels, 2.0),
        "ecstfl_official": lambda: ecstfl_official(x, labels),
    }
    assert costs[loss]().device.type == "meta"
