"""The types that travel, and the JSON Schema files beside this one, which `write_schemas` makes from them.

Within a version fields are only added, never renamed or given another meaning, so that a
reader may skip what it does not know.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from realtime.schema.asked import Answer, Ask, Picture
from realtime.schema.fields import VERSION
from realtime.schema.published import Event, Meta, State

__all__ = ["FOLDER", "TYPES", "VERSION", "schemas", "write_schemas"]

FOLDER = Path(__file__).resolve().parent
#: By the first word of the topic.
TYPES: dict[str, Any] = {
    "state": State,
    "event": Event,
    "meta": Meta,
    "frame": Picture,
    "ask": Ask,
    "answer": Answer,
}


def schemas() -> dict[str, str]:
    """File name -> text of the JSON Schema of each kind of message."""
    return {f"{name}.json": _schema(kind) for name, kind in TYPES.items()}


def write_schemas(folder: Path = FOLDER) -> None:
    """Bring the schema files up to date, after a change of the types above."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


def _schema(kind: Any) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kind)}
    for definition in schema["$defs"].values():
        if "description" in definition:
            definition["description"] = " ".join(definition["description"].split())
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
