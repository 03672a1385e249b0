"""Where a training computes: on one device, or on several of one machine that share every batch.

The only door to Lightning Fabric. Methods know no device: their batches and their scores are tensors of the CPU.
"""

from __future__ import annotations

import gc
import logging
import pickle
from collections.abc import Callable
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.strategies import DDPStrategy
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor, distributed, nn

from realtime.errors import ConfigError, GlimpseError
from train.config.sections import Machine
from train.storage.digest import digest

FEWEST_ROWS = 2  # of a batch for each of several devices: batch normalisation has no statistics of one


def gpus(machine: Machine) -> int:
    """How many GPUs a training takes; with "auto" those that this process sees decide."""
    wanted = machine.accelerator == "cuda" or (machine.accelerator == "auto" and torch.cuda.is_available())
    return machine.devices if wanted else 0


def launch(machine: Machine, work: Callable[..., None], *given: Any) -> None:
    """Call `work(seat, *given)`: here, or with several devices once in each of as many processes, on copies.

    Raises ConfigError if there are fewer GPUs than wanted, and the errors of ours that `work` raises.
    """
    wanted, there = gpus(machine), torch.cuda.device_count()
    if wanted > there:
        raise ConfigError(
            f"[machine] wants {wanted} GPUs, and torch {torch.__version__} finds {there}; set devices lower, or "
            "accelerator to cpu, or install the torch build for this machine's GPUs"
        )
    accelerator = "cuda" if wanted else "cpu"
    if machine.devices == 1:
        fabric = Fabric(accelerator=accelerator, devices=1)
        fabric.launch(lambda fabric: work(Seat(fabric, torch.initial_seed()), *given))
        return
    # The environment is named, so that no cluster's is found: these processes are all on this machine.
    strategy = DDPStrategy(start_method="spawn", cluster_environment=LightningEnvironment())
    fabric = Fabric(accelerator=accelerator, devices=machine.devices, strategy=strategy)
    # As bytes: processes that are sent tensors share them, and each of these is to have its own weights.
    sent = pickle.dumps((work, given))
    error = fabric.launch(_sit, sent, torch.initial_seed(), torch.get_num_threads(), logging.getLogger().level)
    if error is not None:
        raise error


def _sit(fabric: Fabric, sent: bytes, seed: int, threads: int, level: int) -> GlimpseError | None:
    """What one of several processes does. All meet the same errors of ours: they look at the same batches."""
    logging.basicConfig(level=level, format="%(asctime)s %(message)s")
    torch.set_num_threads(threads)
    try:
        return _error_of(Seat(fabric, seed), sent)
    finally:
        # The threads of the group end with the last that holds it, some of whom hold each other. A thread that lives on
        # until the interpreter is gone aborts the process.
        gc.collect()
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _error_of(seat: Seat, sent: bytes) -> GlimpseError | None:
    """The error of ours that the work ends in, as a copy: its traceback would keep all that the work has made."""
    work, given = pickle.loads(sent)
    try:
        work(seat, *given)
    except GlimpseError as error:
        copy: GlimpseError = pickle.loads(pickle.dumps(error))
        return copy
    return None


class Seat:
    """The place of one process in a training: its device, and its share of every batch. The first writes the files."""

    def __init__(self, fabric: Fabric, seed: int) -> None:
        self._fabric, self._seed = fabric, seed
        self.first = fabric.global_rank == 0

    def settle(self, module: nn.Module) -> nn.Module:
        """`module` on this device. A backward pass through its calls leaves the mean gradients of all processes.

        Its buffers, such as the running statistics of batch normalisation, are the first process's.
        """
        settled: nn.Module = self._fabric.setup_module(module)
        return settled

    def share(self, batch: Any) -> tuple[Any, float]:
        """The process's own rows of a tuple of tensors, on its device, and how many they are of a fair share."""
        total, count = len(batch[0]), self._fabric.world_size
        if count > 1 and total < FEWEST_ROWS * count:
            raise ConfigError(
                f"{total} samples in a batch are too few for {count} devices, which need {FEWEST_ROWS} each; "
                "set [machine] devices lower"
            )
        first, last = (total * rank // count for rank in (self._fabric.global_rank, self._fabric.global_rank + 1))
        rows = apply_to_collection(batch, Tensor, lambda x: self._fabric.to_device(x[first:last]))
        return rows, (last - first) * count / total

    def backward(self, loss: Tensor) -> None:
        """Gradients of a loss that a settled module gave."""
        self._fabric.backward(loss)

    def mean(self, value: float) -> float:
        """Over all processes."""
        return float(self._fabric.all_reduce(torch.tensor(value, dtype=torch.float64)))

    def seed(self, epoch: int) -> None:
        """Dropout that is another in each process and epoch, and the same when an epoch is repeated.

        One CPU goes on with torch's generator instead, whose state lies in the checkpoint.
        """
        if self._fabric.world_size > 1 or self._fabric.device.type != "cpu":
            torch.manual_seed(int(digest(self._seed, epoch, self._fabric.global_rank), 16) % 2**63)


class OnDevice(nn.Module):
    """A network on any device that takes and gives tensors of the CPU, so that who scores it need not know."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Any:
        device = next(self.network.parameters()).device
        found = self.network(*(x.to(device) for x in inputs))
        return apply_to_collection(found, Tensor, lambda x: x.cpu())
