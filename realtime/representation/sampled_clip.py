"""An event as a clip by other rules than that of `clip_images`: the centres of its parts, or interpolated pictures.

What is interpolated needs the whole event. A head is asked when it is over, or of what there is of it by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from realtime.records import Floats, Image
from realtime.representation.clip_images import ClipImages
from realtime.representation.contract.event import Images, SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.crop_images import CropImages
from realtime.representation.embedding_sequence import spread
from realtime.representation.interpolation import tim

#: "centres" are source frames at test time (CN115049957A), "tim" interpolates (CN112101119A, step 2-4).
Rule = Literal["centres", "tim"]


class SampledClip(msgspec.Struct, frozen=True, tag="sampled-clip", forbid_unknown_fields=True):
    """Pictures of an event in order: float32 (B, 3, frames, size, size)."""

    frames: int
    picture: CropImages  #: each of them
    rule: Rule

    fine: ClassVar[bool] = False
    every_frame: ClassVar[bool] = False

    def inputs(self) -> tuple[TensorSpec, ...]:
        """Those of `ClipImages`."""
        return self._clip.inputs()

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """The apex is not looked at."""
        images = event.images
        if self.rule == "tim":
            return self.of_images(interpolated(images, self.frames))
        return self.of_images([images[i] for i in spread(len(images), self.frames)])

    def of_images(self, images: Sequence[Image] | Image) -> dict[str, Floats]:
        """The crops uint8 (S, S, 3) that were chosen, as one clip."""
        return self._clip.of_images(list(images))

    @property
    def _clip(self) -> ClipImages:
        """The same by the other rule, which differs in what is chosen alone."""
        return ClipImages(self.frames, self.picture)

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """What does not fit its pictures."""
        return self.picture.misfits(encoder, crop_px)

    def describe(self) -> str:
        """How many frames, which, and what each is."""
        which = (
            "interpolated through the whole event" if self.rule == "tim" else "from the centres of equal parts of it"
        )
        return f"an event's pictures, {self.frames} {which}: {self.picture.describe()}"


def interpolated(images: Images, frames: int) -> npt.NDArray[np.uint8]:
    """`frames` pictures uint8 (S, S, 3) from the event's first to its last by `tim`, as if all were evenly apart.

    Where its curve leaves the pictures' range, it is clipped.
    """
    return np.asarray(np.rint(tim(np.asarray(images), frames).clip(0, 255)), np.uint8)
