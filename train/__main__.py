"""The command line of training: from data sets to engines, and what is found out about both."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from realtime.config import ROOT
from realtime.console.console import application, errors_told, print_json
from realtime.engine.package.manifest import Manifest, Precision
from realtime.errors import ConfigError, DataError
from train import commands_pack

app = application("python -m train", "Makes the engines that `python -m realtime` runs, from data that you hold.")
app.add_typer(commands_pack.app)

ConfigFiles = Annotated[
    list[Path],
    typer.Option("--config", help="A method's file of configs/methods and one of configs/data, or copies of yours."),
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change one key; may be given several times.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes to do it in; all cores if not given, 1 is none beside this.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]


@app.command()
def prepare(
    config: ConfigFiles,
    override: Overrides = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Bring the data through the serving stages into the cache; goes on where it was interrupted."""
    with _told(as_json):
        from train import commands

        _print({"cache": str(commands.prepare(commands.load(config, override or ()), workers))}, as_json)


@app.command()
def fit(config: ConfigFiles, override: Overrides = None, as_json: AsJson = False) -> None:
    """Train by the configuration: fixed epochs, no choice by any score; goes on after the last whole epoch."""
    with _told(as_json):
        from train import commands

        _print({"run": str(commands.fit(commands.load(config, override or ())))}, as_json)


@app.command()
def evaluate(
    config: Annotated[
        list[Path] | None,
        typer.Option(help="As in `fit`; with --chain one file over configs/realtime.toml."),
    ] = None,
    override: Overrides = None,
    ray: Annotated[
        str | None, typer.Option(help="Ray cluster to run folds on, such as auto or host:6379; local starts one here.")
    ] = None,
    chain: Annotated[
        bool, typer.Option("--chain", help="Score the live pipeline on the long videos of --data, not a method.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="With --chain: a table of videos and their events, or a folder with truth.csv.")
    ] = None,
    rates: Annotated[
        str, typer.Option(help="With --chain: slower cameras that the videos are also seen through.")
    ] = "30,60,100,200",
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Test by the configuration's protocol, each clip once by a model of its own fold; goes on after the last fold.

    With --chain, play long videos with known events through the live pipeline: spotting, recognition and both.
    """
    if chain != (data is not None) or (chain and ray is not None) or (not chain and config is None):
        with _told(as_json):
            raise ConfigError("give either --config, or --chain with --data, and then no --ray")
    if data is not None:
        _evaluate_chain(data, config[0] if config else None, override or (), rates, workers, as_json=as_json)
        return
    assert config is not None
    with _told(as_json):
        from train import commands
        from train.evaluation.cluster import Cluster
        from train.evaluation.runners import Serial
        from train.evaluation.scoring import figures
        from train.training.devices import gpus

        settings = commands.load(config, override or ())
        runner = Serial() if ray is None else Cluster(ray, retries=2, gpus=gpus(commands.machine(settings)))
        report, scores = commands.evaluate(settings, runner)
        _print({"report": str(report), **figures(scores)}, as_json)


@app.command()
def export(
    config: ConfigFiles | None = None,
    override: Overrides = None,
    precision: Annotated[
        Precision, typer.Option(help="What the engine computes in; int8: of pictures alone.")
    ] = "fp32",
    engines: Annotated[Path, typer.Option(help="Folder of the engine packages.")] = ROOT / "engines",
    converter: Annotated[
        Literal["onnx", "torch-tensorrt"],
        typer.Option(help="torch-tensorrt, on a GPU: hold what that makes of it against the package that is there."),
    ] = "onnx",
    triton: Annotated[
        Path | None, typer.Option(help="Also write all packages of --engines into this Triton model repository.")
    ] = None,
    plan: Annotated[
        list[Path] | None, typer.Option(help="Serve this TensorRT plan there, not its package's ONNX; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the trained network as an engine package: ONNX, manifest and golden inputs, parity proven first.

    With --triton and no --config, nothing but a Triton model repository is written, of the packages that are there.
    """
    with _told(as_json):
        if config is None and triton is None:
            raise ConfigError("nothing to export: give --config for a trained network, --triton for a model repository")
        if plan and triton is None:
            raise ConfigError("--plan is of a model repository: give --triton with it")
        found: dict[str, object] = {}
        if config is not None:
            from train import commands

            if converter == "torch-tensorrt":
                found |= commands.convert(commands.load(config, override or ()), engines.resolve(), precision).figures()
            else:
                manifest = commands.export(commands.load(config, override or ()), engines.resolve(), precision)
                found |= _made(manifest, engines)
        if triton is not None:
            from train.packaging.triton import write

            found |= {"repository": str(triton), "models": write(engines.resolve(), triton, plan or ())}
        _print(found, as_json)


@app.command()
def rebuild(
    config: ConfigFiles,
    override: Overrides = None,
    precision: Annotated[
        Precision, typer.Option(help="What the engine computes in; int8: of pictures alone.")
    ] = "fp32",
    engines: Annotated[Path, typer.Option(help="Folder of the engine packages.")] = ROOT / "engines",
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Make an engine from its recipe: prepare, fit and export in one; goes on where it was interrupted."""
    with _told(as_json):
        from train import commands

        manifest = commands.rebuild(commands.load(config, override or ()), engines.resolve(), precision, workers)
        _print(_made(manifest, engines), as_json)


@app.command()
def card(
    engine: Annotated[list[Path], typer.Option(help="Folder of an engine package; may be repeated.")],
    as_json: AsJson = False,
) -> None:
    """Write the model cards of packages that are there anew, from their manifests; all else in them stays."""
    with _told(as_json):
        from train.packaging.model_card import rewrite

        _print({folder.name: str(rewrite(folder.resolve())) for folder in engine}, as_json)


@app.command()
def ablate(
    config: ConfigFiles,
    vary: Annotated[
        list[str],
        typer.Option(
            help="A setting and what to compare, such as head=patent,cmnet, or of a list without=,blink,gaze+turn; "
            "may be given again."
        ),
    ],
    override: Overrides = None,
    seeds: Annotated[int, typer.Option(min=1, help="So many trainings of each.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Compare settings of cmn, motion or spotter on the same held-out people: mean and deviation over the seeds."""
    with _told(as_json):
        from train import commands
        from train.evaluation.ablation import table

        rows = commands.ablate(commands.load(config, override or ()), vary, seeds)
        if as_json:
            _print({"rows": msgspec.to_builtins(rows)}, as_json)
        else:
            print("\n".join(table(rows)))


@app.command()
def tune(config: ConfigFiles, override: Overrides = None, workers: Workers = None, as_json: AsJson = False) -> None:
    """Search settings of the detector on long videos of some people, and measure them on those of others."""
    with _told(as_json):
        from train import commands
        from train.tuning.report import lines, plain

        found = commands.tune(commands.load(config, override or ()), workers)
        if as_json:
            _print(plain(found), as_json)
        else:
            print("\n".join(lines(found)))


@app.command()
def sample(
    folder: Annotated[Path, typer.Option(help="Where sample.mp4 and sample.json go.")] = ROOT / "realtime" / "data",
    as_json: AsJson = False,
) -> None:
    """Make the bundled sample stream and its truth anew (needs the ffmpeg program)."""
    with _told(as_json):
        from train.synthesis.sample.stream import build

        build(folder)
        _print({"sample": str(folder / "sample.mp4")}, as_json)


@app.command()
def fabricate(
    root: Annotated[Path, typer.Option(help="Empty or new folder for the tree.")],
    ferplus: Annotated[str, typer.Option(help="Path of ferplus.npz, whose neutral faces are moved.")],
    head: Annotated[str, typer.Option(help="Path of ict_facekit.npz, whose action units move them.")],
    people: Annotated[int, typer.Option(min=1)] = 5,
    clips: Annotated[int, typer.Option(min=1, help="Of each of them.")] = 6,
    seed: int = 1,
    as_json: AsJson = False,
) -> None:
    """Write a made-up data set in the layout of CASME II, to try every other command without a licence."""
    with _told(as_json):
        from train.synthesis.tree import fabricate as write_tree

        _print({"table": str(write_tree(root, head, ferplus, people, clips, seed))}, as_json)


@app.command()
def videos(
    config: ConfigFiles,
    root: Annotated[Path, typer.Option(help="Empty or new folder for NAME.mp4 and NAME.json, its truth.")],
    override: Overrides = None,
    count: Annotated[int, typer.Option(min=1, help="One of each person.")] = 4,
    skip: Annotated[int, typer.Option(min=0, help="So many people of that side are left out, as seen before.")] = 0,
    seconds: Annotated[float, typer.Option(min=5.0)] = 60.0,
    micro: Annotated[float, typer.Option(min=0.0, help="Micro-expressions a minute.")] = 6.0,
    side: Annotated[
        Literal["training", "calibration", "held-out"],
        typer.Option(help="People that training sees, that settings are chosen on, or that nothing has seen."),
    ] = "held-out",
    as_json: AsJson = False,
) -> None:
    """Write long synthetic videos of the people in [clips] with micro-expressions and distractors, and their truth."""
    with _told(as_json):
        from train import commands
        from train.synthesis.videos import write

        dataset = commands.synthetic(commands.load(config, override or ()))
        people = dataset.side(side)[skip : skip + count]
        _print({"truth": list(map(str, write(dataset, root, people, seconds, micro)))}, as_json)


@app.command()
def datasets(
    name: Annotated[str, typer.Argument(help="casme2, samm, smic ..., or manifest for clips of yours.")],
    root: Annotated[Path, typer.Option(help="Folder that the data set was unpacked to.")],
    table: Annotated[Path | None, typer.Option(help="Its annotation table, .xlsx or .csv, if not found there.")] = None,
    labels: Annotated[str | None, typer.Option(help="Label set, such as megc-3, if not the usual one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a data set on disk holds, and all that is wrong with it: exit code 2 if anything is."""
    with _told(as_json):
        from train.datasets.corpora.catalogue import survey

        found = survey(name, root, table, labels)
        print(
            msgspec.json.format(msgspec.json.encode(found.summary())).decode() if as_json else "\n".join(found.lines())
        )
        if found.problems:
            raise typer.Exit(DataError.exit_code)


def _evaluate_chain(
    data: Path, config: Path | None, overrides: Iterable[str], rates_hz: str, workers: int | None, *, as_json: bool
) -> None:
    with _told(as_json):
        from train.chain import evaluate

        report = evaluate.evaluate(data, config, overrides, evaluate.rates(rates_hz), workers)
        if as_json:
            print_json(report.to_dict())
        else:
            print(report.text())


def _made(manifest: Manifest, engines: Path) -> dict[str, object]:
    return {"engine": str(engines / manifest.name)} | {score.name: score.value for score in manifest.scores}


def _told(as_json: bool) -> AbstractContextManager[None]:
    return errors_told("train", as_json, "interrupted; the same command goes on where it was")


def _print(found: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        print("\n".join(f"{name:<24} {value}" for name, value in found.items()))


if __name__ == "__main__":
    app()
