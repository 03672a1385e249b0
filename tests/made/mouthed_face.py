"""Landmarks on which the ten regions of the apex formula hang."""

import numpy as np

from realtime.faces import landmarks as lm

#: (x, y) as in a canonical crop of 128 px; the mouth is 40 px wide, so w = 20
POINTS = {
    lm.LEFT_MOUTH: (44, 98),
    lm.RIGHT_MOUTH: (84, 98),
    lm.CHIN: (64, 122),
    lm.LEFT_NOSE_WING: (54, 76),
    lm.RIGHT_NOSE_WING: (74, 76),
    lm.LEFT_EYE_OUTER: (30, 50),
    lm.RIGHT_EYE_OUTER: (98, 50),
    lm.LEFT_BROW[2]: (44, 34),
    lm.RIGHT_BROW[2]: (84, 34),
}


def mouthed_face():
    """Float32 (468, 3): these points, and all others far away."""
    landmarks = np.full((lm.COUNT, 3), -999.0, np.float32)
    for point, place in POINTS.items():
        landmarks[point, :2] = place
    return landmarks
