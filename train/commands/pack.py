"""`python -m train pack`: the two files that recipes need, from what their publishers give out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from realtime.console.console import application, errors_told
from realtime.errors import DataError
from train.console import AsJson, show

app = application("pack", "Make ferplus.npz and ict_facekit.npz, which recipes need, from public files.")

Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


@app.command()
def ferplus(
    images: Annotated[
        Path, typer.Option(help="Folder with FER2013Train, FER2013Valid and FER2013Test, or fer2013.csv.")
    ],
    votes: Annotated[
        Path, typer.Option(help="A checkout of github.com/microsoft/FERPlus, or its fer2013new.csv alone.")
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("data/ferplus.npz"),
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """FER-2013's pictures with the votes of FER+; takes a minute or two."""
    with _packing(out, as_json=as_json, force=force) as found:
        from train.datasets.packing.ferplus import pack

        packed = pack(images, votes, out)
        found.update(packed.pictures)
        found["left out"] = packed.left_out


@app.command()
def facekit(
    root: Annotated[Path, typer.Option(help="A checkout of github.com/ICT-VGL/ICT-FaceKit.")],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("data/ict_facekit.npz"),
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """The 3-D head of ICT-FaceKit's light model."""
    with _packing(out, as_json=as_json, force=force) as found:
        from train.synthesis.face.facekit_pack import pack

        found |= pack(root, out)


@contextmanager
def _packing(out: Path, *, as_json: bool, force: bool) -> Iterator[dict[str, object]]:
    """Refuses to write over a file before the work begins; prints what was filled in when it is done."""
    with errors_told("train", as_json, "interrupted; nothing was written"):
        if out.exists() and not force:
            raise DataError(f"{out} is there already; give another file with --out, or --force to write over it")
        found: dict[str, object] = {"file": str(out)}
        try:
            yield found
        except OSError as error:
            raise DataError(f"{out} was not written: {error}; give a place that can be, with --out") from None
        show(found, as_json)
