"""A network that judges single pictures, and a window that slides over what it says: an implementation of `Scorer`.

After SMEConvNet (Zhang et al. 2018, IEEE Access 6:71143), which finds the apex of a micro-expression where the features
of a window stand out of both windows beside it, and so is not taken in by a face that stays as it is. Here likelihoods
take the place of features, the windows are of a second's parts and not of frames, and what the middle is held against
is the likelier of its neighbours: the edge of a longer expression stands out of one of them. Blinks are not masked.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from realtime.engine.engine import Engine
from realtime.engine.package.manifest import LOGITS
from realtime.records import Crop, Floats, Image
from realtime.representation.crop_images import CropImages
from realtime.spotting.scorer import PAUSE_S, Spot
from realtime.spotting.ticks import Ticks

TICK_S = 1 / 60
#: Ticks of the middle, 0.1 s, and of either neighbour, 0.25 s: so far from its apex a micro-expression is over.
MIDDLE, BESIDE = 6, 15
WINDOW = BESIDE + MIDDLE + BESIDE


class SlidingWindowScorer:
    """Pictures, each on its own -> likelihoods in ticks -> spots of the middle of the newest window."""

    def __init__(self, engine: Engine, made: CropImages) -> None:
        self._engine, self._made = engine, made
        self.delay_s = 0.5 * WINDOW * TICK_S
        self.restart()

    def restart(self) -> None:
        """Forget the past."""
        self._last = -np.inf
        self._ticks = Ticks(TICK_S)
        self._seen: deque[Floats] = deque(maxlen=WINDOW)
        self._shown: tuple[Image, Floats] | None = None

    def push(self, crop: Crop) -> list[Spot]:
        """The spots of the windows that end with this crop."""
        if crop.t - self._last > PAUSE_S:
            self.restart()
        self._last = crop.t
        found = []
        for end, mean in self._ticks.push(crop.t, self._likely(crop.image)):
            self._seen.append(mean)
            if len(self._seen) == WINDOW:
                found.append(Spot(end - self.delay_s, *standing_out(np.stack(self._seen))))
        return found

    def _likely(self, image: Image) -> Floats:
        """(3,) of this picture alone; a face that is held as it is, is judged once."""
        if self._shown is None or self._shown[0] is not image:
            logits = self._engine.run(self._made.of_images([image]))[LOGITS][0]
            self._shown = image, np.asarray(1.0 / (1.0 + np.exp(-logits.astype(np.float64))), np.float32)
        return self._shown[1]


def standing_out(likely: Floats) -> tuple[float, float, float]:
    """Likelihoods (WINDOW, 3) -> those of the middle: of an expression, of a micro-expression, of its apex.

    An expression is as likely as pictures say. Pictures of a longer one look the same, so the others are what is left
    where the likelier neighbour is taken away: s(m) - max(s(l), s(r)), s the mean over a window, and at least 0.
    """
    left, middle, right = (part.mean(0) for part in np.split(likely, (BESIDE, BESIDE + MIDDLE)))
    alone = np.maximum(middle - np.maximum(left, right), 0.0)
    return float(middle[0]), float(alone[1]), float(alone[2])
