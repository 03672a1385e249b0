"""Onset and apex of the newest events as pictures, in memory alone, for as long as the person allows it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import cv2

from realtime.config import StreamsConfig
from realtime.recognition.magnify import exaggerate
from realtime.recognition.window import Seen
from realtime.records import Image
from realtime.schema.message import Event, MomentPictures


class Moments:
    """The crops of an event's onset and apex by its id; of the newest `kept_moments`, while it is `keeping` any."""

    def __init__(self, config: StreamsConfig, *, keeping: bool) -> None:
        self._config = config
        self._keeping = keeping
        self._kept: OrderedDict[int, tuple[Image, Image]] = OrderedDict()
        self._lock = threading.Lock()  # a pipeline puts in, whoever answers questions looks

    def keep(self, event: Event, frames: Sequence[Seen]) -> None:
        """Choose from `frames`, the event's span, those nearest to its onset and apex; a later answer replaces them."""
        if not frames:
            return
        onset, apex = (min(frames, key=lambda seen: abs(seen.crop.t - t)) for t in (event.onset_s, event.apex_s))
        with self._lock:
            if self._keeping:
                self._kept[event.id] = onset.crop.image, apex.crop.image
            while len(self._kept) > self._config.kept_moments:
                self._kept.popitem(last=False)

    @property
    def keeping(self) -> bool:
        """Whether the person allows it; once not, nothing is kept any longer."""
        return self._keeping

    @keeping.setter
    def keeping(self, allowed: bool) -> None:
        with self._lock:
            self._keeping = allowed
            if not allowed:
                self._kept.clear()

    def pictures(self, event: int) -> MomentPictures | None:
        """Both pictures and the movement between them exaggerated; None when they are not, or no longer, kept."""
        with self._lock:
            found = self._kept.get(event)
        if found is None:
            return None
        onset, apex = found
        larger = exaggerate(onset, apex, self._config.exaggerate)
        onset_jpeg, apex_jpeg, larger_jpeg = (jpeg(each, self._config.jpeg_quality) for each in (onset, apex, larger))
        return MomentPictures(onset=onset_jpeg, apex=apex_jpeg, exaggerated=larger_jpeg, times=self._config.exaggerate)


def jpeg(image: Image, quality: int) -> bytes:
    """RGB uint8 (H, W, 3) as JPEG."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()
