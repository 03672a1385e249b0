"""The network as it is served: of the colours of a crop it sees the brightness alone."""

from __future__ import annotations

import torch
from torch import Tensor

from train.networks.preactivation import PreactivationNetwork
from train.training.augment import LUMA


class MicroAttentionNetwork(PreactivationNetwork):
    """Crops (B, 3, S, S), RGB -> feature (B, 8 width) and logits (B, classes).

    That pictures become grey in here, and not before, leaves their representation the encoder's: it is made of one
    crop, can be computed in INT8, and no serving process has to know of it.
    """

    def embed(self, x: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, 8 width)."""
        return super().embed((x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True))


@torch.no_grad()
def begin_with(network: MicroAttentionNetwork, taught: MicroAttentionNetwork) -> None:
    """Give `network` all weights of `taught` but those of the last layer, which judges other classes."""
    learned = {name: value for name, value in taught.state_dict().items() if not name.startswith("fc.")}
    network.load_state_dict(learned, strict=False)
