"""An event to be seen again in a page: its frames beside the same with the movement enlarged, and what moved when."""

from __future__ import annotations

from base64 import b64encode

import msgspec

from realtime.markup import Markup, html
from realtime.pipeline.loop import Loop
from realtime.schema.message import Event, MomentPictures
from realtime.session.report.bands import bands
from realtime.session.report.marks import colour
from realtime.units import described

#: User units of the drawing of what moved, which is half as wide as a timeline.
COLUMNS = 452
SPEEDS = (("1", "full speed"), ("0.25", "1/4"), ("0.125", "1/8"))
SLOW = "0.25"


def player(event: Event, loop: Loop) -> Markup:
    """The frames of `loop` and how they are played; a page without its script shows nothing here."""
    said = f"face {event.face}, event {event.id}"
    frames = msgspec.json.encode([round(t - event.onset_s, 4) for t in loop.times]).decode()
    speeds = "".join(
        f'<option value="{value}"{" selected" if value == SLOW else ""}>{name}</option>' for value, name in SPEEDS
    )
    return Markup(
        f'<div class="player" data-times="{html(frames)}" data-side="{loop.side_px:d}">'
        f'<img class="strip" data-part="strip" alt="" src="data:image/webp;base64,{b64encode(loop.strip).decode()}">'
        f'<div class="views">{_view("plain", "as it was", said, loop)}'
        f"{_view('enlarged', f'movement × {loop.enlarged:g}', said, loop)}</div>"
        f"{_moved(event, loop)}"
        '<div class="controls"><button type="button" data-part="play">Play</button>'
        '<button type="button" data-part="back" aria-label="One frame back">‹</button>'
        '<button type="button" data-part="on" aria-label="One frame on">›</button>'
        f'<input type="range" data-part="place" min="0" value="0" aria-label="Frame of {html(said)}">'
        f'<select data-part="speed" aria-label="Speed">{speeds}</select>'
        '<output data-part="time" aria-label="From the onset"></output></div></div>'
    )


def pictures(event: Event, kept: MomentPictures, loop: Loop | None) -> Markup:
    """Onset, apex and offset as far as they were kept, and where it cannot be played, the movement enlarged."""
    of = f"face {event.face}, event {event.id}"
    shown = (
        (kept.onset, "onset", f"{of}, at its onset"),
        (kept.apex, "apex", f"{of}, at its apex"),
        (b"" if loop is None else loop.offset, "offset", f"{of}, at its offset"),
        (
            kept.exaggerated if loop is None else b"",
            f"movement × {kept.times:g}",
            f"{of}, its movement exaggerated {kept.times:g} times",
        ),
    )
    return Markup(f'<div class="pictures">{"".join(_picture(*each) for each in shown)}</div>')


def _picture(jpeg: bytes, caption: str, said: str) -> str:
    if not jpeg:
        return ""
    picture = f'<img alt="{html(said)}" src="data:image/jpeg;base64,{b64encode(jpeg).decode()}">'
    return f"<figure>{picture}<figcaption>{html(caption)}</figcaption></figure>"


def _view(part: str, caption: str, said: str, loop: Loop) -> str:
    size = f'width="{2 * loop.side_px:d}" height="{2 * loop.side_px:d}"'
    canvas = f'<canvas data-part="{part}" {size} role="img" aria-label="{html(f"{said}, {caption}")}"></canvas>'
    return f"<figure>{canvas}<figcaption>{html(caption)}</figcaption></figure>"


def _moved(event: Event, loop: Loop) -> str:
    """How strongly each action unit moved over the frames; nothing where none is sure to have."""
    if not loop.units:
        return ""
    curves = {
        f"AU {unit}, {described(unit, 'both', 1.0, 1.0)}": [list(zip(loop.times, read, strict=True))]
        for unit, read in loop.units.items()
    }
    drawing = bands("Action units over time", curves, (loop.times[0], loop.times[-1]), colour(event), COLUMNS)
    return f'<div class="moved">{drawing}<div class="track"><div class="now" data-part="now"></div></div></div>'
