"""What a method is: everything about it that `train.methods.experiment` does not do once for all.

A method has a folder with its settings, its network and its training; a file of configs/methods; a test; and a line in
`train.registry.METHODS`. It knows no other method, and as a rule no source of clips: it learns from every source of
events. Of what is none, such as stills, it names the source.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar, cast

import torch
from torch import Tensor, nn

from realtime.engine.package.manifest import LOGITS, Precision, Score, Task
from realtime.representation.representation import Representation
from train.config.recipe import Settings
from train.datasets.folds import Fold
from train.packaging.limits import MethodCard
from train.packaging.quantise import Trial
from train.sources.source import ClipSource, Split, Vocabulary
from train.training import solved

#: When it is asked: at an event's offset, soon after its apex, or of a face at rest, which the detector took for one.
Answer = Literal["final", "early", "rest"]

Stage = solved.Stage  #: what is learned, and by which optimisers, or at once

C = TypeVar("C", bound=Settings)
T = TypeVar("T")  # clips as the method sees them


class Method(ABC, Generic[C, T]):
    """Settings in, a trained network and what it is fed out; everything is given, nothing is kept."""

    config: type[C]  #: its tag is the method's name
    card: MethodCard
    sources: tuple[str, ...] = ("synthetic", "recorded")  #: kinds of clips that it learns from
    task: Task = "micro-expression"
    outputs: tuple[str, ...]  #: names of what the network returns, in order; "logits" is one of them
    answers: tuple[Answer, ...] = ("final",)  #: those that it is scored by
    calibrates: tuple[Answer, ...] = ()  #: those that the temperature of the logits is fitted to
    chunk: int = 32  #: events that are judged at once
    shapes: tuple[str, ...] = ()  #: settings that change what is seen of the clips, and not who is tested

    @abstractmethod
    def representation(self, config: C) -> Representation:
        """What serving is to feed the network with."""

    @abstractmethod
    def network(self, config: C, classes: int) -> nn.Module:
        """A fresh network, from other weights if they are named."""

    @abstractmethod
    def see(self, config: C, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[T]:
        """The clips of a fold as the method sees them; what of that the cache lacks is made."""

    @abstractmethod
    def stages(self, config: C, split: Split[T], source: ClipSource, seed: int) -> Sequence[Stage]:
        """Trainings of one network, one after another: usually one; a pre-training comes first."""

    @abstractmethod
    def inputs(self, config: C, clips: T, answer: Answer) -> Mapping[str, Tensor]:
        """What serving feeds the network with when it is asked for this answer: (K, ...) by the input's name."""

    def labels(self, clips: T) -> Sequence[str]:
        """What each of K clips shows, where clips are a sequence of what has a `sample`."""
        return [clip.sample.label for clip in cast(Sequence[Any], clips)]

    @abstractmethod
    def golden(self, config: C, precision: Precision) -> Mapping[str, Tensor]:
        """Inputs that a package is checked with wherever it goes: of the bundled sample, which may be passed on."""

    def vocabulary(self, config: C, source: Vocabulary) -> Vocabulary:
        """What the network tells apart: as a rule what the source's labels do."""
        return source

    def served(self, network: nn.Module) -> nn.Module:
        """What a package holds of a trained network: as a rule all of it, as it was trained."""
        return network

    def classifier(self, network: nn.Module) -> nn.Linear:
        """The last layer, which makes the logits."""
        last = network.fc
        assert isinstance(last, nn.Linear)
        return last

    def files(self, config: C) -> Mapping[str, str]:
        """What is read beside the clips, such as weights to begin with, by what changes with it."""
        return {}

    def report(self, config: C, network: nn.Module, split: Split[T]) -> tuple[Score, ...] | None:
        """What the manifest says of the network, on people whom no part of it has seen.

        None leaves it to `experiment`, which makes it of the answers.
        """
        return None

    def step(self, config: C, network: nn.Module, golden: Mapping[str, Tensor]) -> Any:
        """The network's second graph, which takes one frame at a time (see `train.packaging.step`); mostly none."""
        return None

    def trial(self, config: C, split: Split[T]) -> Trial | None:
        """What INT8 is calibrated with and compared by; None where it cannot be."""
        return None


@torch.no_grad()
def judge(method: Method[Any, Any], network: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
    """Logits (K, C) of K events (K, ...)."""
    network.eval()
    place = method.outputs.index(LOGITS)
    chunks = zip(*(torch.split(x, method.chunk) for x in inputs.values()), strict=True)
    return torch.cat([network(*chunk)[place] for chunk in chunks])
