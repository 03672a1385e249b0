"""What was told of all videos at one rate, against what happens in them.

Spotting as in `train.spotting.detection_scores`; recognition on the events that were found: of the verdict that was
published, of each engine alone, and of those that judge together; both by STRS, the product of the F1 of spotting and
of recognition on what was spotted (Liong, See and Chan 2023, "Spot-then-recognize"; the challenge MEGC 2025). The
latter is UF1 here, the mean of the classes' F1, over the classes that were shown; the authors' script
(genbing99/STRS-Metric) takes the F1 of their mean precision and mean recall. All is pooled over the videos.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from realtime.labels import NONE
from train.chain.labels import Recognition, recognition, shared
from train.chain.play import PlayedVideo, ToldEvent
from train.chain.reliability import Reliability, reliability
from train.chain.truth import Labelled
from train.spotting.detection_scores import GROUPS, IOU, DetectionScores, Group, score
from train.spotting.happened import Happened, under
from train.spotting.movements import Detection, match

NOTHING = "nothing"
VERDICT, EARLY = "verdict", "verdict at the apex"


@dataclass(frozen=True, slots=True)
class Answered(Detection):
    """A detection, and all that was told of it."""

    told: ToldEvent


@dataclass(frozen=True, slots=True)
class KindOutcome:
    """All figures of one kind of expression, or of all."""

    spotting: DetectionScores
    f1: float  #: of spotting; the others of its shares can be counted from it
    under: dict[str, int]  #: what happens for most of the time of a false alarm -> false alarms
    recognition: dict[str, Recognition]  #: engine, or one of `VERDICT` and `EARLY` -> on the events that were found
    f1_recognise: float | None  #: UF1 of the verdict
    strs: float | None
    reliability: Reliability | None  #: of the last confidence; right is found, and named rightly if it has a name


@dataclass(frozen=True, slots=True)
class AtRate:
    """One row of the report."""

    rate_hz: float  #: 0 is each video's own
    seen_hz: tuple[float, float]  #: slowest and fastest of the videos, as they were played
    videos: int
    minutes: float
    happened: dict[str, int]  #: micro, macro, blink ... -> how often, in truth
    taken_back_per_minute: float  #: micro-expressions that were told at their apex, and withdrawn or told as macro
    parts: dict[Group, KindOutcome]


def outcome(played: Sequence[PlayedVideo]) -> AtRate:
    """Of videos that were all played at one rate."""
    truth = [true for each in played for true in each.video.expressions]
    said = [found for each in played for found in detections(each)]
    seconds = {each.video.id: each.seconds for each in played}
    spotted = score(truth, said, seconds)
    minutes = sum(seconds.values()) / 60
    rates = [each.seen_hz for each in played]
    return AtRate(
        rate_hz=played[0].rate_hz,
        seen_hz=(min(rates), max(rates)),
        videos=len(played),
        minutes=minutes,
        happened=_happened(played),
        taken_back_per_minute=sum(taken_back(told) for each in played for told in each.told) / minutes,
        parts={group: _part(group, spotted[group], truth, said, played) for group in GROUPS},
    )


def detections(played: PlayedVideo) -> list[Answered]:
    """The events that were not withdrawn."""
    return [
        Answered(
            played.video.id, last.kind, last.onset_s, last.apex_s,
            last.apex_s if last.offset_s is None else last.offset_s, last.confidence, told.first.emitted_s, told,
        )
        for told in played.told
        if (last := told.last).stage != "withdrawn"
    ]  # fmt: skip


def _part(
    group: Group,
    spotting: DetectionScores,
    truth: Sequence[Labelled],
    said: Sequence[Answered],
    played: Sequence[PlayedVideo],
) -> KindOutcome:
    own = [true for true in truth if true.kind in GROUPS[group]]
    answers = [found for found in said if found.kind in GROUPS[group]]
    pairs = match(own, answers, IOU)
    named = _recognition([(true, found) for true, found in pairs if true.label])
    f1 = named[VERDICT].uf1 if named else None
    return KindOutcome(
        spotting=spotting,
        f1=spotting.f1,
        under=_under(answers, [found for _, found in pairs], played),
        recognition=named,
        f1_recognise=f1,
        strs=None if f1 is None else spotting.f1 * f1,
        reliability=_reliability(answers, pairs),
    )


def _recognition(pairs: Sequence[tuple[Labelled, Answered]]) -> dict[str, Recognition]:
    """Nothing where no pair has a true label."""
    truth = [true.label for true, _ in pairs]
    last = [found.told.last for _, found in pairs]
    said = {VERDICT: [{event.label: 1.0} for event in last]}
    said[EARLY] = [{found.told.first.label: 1.0} for _, found in pairs]
    for engine in dict.fromkeys(name for event in last for name in event.probabilities):
        said[engine] = [_told(event.probabilities.get(engine, {})) for event in last]
    found = {}
    for name, shares in said.items():
        told = [(label, share) for label, share in zip(truth, shares, strict=True) if share]
        one = recognition([label for label, _ in told], [share for _, share in told])
        if one is not None:
            found[name] = one
    return found


def _told(shares: Mapping[str, float]) -> dict[str, float]:
    """What an engine would have told alone of an event that was kept: any label but "none", as the verdict does."""
    return {label: share for label, share in shares.items() if label != NONE}


def _reliability(answers: Sequence[Answered], pairs: Sequence[tuple[Labelled, Answered]]) -> Reliability | None:
    truth = {id(found): true for true, found in pairs}
    labels = {true.label for true in truth.values() if true.label}
    classes = shared(labels, {found.told.last.label for found in answers})

    def right(found: Answered) -> bool:
        true = truth.get(id(found))
        return true is not None and (not true.label or classes[true.label] == classes[found.told.last.label])

    return reliability([found.confidence for found in answers], [right(found) for found in answers])


def _under(answers: Sequence[Answered], right: Sequence[Answered], played: Sequence[PlayedVideo]) -> dict[str, int]:
    """What shares most of its time with each false alarm: a distractor, an expression, or nothing."""
    lying: dict[str, list[Happened]] = {}
    for each in played:
        lying[each.video.id] = [Happened(d.name, d.onset_s, d.offset_s) for d in each.video.distractions]
        lying[each.video.id] += [Happened(e.kind, e.onset_s, e.offset_s) for e in each.video.expressions]
    known = {id(found) for found in right}
    counts: Counter[str] = Counter()
    for found in answers:
        if id(found) not in known:
            shares = ((seconds, name) for name, seconds in under(found, lying[found.video]).items())
            counts[max(shares, default=(0.0, NOTHING))[1]] += 1
    return dict(counts.most_common())


def _happened(played: Sequence[PlayedVideo]) -> dict[str, int]:
    names: Counter[str] = Counter()
    for each in played:
        names.update(expression.kind for expression in each.video.expressions)
        names.update(distraction.name for distraction in each.video.distractions)
    return dict(sorted(names.items()))


def taken_back(told: ToldEvent) -> bool:
    """Whether it was told at its apex as a micro-expression, and at its end withdrawn or told as another kind."""
    first, last = told.answers[0], told.last
    return first.stage == "early" and first.kind == "micro" and (last.stage == "withdrawn" or last.kind != "micro")


def plain(rows: Sequence[AtRate]) -> list[dict[str, object]]:
    """As JSON has it."""
    return [asdict(row) for row in rows]
