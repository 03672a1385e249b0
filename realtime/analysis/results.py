"""What became of each file, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec


class Analysed(msgspec.Struct, frozen=True, kw_only=True):
    """One file. Without an `error` its results lie in `folder`."""

    file: str
    folder: str = ""
    error: str = ""  #: what was found, what was wanted, and what to do
    seconds: float = 0.0  #: that it plays
    took_s: float = 0.0  #: to look at it
    frames: int = 0
    faces: int = 0
    events: int = 0
    withdrawn: int = 0
    notes: tuple[str, ...] = ()  #: what is to be known beside the events


def lines(results: Sequence[Analysed]) -> Iterable[str]:
    """A row for each, in fixed columns, and below what is to be known of each."""
    wide = max(4, *(len(each.file) for each in results))
    head = "   plays      took   frames  faces  events  withdrawn  results"
    yield f"{'file':<{wide}}  {head}"
    for each in results:
        name = f"{each.file:<{wide}}"
        if each.error:
            yield f"{name}  failed"
        else:
            yield (
                f"{name}  {each.seconds:>6.1f} s  {each.took_s:>6.1f} s  {each.frames:>7}  {each.faces:>5}"
                f"  {each.events:>6}  {each.withdrawn:>9}  {each.folder}"
            )
    for each in results:
        yield from (_about(each.file, said) for said in ([f"error: {each.error}"] if each.error else each.notes))


def _about(file: str, said: str) -> str:
    """What is said of a file, by its name once."""
    return said if file in said else f"{file}: {said}"
