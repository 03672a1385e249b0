"""The events of a session one below the other, each to be opened; those that were withdrawn are a count, unfolded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from realtime.markup import Markup, html, table
from realtime.pipeline.loop import Loop
from realtime.schema.message import Event, MomentPictures
from realtime.session import limits
from realtime.session.read import Session
from realtime.session.report import wording
from realtime.session.report.digest import Digest
from realtime.session.report.marks import alone
from realtime.session.report.replay import pictures, player
from realtime.session.report.timeline import clock

PROBABILITIES = ("engine", "label", "probability")
GONE = ("event", "face", "apex at", "kind", "why", "onset to apex", "poor picture")


class KeptPictures(NamedTuple):
    """What was kept of an event to be seen."""

    pictures: MomentPictures
    loop: Loop | None


def happened(session: Session, numbers: Digest) -> Iterator[str]:
    """Each event that stayed, how often there was one, and those that were withdrawn."""
    events = sorted(numbers.events.values(), key=lambda event: (event.camera, event.apex_s))
    if not events:
        yield "<p>Nothing was found.</p>"
        return
    yield f"<p>{html(_alarms(numbers))}</p>"
    stayed = [event for event in events if event.stage != "withdrawn"]
    kept, left_out = _kept(session, stayed)
    if left_out:
        most = limits.MOST_SHOWN_BYTES // 10**6
        yield f"<p>Only {most} MB of pictures are shown: the pictures of the other events are left out.</p>"
    for event in stayed:
        yield _event(session, event, kept.get(event.id) if event.camera == session.header.camera else None)
    if gone := [event for event in events if event.stage == "withdrawn"]:
        yield _withdrawn(session, gone)


def anchor(event: Event, session: Session) -> str:
    """What an event is called within the page."""
    return f"event-{event.id}" if event.camera == session.header.camera else f"event-{event.id}-{event.camera}"


def _kept(session: Session, events: Iterable[Event]) -> tuple[dict[int, KeptPictures], int]:
    """What was kept by event, up to a size that can be opened, and of how many events it is left out."""
    kept, size, left_out = {}, 0, 0
    for event in events:
        found = session.moment(event.id) if event.camera == session.header.camera else None
        if found is None:
            continue
        loop = session.loop(event.id)
        size += len(found.onset) + len(found.apex) + len(found.exaggerated)
        size += 0 if loop is None else len(loop.strip) + len(loop.offset)
        if size > limits.MOST_SHOWN_BYTES:
            left_out += 1
        else:
            kept[event.id] = KeptPictures(found, loop)
    return kept, left_out


def _alarms(numbers: Digest) -> str:
    minutes = sum(last - first for first, last in numbers.spans.values()) / 60
    stayed = sum(event.stage != "withdrawn" for event in numbers.events.values())
    often = f", {stayed / minutes:.1f} a minute" if minutes > 0 else ""
    return (
        f"Events: {stayed}{often}. How many of them are false alarms a recording cannot say: if the person was neutral "
        "all the time, all are."
    )


def _event(session: Session, event: Event, kept: KeptPictures | None) -> str:
    """A line, and what opens below it."""
    took = f", {wording.lasted(event)} long" if event.offset_s is not None else ", still open"
    line = (
        f'{alone(event)}<b class="{event.kind}">{html(event.label)}</b> '
        f"{html(f'{event.kind}, {wording.sure(event)}')} "
        f'<span class="more">{html(f"at {clock(event.apex_s, 2)}{took}{_whose(session, event)}")}</span>'
    )
    parts = [_facts(event)]
    if kept is not None:
        parts.append(pictures(event, kept.pictures, kept.loop))
        if kept.loop is not None:
            parts.append(player(event, kept.loop))
    parts.append(_probabilities(event))
    opened = f'<details class="event" id="{html(anchor(event, session))}" name="event">'
    return f"{opened}<summary>{line}</summary>{''.join(parts)}</details>"


def _whose(session: Session, event: Event) -> str:
    elsewhere = "" if event.camera == session.header.camera else f" of {event.camera}"
    return f", event {event.id}{elsewhere}, face {event.face}"


def _facts(event: Event) -> str:
    """What moved, how fast, and how far the picture can be trusted."""
    moved = "; ".join(unit.words for unit in event.units)
    said = [f"{moved[:1].upper()}{moved[1:]}." if moved else "No action unit is sure to have moved."]
    said.append(f"Onset to apex {wording.milliseconds(event.apex_s - event.onset_s)}.")
    if event.offset_s is not None:
        said.append(f"Onset to offset {wording.lasted(event)}.")
    if event.quality:
        said.append(f"The picture: {wording.doubts(event)}.")
    return f"<p>{html(' '.join(said))}</p>"


def _probabilities(event: Event) -> str:
    rows = [
        (engine, label, f"{share:.1%}")
        for engine, shares in event.probabilities.items()
        for label, share in sorted(shares.items(), key=lambda each: -each[1])
        if share >= 0.005
    ]
    if not rows:
        return ""
    told = table(PROBABILITIES, rows, name=f"Probabilities of event {event.id} by engine")
    return f"<details><summary>Details: probabilities by engine</summary>{told}</details>"


def _withdrawn(session: Session, gone: Sequence[Event]) -> Markup:
    """A count, and why each was."""
    rows = [_row(session, event) for event in gone]
    count = f"{len(gone)} withdrawn: each turned out to be no expression, or was too unsure"
    said = table(GONE, rows, name="Withdrawn events")
    return Markup(f'<details class="gone" id="withdrawn"><summary>{html(count)}</summary>{said}</details>')


def _row(session: Session, event: Event) -> tuple[str, ...]:
    elsewhere = "" if event.camera == session.header.camera else f" of {event.camera}"
    return (
        Markup(f"{alone(event)}{html(f'{event.id}{elsewhere}')}"),
        str(event.face),
        clock(event.apex_s, 2),
        event.kind,
        wording.why(event),
        wording.milliseconds(event.apex_s - event.onset_s),
        wording.doubts(event),
    )
