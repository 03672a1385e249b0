"""What engines are fed with: the contract of a representation, and the list of all.

A manifest names one of them by its tag, with all of its parameters, so an engine can never be fed what it was not
trained on. Backends, packages and the recogniser ask it and take none apart: a new one is a file of its own, a test,
and a place in `REPRESENTATIONS`. Its tag and its fields, with their order and defaults, are written into manifests and
into the names of caches: they never change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol, Union, runtime_checkable

import msgspec

from realtime.records import Floats
from realtime.representation.apex_change import ApexChange
from realtime.representation.apex_field import ApexField
from realtime.representation.apex_time import ApexTime
from realtime.representation.clip_and_flow import ClipAndFlow
from realtime.representation.clip_images import ClipImages
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.crop_images import CropImages
from realtime.representation.embedding_sequence import EmbeddingSequence
from realtime.representation.flow_clip import FlowClip
from realtime.representation.flow_fields import FlowFields
from realtime.representation.grey_clip import GreyClip
from realtime.representation.middle_image import MiddleImage
from realtime.representation.motion_ticks import MotionTicks
from realtime.representation.sampled_clip import SampledClip


@runtime_checkable
class Representation(Protocol):
    """How an engine's input is made; a frozen struct of msgspec with a tag and nothing but parameters in it."""

    __struct_config__: ClassVar[msgspec.structs.StructConfig]

    @property
    def fine(self) -> bool:
        """Whether small differences decide, of which bf16 leaves little: then a backend stays in f32."""

    @property
    def every_frame(self) -> bool:
        """Whether its networks are asked for every frame: then a backend prepares for each number of rows."""

    def inputs(self) -> tuple[TensorSpec, ...]:
        """What a network of it takes: one or several."""

    def of_event(self, event: SeenEvent, apex_s: float) -> Mapping[str, Floats]:
        """A row (1, ...) for each of `inputs`, by name, from an event with its apex at `apex_s`: live and in training.

        It is the only maker of them. It asks the event for no more than it needs.
        """

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """Why its networks cannot run beside `encoder` on crops of `crop_px`, to be read behind their names."""

    def describe(self) -> str:
        """What it is, in words for a model card, without a full stop."""


#: All that a manifest may name.
REPRESENTATIONS: tuple[type[Representation], ...] = (
    CropImages,
    EmbeddingSequence,
    ClipImages,
    FlowFields,
    ApexChange,
    MotionTicks,
    ApexField,
    GreyClip,
    ApexTime,
    FlowClip,
    ClipAndFlow,
    MiddleImage,
    SampledClip,
)


def decoded(kind: type, tree: Any) -> Any:
    """What msgspec is to make of a tree where a struct has a `Representation`: give it as `dec_hook`."""
    if kind is not Representation:
        raise NotImplementedError(f"{kind} is no type that manifests have")
    return msgspec.convert(tree, Union[REPRESENTATIONS])  # noqa: UP007 - it is made of what is there


def tag_of(representation: Representation | type[Representation]) -> str:
    """Its name in manifests."""
    return str(representation.__struct_config__.tag)
