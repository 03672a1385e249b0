"""Glimpse with everything on, as fast as possible: the first half of `python -m realtime bench --source CLIP`.

The clock stands where frames leave the source; about as many are under way when it starts as when it stops.
"""

import sys
from functools import partial

from peers.clock import Clock

from realtime.capture.repeat import Repeated
from realtime.capture.source import open_source
from realtime.config import load
from realtime.pipeline.pipeline import Pipeline
from realtime.pipeline.summary import version
from realtime.publish import Publisher
from realtime.recognition.heads import engines


class Clocked(Repeated):
    """The clip again and again, under the clock."""

    def __init__(self, open_again, clock):
        super().__init__(open_again)
        self._clock = clock

    def frames(self):
        return self._clock.over(super().frames())


class Counted(Publisher):
    """Knows in how many states there was a face."""

    states = seen = 0

    def state(self, state):
        self.states, self.seen = self.states + 1, self.seen + bool(state.faces)
        super().state(state)


def main(clip, seconds):
    config, clock = load(), Clock(float(seconds))
    with Counted(config.publish) as publisher:
        source = Clocked(partial(open_source, clip, config.source, fast=True), clock)
        Pipeline(config, source, publisher, engines(config)).run()
    clock.tell("glimpse", version(), publisher.seen / publisher.states)


if __name__ == "__main__":
    main(*sys.argv[1:])
