"""Who may see the page: one cookie, with a token that ends with its session or with this process."""

from __future__ import annotations

import base64
import hashlib
import html
import logging
import secrets
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from realtime.view.access.passwords import Password
from realtime.view.access.sessions import Sessions
from realtime.view.access.tries import Tries

log = logging.getLogger(__name__)

COOKIE = "glimpse"
PATH = "/login"
#: Then one logs in again.
VALID_S = 12 * 3600
LONGEST_BODY = 4096
PAGE = (Path(__file__).parents[1] / "login.html").read_text("utf-8")


class Logins:
    """The users, and who of them is logged in."""

    def __init__(self, users: dict[str, Password]) -> None:
        self._users = users
        self._nobody = Password.made(secrets.token_urlsafe()) if users else None
        self._sessions = Sessions(VALID_S)
        self._tries = Tries()
        self._known: set[bytes] = set()  # digests of what a program sent with a password that fits

    def user(self, connection: HTTPConnection) -> str | None:
        """Who sends this request; None for nobody, and "" for anybody where no users were named."""
        return self._sessions.user(_token(connection)) if self._users else ""

    async def refusal(self, connection: HTTPConnection) -> Response | None:
        """What to answer one who sends a name and password along (HTTP Basic), as programs do; None where they fit."""
        given = connection.headers.get("authorization", "")
        mark = hashlib.sha256(given.encode()).digest()
        if mark in self._known:
            return None
        fits = await self._tries.attempt(_address(connection), partial(self._fits, *_basic(given)))
        if fits:
            self._known.add(mark)  # or each of its requests would take a quarter of a second
            return None
        return TOO_MANY if fits is None else PlainTextResponse("log in first", 401)

    async def enter(self, request: Request) -> Response:
        """Answer a filled form: the page and a cookie, or the form again."""
        try:  # before anything is counted: whoever sends slowly holds up nobody
            user, password = await _read(request)
        except ClientDisconnect:
            return form("The form did not come to its end. Try again.", 400)
        fits = await self._tries.attempt(_address(request), partial(self._fits, user, password))
        if fits is None:
            return form("There were too many tries. Wait a moment, then try again.", 429)
        if not fits:
            return form("This name and password do not belong together. Try again.", 401)
        log.info("%s logged in from %s", user, _address(request))
        response = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        token = self._sessions.begin(user)
        response.set_cookie(COOKIE, token, VALID_S, httponly=True, samesite="strict", secure=secure)
        return response

    def leave(self, request: Request) -> Response:
        """End the session, whoever else has its cookie, and have the browser forget it."""
        self._sessions.end(_token(request))
        response = RedirectResponse(PATH, 303)
        response.delete_cookie(COOKIE)
        return response

    def _fits(self, user: str, password: str) -> bool:
        """The same work for a name that nobody has, which so cannot be told from one that somebody has."""
        kept = self._users.get(user, self._nobody)
        return kept is not None and kept.fits(password) and user in self._users


TOO_MANY = PlainTextResponse("too many tries; wait a moment", 429)


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def _token(connection: HTTPConnection) -> str:
    return connection.cookies.get(COOKIE, "")


def form(message: str = "", status: int = 200) -> Response:
    """The login page, and what went wrong."""
    told = f'<p class="problem" role="alert">{html.escape(message)}</p>' if message else ""
    return HTMLResponse(PAGE.replace("{message}", told), status)


def _basic(header: str) -> tuple[str, str]:
    """Name and password of an Authorization header (RFC 7617); empty ones for anything else."""
    scheme, _, code = header.partition(" ")
    try:
        user, colon, password = base64.b64decode(code, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return (user, password) if colon and scheme.lower() == "basic" else ("", "")


async def _read(request: Request) -> tuple[str, str]:
    """Name and password of the form; empty ones for anything else."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            return "", ""
    try:
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=8))
    except ValueError:
        return "", ""
    return fields.get("user", ""), fields.get("password", "")
