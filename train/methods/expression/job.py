"""How the encoder learns: small pictures first, distorted, rare expressions more often than they are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.evaluation.metrics import scores
from train.methods.expression.config import ExpressionConfig
from train.methods.expression.stills import Stills, resize
from train.sources.source import Split
from train.training.augment import StillAugment, standardise

RAREST = 1e-4  # share of an expression that a part of FER+ may lack
CHUNK = 128  # pictures that are judged at once

Batch = tuple[Tensor, Tensor]


class ExpressionJob:
    """Implements `loop.Job`. The curve's scores are of the validation split."""

    def __init__(self, config: ExpressionConfig, network: nn.Module, split: Split[Stills], seed: int) -> None:
        self.config, self.network, self.seed = config, network, seed
        (self.train,), self.valid, self.labels = split.train, split.calibration, split.vocabulary.labels
        self.often = self.train.shares.mean(0)  # (8,) how often FER+ has each expression
        self.sizes = [stage.size_px for stage in config.stages for _ in range(stage.epochs)]
        self.epochs = len(self.sizes)
        self.steps = max(len(self.train) // config.optimiser.batch, 1)
        a = config.augment
        self.augment = StillAugment(a.turn_deg, a.scale, a.shift, a.contrast, a.tint, a.hide, a.soften, a.noise)

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        order = self._order(generator)
        for rows in torch.split(order, self.config.optimiser.batch)[: self.steps]:
            x = resize(self.train.images[rows].float() / 255, self.sizes[epoch])
            yield standardise(self.augment(x, generator)), self.train.targets[rows]

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy against vote shares ("probability" of Barsoum et al. 2016, arXiv 1608.01041, section 4.1).

        The logits are adjusted for how often each expression is drawn (Menon et al. 2021, arXiv 2007.07314, equation
        10). What is drawn p**(1 - sampling) often is learned as if it
        were there p**(1 - prior) often.
        """
        images, shares = batch
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            _, logits = self.network(images)
        adjusted = (self.config.prior - self.config.sampling) * self.often.clamp(min=RAREST).log().to(images.device)
        return F.cross_entropy(logits.float() + adjusted, shares)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        said = predict(network, self.valid.images, self.sizes[-1]).argmax(1)
        found = scores(self.valid.shares.argmax(1).numpy(), said.numpy(), self.labels).figures()
        return {f"valid_{name}": found[name] for name in ("accuracy", "uar")}

    def _order(self, generator: torch.Generator) -> Tensor:
        """The rows of an epoch: each once, or drawn with replacement, the rarer its expression the likelier."""
        if not self.config.sampling:
            return torch.randperm(len(self.train), generator=generator)
        weights = self.often[self.train.shares.argmax(1)] ** -self.config.sampling
        return torch.multinomial(weights, len(self.train), replacement=True, generator=generator)


@torch.no_grad()
def predict(network: nn.Module, images: Tensor, size_px: int) -> Tensor:
    """Class probabilities (N, 8) of grey crops uint8 (N, 1, S, S)."""
    network.eval()
    return torch.cat([network(shown(chunk, size_px))[1].softmax(1) for chunk in torch.split(images, CHUNK)])


def shown(images: Tensor, size_px: int) -> Tensor:
    """Grey crops uint8 (N, 1, S, S) -> what serving makes of them, (N, 3, size, size)."""
    return standardise(resize(images.float() / 255, size_px).expand(-1, 3, -1, -1))
