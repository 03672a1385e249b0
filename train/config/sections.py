"""What the configurations of several methods share."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from realtime.config import Count, NotNegative, Positive, Section

Part = Annotated[float, msgspec.Meta(ge=0, le=1)]
Precision = Literal["f32", "bf16"]
Schedule = Literal["cosine", "constant"]
Cameras = Annotated[tuple[NotNegative, ...], msgspec.Meta(min_length=1)]  #: frames a second; 0 is the recording's own


class Stage(Section, frozen=True):
    """Part of a training: so many epochs at one picture size. Small pictures first cost less and end as well."""

    epochs: Count
    size_px: Annotated[int, msgspec.Meta(ge=24)]  #: a last map of 1x1, at 16 px, gets wild bfloat16 gradients


class Optimiser(Section, frozen=True):
    kind: Literal["sgd", "adamw", "adam"]  #: see `train.training.loop`
    rate: Positive  #: highest learning rate
    weight_decay: NotNegative
    batch: Count
    warmup: Part  #: share of all steps during which the rate rises; 0: it is highest from the first step on
    schedule: Schedule  #: how the rate goes on after the warm-up
    clip: NotNegative  #: norm over all gradients of a step to which longer ones are shortened; 0: they stay as they are
    average: NotNegative  #: decay of the moving average of the weights that is kept; 0 keeps the last weights


class Machine(Section, frozen=True):
    accelerator: Literal["auto", "cpu", "cuda"]  #: "auto" is "cuda" where a GPU is found
    devices: Count  #: that share each batch: GPUs, or processes on the CPU


class Early(Section, frozen=True):
    """Clips that end soon after their apex, as those do that an early answer judges."""

    share: Part  #: of the training clips that are cut so in each epoch
    after_s: tuple[NotNegative, NotNegative]  #: the cut lies so long after the apex, at least and at most

    @property
    def middle_s(self) -> float:
        """The delay of the early answers that are scored."""
        return sum(self.after_s) / 2


class Views(Section, frozen=True):
    """The augmented versions of each clip, of which a training step takes two."""

    seed: int  #: of what they draw; the training's own seed leaves them alone
    count: Annotated[int, msgspec.Meta(ge=2)]
    noise: NotNegative  #: most standard deviation of the Gaussian noise, pictures in [0, 1]
    noise_probability: Part
    grey_probability: Part


class FocalLoss(Section, frozen=True):
    gamma: NotNegative
    alpha: Literal["none", "inverse-frequency"]


class EcstflLoss(Section, frozen=True):
    weight: NotNegative  #: lambda; the cross-entropy's is 1
    variant: Literal["paper", "official"]
    p: Literal[1, 2]  #: of the norm of "paper"; "official" is in L1
