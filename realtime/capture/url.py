"""Addresses of live streams: which are taken, and how they are written where others may read them."""

from __future__ import annotations

import re

#: What ffmpeg, as OpenCV brings it along, opens and what goes on without an end.
SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "udp")
HIDDEN = "***"


def is_address(spec: str) -> bool:
    """Whether `spec` is written as one, of whatever scheme: no file or camera is."""
    return "://" in spec


def scheme(address: str) -> str:
    """What stands before its "://"."""
    return address.partition("://")[0]


def masked(spec: str) -> str:
    """`spec` without what may be secret in an address: user and password, and the values of all that is asked.

    Anything else is returned as it is. It rather hides too much: a password may hold an "@" or a "/" that nobody
    escaped, so that all before the last "@" may belong to it; and cameras take passwords in the query too, under
    many names, or in the path, as in /user=admin_password=....
    """
    if not is_address(spec):
        return spec
    begin, _, rest = spec.partition("://")
    secret, at, place = rest.rpartition("@")
    shown = f"{HIDDEN}@{place}" if secret else at + place
    return f"{begin}://" + re.sub(r"\?.*|=[^/?]*", lambda found: found[0][0] + HIDDEN, shown)
