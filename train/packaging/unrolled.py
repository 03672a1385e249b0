"""Recurrent layers written out frame by frame, as products, sigmoids and tanh, with the weights of torch's own.

For converters that know no recurrent layer: torch-tensorrt has none for them (its issues 2598 and 3427). Everything
else takes `nn.LSTM` and `nn.GRU` as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from realtime.errors import EngineError


class Unrolled(nn.Module):
    """A layer over a fixed number of frames, called and answering as torch's own with `batch_first`."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        weight_read, weight_recalled, bias_read, bias_recalled = layer.all_weights[0]
        self.reads = _linear(weight_read, bias_read)
        self.recalls = _linear(weight_recalled, bias_recalled)
        self.hidden = layer.hidden_size

    def nothing(self, x: Tensor) -> Tensor:
        """The state (B, hidden) before the first of the frames x (B, N, inputs)."""
        return x.new_zeros(x.shape[0], self.hidden)


class UnrolledLstm(Unrolled):
    """Hochreiter and Schmidhuber 1997 with a forget gate; the gates' order is that of `nn.LSTM`'s documentation."""

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h = c = self.nothing(x)
        states = []
        for read in self.reads(x).unbind(1):
            i, f, g, o = (read + self.recalls(h)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            states.append(h)
        return torch.stack(states, 1), (h[None], c[None])


class UnrolledGru(Unrolled):
    """Cho et al. 2014 (arXiv 1406.1078) as `nn.GRU` computes it: the reset gate acts after the product."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.nothing(x)
        states = []
        for read in self.reads(x).unbind(1):
            (r, z, n), (recalled_r, recalled_z, recalled_n) = read.chunk(3, 1), self.recalls(h).chunk(3, 1)
            r, z = (r + recalled_r).sigmoid(), (z + recalled_z).sigmoid()
            h = (1 - z) * (n + r * recalled_n).tanh() + z * h
            states.append(h)
        return torch.stack(states, 1), h[None]


KINDS: dict[type[nn.Module], type[Unrolled]] = {nn.LSTM: UnrolledLstm, nn.GRU: UnrolledGru}


def unrolled(network: nn.Module) -> nn.Module:
    """A copy of `network` with every recurrent layer written out; EngineError names those that have no such form."""
    network = copy.deepcopy(network)
    layers = {name: module for name, module in network.named_modules() if isinstance(module, nn.RNNBase)}
    reasons = [f"{name or 'it'} {trait}" for name, layer in layers.items() for trait in _unlike(layer)]
    if reasons:
        raise EngineError(f"{type(network).__name__} cannot be unrolled:", reasons)
    for name, layer in layers.items():
        if not name:
            return KINDS[type(layer)](layer)
        network.set_submodule(name, KINDS[type(layer)](layer))
    return network


def _unlike(layer: nn.RNNBase) -> Iterator[str]:
    if type(layer) not in KINDS:
        yield f"is {type(layer).__name__}: take {' or '.join(kind.__name__ for kind in KINDS)}"
    if not layer.batch_first:
        yield "has the frames first: give it batch_first=True"
    if layer.num_layers > 1 or layer.bidirectional or layer.proj_size or not layer.bias:
        yield "is more than one layer with biases in one direction"


def _linear(weight: nn.Parameter, bias: nn.Parameter) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight, linear.bias = weight, bias
    return linear
