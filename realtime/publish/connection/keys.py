"""The CURVE keys of one Glimpse and of those that it lets in.

    DIR/server.key             public: by it a client knows that it talks to this Glimpse
    DIR/server.key_secret
    DIR/client.key_secret      of the programs of the same machine, such as the page
    DIR/clients/<name>.key     public: who is let in; take a file away, and that one no longer is
    DIR/copies/<name>/         server.key and a client.key_secret of its own, to be moved to another machine

Who has a secret file can listen, so each is readable for its owner alone.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import zmq.auth

from realtime.errors import PublishError

SERVER, SERVER_SECRET, CLIENT_SECRET = "server.key", "server.key_secret", "client.key_secret"
CLIENTS, COPIES = "clients", "copies"
#: The name under which the programs of the same machine are let in.
OWN = "client"
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: A key as text, in the alphabet of ZeroMQ's own Z85.
KEY = re.compile(rb"[0-9A-Za-z.:+=^!/*?&<>()\[\]{}@%$#-]{40}")

Pair = tuple[bytes, bytes]


def make_keys(folder: Path) -> None:
    """Keys of a new server and of its own machine's client; PublishError where there are some already."""
    for name in (SERVER, SERVER_SECRET, CLIENT_SECRET):
        if (folder / name).exists():
            raise PublishError(
                f"{folder / name} is there already, and new keys would lock out everybody who was let in: "
                "let one more in with --client NAME, or give another folder"
            )
    _write_pair(folder / CLIENTS / f"{OWN}.key", folder / CLIENT_SECRET)
    _write_pair(folder / SERVER, folder / SERVER_SECRET)


def add_client(folder: Path, name: str) -> Path:
    """Let one more client in; the folder to move to its machine comes back."""
    if not NAME.fullmatch(name):
        raise PublishError(f"a client named {name!r}; wanted at most 64 letters, digits, _ and -, such as laptop")
    public, copy = folder / CLIENTS / f"{name}.key", folder / COPIES / name
    if public.exists() or copy.exists():
        raise PublishError(f"{folder} knows a client {name!r} already; choose another name")
    server_pair(folder)  # a client's folder lets nobody in
    _write_pair(public, copy / CLIENT_SECRET)
    (copy / SERVER).write_bytes((folder / SERVER).read_bytes())
    return copy


def server_pair(folder: Path) -> Pair:
    """Public and secret key of a Glimpse that others connect to."""
    return _pair(folder / SERVER_SECRET)


def client_pair(folder: Path) -> Pair:
    """Public and secret key of who connects."""
    return _pair(folder / CLIENT_SECRET)


def server_public(folder: Path) -> bytes:
    """The key by which a client knows the Glimpse that it connects to."""
    return _read(folder / SERVER)[0]


def known_clients(folder: Path) -> tuple[frozenset[bytes], tuple[str, ...]]:
    """Public keys of those who are let in, as the files are now, and what is wrong with those that are none."""
    found = [_known(path) for path in sorted((folder / CLIENTS).glob("*.key"))]
    known = frozenset(key for key in found if isinstance(key, bytes))
    return known, tuple(str(error) for error in found if isinstance(error, PublishError))


def _known(path: Path) -> bytes | PublishError:
    try:
        return _read(path)[0]
    except PublishError as error:
        return error


def _write_pair(public: Path, secret: Path) -> None:
    """A new pair, written where nobody else can look, then moved into place."""
    try:
        for path in (public, secret):
            path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=secret.parent) as private:
            written_public, written_secret = (Path(path) for path in zmq.auth.create_certificates(private, "new"))
            written_secret.chmod(0o600)
            written_secret.rename(secret)
            written_public.rename(public)
    except OSError as error:
        raise PublishError(f"{secret.parent} cannot hold keys: {error.strerror}; name a folder that can") from None


def _pair(path: Path) -> Pair:
    public, secret = _read(path)
    if secret is None or not KEY.fullmatch(secret):
        raise PublishError(f"{path} has no secret key; wanted a file made by `python -m realtime keys`")
    return public, secret


def _read(path: Path) -> tuple[bytes, bytes | None]:
    try:
        public, secret = zmq.auth.load_certificate(path)
    except (OSError, ValueError) as error:
        raise PublishError(
            f"publish.keys: {path} is no key: {error}; make keys with `python -m realtime keys DIR`, and those of "
            "another machine with --client NAME"
        ) from None
    if not KEY.fullmatch(public):
        raise PublishError(f"{path}: {public[:60]!r} is no key; wanted 40 characters made by `python -m realtime keys`")
    return public, secret
