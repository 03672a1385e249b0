"""A gated recurrent unit (Cho et al. 2014) over ticks of movement: how likely an expression is under way."""

from __future__ import annotations

import torch
from torch import Tensor, nn

OUTPUTS = 3  # expression, micro, apex: each a probability of its own


class SpotterNet(nn.Module):
    """Ticks (B, T, F) in order -> logits (B, T, OUTPUTS), from an empty memory on."""

    def __init__(self, width: int, memory: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.width, self.memory = width, memory
        self.inputs = nn.Linear(width, memory)
        self.gru = nn.GRU(memory, memory, batch_first=True)
        self.fc = nn.Linear(memory, OUTPUTS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ticks: Tensor) -> Tensor:
        seen, _ = self.gru(self.dropout(torch.relu(self.inputs(ticks))))
        logits: Tensor = self.fc(self.dropout(seen))
        return logits


class SpotterStep(nn.Module):
    """The same network one tick at a time: rows (B, memory + F) -> logits (B, OUTPUTS) and memory (B, memory).

    Written out, for converters know no unit that is given its memory from outside.
    """

    def __init__(self, network: SpotterNet) -> None:
        super().__init__()
        self.memory, self.inputs, self.fc = network.memory, network.inputs, network.fc
        unit = network.gru.state_dict()
        self.from_input = nn.Linear(self.memory, 3 * self.memory)
        self.from_memory = nn.Linear(self.memory, 3 * self.memory)
        with torch.no_grad():
            self.from_input.weight.copy_(unit["weight_ih_l0"])
            self.from_input.bias.copy_(unit["bias_ih_l0"])
            self.from_memory.weight.copy_(unit["weight_hh_l0"])
            self.from_memory.bias.copy_(unit["bias_hh_l0"])

    def forward(self, ticks: Tensor) -> tuple[Tensor, Tensor]:
        before, tick = ticks[:, : self.memory], ticks[:, self.memory :]
        reset_x, update_x, new_x = self.from_input(torch.relu(self.inputs(tick))).chunk(3, 1)
        reset_h, update_h, new_h = self.from_memory(before).chunk(3, 1)
        update = torch.sigmoid(update_x + update_h)
        new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
        after = new + update * (before - new)
        return self.fc(after), after
