"""The ports: free, held by a Glimpse that runs here already, or by something else."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from realtime.config import Config, PublishConfig
from realtime.doctor.finding import Finding
from realtime.errors import GlimpseError
from realtime.ports import is_free, ports
from realtime.publish import Asker
from realtime.schema.message import AskClock, Clock

#: How long a Glimpse that runs here may take to say what time it is.
ANSWER_S = 0.5


def running(publish: PublishConfig) -> tuple[str, ...] | None:
    """The cameras of a Glimpse that answers at replay_port; None where none does."""
    if not publish.replay_port:
        return None
    try:
        with Asker(publish) as asker:
            clock = asker.ask(AskClock(), ANSWER_S)
    except GlimpseError:
        return None
    return tuple(clock.cameras) if isinstance(clock, Clock) else None


def sockets(config: Config, *, runs: bool) -> Finding:
    """What holds the ports that the configuration names."""
    fixed = [(key, host, port) for key, host, port in ports(config) if port]
    held = [(key, port) for key, host, port in fixed if not is_free(host, port)]
    return judge_ports([port for _, _, port in fixed], [(key, port, holder(port)) for key, port in held], runs=runs)


def holder(port: int) -> str:
    """Which program listens there, as far as this user may know."""
    try:
        found = [each for each in psutil.net_connections("tcp") if each.status == "LISTEN" and each.laddr.port == port]
        process = next((psutil.Process(each.pid) for each in found if each.pid), None)
        return f"{process.name()}, process {process.pid}" if process else "another user's program"
    except psutil.Error:
        return "another user's program"


def judge_ports(all_of_them: Sequence[int], held: Sequence[tuple[str, int, str]], *, runs: bool) -> Finding:
    """`held` are key, port and holder of those that cannot be bound; `runs` says that a Glimpse is among these."""
    if not held:
        return Finding("ports", "ok", f"{', '.join(map(str, all_of_them)) or 'any'}: free")
    shown = "; ".join(f"{port} ({key}) is held by {by}" for key, port, by in held)
    if runs:
        return Finding("ports", "ok", f"{shown}; a Glimpse runs here already, and answers")
    return Finding("ports", "stop", shown, f"end it, or choose others such as --set {held[0][0]}=0, any free one")
