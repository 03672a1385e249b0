"""What all visitors share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from realtime.config import Config
from realtime.view.access.waiting_room import WaitingRoom
from realtime.view.recording.store import RecordingStore
from realtime.view.upstream.asker import AsyncAsker
from realtime.view.upstream.link import RecogniserLink
from realtime.view.visit.cameras import Cameras
from realtime.view.visit.capacity import Capacity
from realtime.view.visit.protocol import Fate


@dataclass(frozen=True, slots=True)
class Services:
    """The configuration, and one each of what is there once for the whole page."""

    config: Config
    link: RecogniserLink
    asker: AsyncAsker
    cameras: Cameras
    capacity: Capacity
    waiting_room: WaitingRoom
    recordings: RecordingStore
    count_picture: Callable[[Fate, int], None]  #: told what became of each picture of so many bytes
    recorded: bool = False  #: what is published is a recording: nobody is watched
