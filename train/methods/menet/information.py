"""How much features of motion tell of identity: mutual information by a neural estimator (MINE).

Belghazi et al. 2018 (arXiv 1801.04062): the Donsker-Varadhan bound (equation 5), whose gradient over small batches is
corrected by a moving average of the denominator (section 3.2). It is a lower bound, and wild for small batches.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class InformationEstimator(nn.Module):
    """A statistics network T(m, i), and the bound that it gives: pairs of a batch against pairs of different clips."""

    log_mean: Tensor  #: logarithm of the moving average of the mean of exp T over pairs of different clips
    batches: Tensor  #: that it is of

    def __init__(self, motion: int, identity: int, decay: float) -> None:
        super().__init__()
        self.decay = decay
        hidden = max(motion, identity)
        self.statistics = nn.Sequential(nn.Linear(motion + identity, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.register_buffer("log_mean", torch.zeros(()))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def estimate(self, motion: Tensor, identity: Tensor) -> Tensor:
        """The bound in nats, of (B, M) and (B, I), with its own gradient."""
        return bound(*self._judged(motion, identity))

    def cost(self, motion: Tensor, identity: Tensor) -> Tensor:
        """Minus the bound, for the estimator's own steps: its gradient is divided by the moving average.

        d/dT of mean T(joint) - mean exp T(marginal) / average, where the bound itself would have the batch's own mean
        for the average.
        """
        joint, marginal = self._judged(motion, identity)
        here = log_mean_exp(marginal)
        self._follow(here.detach())
        corrected = joint.mean() - (here - self.log_mean).exp()
        return -(corrected + (bound(joint, marginal) - corrected).detach())

    def _judged(self, motion: Tensor, identity: Tensor) -> tuple[Tensor, Tensor]:
        """T of each clip's own pair (B,), and of each with another clip's identity (B,)."""
        count = len(motion)
        others = identity.roll(int(torch.randint(1, max(count, 2), ())), 0)
        joint, marginal = (self.statistics(torch.cat([motion, each], 1)).squeeze(1) for each in (identity, others))
        return joint, marginal

    @torch.no_grad()
    def _follow(self, here: Tensor) -> None:
        """Take in one batch; the first ones count evenly, so that no start has to be forgotten."""
        decay = min(self.decay, float(self.batches) / (float(self.batches) + 1))
        before = self.log_mean + math.log(decay) if decay else torch.full_like(here, -math.inf)
        self.log_mean.copy_(torch.logaddexp(before, here + math.log(1 - decay)))
        self.batches += 1


def bound(joint: Tensor, marginal: Tensor) -> Tensor:
    """Donsker-Varadhan: mean T(joint) - log mean exp T(marginal), of (B,) each."""
    return joint.mean() - log_mean_exp(marginal)


def log_mean_exp(x: Tensor) -> Tensor:
    """Of (B,), however large."""
    return x.logsumexp(0) - math.log(len(x))
