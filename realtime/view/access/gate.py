"""What every request passes first: the host it names, the origin it comes from, and who sends it."""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime.publish.connection.address import is_here
from realtime.view.access import login
from realtime.view.access.login import Logins

log = logging.getLogger(__name__)

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
#: Seen without logging in. The manifest is fetched without cookies.
OPEN = {"/health", "/manifest.json", login.PATH}
#: Read by a program, which sends its password each time.
METRICS = "/metrics"
#: All that there is to see: our own routes, and what of Gradio's a browser loads. Whatever else Gradio offers, files in
#: and out, a proxy, queues, answers without end, figures, is closed, and so is what a later one may add.
PATHS = {*OPEN, METRICS, "/", "/live", "/logout", "/config", "/theme.css", "/favicon.ico"}
FOLDERS = ("/assets/", "/static/", "/glimpse/", "/session/")
#: RFC 6455: what is asked for is against the rules.
POLICY = 1008


class Gate:
    """Around `app`: lets in who may, and tells browsers to load from here and from nowhere else.

    It answers to its own names alone, and, where others can reach it, to addresses in numbers: another site that points
    a name of its own here gets nothing. `origins` are addresses besides the page's own.
    """

    def __init__(self, app: ASGIApp, *, logins: Logins, host: str, origins: Sequence[str]) -> None:
        self._app, self._logins = app, logins
        self._origins = tuple(origin.rstrip("/") for origin in origins)
        self._alone = is_here(host)
        self._hosts = _names(host, self._origins)
        self._headers = _headers(self._origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        why = self._why_not(connection)
        if scope["type"] == "websocket":
            await (
                _hang_up(why, receive, send)
                if why
                else self._app(scope, receive, self._while_allowed(connection, send))
            )
            return
        answer = self._instead(connection, why)
        if answer is not None and not why and scope["path"] == METRICS and "authorization" in connection.headers:
            answer = await self._logins.refusal(connection)
        await (answer or self._app)(scope, receive, self._with_headers(send))

    def _why_not(self, connection: HTTPConnection) -> str:
        """Why this request is turned away, or ""."""
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        for found in (f"//{host}", origin or ""):
            if not _is_address(found):
                return _said("a request with %s, which is no address", found)
        name = urlsplit(f"//{host}").hostname or ""
        if name not in self._hosts and (self._alone or not _is_number(name)):
            why = "this page is for this machine alone, but was asked for as %s; see view.host"
            return _said(why if self._alone else "%s is no name of this page; see view.origins", host)
        changes = connection.scope["type"] == "websocket" or connection.scope["method"] not in ("GET", "HEAD")
        if changes and origin is not None and not self._is_own(origin, host):
            return _said("a request from %s, which is no address of this page; see view.origins", origin)
        if connection.scope["type"] == "websocket" and self._logins.user(connection) is None:
            return _said("nobody is logged in at %s", connection.client.host if connection.client else "?")
        return ""

    def _is_own(self, origin: str, host: str) -> bool:
        return urlsplit(origin).netloc == host or origin in self._origins

    def _instead(self, connection: HTTPConnection, why: str) -> Response | None:
        """The answer to a request that goes no further."""
        path = connection.scope["path"]
        if why:
            return PlainTextResponse(why, 403)
        if path in OPEN or self._logins.user(connection) is not None:
            return (
                None if _is_ours(connection.scope["method"], path) else PlainTextResponse("not part of this page", 404)
            )
        if "text/html" in connection.headers.get("accept", ""):
            return RedirectResponse(login.PATH.lstrip("/") if path == "/" else login.PATH, 303)
        return PlainTextResponse("log in first", 401)

    def _while_allowed(self, connection: HTTPConnection, send: Send) -> Send:
        """`send` until whoever is at the other end logs out, or was logged in for long enough."""

        async def sent(message: Message) -> None:
            if self._logins.user(connection) is None and message["type"] == "websocket.send":
                await send({"type": "websocket.close", "code": POLICY, "reason": "logged out"})
                raise OSError("logged out")  # as a server says that the other end is gone
            await send(message)

        return sent

    def _with_headers(self, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        return sent


def _names(host: str, origins: Sequence[str]) -> set[str]:
    """By which the page may be asked for."""
    machine = socket.gethostname().lower()
    own = {host.lower()} if is_here(host) else {host.lower(), machine, f"{machine}.local"}
    return LOOPBACK | own | {urlsplit(origin).hostname or "" for origin in origins} - {""}


def _is_ours(method: str, path: str) -> bool:
    known = path in PATHS or (path.startswith(FOLDERS) and ".." not in re.split(r"[/\\]", path))
    return known and (method in ("GET", "HEAD") or (method, path) == ("POST", login.PATH))


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _said(text: str, found: str) -> str:
    log.warning(f"turned away: {text}", found)
    return text % found


async def _hang_up(why: str, receive: Receive, send: Send) -> None:
    """Accepted first, since a browser's page is told no reason otherwise."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": POLICY, "reason": _cut(why)})


def _cut(why: str) -> str:
    """As much as a WebSocket's reason may hold: 123 bytes."""
    return why.encode()[:123].decode(errors="ignore")


def _headers(origins: Sequence[str]) -> dict[str, str]:
    around = " ".join(("'self'", *origins))
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
        f"connect-src 'self' data: blob:; form-action 'self'; base-uri 'self'; frame-ancestors {around}"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    }
