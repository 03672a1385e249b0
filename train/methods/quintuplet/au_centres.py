"""Where action units act on a face: centres by landmarks, and Gaussians around them, which the mask network is taught.

As in EAC-Net (Li et al. 2017, arXiv 1702.02925) a unit has its centres beside landmarks; units are joined where they
act in one place, and the places are this project's. Training clips have landmarks of every frame, since `align` cuts
their crops by them. Serving needs none: the network has learned where a face's brows and mouth are.
"""

from __future__ import annotations

import numpy as np

from realtime.faces import landmarks as lm
from realtime.records import Floats

Centre = tuple[tuple[int, ...], float]  #: the mean of these landmarks, so many inner eye distances further down

#: Units in one place -> their centres, one for each side of the face or one in its middle.
CENTRES: dict[str, tuple[Centre, ...]] = {
    "1": ((lm.LEFT_BROW[3:], -0.25), (lm.RIGHT_BROW[3:], -0.25)),
    "2": ((lm.LEFT_BROW[:2], -0.2), (lm.RIGHT_BROW[:2], -0.2)),
    "4": ((lm.LEFT_BROW[2:], 0.1), (lm.RIGHT_BROW[2:], 0.1)),
    "5+7": ((lm.LEFT_EYE, 0.0), (lm.RIGHT_EYE, 0.0)),
    "6": ((lm.LEFT_LOWER_LID, 0.5), (lm.RIGHT_LOWER_LID, 0.5)),
    "9": (((lm.LEFT_NOSE_WING,), -0.4), ((lm.RIGHT_NOSE_WING,), -0.4)),
    "10": (((lm.NOSE_BASE, lm.UPPER_LIP), 0.0),),
    "12+14+15+20": (((lm.LEFT_MOUTH,), 0.0), ((lm.RIGHT_MOUTH,), 0.0)),
    "17": (((lm.LOWER_LIP, lm.CHIN), 0.0),),
    "23+24+25+26": (((lm.INNER_UPPER_LIP, lm.INNER_LOWER_LIP), 0.0),),
}
UNITS = tuple(CENTRES)  #: of the maps, in order


def centres(landmarks: Floats) -> list[Floats]:
    """Of each of `UNITS` its centres (1 or 2, 2), in the px of `landmarks` (468, 2+)."""
    points = landmarks[:, :2].astype(np.float32)
    unit = float(np.linalg.norm(points[lm.RIGHT_EYE_INNER] - points[lm.LEFT_EYE_INNER]))
    return [
        np.stack([points[list(of)].mean(0) + np.array([0.0, down * unit], np.float32) for of, down in sides])
        for sides in CENTRES.values()
    ]


def maps(landmarks: Floats, crop_px: int, size_px: int, sigma: float) -> Floats:
    """What is taught of a crop with `crop_px`: float32 (len(UNITS), size, size), 1 at a centre.

    exp(-d^2 / (2 sigma^2)), d the distance to the nearest centre as a share of the side.
    """
    axis = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px
    found = np.empty((len(UNITS), size_px, size_px), np.float32)
    for row, places in zip(found, centres(landmarks), strict=True):
        x, y = (places / crop_px).T[..., None, None]  # each (sides, 1, 1)
        squared = (axis[None, None] - x) ** 2 + (axis[None, :, None] - y) ** 2
        row[:] = np.exp(-squared.min(0) / (2 * sigma**2))
    return found
