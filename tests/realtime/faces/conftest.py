"""The configuration of each engine that finds landmarks."""

from typing import get_args

import pytest

from realtime import config
from realtime.config import LandmarkEngine
from realtime.faces import mesh


@pytest.fixture(scope="module", params=get_args(LandmarkEngine))
def stages(request):
    """Of each engine that finds landmarks, where it is installed."""
    if request.param == "mediapipe" and not mesh.installed():
        pytest.skip("mediapipe is not installed")
    return config.load(overrides=[f"faces.landmarks={request.param}"])
