"""Waiting for what other threads and processes do."""

import time


def until(told, what):
    """Until it is so, for at most ten seconds."""
    deadline = time.monotonic() + 10
    while not told():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)
