"""Passwords as they are kept: a salted scrypt hash, made by `python -m realtime password`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import ConfigError

#: 32 MB and a quarter of a second for each try. (OWASP Password Storage Cheat Sheet, scrypt)
COST, BLOCK, PARALLEL = 2**15, 8, 3
MOST_MEMORY = 64 * 2**20
SALT_BYTES, HASH_BYTES = 16, 32
SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Password:
    """A password that cannot be read back."""

    salt: bytes
    hash: bytes

    @classmethod
    def made(cls, password: str) -> Password:
        """Of a new password; ConfigError if it is too short."""
        if len(password) < SHORTEST:
            raise ConfigError(f"a password of {len(password)} characters; at least {SHORTEST} are wanted")
        salt = secrets.token_bytes(SALT_BYTES)
        return cls(salt, _scrypt(password, salt))

    @classmethod
    def read(cls, path: Path) -> Password:
        """From a file; ConfigError when it is missing, or is none of ours."""
        try:
            kind, salt, hashed = path.read_text("ascii").strip().split("$")
            found = cls(base64.b64decode(salt, validate=True), base64.b64decode(hashed, validate=True))
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}; {_MAKE.format(path)}") from None
        except ValueError:
            raise ConfigError(f"{path} holds no password of Glimpse; {_MAKE.format(path)}") from None
        if kind != _KIND or len(found.hash) != HASH_BYTES:
            raise ConfigError(f"{path} holds no password of this version of Glimpse; {_MAKE.format(path)}")
        return found

    def write(self, path: Path) -> None:
        """To a file, readable by its owner alone; ConfigError where it cannot be written."""
        text = "$".join((_KIND, *(base64.b64encode(part).decode() for part in (self.salt, self.hash))))
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                os.chmod(path, 0o600)  # of a file that was there before
                file.write(text + "\n")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}; name a file in a folder of yours") from None

    def fits(self, password: str) -> bool:
        """Whether it is this one; takes as long either way."""
        return hmac.compare_digest(self.hash, _scrypt(password, self.salt))


def users(given: list[str]) -> dict[str, Password]:
    """Each --auth USER:FILE as a user and a password; ConfigError for anything else."""
    found: dict[str, Password] = {}
    for each in given:
        user, colon, file = each.partition(":")
        if not (user and colon and file):
            raise ConfigError(f"--auth {each!r}; wanted USER:FILE, such as ada:ada.password")
        if user in found:
            raise ConfigError(f"--auth names {user!r} twice; give each user one file")
        found[user] = Password.read(Path(file).expanduser())
    return found


_KIND = f"scrypt-{COST}-{BLOCK}-{PARALLEL}"
_MAKE = "make it with `python -m realtime password {}`"


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=MOST_MEMORY, dklen=HASH_BYTES
    )
