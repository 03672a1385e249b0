"""What a report says of events, in the words of the page (`view/static/words.js`): one thing has one name."""

from __future__ import annotations

from realtime.schema.message import Event

#: Why an event was withdrawn; others are said as they are.
WITHDRAWN = {
    "unsure": "too unlikely to be an expression",
    "lost": "the face was lost",
    "calibrated": "calibration began",
    "none": "it showed no expression",
    "sparse": "too few frames of it",
}
#: Why a picture is worth little.
QUALITY = {
    "small": "come closer",
    "blurred": "hold still",
    "dark": "too dark",
    "bright": "too bright",
    "turned": "turn to the camera",
    "lost": "the face was lost",
}


def lasted(event: Event) -> str:
    """From onset to offset, such as "220 ms"; nothing while it is open."""
    return "" if event.offset_s is None else milliseconds(event.offset_s - event.onset_s)


def milliseconds(seconds: float) -> str:
    """Whole ones."""
    return f"{1000 * seconds:.0f} ms"


def sure(event: Event) -> str:
    """How sure, such as "sure to 81 %"."""
    return f"sure to {100 * event.confidence:.0f} %"


def why(event: Event) -> str:
    """Why it was withdrawn."""
    return WITHDRAWN.get(event.reason, event.reason)


def doubts(event: Event) -> str:
    """What was wrong with the picture, with commas between."""
    return ", ".join(QUALITY.get(reason, reason) for reason in event.quality)
