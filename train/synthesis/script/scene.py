"""Everything that happens in one film, drawn from a seed; and what it makes of face, head and light at any moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.errors import ConfigError
from realtime.records import Floats, Times
from train.config.clips import Clips, Distractors
from train.synthesis.face.channels import INDEX, NAMES
from train.synthesis.face.performance import HeadMotion
from train.synthesis.script.distractors import MAKERS, micro, strong
from train.synthesis.script.hand import Hand
from train.synthesis.script.happening import HIDING, Happening
from train.synthesis.script.strokes import MICRO_S, micro_length
from train.synthesis.script.sway import Wave, sway

LEAD_S, TAIL_S = 0.25, 0.05  # the face before and after the event of a clip
APART_S = 0.6  # between expressions of a video, so that each has an onset of its own
MAINS_HZ = (100.0, 120.0)  # lamps flicker at twice the mains' frequency
POSE = ("yaw", "pitch", "roll", "x", "y", "nearer")


@dataclass(frozen=True, slots=True)
class Lamp:
    """Light that flickers and drifts: `1 + size * sin(2 pi (rate_hz t + phase)) + drift(t)`."""

    size: float
    rate_hz: float
    phase: float
    drift: Wave

    def seen(self, times: Times, open_s: float) -> Times:
        """The mean brightness of exposures around `times` that last `open_s`: long ones average the flicker away."""
        smoothed = self.size * np.sinc(self.rate_hz * open_s)
        drift = along(self.drift, times)
        return np.asarray(1.0 + smoothed * np.sin(2 * np.pi * (self.rate_hz * times + self.phase)) + drift, np.float64)


@dataclass(frozen=True, slots=True)
class Scene:
    """What one film shows; events in the order of their onsets."""

    seconds: float
    happenings: tuple[Happening, ...]
    sway: dict[str, Wave]
    lamp: Lamp

    @property
    def hands(self) -> tuple[Hand, ...]:
        """Those that come before the face."""
        return tuple(happening.hand for happening in self.happenings if happening.hand is not None)

    def amounts(self, times: Times) -> Floats:
        """(T, K): the channels of `NAMES`, of several movements added up, at most 1."""
        found = np.zeros((len(times), len(NAMES)))
        for happening in self.happenings:
            for stroke in happening.strokes:
                if stroke.name in INDEX:
                    found[:, INDEX[stroke.name]] += stroke.amount * stroke.span.level(times)
        return np.minimum(found, 1.0).astype(np.float32)

    def pose(self, times: Times) -> HeadMotion:
        """The head's movement at `times`."""
        parts = {name: np.zeros(len(times)) for name in POSE}
        for name, wave in self.sway.items():
            parts[name] += along(wave, times)
        for happening in self.happenings:
            for stroke in happening.strokes:
                if stroke.name in parts:
                    parts[stroke.name] += stroke.amount * stroke.span.level(times)
        turn, shift = (np.stack([parts[name] for name in names], 1) for names in (POSE[:3], POSE[3:5]))
        return HeadMotion(turn.astype(np.float32), shift.astype(np.float32), parts["nearer"].astype(np.float32))


def along(wave: Wave, times: Times) -> Times:
    """The values of `wave` at all `times`."""
    turns = np.outer(times, wave.rates_hz) + wave.phases
    return np.asarray(np.sin(2 * np.pi * turns) @ np.array(wave.sizes), np.float64)


def clip_scene(clips: Clips, label: str | None, rng: np.random.Generator) -> Scene:
    """A short film with one event of class `label`; without one if None, and then with a distractor, if any is on."""
    seconds = clips.seconds
    if seconds < LEAD_S + TAIL_S + MICRO_S[0]:
        raise ConfigError(
            f"[clips] seconds is {seconds:g}; a clip with an event needs {LEAD_S + TAIL_S + MICRO_S[0]:g}"
        )
    found: list[Happening] = []
    on = rates(clips.distractors)
    if label is None:
        found += one_of(on, seconds, rng)
    else:
        length = min(micro_length(rng), seconds - LEAD_S - TAIL_S)
        onset = rng.uniform(LEAD_S, seconds - length - TAIL_S)
        found.append(micro(label, clips.intensities, onset, length, rng))
        on = {name: rate for name, rate in on.items() if name not in HIDING}
    for name, rate in on.items():
        found += [MAKERS[name](float(at), rng) for at in poisson(rate, seconds, rng)]
    return composed(seconds, found, clips.distractors, rng)


def macro_scene(clips: Clips, label: str, rng: np.random.Generator) -> Scene:
    """A film as long as one macro-expression of class `label`, with what would not hide it."""
    shown = strong(label, LEAD_S, rng)
    seconds = shown.offset + TAIL_S
    on = {name: rate for name, rate in rates(clips.distractors).items() if name not in HIDING}
    others = [MAKERS[name](float(at), rng) for name, rate in on.items() for at in poisson(rate, seconds, rng)]
    return composed(seconds, [shown, *others], clips.distractors, rng)


def video_scene(clips: Clips, seconds: float, micro_per_minute: float, rng: np.random.Generator) -> Scene:
    """A long film: micro-expressions of all classes, between them what would hide them, distractors at their rates."""
    on = rates(clips.distractors)
    expressions: list[Happening] = []
    plan = [("", at) for at in poisson(micro_per_minute, seconds, rng)]
    plan += [(name, at) for name in HIDING for at in poisson(on.pop(name, 0.0), seconds, rng)]
    for kind, at in plan:
        labels = ("negative", "positive", "surprise")
        drawn = (
            MAKERS[kind](float(at), rng)
            if kind
            else micro(labels[int(rng.integers(3))], clips.intensities, float(at), micro_length(rng), rng)
        )
        if drawn.offset < seconds and drawn.onset > APART_S and all(_clear(drawn, other) for other in expressions):
            expressions.append(drawn)
    others = [MAKERS[name](float(at), rng) for name, rate in on.items() for at in poisson(rate, seconds, rng)]
    return composed(seconds, expressions + others, clips.distractors, rng)


def rates(distractors: Distractors) -> dict[str, float]:
    """Those that are on: name -> so many a minute."""
    return {name: rate for name in MAKERS if (rate := float(getattr(distractors, name))) > 0.0}


def one_of(on: dict[str, float], seconds: float, rng: np.random.Generator) -> list[Happening]:
    """One distractor of those that are on, somewhere in the film."""
    if not on:
        return []
    name = list(on)[int(rng.integers(len(on)))]
    return [MAKERS[name](rng.uniform(0.0, 0.7 * seconds), rng)]


def poisson(per_minute: float, seconds: float, rng: np.random.Generator) -> Times:
    """Onsets of a Poisson process."""
    return rng.uniform(0.0, seconds, rng.poisson(per_minute * seconds / 60.0))


def _clear(one: Happening, other: Happening) -> bool:
    return one.onset > other.offset + APART_S or other.onset > one.offset + APART_S


def composed(seconds: float, found: list[Happening], distractors: Distractors, rng: np.random.Generator) -> Scene:
    """`found` in order, with a head that sways and a lamp that flickers."""
    degrees = distractors.sway_deg * rng.uniform(0.1, 1.0)
    head = sway(rng, degrees=degrees, shift=0.015 * degrees) if degrees else {}
    size = distractors.flicker * rng.uniform(0.0, 1.0)
    rate = MAINS_HZ[int(rng.integers(2))] * rng.uniform(0.998, 1.002)
    drift = sway(rng, degrees=0.3 * size, shift=0.0)["yaw"]
    lamp = Lamp(float(size), float(rate), float(rng.random()), drift)
    return Scene(seconds, tuple(sorted(found, key=lambda happening: happening.onset)), head, lamp)
