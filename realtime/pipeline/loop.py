"""An event to be looked at again: its frames as one strip of pictures, their movement enlarged, and what moved when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from realtime.config import StreamsConfig
from realtime.engine.engine import Engine
from realtime.pipeline.moments import jpeg
from realtime.recognition.magnify import exaggerate
from realtime.recognition.units import strengths
from realtime.recognition.window import Seen, Span
from realtime.records import Image
from realtime.schema.message import Event

#: Before the onset and after the offset: whoever looks needs to see the face at rest first.
AROUND_S = 0.5
#: Of a strip: at 60 frames a second all of a micro-expression and some of the rest around it.
MOST_FRAMES = 40
#: How many times over a macro-expression is enlarged at most: larger, a smile folds the face.
MACRO_TIMES = 2.0
#: Pictures side by side in a strip, which no decoder refuses for its width.
COLUMNS = 8
#: WebP, of 100: a strip of 40 frames then takes a tenth of a megabyte.
QUALITY = 80


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """The frames of an event in order, from just before its onset to just after its offset."""

    times: tuple[float, ...]  #: of the frames, on the source's clock
    side_px: int  #: of each picture, which is square
    enlarged: float  #: how many times over the movement is
    strip: bytes  #: WebP: the frames in rows of `COLUMNS`, below them in as many rows the same with movement enlarged
    offset: bytes  #: JPEG: the frame that is nearest to the offset
    units: dict[str, tuple[float, ...]]  #: by action unit that moved, how strongly at each of `times`, 0..1


def loop(event: Event, around: Span, span: Span, units: Engine | None, config: StreamsConfig) -> Loop | None:
    """What `around` holds of a closed `event`, `span` being its frames from onset to offset; None where there are none.

    `units` is the engine that reads action units, if there is one.
    """
    if event.offset_s is None or not around.frames or not span.frames:
        return None
    chosen = _chosen(around.frames, (event.onset_s, event.apex_s, event.offset_s))
    onset, offset = (_nearest(chosen, t) for t in (event.onset_s, event.offset_s))
    images = [seen.crop.image for seen in chosen]
    times = min(config.exaggerate, MACRO_TIMES) if event.kind == "macro" else config.exaggerate
    larger = [exaggerate(onset.crop.image, image, times) for image in images]
    told = [unit.unit for unit in event.units]
    return Loop(
        times=tuple(float(seen.crop.t) for seen in chosen),
        side_px=len(images[0]),
        enlarged=times,
        strip=_webp(np.vstack([_grid(images), _grid(larger)])),
        offset=jpeg(offset.crop.image, config.jpeg_quality),
        units={} if units is None or not told else _curves(units, span, told, chosen),
    )


def _chosen(frames: Sequence[Seen], needed: Iterable[float]) -> list[Seen]:
    """At most `MOST_FRAMES`, evenly in number, those nearest to the times that are `needed` among them."""
    spread = np.linspace(0, len(frames) - 1, min(len(frames), MOST_FRAMES)).round().astype(int).tolist()
    for t in needed:
        place = min(range(len(frames)), key=lambda i: abs(frames[i].crop.t - t))
        spread[min(range(len(spread)), key=lambda i: abs(spread[i] - place))] = place
    return [frames[place] for place in sorted(set(spread))]


def _nearest(frames: Sequence[Seen], t: float) -> Seen:
    return min(frames, key=lambda seen: abs(seen.crop.t - t))


def _curves(engine: Engine, span: Span, units: Sequence[str], chosen: Sequence[Seen]) -> dict[str, tuple[float, ...]]:
    """How strongly each unit had moved from the onset to each frame; 0 before the onset and after the offset."""
    first, last = span.frames[0].crop.t, span.frames[-1].crop.t
    read = [strengths(engine, span, seen.crop.t) if first < seen.crop.t <= last else {} for seen in chosen]
    return {unit: tuple(found.get(unit, 0.0) for found in read) for unit in units}


def _grid(images: Sequence[Image]) -> Image:
    """Rows of `COLUMNS`, the last one filled up with black."""
    blank = np.zeros_like(images[0])
    full = [*images, *[blank] * (math.ceil(len(images) / COLUMNS) * COLUMNS - len(images))]
    return np.vstack(list(_rows(full)))


def _rows(images: Sequence[Image]) -> Iterator[Image]:
    for at in range(0, len(images), COLUMNS):
        yield np.hstack(images[at : at + COLUMNS])


def _webp(image: Image) -> bytes:
    """RGB uint8 (H, W, 3)."""
    _, data = cv2.imencode(".webp", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return data.tobytes()
