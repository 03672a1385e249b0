"""A session as one HTML file: what was recorded and with what, when something happened, and what that is worth."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from realtime import config
from realtime.errors import SessionError
from realtime.markup import BLUE, Markup, document, html, table, wide
from realtime.schema.message import Engine, Event
from realtime.session import layout, limits
from realtime.session.read import Session
from realtime.session.regular import replaced
from realtime.session.report.bands import Points, bands, pieces
from realtime.session.report.digest import MOST_DRAWN, Digest, FaceDigest, Gap, digest
from realtime.session.report.events import anchor, happened
from realtime.session.report.timeline import clock, timeline
from realtime.session.survey import survey
from realtime.units import described

REPORT = "report.html"
#: Gaps and sentences that are listed, those that lasted longest.
MOST_GAPS, MOST_LEFT_OUT = 10, 10
HERE = Path(__file__).parent
WORTH = (
    "A live event is a candidate with a confidence, not a fact. On long unseen video the best published spotters reach "
    "an F1 of about 0.1. Expect false alarms when someone speaks, turns, or sits in flickering light. The default "
    "engines have never seen a real micro-expression: trust the moment more than the class. What the engines of this "
    "session were trained on stands below.",
    "Inferring emotions from faces is regulated: in the European Union the AI Act forbids it at work and in schools, "
    "with narrow exceptions. This page is personal data; ask the people in it before you pass it on.",
)
LEGEND = (
    "The line is the probability of an expression; the dotted line is the threshold that opens an event. An event is "
    "shaded from its onset to its offset, both broken lines, with a whole line at its apex under its mark: a diamond "
    "is micro, a square, hatched below, macro, and a hollow one was withdrawn. Click on an event to see it again. A "
    "grey bar is a gap in the recording."
)
LEGEND_OF_SHARES = (
    "Below, over the same time: how likely each expression is in every picture alone, smoothed; and how strongly each "
    "action unit had moved, which is read within events only."
)


def write(session: Session, path: Path | None = None) -> Path:
    """The page as `path`, else report.html in the session's folder, for its owner alone; SessionError if it cannot."""
    path = path or session.folder / REPORT
    text = page(session)
    try:
        with replaced(path, layout.PRIVATE_FILE) as beside:
            beside.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise SessionError(f"{path} cannot be written: {error}; give another file with --out") from None
    return path


def page(session: Session) -> str:
    """The whole document."""
    numbers = digest(session, survey(session))
    file = session.header.file
    title = file or f"Session of camera {session.header.camera}"
    sections = [
        f"<h1>{html(title)}</h1>",
        f"<p>{html(_summary(session, numbers))}</p>",
        *(f'<p class="note">{html(words)}</p>' for words in WORTH),
        _section("Timeline", *_timelines(session, numbers)),
        _section("Events", *happened(session, numbers)),
        _section("Rates and gaps", _rates(session, numbers), _left_out(session, numbers), _gaps(session, numbers)),
        *([] if file else [_section("Latency", _latencies(numbers))]),
        _section("Faces", _faces(session, numbers)),
        _section("Engines", _engines(session, numbers)),
        _section("Configuration", _configuration(session)),
    ]
    called = f"{file}: expressions" if file else f"Glimpse session of {session.header.camera}"
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("report.css", "player.js"))
    return document(called, sections, style, script)


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{html(title)}</h2>{''.join(parts)}</section>"


def _summary(session: Session, numbers: Digest) -> str:
    began = datetime.datetime.fromtimestamp(session.header.began_unix_s, datetime.timezone.utc)
    lasted = max((last - first for first, last in numbers.spans.values()), default=0.0)
    stayed = sum(event.stage != "withdrawn" for event in numbers.events.values())
    withdrawn = len(numbers.events) - stayed
    video = f", {'with' if session.video else 'without'} video"
    made = "Looked at" if session.header.file else "Recorded"
    return (
        f"{made} on {began:%Y-%m-%d at %H:%M:%S} UTC by Glimpse {session.header.glimpse}"
        f"{'' if session.header.file else video}. "
        f"Lasted {clock(lasted, 1)}; frames: {numbers.frames.total()}, faces: {len(numbers.faces)}, events: {stayed}, "
        f"withdrawn: {withdrawn}."
    )


def _timelines(session: Session, numbers: Digest) -> Iterator[str]:
    """A drawing for each of the faces that were seen longest, in the order in which they came."""
    longest = sorted(numbers.faces, key=lambda key: -numbers.faces[key].frames)[:MOST_DRAWN]
    for camera, id in (key for key in numbers.faces if key in longest):
        name = _name(session, camera, id)
        events = [event for event in numbers.events.values() if (event.camera, event.face) == (camera, id)]
        drawing = Markup("".join(_drawings(session, numbers, name, (camera, id), events)))
        yield f"<figure>{wide(drawing, f'Timeline of {name}')}<figcaption>{html(name)}</figcaption></figure>"
    if len(numbers.faces) > MOST_DRAWN:
        yield f"<p>Drawn are the {MOST_DRAWN} of {len(numbers.faces)} faces that were seen longest.</p>"
    yield f"<p>{html(LEGEND)} {html(LEGEND_OF_SHARES)}</p>" if numbers.faces else "<p>No face was seen.</p>"


def _drawings(
    session: Session, numbers: Digest, name: str, key: tuple[str, int], events: Sequence[Event]
) -> Iterator[Markup]:
    """The likelihood with the events, the expressions, and the action units, below each other."""
    face, span = numbers.faces[key], numbers.spans[key[0]]
    anchors = {event.id: anchor(event, session) for event in events if event.stage != "withdrawn"}
    yield timeline(name, face, span, events, numbers.gaps.get(key[0], ()), anchors)
    if face.shares:
        yield bands(
            f"Expressions of {name}", {label: pieces(curve) for label, curve in face.shares.items()}, span, BLUE
        )
    if key[0] == session.header.camera and (moved := _moved(session, events)):
        yield bands(f"Action units of {name}", moved, span, BLUE)


def _moved(session: Session, events: Sequence[Event]) -> dict[str, list[Points]]:
    """What each action unit did within events, a piece for each, by its number and name in order."""
    found: dict[str, list[Points]] = {}
    for event in sorted(events, key=lambda event: event.onset_s)[: limits.MOST_SENTENCES]:
        loop = session.loop(event.id) if event.stage != "withdrawn" else None
        for unit, read in (loop.units if loop is not None else {}).items():
            inside = [each for each in zip(loop.times, read, strict=True) if each[1] > 0] if loop is not None else []
            if inside:
                found.setdefault(unit, []).append(inside)
    return {f"AU {unit}, {described(unit, 'both', 1.0, 1.0)}": found[unit] for unit in sorted(found, key=_number_of)}


def _number_of(unit: str) -> tuple[int, str]:
    digits = unit.split("+")[0]
    return (int(digits) if digits.isdigit() else 0), unit


def _rates(session: Session, numbers: Digest) -> Markup:
    head = (_source(session), "frames", "frames a second", "shortest event seen", "gaps", "frames lost", "left out")
    rows = []
    for camera, frames in numbers.frames.items():
        gaps, meta = numbers.gaps.get(camera, []), numbers.metas.get(camera)
        lost = sum(gap.lost for gap in gaps)
        share = f"{lost} ({lost / (frames + lost):.1%})"
        shortest = f"{1000 * meta.shortest_event_s:.0f} ms" if meta and meta.shortest_event_s is not None else ""
        dropped = str(meta.dropped) if meta else ""
        rows.append(
            (
                _called(session, camera),
                str(frames),
                _number(numbers.rate_hz(camera), 1),
                shortest,
                str(len(gaps)),
                share,
                dropped,
            )
        )
    return table(head, rows, name="Rates and gaps by camera")


def _left_out(session: Session, numbers: Digest) -> str:
    """Nothing where the computer had time for all."""
    longest = sorted(numbers.left_out.items(), key=lambda each: -each[1].metas)[:MOST_LEFT_OUT]
    if not longest:
        return ""
    rows = [
        (
            _called(session, camera),
            clock(of.first_s),
            clock(of.last_s),
            f"{of.metas / numbers.told[camera]:.0%}",
            sentence,
        )
        for (camera, sentence), of in longest
    ]
    head = (_source(session), "from", "to", "of the time", "in its own words")
    return "<p>What the computer had no time for:</p>" + table(head, rows, name="What the computer had no time for")


def _gaps(session: Session, numbers: Digest) -> str:
    every = [(camera, gap) for camera, gaps in numbers.gaps.items() for gap in gaps]
    longest = sorted(every, key=lambda each: -_length_s(each[1]))[:MOST_GAPS]
    if not longest:
        return "<p>No frame was lost.</p>"
    rows = [
        (_called(session, camera), clock(gap.after_s, 2), f"{1000 * _length_s(gap):.0f} ms", str(gap.lost))
        for camera, gap in longest
    ]
    return "<p>The longest gaps:</p>" + table(
        (_source(session), "after", "lasted", "frames lost"), rows, name="Longest gaps"
    )


def _latencies(numbers: Digest) -> str:
    rows = []
    if (whole := numbers.latency_ms()) is not None:
        rows.append(("grabbed to published, every frame", *(f"{each:.2f}" for each in whole)))
    for camera, meta in numbers.metas.items():
        of = f" of {camera}" if len(numbers.metas) > 1 else ""
        stages = {name: taken for name, taken in meta.latency_ms.items() if name != "total" or whole is None}
        rows += [(f"{name}{of}", f"{t.p50:.2f}", f"{t.p95:.2f}", f"{t.p99:.2f}") for name, t in stages.items()]
    if not rows:
        return "<p>No latency was recorded.</p>"
    head = ("stage", "50 % below, ms", "95 % below, ms", "99 % below, ms")
    note = "<p>Stages are as they were measured at the end of the session, over its newest frames.</p>"
    return table(head, rows, name="Latency by stage") + note


def _faces(session: Session, numbers: Digest) -> str:
    if not numbers.faces:
        return "<p>No face was seen.</p>"
    rows = [
        (
            _name(session, camera, id),
            f"{clock(face.first_s, 1)} to {clock(face.last_s, 1)}",
            str(face.frames),
            _shares(face.expressions, face),
            _shares(face.poor, face) or "always good",
        )
        for (camera, id), face in numbers.faces.items()
    ]
    return table(("face", "seen", "frames", "looked like", "poor picture"), rows, name="Faces")


def _engines(session: Session, numbers: Digest) -> str:
    ran: dict[str, list[str]] = {}
    for engine in numbers.engines:
        ran.setdefault(engine.name, []).append(_ran(engine))
    rows = []
    for name in dict.fromkeys([*session.engines, *ran]):
        manifest = session.engines.get(name, {})
        training = manifest.get("training", {})
        trained, terms = "; ".join(training.get("data", ())), training.get("terms", "")
        ran_on, scores = "; ".join(ran.get(name, ())), _scores(manifest.get("scores", ()))
        rows.append((name, manifest.get("task", ""), ran_on, trained, terms, scores))
    if not rows:
        return "<p>No engine was recorded.</p>"
    return table(("engine", "judges", "ran on", "trained on", "terms", "scores"), rows, name="Engines")


def _scores(scores: Iterable[Mapping[str, Any]]) -> str:
    """Those of one protocol together, each protocol once."""
    by_protocol: dict[str, list[str]] = {}
    for score in scores:
        by_protocol.setdefault(score["protocol"], []).append(f"{score['name']} {score['value']:g}")
    return ". ".join(f"{', '.join(values)} (on {protocol})" for protocol, values in by_protocol.items())


def _configuration(session: Session) -> str:
    """What differs from the default, of the keys that both know."""
    here, default = _flat(session.header.config), _flat(msgspec.json.decode(msgspec.json.encode(config.load())))
    rows = [(key, str(value), str(default[key])) for key, value in here.items() if default.get(key, value) != value]
    if not rows:
        return "<p>All as in configs/realtime.toml.</p>"
    return table(("key", "here", "by default"), rows, name="Configuration that differs from the default")


def _flat(tree: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{at}{key}.") if isinstance(value, Mapping) else {at + key: value}
    return flat


def _ran(engine: Engine) -> str:
    instead = f" because {engine.fallback}" if engine.fallback else ""
    return f"{engine.backend} {engine.precision}{instead}"


def _name(session: Session, camera: str, id: int) -> str:
    return f"face {id}" if camera == session.header.camera else f"face {id} of camera {camera}"


def _source(session: Session) -> str:
    """What stands over the names of cameras, or of the file that was played."""
    return "file" if session.header.file else "camera"


def _called(session: Session, camera: str) -> str:
    return session.header.file if session.header.file and camera == session.header.camera else camera


def _shares(counted: Mapping[str, int], face: FaceDigest) -> str:
    shares = sorted(counted.items(), key=lambda each: -each[1])
    return ", ".join(f"{name} {count / face.frames:.0%}" for name, count in shares if count / face.frames >= 0.005)


def _length_s(gap: Gap) -> float:
    return gap.before_s - gap.after_s


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
