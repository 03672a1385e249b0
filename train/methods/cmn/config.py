"""The settings of the contrastive magnification network."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from realtime.config import Count, NotNegative, Positive, Section
from train.config.recipe import Settings
from train.config.sections import Early, Optimiser, Views

Sampling = Literal["far", "uniform", "patent_dot"]
HeadKind = Literal["patent", "cmnet"]
Reference = Literal["none", "first"]


class CmnLoss(Section, frozen=True):
    temperature: Positive
    intra: NotNegative  #: weight of the contrast inside a clip
    inter: NotNegative  #: weight of the contrast between classes
    classify: NotNegative  #: weight of the cross-entropy
    trend: NotNegative  #: weight of the calibration of the intensities; read only if the head is "cmnet"


class MotionInput(Section, frozen=True):
    """What stands behind the embedding of each frame: see `train.methods.cmn.moved`."""

    cells: Literal[0, 4, 7, 14]  #: the side of the grid that its displacement field is pooled to; 0: embeddings alone
    gain: NotNegative  #: standard deviation of the logarithm by which a clip's movement is more or less, in each step
    noise: NotNegative  #: standard deviation of the noise on a view's cells

    @property
    def row(self) -> int:
        """Numbers of one frame."""
        return 2 * self.cells**2


class CmnConfig(Settings, frozen=True, tag="cmn"):
    """The contrastive magnification head on a trained encoder, whatever clips it sees."""

    encoder_trained: Literal[
        "none", "layer4", "all"
    ]  #: what of it the losses train; "none" takes a package's embeddings
    encoder: str  #: folder of the encoder's engine package; read if nothing of it is trained
    encoder_hz: NotNegative  #: most frames a second that it sees of clips that calibrate and test, likewise; 0: all
    initial: str  #: weights of the ResNet-18 that is trained on, and of g; read if something of it is trained
    size_px: Annotated[int, msgspec.Meta(ge=24)]  #: what that sees; likewise
    head: HeadKind  #: the patent's, or that of the published CMNet
    frames: Count  #: N source frames
    negatives: Count  #: S negatives for each
    sampling: Sampling
    sharpness: NotNegative  #: beta of the far sampling
    reference: Reference  #: what is subtracted from every embedding: nothing, or the first source frame's
    jitter_s: NotNegative  #: onset and offset of a training clip are moved by up to so much in each epoch
    views: Views
    motion: MotionInput
    early: Early
    loss: CmnLoss
    epochs: Count
    optimiser: Optimiser

    def __post_init__(self) -> None:
        if self.encoder_trained == "none":
            return
        if self.motion.cells:
            raise ValueError(
                f'encoder_trained = "{self.encoder_trained}" sees pictures alone, and motion.cells is '
                f"{self.motion.cells}; set motion.cells = 0"
            )
        if not self.initial:
            raise ValueError(
                f'encoder_trained = "{self.encoder_trained}" goes on from weights, and initial names none; give the '
                "weights.pt that configs/methods/expression-resnet18.toml trains"
            )
