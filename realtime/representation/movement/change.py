"""Two pictures of one face, and what changed between them: both in grey, one brought upon the other."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.records import Floats, Times
from realtime.representation.contract.event import Images

#: Grey is so much of red, green and blue (ITU-R BT.601), as OpenCV has it.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
CUT = 4.0  # of a change that is shown: a blink is far beyond it, and shall not hide the rest


def mean_grey(times: Times, images: Images, moment: float, around_s: float, size_px: int) -> Floats:
    """The mean of the frames within `around_s` of `moment`, at least of the nearest: float32 (size, size) in [0, 1]."""
    away = np.abs(times - moment)
    near = np.flatnonzero(away <= max(around_s, float(away.min())))
    mean = np.mean([images[i] for i in near], axis=0, dtype=np.float32) @ LUMA / 255
    return np.asarray(cv2.resize(mean, (size_px, size_px), interpolation=cv2.INTER_AREA), np.float32)


def upon(fixed: Floats, moving: Floats) -> Floats:
    """Grey picture `moving` (S, S), brought onto `fixed` by the affine map that fits best; as it is if none is found.

    (Enhanced correlation coefficient: Evangelidis and Psarakis 2008.) Landmarks are sure to a third of a pixel: of what
    differs between two crops of a face at rest, this takes half away.
    """
    found = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
    try:
        _, found = cv2.findTransformECC(fixed, moving, found, cv2.MOTION_AFFINE, stop, None, 5)  # type: ignore[call-overload]
    except cv2.error:  # it has nothing to hold on to, or loses it
        return moving
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(moving, found, fixed.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE))


def changed(pairs: Floats, gain: float) -> Floats:
    """Grey pictures (B, 2, S, S) in [0, 1] of onset and apex -> both and their difference: float32 (B, 3, S, S).

    The second is first made as bright as the first: lamps flicker.
    """
    means = np.maximum(pairs.mean((2, 3), keepdims=True), 1e-3)
    even = pairs * (means[:, :1] / means)
    change = np.clip(gain * (even[:, 1:] - even[:, :1]), -CUT, CUT)
    return np.asarray(np.concatenate([4.0 * even - 2.0, change], 1), np.float32)
