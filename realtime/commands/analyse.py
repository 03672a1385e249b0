"""`python -m realtime analyse`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from realtime.config import Config, load
from realtime.console.console import errors_told
from realtime.console.options import AsJson, ConfigFile, Overrides, Verbose, answer, interrupted_at_once, say, told

if TYPE_CHECKING:
    from realtime.analysis.look import FileTask, Wanted
    from realtime.analysis.results import Analysed

FAILED = 1
STOPPED = "stopped; what was half done is removed"


def analyse(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Videos, pictures, or folders of pictures.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="A folder for each file is made there, called after it.")
    ] = Path("analysis"),
    to: Annotated[
        Literal["csv", "parquet"], typer.Option(help="Of the table of frames; parquet needs the extra of that name.")
    ] = "csv",
    annotate: Annotated[
        bool, typer.Option("--annotate", help="A video too, with boxes, labels and the likelihood drawn into it.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results.")] = False,
    jobs: Annotated[
        int, typer.Option(min=0, help="Files at once; 0 for as many as this machine has cores and memory for.")
    ] = 0,
    config: ConfigFile = None,
    override: Overrides = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Look at video files as fast as it goes: tables of events and frames, a report with the events to be seen again.

    No port is opened, and nothing leaves this machine. For each file a folder: report.html, which needs no network;
    events.csv and events.json, a row an event; frames.csv. Exit code 1 if a file failed; the others are done all the
    same. The folders hold pictures of faces, and are their owner's alone.
    """
    with errors_told(told(verbose), as_json, farewell=STOPPED):
        from realtime.analysis import place
        from realtime.analysis.look import FileTask, Wanted

        settings = load(config, override)
        folders = place.folders(files, out, overwrite=overwrite)
        tasks = [FileTask(file, folder, place.partial(folder)) for file, folder in zip(files, folders, strict=True)]
        with interrupted_at_once():
            results = _looked(settings, tasks, Wanted(to, annotate), jobs, as_json=as_json, verbose=verbose)
        if any(result.error for result in results):
            raise typer.Exit(FAILED)


def _looked(
    settings: Config, tasks: Sequence[FileTask], wanted: Wanted, jobs: int, *, as_json: bool, verbose: bool
) -> list[Analysed]:
    """The results, which are told, however it ends."""
    from realtime.analysis.results import lines
    from realtime.analysis.team import Team, workers

    with ExitStack() as opened:
        heard = _progress(tasks, opened, as_json=as_json)
        count = min(jobs, len(tasks)) if jobs else workers(len(tasks))
        team = opened.enter_context(Team(tasks, count, settings, wanted, heard, verbose=verbose))
        try:
            results = team.run()
        except KeyboardInterrupt:
            opened.close()
            done = [team.results[number] for number in sorted(team.results)]
            if done and not as_json:
                say(*lines(done))
            raise
    answer(results, lines(results), as_json=as_json)
    return results


def _progress(tasks: Sequence[FileTask], opened: ExitStack, *, as_json: bool) -> Callable[[int, float], object]:
    """What hears how far each file is."""
    from realtime.analysis.progress import FileProgress

    if as_json:
        return lambda number, share: None
    sizes = [_size(task.file) for task in tasks]
    return opened.enter_context(FileProgress([task.file.name for task in tasks], sizes, sys.stderr)).tell


def _size(file: Path) -> float:
    """Bytes, of a folder those of its files; 0 for what cannot be read, which is told when it is opened."""
    try:
        return float(sum(each.stat().st_size for each in (file.iterdir() if file.is_dir() else [file])))
    except OSError:
        return 0.0
