"""The first training: macro-expressions, once for all folds, since none of the people tested are among their faces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from realtime.labels import FERPLUS
from train.methods.microattention.config import MicroAttentionConfig
from train.methods.microattention.distort import changed
from train.methods.microattention.macro import MacroPictures, keys, pictures
from train.methods.microattention.network import MicroAttentionNetwork
from train.storage.digest import digest
from train.training import loop

VERSION = 1  # of what is kept

Batch = tuple[Tensor, Tensor]


class MacroJob:
    """Implements `loop.Job`: cross-entropy against what pictures show, each once an epoch."""

    def __init__(self, config: MicroAttentionConfig, network: nn.Module, shown: MacroPictures) -> None:
        self.config, self.network, self.shown = config, network, shown
        self.epochs = config.transfer.epochs
        self.size = min(config.transfer.optimiser.batch, len(shown))
        self.steps = len(shown) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = Generator().manual_seed(self.config.seed * 1000 + epoch)
        order = torch.randperm(len(self.shown), generator=generator)
        for rows in torch.split(order, self.size)[: self.steps]:
            x = self.shown.images[rows].float() / 255
            yield changed(x, self.config.augment, generator), self.shown.shares[rows]

    def loss(self, batch: Batch) -> Tensor:
        images, shares = batch
        _, logits = self.network(images)
        return F.cross_entropy(logits, shares)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Nothing: what it is good for shows in the second training."""
        return {}


class MacroTraining:
    """Implements `solved.Solvable`: the training lies in the cache, is made where it is missing, and never twice.

    It depends on no fold, and takes longer than all of them: the authors as well begin each fold with the same weights.
    """

    def __init__(self, config: MicroAttentionConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.network = MicroAttentionNetwork(len(FERPLUS), attention=config.attention, width=config.width)

    def solve(self) -> Mapping[str, float]:
        shown = pictures(self.config)
        job = MacroJob(self.config, self.network, shown)
        loop.fit(job, self.config.transfer.optimiser, folder(self.config), self.config.machine)
        return {"pictures": float(len(shown))}


def folder(config: MicroAttentionConfig) -> Path:
    """Where the training on these pictures lies; DataError where they are not at hand."""
    network = (config.attention, config.size_px, config.width)
    made = digest("macro", VERSION, config.seed, network, config.transfer, config.augment, keys(config))
    return Path(config.cache) / f"macro-{made}"
