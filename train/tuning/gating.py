"""Trains the gate of `realtime.gate`: which frames belong to an expression, micro or macro, and which to anything else.

What it is given is made by the very classes that run live. The target of a frame is 1 between onset and offset; at
both ends an expression is too small to be seen, so those frames teach nothing. Both targets weigh as much in all, and
frames in which nothing moves weigh little: what is to be learned is how expressions differ from what also moves.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from realtime.apex import Judge
from realtime.config import ApexConfig
from realtime.errors import DataError
from realtime.gate import Averages, Weights, signals
from realtime.records import Floats
from train.config import GateConfig
from train.tuning.streams import Stream

UNSEEN = (0.15, 0.2)  # shares of an expression after its onset and before its offset
STILL = 0.25  # share of the threshold below which nothing moves
STILL_WEIGHT = 0.1

Rows = tuple[Floats, Floats, Floats]  #: inputs (N, F), targets (N,), weights (N,)


def train(streams: Sequence[Stream], config: GateConfig, apex: ApexConfig, seed: int) -> Weights:
    """The gate for detectors of these settings; DataError where one of the targets is missing."""
    x, target, weight = map(np.concatenate, zip(*(rows(stream, config, apex) for stream in streams), strict=True))
    for value in (0.0, 1.0):
        total = float(weight[target == value].sum())
        if total == 0.0:
            raise DataError(f"no frame {'with' if value else 'without'} an expression to train a gate on; give more")
        weight[target == value] *= len(target) / (2 * total)
    mean, scale = x.mean(0), x.std(0) + 1e-3
    network = _fit((x - mean) / scale, target, weight, config, seed)
    return _weights(network, mean, scale, config)


def rows(stream: Stream, config: GateConfig, apex: ApexConfig) -> Rows:
    """One row for each frame after rest is known."""
    judge, averages = Judge(apex, itertools.count(1)), Averages(np.array(config.leaks_s, np.float32))
    found: list[tuple[Floats, float, float]] = []
    for crop, seen, turn in stream.looks:
        judge.push(crop, seen, turn)
        if judge.z is not None:
            target, seen_there = _target(stream, crop.t)
            weight = seen_there * (1.0 if target or judge.score > STILL * apex.threshold else STILL_WEIGHT)
            found.append((averages.push(crop.t, signals(judge.z, seen, apex.floor)), target, weight))
    inputs = np.array([x for x, *_ in found], np.float32)
    told = np.array([rest for _, *rest in found], np.float32).reshape(-1, 2)
    return inputs, told[:, 0].copy(), told[:, 1].copy()


def _target(stream: Stream, t: float) -> tuple[float, float]:
    """Whether there is an expression, and whether it can be seen."""
    for e in stream.video.expressions:
        if e.onset_s <= t <= e.offset_s:
            length = e.offset_s - e.onset_s
            return 1.0, float(e.onset_s + UNSEEN[0] * length <= t <= e.offset_s - UNSEEN[1] * length)
    return 0.0, 1.0


def _fit(x: Floats, target: Floats, weight: Floats, config: GateConfig, seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    first, second = config.hidden
    network = nn.Sequential(
        nn.Linear(x.shape[1], first), nn.ReLU(), nn.Linear(first, second), nn.ReLU(), nn.Linear(second, 1)
    )
    optimiser = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.weight_decay)
    steps = config.epochs * -(-len(x) // config.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    data: tuple[Tensor, ...] = tuple(torch.from_numpy(np.ascontiguousarray(each)) for each in (x, target, weight))
    for _ in range(config.epochs):
        for batch in torch.split(torch.randperm(len(x)), config.batch):
            inputs, wanted, importance = (each[batch] for each in data)
            logits = network(inputs).squeeze(1)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, wanted, importance)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network


def _weights(network: nn.Sequential, mean: Floats, scale: Floats, config: GateConfig) -> Weights:
    """As numpy runs it: the inputs' scaling becomes part of the first layer."""
    parts = {name: value.detach().numpy() for name, value in network.named_parameters()}
    w1 = parts["0.weight"].T / scale[:, None]
    return Weights(
        leaks_s=np.array(config.leaks_s, np.float32),
        w1=w1.astype(np.float32),
        b1=(parts["0.bias"] - mean @ w1).astype(np.float32),
        w2=parts["2.weight"].T.copy(),
        b2=parts["2.bias"],
        w3=parts["4.weight"][0],
        b3=parts["4.bias"][0],
    )
