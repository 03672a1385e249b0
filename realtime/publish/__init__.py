"""Glimpse on the wire, and the only door to zmq: states, of which the newest counts; events, of which each counts.

A publisher never waits: what a slow subscriber has no room for is dropped, for that one alone, and
the numbers of the events show it.
"""

from realtime.publish.publisher import Publisher
from realtime.publish.subscriber import Received, Subscriber

__all__ = ["Publisher", "Received", "Subscriber"]
