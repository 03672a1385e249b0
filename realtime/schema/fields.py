"""What the types of the wire are made of."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

VERSION = 1

Seconds = Annotated[float, msgspec.Meta(description="seconds on the source's clock, which starts at 0 with the source")]
Count = Annotated[int, msgspec.Meta(ge=0)]
Probabilities = Annotated[dict[str, float], msgspec.Meta(description="label -> probability")]
Reasons = Annotated[
    tuple[str, ...], msgspec.Meta(description='why the picture is worth little, such as "small"; empty when it is good')
]
RunId = Annotated[
    str,
    msgspec.Meta(
        max_length=64,
        description='which run of Glimpse counted the numbers; "" where it is not known or the present one',
    ),
]
Jpeg = Annotated[bytes, msgspec.Meta(description="a picture as JPEG; empty where there is none")]


class Stamped(msgspec.Struct, frozen=True, kw_only=True):
    """What every message carries."""

    schema: Literal[1] = 1
    t: Seconds
    camera: str
