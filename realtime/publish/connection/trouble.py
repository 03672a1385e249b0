"""Why two ends cannot talk, as far as ZeroMQ says."""

from __future__ import annotations

import logging

import zmq
from zmq.utils.monitor import parse_monitor_message

log = logging.getLogger(__name__)

FAILED = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
#: A single failure is also what an end looks like that was just going away.
SURE = 3


class Trouble:
    """Watches the handshakes of a socket that is about to connect; for the thread of that socket."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], watched: zmq.Socket[bytes], keys: str) -> None:
        endpoint = f"inproc://trouble-{id(watched)}"
        watched.monitor(endpoint, FAILED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self.socket = context.socket(zmq.PAIR)
        self.socket.set(zmq.RCVHWM, 0)  # ZeroMQ's own thread would wait for room
        self.socket.connect(endpoint)
        self._keys = keys
        self._vague = 0
        self._reason = ""

    def reason(self) -> str:
        """What is wrong, logged when it is new; empty while nothing is."""
        while self.socket.poll(0):
            event = parse_monitor_message(self.socket.recv_multipart(zmq.NOBLOCK))
            reason = self._understood(event["event"], event["value"])
            if reason and reason != self._reason:
                log.warning("%s", reason)
            self._reason = reason
        return self._reason

    def _understood(self, event: int, value: int) -> str:
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._vague = 0
            return ""
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            return (
                f"the Glimpse there does not know the key in publish.keys ({self._keys}): let it in there with "
                "`python -m realtime keys DIR --client NAME`, take the folder that this makes, and start again"
            )
        if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL and value == zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
            return self._mismatch()
        self._vague += 1
        return self._reason or (self._no_handshake() if self._vague >= SURE else "")

    def _mismatch(self) -> str:
        if self._keys:
            return "publish.keys is set here, but the Glimpse there goes without: set it there too, and start again"
        return (
            "the Glimpse there wants keys: make some there with `python -m realtime keys DIR --client NAME`, "
            "set publish.keys to the folder that this makes, and start again"
        )

    def _no_handshake(self) -> str:
        """On a busy machine a mismatch too looks like this: the other end hangs up before this one has read why."""
        if self._keys:
            return f"no handshake: server.key in {self._keys} is not that of the Glimpse there, or {self._mismatch()}"
        return f"no handshake: another program than Glimpse is there, or {self._mismatch()}"
