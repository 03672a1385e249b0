"""The live window, for what a method is fed there."""

import numpy as np
import pytest

from realtime.recognition.window import Seen, Window
from realtime.records import Crop, Pose
from realtime.spotting.detector import STILL


@pytest.fixture(scope="session")
def watched():
    """The window of somebody whose frames are these: times (T,), crops, and fields where they matter."""
    points, matrix = np.zeros((468, 2), np.float32), np.eye(2, 3, dtype=np.float32)

    def window(times, images, fields=None):
        found = Window(10.0)
        for i, t in enumerate(times.tolist()):
            crop = Crop(1, t, images[i], points, matrix, Pose(0.0, 0.0, 0.0))
            found.push(Seen(crop, STILL if fields is None else fields[i], None))
        return found

    return window
