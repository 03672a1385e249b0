"""States and events as streams of the Lab Streaming Layer, beside EEG, eye trackers and the like; only door to pylsl.

Every sample is stamped on LSL's clock with the time at which the camera took the picture, however late it comes:
    <name> state <camera> face <id>    numbers: the probabilities of any expression, and of each, for every frame
    <name> events <camera>             one string a sample: the event as JSON, its times on LSL's clock too
    <name> event values <camera>       the same as numbers
The sample of an event carries the time of the newest picture that its answer knew, since its onset and apex lie
before, and behind those of other faces: a stream's time must never run backwards. They are among its values.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from realtime.config import PublishConfig
from realtime.errors import PublishError
from realtime.publish import Asker, Subscriber
from realtime.schema.message import AskClock, Clock, Event, FaceState, State

log = logging.getLogger(__name__)

ASK_S = 1.0  # how often the clocks are compared
ANSWER_S = 0.5
POLL_S = 0.1
AWAY_S = 10.0  # a face or camera that is silent for so long has its streams closed
#: Comparisons that the best one is taken from: few enough that a clock which drifts by 100 ppm is off by 1 ms at most.
COMPARISONS = 10
#: Clocks that disagree by more than their round trips explain, and this, were set anew.
DRIFT_S = 0.005
STAGES = ("early", "final", "withdrawn")
VALUES = ("seq", "id", "face", "micro", "stage", "onset", "apex", "offset", "confidence", "rate_hz")
UNITS = ("", "", "", "1 micro, 0 macro", "0 early, 1 final, 2 withdrawn", "s", "s", "s, nan while unknown", "", "Hz")


class Clocks:
    """Where each camera's clock stands on ours, by the comparison with the shortest round trip of the newest few."""

    def __init__(self) -> None:
        self._found: dict[str, deque[tuple[float, float]]] = {}

    def compare(self, asked: float, clock: Clock, answered: float) -> None:
        """`clock` was read between `asked` and `answered` on our clock: in the middle, give or take half of that."""
        for camera, t in clock.cameras.items():
            trip, ahead = answered - asked, (asked + answered) / 2 - t
            found = self._found.setdefault(camera, deque(maxlen=COMPARISONS))
            if found and abs(ahead - min(found)[1]) > (trip + min(found)[0]) / 2 + DRIFT_S:
                found.clear()
            found.append((trip, ahead))

    def ours(self, camera: str, t: float) -> float | None:
        """Time `t` of `camera` on our clock; None for a camera that no answer has named."""
        found = self._found.get(camera)
        return t + min(found)[1] if found else None


class LslOutlet:
    """One outlet, whose time stamps never run backwards; `channels` are pairs of label and unit."""

    def __init__(self, pylsl: Any, name: str, kind: str, channels: Sequence[tuple[str, str]], *, text: bool) -> None:
        form = pylsl.cf_string if text else pylsl.cf_double64
        info = pylsl.StreamInfo(name, kind, len(channels), pylsl.IRREGULAR_RATE, form, name)
        info.set_channel_labels([label for label, _ in channels])
        info.set_channel_units([unit for _, unit in channels])
        self._outlet = pylsl.StreamOutlet(info)
        self._stamp = -math.inf
        self.channels = channels
        self.seen = time.monotonic()  #: when it was last told of

    def push(self, sample: Sequence[float | str], stamp: float) -> None:
        """Send `sample`, taken at `stamp` on LSL's clock."""
        self._stamp = max(self._stamp, stamp)
        self.seen = time.monotonic()
        self._outlet.push_sample(sample, self._stamp)


class Bridge:
    """From a running Glimpse to LSL, for one thread; it may come first. `told` hears of streams that open and close."""

    def __init__(self, publish: PublishConfig, name: str, told: Callable[[str], None]) -> None:
        self._pylsl = _library()
        self._name, self._told = name, told
        self._subscriber = Subscriber(publish, states="all", events=True)
        self._asker = Asker(publish)
        self._clocks = Clocks()
        self._streams: dict[str, LslOutlet] = {}
        self._due = -math.inf
        self._stopped = False
        self.unstamped = 0  #: samples left out, since nobody could say when they were taken

    def run(self, seconds: float | None = None) -> None:
        """Pass on what comes, for `seconds` or until `stop`."""
        until = math.inf if seconds is None else time.monotonic() + seconds
        while not self._stopped and time.monotonic() < until:
            if time.monotonic() >= self._due:
                self._compare_clocks()
                self._forget()
            received = self._subscriber.receive(POLL_S)
            if received is not None and isinstance(received.message, State | Event):
                self._pass_on(received.message)

    def stop(self) -> None:
        """End `run` after the message that is being passed on."""
        self._stopped = True

    def close(self) -> None:
        """Close every stream, and hang up."""
        self._streams.clear()
        self._asker.close()
        self._subscriber.close()

    def __enter__(self) -> Bridge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _compare_clocks(self) -> None:
        asked = self._pylsl.local_clock()
        try:
            clock = self._asker.ask(AskClock(), ANSWER_S)
        except PublishError as error:
            log.info("%s", error)
        else:
            if isinstance(clock, Clock):
                self._clocks.compare(asked, clock, self._pylsl.local_clock())
        self._due = time.monotonic() + ASK_S

    def _pass_on(self, message: State | Event) -> None:
        stamp = self._clocks.ours(message.camera, message.t)
        if stamp is None:
            self.unstamped += 1
            return
        text, numbers = self._event_streams(message.camera)
        if isinstance(message, State):
            text.seen = numbers.seen = time.monotonic()
            for face in message.faces:
                self._push_face(message.camera, face, stamp)
            return
        times = _times(message, stamp - message.t)
        text.push([_json(message, times)], stamp)
        numbers.push(_values(message, times), stamp)

    def _event_streams(self, camera: str) -> tuple[LslOutlet, LslOutlet]:
        text = self._stream(f"events {camera}", "Markers", [("event", "JSON")], text=True)
        return text, self._stream(f"event values {camera}", "Events", list(zip(VALUES, UNITS, strict=True)))

    def _push_face(self, camera: str, face: FaceState, stamp: float) -> None:
        if not face.expression:
            return  # no engine has looked yet: the labels are not known
        channels = [("motion", "probability"), *((each, "") for each in face.expression)]
        stream = self._stream(f"state {camera} face {face.id}", "Expression", channels)
        stream.push([face.score, *face.expression.values()], stamp)

    def _stream(self, what: str, kind: str, channels: Sequence[tuple[str, str]], *, text: bool = False) -> LslOutlet:
        name = f"{self._name} {what}"
        stream = self._streams.get(name)
        if stream is None or stream.channels != channels:  # a Glimpse that was started again may have other labels
            stream = self._streams[name] = LslOutlet(self._pylsl, name, kind, channels, text=text)
            self._told(f"opened {name}: {', '.join(label for label, _ in channels)}")
        return stream

    def _forget(self) -> None:
        away = [name for name, stream in self._streams.items() if time.monotonic() - stream.seen > AWAY_S]
        for name in away:
            del self._streams[name]
            self._told(f"closed {name}")


def _library() -> Any:
    try:
        import pylsl
    except (ImportError, RuntimeError) as error:  # the second where liblsl itself is missing
        raise PublishError(f"the bridge needs pylsl ({error}): run pip install '.[lsl]'") from None
    return pylsl


def _times(event: Event, ahead: float) -> dict[str, float | None]:
    """Onset, apex and offset on LSL's clock, `ahead` of the camera's."""
    named = {"onset": event.onset_s, "apex": event.apex_s, "offset": event.offset_s}
    return {name: None if t is None else t + ahead for name, t in named.items()}


def _json(event: Event, times: dict[str, float | None]) -> str:
    return msgspec.json.encode({**msgspec.to_builtins(event), "lsl": times}).decode()


def _values(event: Event, times: dict[str, float | None]) -> list[float]:
    spans = [math.nan if t is None else t for t in times.values()]
    named = [event.seq, event.id, event.face, event.kind == "micro", STAGES.index(event.stage)]
    return [float(value) for value in (*named, *spans, event.confidence, event.rate_hz)]
