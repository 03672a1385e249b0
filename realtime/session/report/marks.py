"""The marks of events, as the page draws them: what is told by colour is told by shape as well.

A diamond is micro, a square macro; one that was withdrawn is hollow.
"""

from __future__ import annotations

from realtime.markup import Markup, svg
from realtime.schema.message import Event

#: Variables of the style sheet, which knows light and dark.
MICRO, MACRO, MUTED = "var(--micro)", "var(--macro)", "var(--muted)"


def colour(event: Event) -> str:
    """That of its kind, or of what was withdrawn."""
    if event.stage == "withdrawn":
        return MUTED
    return MACRO if event.kind == "macro" else MICRO


def mark(event: Event, x: float, y: float) -> str:
    """The mark with its middle at (x, y), for a drawing."""
    shape = (
        f"M{x - 4.5:.1f} {y - 4.5:.1f}h9v9h-9z" if event.kind == "macro" else f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z"
    )
    if event.stage == "withdrawn":
        return f'<path class="withdrawn" d="{shape}" fill="none" stroke="{MUTED}" stroke-width="1.5"/>'
    return f'<path class="{event.kind}" d="{shape}" fill="{colour(event)}"/>'


def alone(event: Event) -> Markup:
    """The mark as a little picture within text."""
    return Markup(svg(14, 14, mark(event, 7, 7)).replace("<svg ", '<svg class="mark" aria-hidden="true" ', 1))
