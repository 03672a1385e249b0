"""The events of a session as a table, with the pictures that were kept of them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator

from realtime.markup import Markup, html, table
from realtime.schema.message import Event, MomentPictures
from realtime.session import limits
from realtime.session.read import Session
from realtime.session.report.digest import Digest
from realtime.session.report.timeline import clock

HEAD = (
    "event", "face", "apex at", "kind", "label", "confidence", "what moved", "answer", "onset", "apex", "exaggerated",
    "onset to apex", "onset to offset", "poor picture",
)  # fmt: skip


def happened(session: Session, numbers: Digest) -> Iterator[str]:
    """The table, and how often something was found."""
    events = sorted(numbers.events.values(), key=lambda event: (event.camera, event.apex_s))
    if not events:
        yield "<p>Nothing was found.</p>"
        return
    yield f"<p>{html(_alarms(numbers))}</p>"
    kept, left_out = _kept(session, events)
    if left_out:
        most = limits.MOST_SHOWN_BYTES // 10**6
        yield f"<p>Only {most} MB of pictures are shown: the pictures of the other events are left out.</p>"
    yield table(HEAD, [_row(session, event, kept.get(event.id)) for event in events], name="Events")


def _kept(session: Session, events: Iterable[Event]) -> tuple[dict[int, MomentPictures], int]:
    """The pictures by event, up to a size that can be opened, and of how many events they are left out."""
    kept, size, left_out = {}, 0, 0
    for event in events:
        pictures = session.moment(event.id) if event.camera == session.header.camera else None
        if pictures is None:
            continue
        size += len(pictures.onset) + len(pictures.apex) + len(pictures.exaggerated)
        if size > limits.MOST_SHOWN_BYTES:
            left_out += 1
        else:
            kept[event.id] = pictures
    return kept, left_out


def _alarms(numbers: Digest) -> str:
    minutes = sum(last - first for first, last in numbers.spans.values()) / 60
    stayed = sum(event.stage != "withdrawn" for event in numbers.events.values())
    often = f", {stayed / minutes:.1f} a minute" if minutes > 0 else ""
    return (
        f"Events: {stayed}{often}. How many of them are false alarms a recording cannot say: if the person was neutral "
        "all the time, all are. A withdrawn event turned out to be something else, which its reason names."
    )


def _row(session: Session, event: Event, kept: MomentPictures | None) -> tuple[str, ...]:
    lasted = "" if event.offset_s is None else _ms(event.offset_s - event.onset_s)
    answer = f"{event.stage}: {event.reason}" if event.reason else event.stage
    elsewhere = "" if event.camera == session.header.camera else f" of {event.camera}"
    return (
        f"{event.id}{elsewhere}",
        str(event.face),
        clock(event.apex_s, 2),
        event.kind,
        event.label,
        f"{event.confidence:.2f}",
        "; ".join(unit.words for unit in event.units),
        answer,
        *_pictures(event, None if elsewhere else kept),
        _ms(event.apex_s - event.onset_s),
        lasted,
        ", ".join(event.quality),
    )


def _pictures(event: Event, kept: MomentPictures | None) -> tuple[Markup, Markup, Markup]:
    if kept is None:
        return Markup(), Markup(), Markup()
    of = f"face {event.face}, event {event.id}"
    return (
        _picture(kept.onset, f"{of}, at its onset"),
        _picture(kept.apex, f"{of}, at its apex"),
        _picture(kept.exaggerated, f"{of}, its movement exaggerated {kept.times:g} times"),
    )


def _picture(jpeg: bytes, said: str) -> Markup:
    if not jpeg:
        return Markup()
    return Markup(f'<img alt="{html(said)}" src="data:image/jpeg;base64,{b64encode(jpeg).decode()}">')


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
