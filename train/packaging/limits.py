"""What each method's networks are, and what they must not be trusted in: words that no manifest can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from realtime.engine.package.manifest import Manifest
from realtime.errors import EngineError
from realtime.labels import NONE


@dataclass(frozen=True, slots=True)
class MethodCard:
    """What a method is, and what holds for every network that it trains."""

    what: str
    limits: tuple[str, ...]


METHODS: dict[str, MethodCard] = {
    "expression": MethodCard(
        "A ResNet-18 that judges single pictures; its embeddings feed other engines.",
        (
            "It judges each frame for itself. What moves it does not know, nor how a face looks at rest: one that "
            "seems to smile at rest is happiness to it.",
            "It learned what a crowd took small grey pictures from the web for. Classes of which the scores count few "
            "pictures are known badly.",
        ),
    ),
    "spotter": MethodCard(
        "A recurrent network over how the face moves: it says when an expression is under way.",
        (
            "It sees movement on a coarse grid and nothing else. Where nothing moves for as long as its lag it sees "
            "nothing, whatever the face shows.",
            "It knows blinks, glances, speech, chewing, turns of the head and hands as the generator makes them. What "
            "else faces do, laughing, sneezing, drinking, it may take for an expression.",
        ),
    ),
    "dynamic": MethodCard(
        "A recurrent head over the embeddings of 16 frames, trained with the expression-clustering loss.",
        (
            "It sees an event through an encoder of still expressions; with any other its answers mean nothing.",
            "It sees frames spread evenly over an event, however long that is: how fast a face moves it does not know.",
            "It learned from pictures that were moved towards and away from a neutral face by action units, or that "
            "fade from one face to another: what people do in between it was never shown.",
        ),
    ),
    "cmn": MethodCard(
        "A contrastive magnification network over the embeddings of an event's frames.",
        (
            "It sees an event through an encoder of still expressions, in whose embeddings small movements are faint. "
            "With any other encoder, or the same one in INT8, its answers mean nothing.",
            "An onset or offset that the detector tells wrongly changes what it is shown.",
        ),
    ),
    "motion": MethodCard(
        "A small CNN and an LSTM over displacement fields: how the face moved from onset to apex.",
        (
            "It sees movement on a coarse grid and nothing else: no wrinkles, no colour, no gaze.",
            "Movement is divided by its own size, so it does not know how strong an expression is.",
            "It sees the face against what it was just before; if that was moving, all that follows is seen wrongly.",
        ),
    ),
    "apexnet": MethodCard(
        "An SE-ResNeXt that judges the picture of the apex, alone or beside that of the onset.",
        (
            "Shown the apex alone, it cannot tell an expression from a face that looks so at rest.",
            "A picture that is not of the apex is judged as if it were, and so is one of the onset.",
        ),
    ),
    "ecstfl": MethodCard(
        "A network of clips, trained with the expression-clustering loss.",
        (
            "It sees frames picked evenly over an event, however long that is: how fast a face moves it does not know.",
            "An event whose beginning or end was missed is judged by what is left of it.",
        ),
    ),
}
SYNTHETIC = (
    "It was trained and scored on synthetic clips alone: faces moved by scripted action units, seen through simulated "
    "cameras. It was never shown a face that moved by itself, and its scores do not say how well it does on one."
)
RECORDED = "It knows the people, cameras and lights of its data. On others it is worse as a rule."
FORCED = "It has no answer for a movement that none of its classes fits: whatever it is given gets one of them."
ALWAYS = (
    "A class says what coders or a crowd would call a face, not what a person feels, means or hides.",
    "Not measured: how its errors differ by age, sex, skin, glasses, beard or illness.",
    "It is not for decisions about people: not for hiring, policing, borders, insurance, schools or treatment, and not "
    "for telling lies from truth.",
)


def described(manifest: Manifest) -> MethodCard:
    """Its method; EngineError if nothing is written down here."""
    if manifest.method not in METHODS:
        reasons = [
            f"the limits of the method {manifest.method!r} are not written down: add them to train/packaging/limits.py"
        ]
        raise EngineError(f"{manifest.name} can have no card:", reasons)
    return METHODS[manifest.method]


def limits(manifest: Manifest) -> Iterator[str]:
    """Of the method, of the data, of the labels, and of everything that judges faces."""
    yield from described(manifest).limits
    yield SYNTHETIC if "clips" in manifest.training.recipe else RECORDED
    if manifest.task != "still-expression" and not {NONE, "others"} & set(manifest.labels):
        yield FORCED
    yield from ALWAYS
