"""The settings of the network of displacement fields."""

from __future__ import annotations

from typing import Literal

from realtime.config import Count, NotNegative, Positive, Section
from train.config.recipe import Settings
from train.config.sections import Early, FocalLoss, Optimiser, Part


class FieldsShown(Section, frozen=True):
    """What the network sees of an event: see `realtime.representation.flow_fields`."""

    frames: Count  #: moments between onset and apex
    scale: Literal["each", "both"]  #: u and v are divided by a size each, or by one for both
    floor: Positive  #: least size, eye distances
    limit: Positive  #: values beyond so many sizes are cut


class MotionAugment(Section, frozen=True):
    """Half of the events are mirrored; sizes are shares of the event's own."""

    turn_deg: NotNegative
    scale: NotNegative  #: of the places: up to this share larger or smaller, across and down of their own
    shift: NotNegative  #: up to this share of the side
    gain: NotNegative  #: standard deviation of the logarithm by which places move more or less
    drift: NotNegative  #: most that is left of the head's movement
    noise: NotNegative  #: most size of smooth noise, new in each frame
    stretch: NotNegative  #: most logarithm of the exponent that bends the time from onset to apex
    late: Part  #: share of the events whose reference is a picture from after the onset


class Exact(Section, frozen=True):
    """Movements that are known exactly, mixed with those that the stages found: see `train.clips.movement.exact`."""

    share: Part  #: of each batch; 0 makes none
    each: Count  #: of each person to train on


class Real(Section, frozen=True):
    """Real people whose expressions are marked, where the source knows any: see `train.clips.marked`."""

    rest: Part  #: share of the stretches without an event that show them
    events: Part  #: share of each batch that are their expressions, of all classes alike
    background: Part  #: share of the exact movements that are made on top of what they do


class MotionConfig(Settings, frozen=True, tag="motion"):
    """A network of displacement fields, whatever clips it sees."""

    initial: str  #: path of weights to begin with, such as the `weights.pt` of another run; "" is none
    rest: Part  #: share of each batch that shows stretches without an event as "none", where that is a class
    fields: FieldsShown
    dropout: Part
    jitter_s: NotNegative  #: onset, apex and offset are moved by up to so much in each epoch
    epochs: Count
    early: Early
    loss: FocalLoss
    augment: MotionAugment
    exact: Exact
    real: Real
    optimiser: Optimiser
