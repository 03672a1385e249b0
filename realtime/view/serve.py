"""The page at an address: a port, a certificate, and words about who can reach it."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from realtime.config import Config, ViewConfig
from realtime.errors import ViewError
from realtime.publish import raised
from realtime.publish.connection.address import is_here
from realtime.view.access.gate import LOOPBACK
from realtime.view.access.passwords import Password
from realtime.view.app import create
from realtime.view.door.connections import Connections
from realtime.view.door.listening import Listening
from realtime.view.door.request import TimedRequests
from realtime.view.recording.private_folder import make_folder

log = logging.getLogger(__name__)

#: File descriptors of the page beside its visitors': the wire, files, recordings, several times over.
OWN = 192
#: A page that has no room for so many could not be opened by anybody.
FEWEST = 16
#: How long those who are connected may take to hang up when the page ends.
GOODBYE_S = 1
#: A message that is too long is answered up to this many times what is allowed; what is longer still cuts the line.
TOLERATED = 4
#: Bytes that may wait in the system for a slow browser, beyond those that the network has room for: with more, it
#: would be shown what is old, since what was handed over cannot be taken back for something newer.
WAITING_BYTES = 16 * 1024


def serve(config: Config, users: dict[str, Password], told: Callable[[str], None], *, recorded: bool = False) -> None:
    """Serve the page until the process is told to end; `told` gets the address, last, once it can be opened.

    The page says that it shows a recording where that is `recorded`.
    """
    check_certificate(config.view)
    check_users(config.view, with_users=bool(users))
    listening = listen(config.view)
    serving = server(config, create(config, users, recorded=recorded, scratch=make_folder()), listening)
    for line in (*advice(config.view), f"Open this: {address(config.view, listening)}"):
        told(line)
    serving.run(sockets=[listening])


def server(config: Config, app: ASGIApp, listening: Listening) -> uvicorn.Server:
    """What serves `app` at `listening`, with the limits of a page that takes pictures."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            http=cast("type[asyncio.Protocol]", partial(TimedRequests, listening.connections)),
            proxy_headers=bool(config.view.proxies),
            forwarded_allow_ips=list(config.view.proxies),
            ws="websockets-sansio",
            ws_max_size=TOLERATED * 1000 * config.streams.longest_kb,
            ws_per_message_deflate=False,  # JPEG does not get smaller
            timeout_graceful_shutdown=GOODBYE_S,
            ssl_certfile=config.view.certificate or None,
            ssl_keyfile=config.view.private_key or None,
            server_header=False,
        )
    )


def listen(view: ViewConfig) -> Listening:
    """A socket at view.host and view.port, any free port for 0; ViewError where there cannot be one."""
    connections = _connections(view)
    try:
        family, _, _, _, where = socket.getaddrinfo(view.host, view.port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(where[:2], family=family, backlog=128)
    except OSError as error:
        raise ViewError(
            f"{view.host}:{view.port} (view.host, view.port) cannot be had: {error.strerror}; if another Glimpse runs "
            "there, stop it, or choose another port with --set view.port=..., 0 for any free one"
        ) from None
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # those who connect inherit it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, WAITING_BYTES)
    return Listening(listening, connections)


def _connections(view: ViewConfig) -> Connections:
    """Whom descriptors are left for, whatever else this process opens."""
    wanted = view.connections.most
    most = max(raised(wanted + OWN) - OWN, FEWEST)
    if most < wanted:
        log.warning(
            "%d connections at once, and not the %d of view.connections.most: the limit of file descriptors (ulimit "
            "-Hn) has room for no more",
            most, wanted,
        )  # fmt: skip
    try:
        return Connections(view.connections, view.proxies, min(most, wanted))
    except ValueError as error:
        raise ViewError(f"view.proxies: {error}; wanted addresses or networks, such as 10.0.0.2") from None


def address(view: ViewConfig, listening: socket.socket) -> str:
    """What to type into a browser."""
    anywhere = view.host in ("0.0.0.0", "::", "")
    host = "localhost" if view.host in LOOPBACK else socket.gethostname() if anywhere else view.host
    scheme = "https" if view.certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"


def advice(view: ViewConfig) -> list[str]:
    """What it means that others can reach the page, where they can."""
    if is_here(view.host) or view.certificate:
        return []
    return [
        "Over plain http browsers give no camera to a page of another machine, and everybody on the way sees what "
        "passes. For https give a certificate and its key as PEM files: --set view.certificate=page.pem --set "
        "view.private_key=page.key; or leave view.host alone and let visitors tunnel: "
        f"ssh -L {view.port}:localhost:{view.port} {socket.gethostname()}"
    ]


def check_users(view: ViewConfig, *, with_users: bool) -> None:
    """ViewError where others could look through the server's camera, and nobody was said to be allowed to."""
    if not with_users and (view.proxies or not is_here(view.host)):
        raise ViewError(
            f"others can reach the page (view.host {view.host!r}, view.proxies {list(view.proxies)}), and it has no "
            "users; faces are personal data, so name those who may come with --auth USER:FILE, after "
            "`python -m realtime password FILE`, or use --set view.host=127.0.0.1 without a proxy"
        )


def check_certificate(view: ViewConfig) -> None:
    """ViewError unless certificate and key are both there and belong together, or neither is asked for."""
    if bool(view.certificate) != bool(view.private_key):
        given, missing = ("certificate", "private_key") if view.certificate else ("private_key", "certificate")
        raise ViewError(f"view.{given} is set, view.{missing} is not; https needs both, as PEM files")
    if not view.certificate:
        return
    for key, path in (("certificate", view.certificate), ("private_key", view.private_key)):
        if not Path(path).is_file():
            raise ViewError(f"view.{key}: there is no file {path}; give a PEM file")
    try:
        # A password is answered at once, or OpenSSL would ask the terminal for it.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(view.certificate, view.private_key, b"-")
    except (ssl.SSLError, OSError) as error:
        raise ViewError(
            f"{view.certificate} and {view.private_key} are no pair of a certificate and its key: {error}; give PEM "
            "files that belong together, the key without a password"
        ) from None
