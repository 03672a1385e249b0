"""What this machine can do of what the camera asks: measured, and given up in a stated order before latency grows.

Three threads share the work on a frame: one finds faces in it, one measures how they moved, one judges. The slowest of
them must be done before the next frame comes. Where it is not, the encoder sees fewer frames, then states go without
landmarks, then frames are left out, as gaps. A recording that is played as fast as possible asks for nothing and gives
nothing up.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

from realtime.config import BudgetConfig

log = logging.getLogger(__name__)

ENCODER_HZ = 30.0  # "auto": expressions are smoothed over a quarter of a second, heads take a few frames of an event
RATES_HZ = (15.0, 10.0, 5.0)  # that the encoder gives up to, in turn
SKIPS = (2, 3, 4, 6, 8)  # one frame of so many is looked at, in turn
FEWEST = 10  # frames that a decision rests on
HICCUP = 3.0  # times the median: what a frame takes beyond that says nothing of the next ones


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """How a camera is watched for now."""

    encoder_hz: float  #: most crops of a face that the encoder sees in a second
    landmarks: bool  #: may go into states
    every: int  #: one of so many frames is looked at


@dataclass(frozen=True, slots=True)
class Cost:
    """What a frame that was looked at took, in seconds of the wall clock."""

    fetch: float  #: to get one frame of the camera, in the thread that finds faces; also of those that are left out
    track: float  #: there, to find and align faces
    move: float  #: in the thread that measures how they moved
    rest: float  #: in the thread that judges, without what follows
    points: float  #: there, to put landmarks into the state; 0 where they are left out
    encode: float  #: there, of the encoder; 0 where it did not look


@dataclass(frozen=True, slots=True)
class _Measured:
    t: float
    interval: float  #: from the camera's frame before, in seconds
    cost: Cost


class Budget:
    """`push` what each frame took, do as `plan` says. Measured over `settle_s`, and as long after each change.

    It gives up until the busiest thread is below `most` of the time, and takes back what leaves it below `least`; when
    that was too much, it waits twice as long the next time.
    """

    def __init__(self, config: BudgetConfig, encoder_hz: float) -> None:
        self._config = config
        self.plans = _plans(encoder_hz)  #: all there are, each giving up more than the one before
        self.landmarks = False  #: whether anybody wants them, so that they can be given up
        self._level = 0
        self._newest: deque[_Measured] = deque()
        self._points_s = 0.0  #: what landmarks took when they were last sent
        self._rate_hz = 0.0  #: the camera's, when the plan was made
        self._decided = self._changed = 0.0
        self._took_back = False  #: whether the last change did
        self._patience_s = config.return_s

    @property
    def plan(self) -> WatchPlan:
        """How the next frame is watched."""
        return self.plans[self._level]

    def push(self, t: float, interval_s: float, cost: Cost) -> None:
        """A frame of time `t`, `interval_s` after the camera's last one, in which somebody was seen, took `cost`."""
        if not self._config.enabled:
            return
        self._points_s = cost.points or self._points_s
        self._newest.append(_Measured(t, interval_s, cost))
        while len(self._newest) > FEWEST and t - self._newest[0].t > self._config.settle_s:
            self._newest.popleft()
        if t - self._decided < self._config.settle_s or len(self._newest) < FEWEST:
            return
        self._decided = t
        cost = self._typical_cost()
        if self._load(self.plan, cost) > self._config.most:
            self._go(t, self._first_within(self._config.most, cost))
        elif self._level and t - self._changed > self._patience_s:
            self._go(t, min(self._first_within(self._config.least, cost), self._level))

    def describe(self) -> str:
        """What is left out, and why, as one sentence; "" while nothing is."""
        plan, full, rate = self.plan, self.plans[0], self._rate_hz
        if plan == full:
            return ""
        parts = []
        judged = min(full.encoder_hz, rate / plan.every)
        if plan.every > 1:
            parts.append(f"{rate / plan.every:.0f} of the camera's {rate:.0f} frames a second are looked at")
        if self.landmarks and not plan.landmarks:
            parts.append("the face's points are not sent")
        if plan.encoder_hz < judged:
            parts.append(f"expressions are judged {plan.encoder_hz:.0f} times a second instead of {judged:.0f}")
        return f"The computer that runs Glimpse is too slow for the camera, so {', '.join(parts)}."

    def _go(self, t: float, level: int) -> None:
        if level == self._level:
            return
        if self._took_back:  # it was too much where it must be given up again at once
            hasty = level > self._level and t - self._changed < self._patience_s
            longer = min(2.0 * self._patience_s, self._config.return_most_s)
            self._patience_s = longer if hasty else self._config.return_s
        self._took_back = level < self._level
        self._level, self._changed, self._rate_hz = level, t, 1.0 / self._interval_s
        self._newest.clear()
        log.warning("%s", self.describe() or "Glimpse keeps up with the camera again; nothing is left out.")

    def _first_within(self, limit: float, cost: Cost) -> int:
        """The first plan with a load of at most `limit`; the last one, if there is none."""
        fitting = (level for level, plan in enumerate(self.plans) if self._load(plan, cost) <= limit)
        return next(fitting, len(self.plans) - 1)

    @property
    def _interval_s(self) -> float:
        return sum(each.interval for each in self._newest) / len(self._newest)

    def _typical_cost(self) -> Cost:
        """Of the newest frames; what the encoder takes is that of the frames it looked at."""
        costs = [each.cost for each in self._newest]
        return Cost(
            fetch=_typical([cost.fetch for cost in costs]),
            track=_typical([cost.track for cost in costs]),
            move=_typical([cost.move for cost in costs]),
            rest=_typical([cost.rest for cost in costs]),
            points=self._points_s if self.landmarks else 0.0,
            encode=_typical([cost.encode for cost in costs if cost.encode]),
        )

    def _load(self, plan: WatchPlan, cost: Cost) -> float:
        """How much of the time between frames that are looked at the busiest thread would take under `plan`."""
        interval = self._interval_s * plan.every
        judge = cost.rest + cost.points * plan.landmarks + cost.encode * min(plan.encoder_hz * interval, 1.0)
        return max(plan.every * cost.fetch + cost.track, cost.move, judge) / interval


def _typical(seconds: list[float]) -> float:
    """The mean, of which one hiccup is no large part: nothing counts as more than a few times the median."""
    if not seconds:
        return 0.0
    most = HICCUP * sorted(seconds)[len(seconds) // 2]
    return sum(min(each, most) for each in seconds) / len(seconds)


def _plans(encoder_hz: float) -> list[WatchPlan]:
    """All that can be given up, in order, each with all before."""
    rates = [encoder_hz, *(rate for rate in RATES_HZ if rate < encoder_hz)]
    plans = [WatchPlan(rate, landmarks=True, every=1) for rate in rates]
    return [*plans, *(WatchPlan(rates[-1], landmarks=False, every=every) for every in (1, *SKIPS))]
