"""The masked unit as one recurrent layer, which is what a package holds: graphs of single steps take minutes to build.

GRU(x, h) = (1 - z) n + z h, so where z is 1 the state stays. One more input, which is 1 where a step is passed over,
adds `SHUT` to what z is the sigmoid of, and that is 1 to the last bit: the answer is that of `masked_gru`. Its gradient
is not, so it learns written out. Each direction is a layer of its own, for ONNX's reference evaluator knows no both.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from train.methods.akmnet.masked_gru import MaskedGru

SHUT = 100.0  # in float16 as well; what it is added to is seldom beyond 10


class PassingGru(nn.Module):
    """Called and answering as the `MaskedGru` that it is made of; a step that is passed over has the state before."""

    def __init__(self, unit: MaskedGru) -> None:
        super().__init__()
        self.backward = unit.backward
        inputs, hidden = unit.reads.in_features, unit.hidden
        self.gru = nn.GRU(inputs + 1, hidden, batch_first=True)
        reads, recalls, read_bias, recall_bias = self.gru.all_weights[0]
        shut = unit.reads.weight.new_zeros(3 * hidden, 1)
        shut[hidden : 2 * hidden] = SHUT  # the gates' order is r, z, n
        with torch.no_grad():
            reads.copy_(torch.cat([unit.reads.weight, shut], 1))
            recalls.copy_(unit.recalls.weight)
            read_bias.copy_(unit.reads.bias)
            recall_bias.copy_(unit.recalls.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        told = torch.cat([x, 1 - mask], 2)
        states: Tensor = self.gru(told.flip(1) if self.backward else told)[0]
        return states.flip(1) if self.backward else states


def passing(network: nn.Module) -> nn.Module:
    """A copy of `network` with every masked unit as one layer."""
    network = copy.deepcopy(network)
    units = {name: module for name, module in network.named_modules() if isinstance(module, MaskedGru)}
    for name, unit in units.items():
        network.set_submodule(name, PassingGru(unit))
    return network
