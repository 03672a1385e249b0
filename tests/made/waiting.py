"""Waiting for what other threads and processes do."""

import time


def meet(publisher, subscriber):
    """Both ends in one thread: answer until the subscriber knows that it is heard."""
    deadline = time.monotonic() + 5
    while not subscriber.ready(0.01):
        publisher.greet()
        assert time.monotonic() < deadline, "never ready"


def until(told, what):
    """Until it is so, for at most ten seconds."""
    deadline = time.monotonic() + 10
    while not told():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)
