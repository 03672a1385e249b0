"""Gated recurrent units (Cho et al. 2014) over ticks of movement: how likely an expression is under way.

Several are asked and the mean of their logits is told (deep ensembles, Lakshminarayanan et al. 2017): of a movement
that is hardly to be seen each has doubts of its own. Six take 0.2 ms a tick, where finding the face takes 4 ms.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn

OUTPUTS = 3  # expression, micro, apex: each a probability of its own


class Member(nn.Module):
    """Ticks (B, T, F) in order -> logits (B, T, OUTPUTS), from an empty memory on."""

    def __init__(self, width: int, memory: int, dropout: float) -> None:
        super().__init__()
        self.inputs = nn.Linear(width, memory)
        self.gru = nn.GRU(memory, memory, batch_first=True)
        self.fc = nn.Linear(memory, OUTPUTS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ticks: Tensor) -> Tensor:
        seen, _ = self.gru(self.dropout(torch.relu(self.inputs(ticks))))
        logits: Tensor = self.fc(self.dropout(seen))
        return logits


class SpotterNet(nn.Module):
    """Ticks (B, T, F) in order -> logits (M, B, T, OUTPUTS) of each member.

    They see the same ticks, and differ in how they began, in what dropout takes, and in whom they learned from.
    """

    def __init__(self, width: int, memory: int, members: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.members = nn.ModuleList(Member(width, memory, dropout) for _ in range(members))

    def forward(self, ticks: Tensor) -> Tensor:
        return torch.stack([member(ticks) for member in self.members])

    @classmethod
    def of(cls, members: Iterable[Member]) -> SpotterNet:
        """One of members that there are."""
        network = cls(0, 0, 0)
        network.members.extend(members)
        return network

    def carried_on(self, count: int) -> tuple[SpotterNet, SpotterNet]:
        """Copies of the first `count` members, which go on to learn; and all together, first these, who do not."""
        learning = SpotterNet.of(copy.deepcopy(list(self.members[:count])))  # type: ignore[arg-type]
        self.requires_grad_(False)
        return learning, SpotterNet.of([*self.members, *learning.members])


class MemberStep(nn.Module):
    """A member one tick at a time: memory (B, memory), tick (B, F) -> logits (B, OUTPUTS), memory (B, memory).

    Written out, for converters know no unit that is given its memory from outside.
    """

    def __init__(self, member: Member) -> None:
        super().__init__()
        self.inputs, self.fc, self.memory = member.inputs, member.fc, member.gru.hidden_size
        unit = member.gru.state_dict()
        self.from_input = nn.Linear(self.memory, 3 * self.memory)
        self.from_memory = nn.Linear(self.memory, 3 * self.memory)
        with torch.no_grad():
            self.from_input.weight.copy_(unit["weight_ih_l0"])
            self.from_input.bias.copy_(unit["bias_ih_l0"])
            self.from_memory.weight.copy_(unit["weight_hh_l0"])
            self.from_memory.bias.copy_(unit["bias_hh_l0"])

    def forward(self, before: Tensor, tick: Tensor) -> tuple[Tensor, Tensor]:
        reset_x, update_x, new_x = self.from_input(torch.relu(self.inputs(tick))).chunk(3, 1)
        reset_h, update_h, new_h = self.from_memory(before).chunk(3, 1)
        update = torch.sigmoid(update_x + update_h)
        new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
        after = new + update * (before - new)
        return self.fc(after), after


class SpotterStep(nn.Module):
    """The network one tick at a time: rows (B, M * memory + F) -> mean logits (B, OUTPUTS), memory (B, M * memory)."""

    def __init__(self, network: SpotterNet) -> None:
        super().__init__()
        self.steps = nn.ModuleList(MemberStep(member) for member in network.members)  # type: ignore[arg-type]
        self.sizes = [int(step.memory) for step in self.steps]  # type: ignore[arg-type]

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        *before, tick = torch.split(rows, [*self.sizes, rows.shape[1] - sum(self.sizes)], dim=1)
        found = [step(own, tick) for step, own in zip(self.steps, before, strict=True)]
        logits, after = zip(*found, strict=True)
        return torch.stack(logits).mean(0), torch.cat(after, 1)
