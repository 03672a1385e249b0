"""Synthetic clips: who is filmed, by which cameras, and what happens."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from realtime.config import Count, NotNegative, Positive, Section, Share
from train.config.marked import MarkedSettings
from train.config.recipe import SourceSettings
from train.config.sections import Part

#: The fields of `Distractors`.
Distractor = Literal["blink", "gaze", "speech", "mouth", "turn", "hand", "macro", "flicker", "sway"]


class Distractors(Section, frozen=True):
    """What happens in synthetic clips that is no micro-expression, each kind so often a minute; 0 leaves it out."""

    blink: NotNegative
    gaze: NotNegative
    speech: NotNegative
    mouth: NotNegative  #: it chews, or licks, bites or purses its lips
    turn: NotNegative  #: and nods, shakes of the head, leaning to and fro
    hand: NotNegative  #: before the face; never with a micro-expression
    macro: NotNegative  #: never in a clip with a micro-expression, which it would hide
    flicker: NotNegative  #: not a rate: most amplitude of lamps at twice the mains' frequency, share of the light
    sway_deg: NotNegative  #: most slow turning of a head that is held still


AT_REST = Distractors(*[0.0] * len(Distractors.__struct_fields__))


class FilmCameras(Section, frozen=True):
    """The cameras that synthetic clips are filmed with; each clip has one of its own."""

    rates_hz: Annotated[tuple[Annotated[float, msgspec.Meta(ge=5, le=500)], ...], msgspec.Meta(min_length=1)]
    shutter: tuple[Part, Part]  #: share of the time between frames that it is open, at least and at most
    noise: NotNegative  #: most standard deviation at full light, grey levels
    quality: Annotated[int, msgspec.Meta(ge=10, le=100)]  #: lowest of the compression, as JPEG counts it; 100 has none


class Clips(Section, frozen=True):
    """The synthetic clips that a training sees."""

    seed: int  #: of the clips and of the split by person; the training's own seed leaves them alone
    head: str  #: path of ict_facekit.npz, whose action units move the faces
    ferplus: str  #: path of ferplus.npz, whose neutral faces are moved; "" takes none
    portraits: tuple[str, ...]  #: pictures, videos (their first good face) and folders of them; a file is a person
    rendered: Part  #: share of the people that are rendered heads, not pictures
    people: Count  #: faces that are used, each in several clips
    per_person: Count
    held_out: Share  #: share of the people that only the evaluation sees
    calibration: Part  #: share of the other people that only the temperature of the logits sees; 0 has none
    none: Part  #: share of the clips without a micro-expression of any class; above 0, "none" is one more label
    intensities: Annotated[tuple[Literal["A", "B", "C", "D", "E"], ...], msgspec.Meta(min_length=1)]
    framing: Literal["camera", "crop"]  #: a face with its surroundings, or as `align` would cut it
    size_px: Annotated[int, msgspec.Meta(ge=48)]  #: side of the pictures
    seconds: Positive
    distractors: Distractors
    film: FilmCameras


class SyntheticSettings(SourceSettings, frozen=True, tag="synthetic"):
    """Clips that are made."""

    marked: MarkedSettings
    clips: Clips


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
    film: FilmCameras


class EnactedSettings(SourceSettings, frozen=True, tag="enacted"):
    """Clips that pictures play."""

    clips: Enactment
