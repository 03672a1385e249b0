"""Subscribers that hold on through everything, and what they should have heard."""

import threading
from array import array
from itertools import pairwise
from pathlib import Path

from realtime.publish import Subscriber
from realtime.schema.message import Event
from realtime.session import read

#: Of how many one also wants the newest states.
STATES = 5


class Listener:
    """One subscriber in a thread; it keeps the numbers of the events of one camera, four bytes each."""

    def __init__(self, publish, camera, number):
        self.heard = {}  #: run -> numbers, in the order in which they came
        self.missed = self.restarts = 0
        self._camera, self._stop = camera, threading.Event()
        states = "newest" if number % STATES == 0 else None
        self._subscriber = Subscriber(publish, states=states, events=True)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def ready(self, timeout_s):
        found = self._subscriber.ready(timeout_s)
        self._thread.start()
        return found

    def close(self):
        self._stop.set()
        self._thread.join(10.0)
        self._subscriber.close()

    def _run(self):
        while not self._stop.is_set():
            received = self._subscriber.receive(0.2)
            self.missed, self.restarts = self._subscriber.missed, self._subscriber.restarts
            event = None if received is None else received.message
            if isinstance(event, Event) and event.camera == self._camera:
                self.heard.setdefault(event.run, array("I")).append(event.seq)


def kept(folder: Path):
    """Run and number of every event that was recorded, in the order of the runs: what was sent of the camera."""
    sessions = sorted(folder.iterdir(), key=lambda path: int(path.name.partition("-")[2] or 1))
    return [(record.message.run, record.message.seq) for path in sessions for record in read(path).journal()]


def lost_and_twice(sent, heard):
    """How many events a listener lost since its first one, and how many came twice or out of order."""
    told = [(run, number) for run, numbers in heard.items() for number in numbers]
    if not told:
        return len(sent), 0
    places = {event: place for place, event in enumerate(sent)}
    since = places.get(told[0], 0)
    order = [places[event] for event in told if event in places]
    wrong = sum(after <= before for before, after in pairwise(order))
    return len(set(sent[since:]) - set(told)), wrong
