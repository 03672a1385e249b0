"""Engines of one kind of input: for the few places that make it themselves, and so must know which it is."""

from __future__ import annotations

from typing import TypeVar

from realtime.engine.package.manifest import Manifest
from realtime.errors import EngineError
from realtime.representation.representation import Representation, tag_of

Kind = TypeVar("Kind", bound=Representation)


def of_kind(kind: type[Kind], manifest: Manifest) -> Kind | None:
    """The manifest's representation if it is of this kind."""
    made = manifest.representation
    return made if isinstance(made, kind) else None


def require(kind: type[Kind], manifest: Manifest, place: str) -> Kind:
    """The manifest's representation, of this kind; EngineError, which names the `place` it was wanted in, if not."""
    made = of_kind(kind, manifest)
    if made is None:
        reasons = [f"it is fed {tag_of(manifest.representation)}, wanted {tag_of(kind)}: name another"]
        raise EngineError(f"engine {manifest.name} cannot be {place}:", reasons)
    return made
