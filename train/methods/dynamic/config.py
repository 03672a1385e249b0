"""The settings of the head of dynamic expressions."""

from __future__ import annotations

from typing import Annotated

import msgspec

from realtime.config import Count, NotNegative, Section, Share
from train.config.clips import Distractors, Film
from train.config.sections import Early, EcstflLoss, Machine, Optimiser, Part, Precision


class Enactment(Section, frozen=True):
    """The clips of dynamic expressions: FER+ pictures brought into motion."""

    seed: int  #: of the pictures, of what they play and of the cameras
    head: str  #: path of ict_facekit.npz
    ferplus: str  #: path of ferplus.npz
    agreed: Part  #: least share of the votes for what a picture shows
    expressive: Count  #: clips of each expression that pictures of it play, in the training split
    neutral: Count  #: neutral pictures that play every class once
    resting: Count  #: neutral pictures that stay neutral
    held_out: Share  #: the validation and the test split have this share of all of these
    most_takes: Count  #: clips of one picture of a rare expression
    back: tuple[Part, Part]  #: share of full strength that is taken from a picture with an expression
    forward: tuple[Part, Part]  #: and that a neutral picture plays
    size_px: Annotated[int, msgspec.Meta(ge=48)]  #: side of the crops
    frames: Annotated[int, msgspec.Meta(ge=4)]  #: of each clip, evenly over its whole length
    distractors: Distractors
    film: Film


class Shown(Section, frozen=True):
    """Which part of a clip an epoch shows."""

    before_s: NotNegative  #: it begins up to so long before the onset,
    late_s: NotNegative  #: or after it


class DynamicConfig(Section, frozen=True, tag="dynamic", tag_field="method"):
    """A recurrent head on the encoder's embeddings, for expressions of any length."""

    seed: int
    name: str
    encoder: str  #: folder of the encoder's engine package
    precision: Precision  #: that the encoder computes the embeddings in
    cache: str
    runs: str
    frames: Count  #: that the head sees of an event
    fades: NotNegative  #: clips of `train.methods.dynamic.fades`, new in each epoch, for each clip that was filmed
    dropout: Part
    epochs: Count
    loss: EcstflLoss
    early: Early
    shown: Shown
    clips: Enactment
    optimiser: Optimiser
    machine: Machine
