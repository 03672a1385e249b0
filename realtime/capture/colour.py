"""OpenCV's pictures in our colour order."""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike

from realtime.errors import SourceError
from realtime.records import Image

_TO_RGB = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}


def rgb(image: MatLike) -> Image:
    """OpenCV's grey (H, W) or (H, W, 1), BGR or BGRA, uint8 -> RGB uint8 (H, W, 3); alpha is dropped."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels not in _TO_RGB or image.dtype != np.uint8:
        raise SourceError(f"a picture of {channels} channels, {image.dtype}; wanted grey, BGR or BGRA of 8 bits")
    return np.asarray(cv2.cvtColor(image, _TO_RGB[channels]), np.uint8)
