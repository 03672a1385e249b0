"""Who may see the page: one cookie, signed with a secret that ends with this process."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import logging
import secrets
import time
from collections import Counter, OrderedDict
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import Request
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from realtime.view.access.passwords import Password

log = logging.getLogger(__name__)

COOKIE = "glimpse"
PATH = "/login"
#: Then one logs in again.
VALID_S = 12 * 3600
#: Pause after the first failed try from an address; it doubles up to the other, and is forgotten after a while.
PAUSE_FIRST_S, PAUSE_MOST_S, FORGET_S = 0.5, 16.0, 900.0
#: Tries of one address that may be under way at once; those that fail stay so for their pause.
MOST_TRIES = 4
MOST_ADDRESSES = 1000
LONGEST_BODY = 4096
PAGE = (Path(__file__).parents[1] / "login.html").read_text("utf-8")


class Logins:
    """The users, who is logged in, and how long who failed has to wait."""

    def __init__(self, users: dict[str, Password]) -> None:
        self._users = users
        self._nobody = Password.made(secrets.token_urlsafe()) if users else None
        self._signer = URLSafeTimedSerializer(secrets.token_bytes(32))
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()  # address -> how often, and when last
        self._trying: Counter[str] = Counter()
        self._known: set[bytes] = set()  # digests of what a program sent with a password that fits
        self._one_at_a_time = asyncio.Lock()  # each takes 32 MB and a quarter of a second

    def user(self, connection: HTTPConnection) -> str | None:
        """Who sends this request; None for nobody, and "" for anybody where no users were named."""
        if not self._users:
            return ""
        try:
            user = self._signer.loads(connection.cookies.get(COOKIE, ""), max_age=VALID_S)
        except BadData:
            return None
        return user if user in self._users else None

    async def sends_password(self, connection: HTTPConnection) -> bool:
        """Whether it comes with a name and password of its own (HTTP Basic), as programs do that keep no cookies."""
        given = connection.headers.get("authorization", "")
        mark = hashlib.sha256(given.encode()).digest()
        if not self._users or mark in self._known:
            return mark in self._known
        user, password = _basic(given)
        address = connection.client.host if connection.client else ""
        fits = await self._fits(user, password)
        if fits:
            self._known.add(mark)  # or each of its requests would take a quarter of a second
        else:
            await self._hold(address)
        return fits

    async def enter(self, request: Request) -> Response:
        """Answer a filled form: the page and a cookie, or the form again."""
        address = request.client.host if request.client else ""
        if self._trying[address] >= MOST_TRIES:
            return form("There were too many tries. Wait a moment, then try again.", 429)
        self._trying[address] += 1
        try:
            return await self._try(request, address)
        finally:
            self._trying[address] -= 1
            self._trying += Counter()  # leaves out who tries no more

    def leave(self) -> Response:
        """Forget the cookie."""
        response = RedirectResponse(PATH, 303)
        response.delete_cookie(COOKIE)
        return response

    async def _try(self, request: Request, address: str) -> Response:
        user, password = await _read(request)
        if not await self._fits(user, password):
            await self._hold(address)
            return form("This name and password do not belong together. Try again.", 401)
        self._failed.pop(address, None)
        log.info("%s logged in from %s", user, address)
        response = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, self._signer.dumps(user), VALID_S, httponly=True, samesite="strict", secure=secure)
        return response

    async def _fits(self, user: str, password: str) -> bool:
        """The same work for a name that nobody has, which so cannot be told from one that somebody has."""
        kept = self._users.get(user, self._nobody)
        async with self._one_at_a_time:
            return kept is not None and await asyncio.to_thread(kept.fits, password) and user in self._users

    async def _hold(self, address: str) -> None:
        now = time.monotonic()
        often, last = self._failed.pop(address, (0, now))
        often = often + 1 if now - last < FORGET_S else 1
        self._failed[address] = (often, now)
        while len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)
        log.warning("login from %s failed, %d in a row", address, often)
        await asyncio.sleep(min(PAUSE_FIRST_S * 2.0 ** min(often - 1, 10), PAUSE_MOST_S))


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
