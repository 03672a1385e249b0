"""What is sent to a running Glimpse: pictures of a camera elsewhere, and questions with their answers.

An answer carries the `id` of its question, which the asker chooses.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from realtime.schema.fields import Count, Jpeg, RunId, Seconds, Stamped
from realtime.schema.published import Event


class Picture(Stamped, frozen=True, kw_only=True):
    """A picture of a camera elsewhere, taken at `t` on that camera's own clock.

    `number` counts the pictures that the camera made: those that were never sent show as a gap. A camera that was
    not known begins with its first picture, if there is room for it, and is forgotten once it falls silent.
    """

    number: Count
    jpeg: Jpeg


class Question(msgspec.Struct, frozen=True, kw_only=True, tag_field="ask"):
    """What every question carries."""

    schema: Literal[1] = 1
    id: Count = 0


class AskEvents(Question, frozen=True, kw_only=True, tag="events"):
    """The events of `run`, or of the present one without it, with numbers above `since`, as far as they are kept."""

    since: Count
    run: RunId = ""


class AskClock(Question, frozen=True, kw_only=True, tag="clock"):
    """What time it is there."""


class AskPicture(Question, frozen=True, kw_only=True, tag="picture"):
    """The newest picture of a camera, unless that is `after` or older."""

    camera: str
    after: int = -1


class AskMoment(Question, frozen=True, kw_only=True, tag="moment"):
    """Onset and apex of an event, whose pictures are kept only where AskWish said so before."""

    camera: str
    event: int


class AskNeutral(Question, frozen=True, kw_only=True, tag="neutral"):
    """Everybody before this camera looks neutral for the detector's calibrate_s: find no event in that."""

    camera: str


class AskWish(Question, frozen=True, kw_only=True, tag="wish"):
    """How a camera is to be watched from now on; null leaves a setting as it is.

    `landmarks` puts the points into every state, `pictures` keeps an event's onset and apex in memory,
    `head` is one of `Meta.heads`.
    """

    camera: str
    landmarks: bool | None = None
    pictures: bool | None = None
    head: str | None = None


class AskLeave(Question, frozen=True, kw_only=True, tag="leave"):
    """No more pictures come from this camera, which had sent its own; what was kept of it is forgotten."""

    camera: str


Ask = AskEvents | AskClock | AskPicture | AskMoment | AskNeutral | AskWish | AskLeave


class Reply(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer"):
    """What every answer carries; `id` is the question's."""

    schema: Literal[1] = 1
    id: Count = 0


class Events(Reply, frozen=True, kw_only=True, tag="events"):
    """Events of `run` in order; `first` is the oldest number kept, `last` the newest, which may take another question.

    `followed_by` is the run that came after an earlier one, of which there may be events too, and "" after the present
    one. Of a run that is not known nothing is kept, and `first` is 0.
    """

    first: Count
    last: Count
    events: tuple[Event, ...]
    run: RunId = ""
    followed_by: RunId = ""


class Clock(Reply, frozen=True, kw_only=True, tag="clock"):
    """The same instant on the sender's monotonic clock, in Unix time, and on the clock of each camera, by name."""

    monotonic_s: float
    unix_s: float
    cameras: dict[str, Seconds]


class Shown(Reply, frozen=True, kw_only=True, tag="picture"):
    """A frame as it was watched; `jpeg` is empty, and the rest 0, where none is newer than the one that was had."""

    frame: Count
    t: Seconds
    jpeg: Jpeg


class MomentPictures(Reply, frozen=True, kw_only=True, tag="moment"):
    """The face of an event at onset and apex, and its onset with the movement exaggerated `times` over."""

    onset: Jpeg
    apex: Jpeg
    exaggerated: Jpeg
    times: float


class Done(Reply, frozen=True, kw_only=True, tag="done"):
    """It was done."""


class Refused(Reply, frozen=True, kw_only=True, tag="refused"):
    """It was not done; `why` says what was found and what was wanted."""

    why: str


Answer = Events | Clock | Shown | MomentPictures | Done | Refused
