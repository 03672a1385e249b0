"""The public networks that find faces and their landmarks: where they lie, and what they must be.

Apache-2.0; `models/NOTICE` says whose they are, and where they come from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from realtime.errors import EngineError
from realtime.records import Floats, Image

FOLDER = Path(__file__).parent / "models"


@dataclass(frozen=True, slots=True)
class PublicModel:
    """A network of one square RGB picture."""

    file: str
    sha256: str
    side_px: int  #: of the picture
    black: float  #: what a colour of 0 is to the network, and
    white: float  #: what one of 255 is

    def checked(self) -> Path:
        """Where it lies, in TFLite's form; EngineError where it is missing, or another one."""
        path = FOLDER / self.file
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise EngineError(f"{path} cannot be read: {error.strerror}; install Glimpse again") from None
        if found != self.sha256:
            raise EngineError(f"{path} has sha256 {found}, wanted {self.sha256}; install Glimpse again")
        return path


class Network(Protocol):
    """A `PublicModel` made to run. One thread at a time may use it."""

    picture: Image  #: uint8 (S, S, 3), RGB: what `run` looks at, filled anew for each

    def run(self) -> Sequence[Floats]:
        """The network's outputs in its own order and shape, which the next call overwrites."""


#: What makes a network run; who calls this knows no inference library.
OpenNetwork = Callable[[PublicModel], Network]

SHORT_RANGE = PublicModel(
    "face_detection_short_range.tflite",
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    side_px=128,
    black=-1.0,
    white=1.0,
)
FULL_RANGE = PublicModel(
    "face_detection_full_range_sparse.tflite",
    "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    side_px=192,
    black=-1.0,
    white=1.0,
)
FACE_LANDMARKS = PublicModel(
    "face_landmark.tflite",
    "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    side_px=192,
    black=0.0,
    white=1.0,
)
MODELS = (SHORT_RANGE, FULL_RANGE, FACE_LANDMARKS)
