"""How fast a face moves from moment to moment of an event: flow between frames that follow each other, over time.

What DTSCNN sees (Peng et al. 2017, doi 10.3389/fpsyg.2017.01745): flow sequences of one length whatever the clip's, at
two scales of time. There pictures are interpolated (TIM, Zhou et al. 2011) and flow is found between what came out;
here flow is found between real frames and then interpolated, evenly over time. A mixture of two pictures is no picture
of a face on its way, TIM takes frames to be evenly apart, which a webcam's are not, and it wants the whole clip, which
an early answer has not. The linear form goes by the frames' own times.

Speeds are in outer eye distances a second: a faster camera sees less between two frames, and oftener. Nor do they
depend on the number of steps, or on where an event was cut: an onset that is found late changes no value, as it would
of what moves "in a step". The two pictures of a pair are `pair_s` apart or more: what a fast camera sees between its
frames is beneath the flow's noise, which a short time would multiply.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

import cv2
import msgspec
import numpy as np

from realtime.records import Floats, Image, Times
from realtime.representation.contract.event import Images, SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand, other_crops
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.movement.fields import on_face, sampled
from realtime.representation.movement.motion import Flow, Layout, grey, head_fit, layout, residual

ROUNDING = 1e-3  # of a time between two frames


class FlowClip(msgspec.Struct, frozen=True, tag="flow-clip", forbid_unknown_fields=True):
    """Speeds at moments from an event's first frame to its last: for each scale float32 (B, 2, steps, size, size).

    Right and down, without the head's part; 0 outside of the face. All scales are made of one pass of flow.
    """

    crop_px: int  #: the side of the crops that the flow is found between
    size_px: int  #: the side of the grid
    scales: tuple[int, ...]  #: steps of each input
    pair_s: float  #: the two pictures of a pair are so far apart or more
    pairs: int  #: most that an event has: in a longer one they are farther apart

    fine: ClassVar[bool] = True
    every_frame: ClassVar[bool] = False

    def inputs(self) -> tuple[TensorSpec, ...]:
        """One of each scale, time behind direction."""
        side = self.size_px
        return tuple(
            TensorSpec(name=flow_name(steps), shape=(-1, 2, steps, side, side), dtype="float32", layout="NCTHW")
            for steps in self.scales
        )

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """Of the whole event, as far as it has come; the apex is not looked at."""
        times = event.times
        middles, speeds = consecutive(times, event.images, self)
        begin, end = float(times[0]), float(times[-1])
        return {flow_name(steps): stretched(middles, speeds, begin, end, steps)[None] for steps in self.scales}

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """It needs crops of its size, whatever the encoder is."""
        return other_crops(self.crop_px, crop_px)

    def describe(self) -> str:
        """What flows, over how many steps, on which grid."""
        steps = " and ".join(map(str, self.scales))
        return (
            f"how fast the face moves, in outer eye distances a second, at {steps} steps from the event's first frame "
            f"to its last, on a grid of {self.size_px} by {self.size_px}: flow between frames at least "
            f"{1000 * self.pair_s:.0f} ms apart"
        )


def flow_name(steps: int) -> str:
    """The input of a scale, by its number of steps."""
    return f"flow_{steps}"


def consecutive(times: Times, images: Images, made: FlowClip) -> tuple[Times, Floats]:
    """Speeds between crops uint8 (S, S, 3) at `times` (T,), each pair's at its middle: (P,), (P, 2, size, size).

    Of a single frame, which has none before it, one speed of 0 at its time.
    """
    chosen = chain(times, made.pair_s, made.pairs)
    if len(chosen) < 2:
        return times[:1], np.zeros((1, 2, made.size_px, made.size_px), np.float32)
    pictures = [grey(np.asarray(images[i])) for i in chosen]
    flow, place = Flow(), layout(len(pictures[0]))
    moved = np.stack([_moved(flow, *pair, place, made.size_px) for pair in pairwise(pictures)])
    at = times[chosen]
    passed = np.diff(at).astype(np.float32)
    return (at[1:] + at[:-1]) / 2, moved / passed[:, None, None, None]


def chain(times: Times, pair_s: float, pairs: int) -> list[int]:
    """Frames from the first to the last of `times` (T,), each `pair_s` after the one before or more, for `pairs` pairs.

    What is left at the end and too short for a pair goes to the last one.
    """
    apart = max(pair_s, float(times[-1] - times[0]) / pairs) * (1.0 - ROUNDING)
    chosen, last = [0], len(times) - 1
    for frame, t in enumerate(times.tolist()):
        if t - times[chosen[-1]] >= apart:
            chosen.append(frame)
    if chosen[-1] != last:
        chosen = [*(chosen[:-1] or chosen), last]
    return chosen


def stretched(middles: Times, speeds: Floats, begin: float, end: float, steps: int) -> Floats:
    """Speeds (P, 2, S, S) at `middles` (P,), at the middles of `steps` equal parts of begin..end: (2, steps, S, S).

    Linear in time (see `fields.sampled`); before the first pair's middle and after the last one's, theirs.
    """
    wanted = begin + (end - begin) * (np.arange(steps) + 0.5) / steps
    held = np.clip(wanted, middles[0], middles[-1])
    return np.ascontiguousarray(sampled(middles, speeds, held).swapaxes(0, 1))


def _moved(flow: Flow, before: Image, now: Image, place: Layout, size_px: int) -> Floats:
    """What a face did from one grey crop to the next: (2, size, size), outer eye distances."""
    found = flow(before, now)
    rest = residual(found, head_fit(found.reshape(-1, 2), place), place)
    small = cv2.resize(rest, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return on_face(np.asarray(small.transpose(2, 0, 1) / np.float32(place.eye_px), np.float32))
