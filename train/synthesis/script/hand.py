"""A hand before the face: it hides what lies behind it, and moves what a tracker takes for skin.

A sprite of fingers, palm and wrist in the colour of the face, drawn once a film, is laid over each picture where the
hand is at that moment. It has no joints that bend, no shadow on the face, and a fast one is not blurred. All figures
are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from realtime.records import Floats, Image, Times
from train.synthesis.script.strokes import StrokeSpan

SPRITE_PX = 128  # fingers and palm are so long, and half as wide; the wrist goes on for half as much
#: Lines of a thickness, in palm widths: from x, y to x, y.
PARTS = (
    ((0.15, 0.40), (0.25, 1.00), 0.20),
    ((0.37, 0.12), (0.42, 1.00), 0.21),
    ((0.60, 0.08), (0.58, 1.00), 0.21),
    ((0.83, 0.22), (0.75, 1.00), 0.20),
    ((0.50, 1.30), (0.50, 1.45), 0.74),
    ((0.50, 1.60), (0.50, 3.00), 0.55),
)
FAR = 3.0  # eye distances from the picture's middle: there it is out of view


@dataclass(frozen=True, slots=True)
class Hand:
    """One that comes from below, stays at the face, and goes again; eye distances from the picture's middle."""

    span: StrokeSpan
    at: tuple[float, float]  #: where it stays, right and down
    side: float  #: -1 if it comes from the picture's left, 1 from its right
    height: float
    turn_deg: float
    rub: float  #: how far it moves while it stays,
    rub_hz: float  #: and how often a second
    shade: float  #: its brightness, of that of the face

    def place(self, times: Times) -> Floats:
        """Where it is at `times`: (T, 2)."""
        near = self.span.level(times)[:, None]
        rubbed = self.rub * np.sin(2 * np.pi * self.rub_hz * (times - self.span.apex))[:, None] * near
        away = np.array([self.side * FAR, FAR])
        return np.asarray(away + near * (np.array(self.at) - away) + rubbed * [1.0, 0.4], np.float32)


def reached(onset: float, rng: np.random.Generator) -> Hand:
    """A hand that leaves for the face at `onset`."""
    out, back, stay = rng.uniform(0.4, 0.9), rng.uniform(0.4, 0.9), rng.uniform(0.2, 2.0)
    side = float(rng.choice((-1.0, 1.0)))
    rub = rng.uniform(0.05, 0.2) if rng.random() < 0.5 else 0.0
    return Hand(
        span=StrokeSpan(onset, onset + out, onset + out + stay, onset + out + stay + back),
        at=(side * rng.uniform(0.0, 0.8), rng.uniform(-0.2, 0.8)),
        side=side,
        height=rng.uniform(1.5, 2.2),
        turn_deg=-side * rng.uniform(0.0, 60.0),
        rub=float(rub),
        rub_hz=rng.uniform(1.0, 3.0),
        shade=rng.uniform(0.85, 1.1),
    )


def covered(pictures: Iterator[Image], times: Times, hands: Sequence[Hand], eye_px: float) -> Iterator[Image]:
    """`pictures`, (S, S, 3) or (S, S), taken at `times`, with `hands` before what they show."""
    places = [hand.place(times) for hand in hands]
    sprite: tuple[Floats, Floats] | None = None
    for number, picture in enumerate(pictures):
        seen = picture
        for hand, place in zip(hands, places, strict=True):
            if hand.span.onset < times[number] < hand.span.offset:
                sprite = sprite or _sprite(_skin(picture))
                seen = _laid(seen, sprite, hand, place[number], eye_px)
        yield seen


def _skin(picture: Image) -> Floats:
    """The colour (C,) of the middle of a picture, which shows a face."""
    third = len(picture) // 3
    middle = picture[third:-third, third:-third].reshape(-1, *picture.shape[2:])
    return np.asarray(np.atleast_1d(np.median(middle, axis=0)), np.float32)


def _sprite(skin: Floats) -> tuple[Floats, Floats]:
    """Colours (H, W, C) and coverage (H, W) 0..1 of a hand that points up; darker towards the edge of each part."""
    width = SPRITE_PX // 2
    light, cover = np.zeros((3 * width, width), np.float32), np.zeros((3 * width, width), np.uint8)
    for begin, end, thick in PARTS:
        part = np.zeros_like(cover)
        tips = [np.round(np.multiply(tip, width)).astype(int) for tip in (begin, end)]
        cv2.line(part, tips[0], tips[1], (255,), round(thick * width))
        inside = cv2.distanceTransform(part, cv2.DIST_L2, 5) / (0.1 * width)
        light = np.where(part > 0, 0.7 + 0.3 * np.minimum(inside, 1.0), light).astype(np.float32)
        cover = np.maximum(cover, part)
    soft = cv2.GaussianBlur(cover.astype(np.float32) / 255, (0, 0), 1.0)
    return light[..., None] * skin, np.asarray(soft, np.float32)


def _laid(picture: Image, sprite: tuple[Floats, Floats], hand: Hand, place: Floats, eye_px: float) -> Image:
    """`picture` with the hand at `place` (2,): its fingertips lie there."""
    size, scale = len(picture), hand.height * eye_px / SPRITE_PX
    tips = (SPRITE_PX / 4, SPRITE_PX / 8)
    turned = cv2.getRotationMatrix2D(tips, hand.turn_deg, scale)
    turned[:, 2] = turned[:, 2] + size / 2 + place * eye_px - tips
    colours, cover = (cv2.warpAffine(part, turned, (size, size)) for part in sprite)
    colours = colours.reshape(size, size, -1) * np.float32(hand.shade)
    shares = cover[..., None]
    mixed = shares * colours + (1.0 - shares) * picture.reshape(size, size, -1)
    return np.asarray(np.clip(mixed, 0, 255), np.uint8).reshape(picture.shape)
