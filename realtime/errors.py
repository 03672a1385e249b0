"""Every error that Glimpse raises on purpose.

    GlimpseError
    ├── ConfigError     a configuration file or override is wrong
    ├── SourceError     no frame can be had: camera, stream, file or folder
    │   └── SourceLost  a source that worked has gone away
    ├── EngineError     an engine package does not fit, or fails its check
    │   └── EngineLost  an engine on a GPU or a server, which cannot be reached, or no longer
    ├── MessageError    bytes that are no Glimpse message
    ├── PublishError    a socket cannot be bound or reached
    ├── SessionError    a recorded session cannot be written or read
    ├── ViewError       the page cannot be served, or a process behind it ends again and again
    └── DataError       a dataset or a cache is not what its format says

A message says what was found, what was wanted, and what to do about it. The
command line prints it without a traceback and exits with `exit_code`.
"""

from __future__ import annotations

from collections.abc import Sequence


class GlimpseError(Exception):
    """Base of the tree: catch this one to catch them all."""

    exit_code = 2


class ConfigError(GlimpseError):
    """A configuration key is unknown, missing, or of the wrong type."""


class SourceError(GlimpseError):
    """A camera, stream, file or folder gives no frames."""


class SourceLost(SourceError):
    """A source stopped giving frames after it had worked."""


class EngineError(GlimpseError):
    """An engine package does not fit; `reasons` lists everything that is wrong, not only the first."""

    def __init__(self, what: str, reasons: Sequence[str] = ()) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n  - ".join([what, *self.reasons]))


class EngineLost(EngineError):
    """A GPU or a server that should run an engine gives no answer; the next call may find it back."""


class MessageError(GlimpseError):
    """Bytes that do not decode to a message of this version."""


class PublishError(GlimpseError):
    """A socket cannot be bound or reached."""


class SessionError(GlimpseError):
    """A recorded session cannot be written, read or exported."""


class ViewError(GlimpseError):
    """The page cannot be served, or a process that it needs does not stay."""


class DataError(GlimpseError):
    """A dataset, table or cache differs from its format; `problems` lists every place."""

    def __init__(self, what: str, problems: Sequence[str] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__("\n  - ".join([what, *self.problems]))
