"""Glimpse on the wire, and the only door to zmq: states, events, questions with their answers, and pictures.

    a running Glimpse      other programs, the page among them
    Publisher        -->   Subscriber    states, of which the newest counts; events, of which each counts
    Answers          <->   Asker         what was missed, the clock, what the page may ask
    Inbox            <--   Outbox        pictures of cameras elsewhere

Nobody here waits for the other side: what a slow reader has no room for is dropped, for that one alone, and
the numbers of the events show it.
"""

from realtime.publish.answers import Answers, Desk
from realtime.publish.asker import Asker
from realtime.publish.connection.descriptors import raised, room_for
from realtime.publish.inbox import Inbox
from realtime.publish.log import Sized
from realtime.publish.outbox import Outbox
from realtime.publish.outlet import Outlet
from realtime.publish.publisher import Publisher
from realtime.publish.subscriber import Received, Subscriber
from realtime.publish.unheard import Unheard

__all__ = [
    "Answers", "Asker", "Desk", "Inbox", "Outbox", "Outlet", "Publisher", "Received", "Sized", "Subscriber", "Unheard",
    "raised", "room_for",
]  # fmt: skip
