"""The names of before, until their callers ask the representations themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.records import Floats, Image
from realtime.representation.apex_change import ApexChange as ApexChange
from realtime.representation.apex_change import apex_pair as apex_pair
from realtime.representation.clip_images import ClipImages as ClipImages
from realtime.representation.clip_images import first_to_last as first_to_last
from realtime.representation.crop_images import IMAGENET_MEAN as IMAGENET_MEAN
from realtime.representation.crop_images import IMAGENET_STD as IMAGENET_STD
from realtime.representation.crop_images import CropImages as CropImages
from realtime.representation.crop_images import crop_images as crop_images
from realtime.representation.embedding_sequence import EmbeddingSequence as EmbeddingSequence
from realtime.representation.embedding_sequence import spread as spread
from realtime.representation.event import Embedded, EventFrames, Images
from realtime.representation.fields import Times
from realtime.representation.flow_fields import FlowFields as FlowFields
from realtime.representation.flow_fields import scaled as scaled
from realtime.representation.motion_ticks import TURNS as TURNS
from realtime.representation.motion_ticks import MotionTicks as MotionTicks
from realtime.representation.motion_ticks import motion_ticks as motion_ticks
from realtime.representation.pooling import pooled as pooled

Representation = CropImages | EmbeddingSequence | ClipImages | FlowFields | ApexChange | MotionTicks


def embedding_sequence(
    embeddings: Sequence[Floats], fields: Sequence[Floats], representation: EmbeddingSequence
) -> Floats:
    """As `EmbeddingSequence.of_event`."""
    times = 0.0 * np.arange(len(embeddings))
    event = EventFrames(times, embedded=Embedded(times, embeddings, fields))
    return representation.of_event(event, 0.0)["embeddings"]


def clip_images(images: Sequence[Image], representation: ClipImages) -> Floats:
    """As `ClipImages.of_event`."""
    return representation.of_event(EventFrames(np.zeros(len(images)), images=images), 0.0)["clips"]


def flow_fields(times: Times, fields: Floats, apex: float, representation: FlowFields) -> Floats:
    """As `FlowFields.of_event`."""
    return representation.of_event(EventFrames(times, fields=fields), apex)["fields"]


def apex_change(times: Times, images: Images, apex: float, representation: ApexChange) -> Floats:
    """As `ApexChange.of_event`."""
    return representation.of_event(EventFrames(times, images=images), apex)["images"]
