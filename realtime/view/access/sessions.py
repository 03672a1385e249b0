"""Who is logged in: what a cookie says is looked up here, so that it opens nothing once its user has logged out."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

#: Of one user, such as a program that logs in again and again; beyond, the oldest ends.
MOST_OF_ONE = 64


class Sessions:
    """Each under a token that cannot be guessed, for `valid_s`; of the token its digest alone is kept."""

    def __init__(self, valid_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._valid_s, self._clock = valid_s, clock
        self._open: OrderedDict[bytes, tuple[str, float]] = OrderedDict()  # by digest: the user, and until when

    def begin(self, user: str) -> str:
        """Log `user` in; the token comes back."""
        self._forget()
        token = secrets.token_urlsafe(32)
        self._open[_digest(token)] = (user, self._clock() + self._valid_s)
        of_user = [digest for digest, (other, _) in self._open.items() if other == user]
        for digest in of_user[:-MOST_OF_ONE]:
            del self._open[digest]
        return token

    def user(self, token: str) -> str | None:
        """Whose it is; None where it is nobody's, or nobody's any more."""
        user, until = self._open.get(_digest(token), (None, 0.0))
        return user if self._clock() < until else None

    def end(self, token: str) -> None:
        """Log out whoever has it."""
        self._open.pop(_digest(token), None)

    def _forget(self) -> None:
        while self._open and self._clock() >= next(iter(self._open.values()))[1]:
            self._open.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
