"""Names of browsers' cameras on the wire: they begin alike, cannot be guessed, and are nobody else's business."""

from __future__ import annotations

import re
import secrets

_PREFIX = "visitor-"
_NAME = re.compile(rf"{_PREFIX}\w+")


def new_camera_name() -> str:
    """A name for a browser's camera, of 64 random bits."""
    return _PREFIX + secrets.token_hex(8)


def is_browser_camera(camera: str) -> bool:
    """Whether `camera` belongs to a browser, and not to the server."""
    return camera.startswith(_PREFIX)


def hide_others(text: str, own: str) -> str:
    """`text` without the name of any browser's camera but `own`."""
    return _NAME.sub(lambda name: name[0] if name[0] == own else "another visitor", text)
