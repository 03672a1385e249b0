"""How likely a frame belongs to an expression at all: a small learned network over leaky averages of the motion.

It looks at how each region, the eyes and the head have moved lately, and so knows a blink, speech or a turning head by
its course. Averages leak by time, not by frames, so that one network serves every rate. Causal; numpy alone.
Hand-made scores stay the measure of size: this one only takes from them (see `score`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from realtime.errors import EngineError
from realtime.records import Floats, Motion

AFTER_REGIONS = 3  # the signals that follow those of the regions: eyes, head, eyes against the regions


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A network of two hidden layers; what it is given are F signals, now and as T leaky averages."""

    leaks_s: Floats  #: (T,) time constants, seconds
    w1: Floats  #: (F * (T + 1), H1)
    b1: Floats
    w2: Floats  #: (H1, H2)
    b2: Floats
    w3: Floats  #: (H2,)
    b3: Floats  #: ()


def signals(z: Floats, motion: Motion, floor: float) -> Floats:
    """(R + 3,) of one frame: the regions' robust deviations `z` (R,), eyes and head; all compressed by a logarithm."""
    eyes, head, most = motion.eyes / floor, motion.head / floor, float(motion.regions.max()) / floor
    extra = (np.log1p(eyes), np.log1p(head), np.log1p(eyes) - np.log1p(most))
    return np.asarray(np.concatenate([np.sign(z) * np.log1p(np.abs(z)), np.array(extra)]), np.float32)


class Averages:
    """Signals -> the network's input: each as it is, and over every time constant."""

    def __init__(self, leaks_s: Floats) -> None:
        self._leaks_s = np.asarray(leaks_s, np.float32)[:, None]
        self._kept: Floats | None = None
        self._t = 0.0

    def push(self, t: float, now: Floats) -> Floats:
        """(F * (T + 1),) for a frame at `t` with signals (F,)."""
        step, self._t = t - self._t, t
        if self._kept is None:
            self._kept = np.repeat(now[None], len(self._leaks_s), axis=0)
        self._kept = self._kept + (1.0 - np.exp(-np.float32(step) / self._leaks_s)) * (now - self._kept)
        return np.concatenate([now, self._kept.ravel()])


class Gate:
    """Passes what may be an expression: `push(t, signals) -> 0..1`."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._averages = Averages(weights.leaks_s)

    def push(self, t: float, now: Floats) -> float:
        """The share of the hand-made score that passes."""
        w = self._weights
        x = np.maximum(self._averages.push(t, now) @ w.w1 + w.b1, 0.0)
        x = np.maximum(x @ w.w2 + w.b2, 0.0)
        return float(1.0 / (1.0 + np.exp(-np.clip(x @ w.w3 + w.b3, -30.0, 30.0))))


@lru_cache(maxsize=4)
def load(path: Path, regions: int) -> Weights:
    """The network in an .npz file; EngineError where it is none, or of another number of regions."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = Weights(**{each.name: np.asarray(file[each.name], np.float32) for each in fields(Weights)})
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise EngineError(f"{path} is no gate: {error}; wanted one that `python -m train tune` wrote") from None
    wanted = (regions + AFTER_REGIONS) * (len(found.leaks_s) + 1)
    if found.w1.shape[0] != wanted:
        raise EngineError(f"{path} takes {found.w1.shape[0]} numbers, wanted {wanted}; train it anew")
    return found


def save(path: Path, weights: Weights) -> None:
    """Write what `load` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{each.name: getattr(weights, each.name) for each in fields(Weights)})
