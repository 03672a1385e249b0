"""Does an engine package answer on this machine what it answered where it was made?

`golden.npz` holds a batch of inputs as `in_<name>` and torch's outputs as `out_<name>`. They are
replayed through the same engine that serves, and the differences are measured, never excused.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime.config import ROOT, Backend, EnginesConfig
from realtime.engine.backends.inspector import PROMISED
from realtime.engine.engine import Engine
from realtime.engine.factory import open_engine, open_with
from realtime.engine.package.manifest import GOLDEN, LOGITS
from realtime.errors import EngineError
from realtime.records import Floats
from realtime.zipped import excess

#: Largest relative norm of a difference. f32 sums in another order than torch; bf16 keeps 8 bits of each
#: factor, which moved the outputs of the networks here by 1e-3 to 5e-3, f16 eleven; INT8 is judged by its labels.
BARS = {"f32": 1e-4, "f16": 1e-2, "bf16": 1e-2, "int8": 1.0}
#: Least share of the rows whose most likely label INT8 must leave as it is.
LEAST_AGREEMENT = 0.98

#: What an export makes takes 1 MB; a batch of long clips might take a hundred times that.
MOST_GOLDEN_BYTES = 256_000_000
WARM_RUNS, TIMED_RUNS = 3, 15


@dataclass(frozen=True, slots=True)
class Difference:
    """One output against torch's."""

    output: str
    largest: float  #: of |a - b|
    mean: float  #: of |a - b|
    relative: float  #: ||a - b|| / ||b||, b being torch's
    bar: float  #: what `relative` may be
    agreement: float | None  #: share of rows with torch's label; None for an output without labels
    ok: bool  #: never with a NaN anywhere


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found."""

    package: str
    backend: str
    precision: str
    differences: tuple[Difference, ...]
    milliseconds: float  #: median of warm runs of one row
    ok: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists, for JSON."""
        return asdict(self)


def check(folder: Path | str, config: EnginesConfig, backend: Backend | None = None) -> CheckReport:
    """Replay the golden inputs of the package in `folder`, on `backend` or where the configuration says.

    EngineError when it does not even open or run.
    """
    engine = open_with(backend, folder, config) if backend else open_engine(folder, config)
    return replay(engine, ROOT / folder)


def replay(engine: Engine, folder: Path) -> CheckReport:
    """The same for an engine that is open already, held against the golden answers in `folder`."""
    inputs, wanted = golden(folder / GOLDEN, engine)
    found = engine.run(inputs)
    promised = PROMISED[engine.manifest.precision]
    bar = max(BARS[engine.precision], BARS[promised])
    apart = (difference(name, found[name], wanted[name], bar) for name in wanted)
    differences = tuple(_labelled(each, promised) for each in apart)
    milliseconds = _milliseconds(engine, {name: array[:1] for name, array in inputs.items()})
    ok = all(each.ok for each in differences)
    return CheckReport(engine.manifest.name, engine.backend, engine.precision, differences, milliseconds, ok)


def lines(report: CheckReport) -> list[str]:
    """A table: one line an output, then what ran, how long one row took, and the verdict."""
    titles = ("largest", "mean", "relative", "bar", "labels", "precision", "ms a row")
    rows = [
        f"{each.output:<12} {each.largest:9.2e} {each.mean:9.2e} {each.relative:9.2e} {each.bar:9.0e} "
        f"{'-' if each.agreement is None else f'{each.agreement:.1%}':>9} {report.precision:>9} "
        f"{report.milliseconds:9.2f}  {'ok' if each.ok else 'FAILED'}"
        for each in report.differences
    ]
    verdict = "answers as exported" if report.ok else "does NOT answer as exported"
    return [
        " ".join([f"{'output':<12}", *(f"{title:>9}" for title in titles)]),
        *rows,
        f"{report.package} {verdict}: {report.backend}, {report.precision}, {report.milliseconds:.2f} ms a row",
    ]


def difference(output: str, found: Floats, wanted: Floats, bar: float) -> Difference:
    """How far `found` is from torch's `wanted`; arrays of another shape are infinitely far."""
    if found.shape != wanted.shape:
        return Difference(output, np.inf, np.inf, np.inf, bar, None, ok=False)
    with np.errstate(invalid="ignore"):  # infinities give a NaN, and no NaN is below a bar
        apart = np.abs(found.astype(np.float64) - wanted)
        relative = float(np.linalg.norm(apart) / max(np.linalg.norm(wanted), np.finfo(np.float32).tiny))
    agreement = float(np.mean(found.argmax(-1) == wanted.argmax(-1))) if output == LOGITS else None
    return Difference(output, float(apart.max()), float(apart.mean()), relative, bar, agreement, ok=relative <= bar)


def _labelled(found: Difference, promised: str) -> Difference:
    """Judge an output of INT8 by its labels, too."""
    if promised != "int8" or found.agreement is None:
        return found
    return replace(found, ok=found.ok and found.agreement >= LEAST_AGREEMENT)


def golden(path: Path, engine: Engine) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Inputs and outputs by name, as float32; they are stored as float16 where that loses nothing."""
    try:
        if too_much := excess(path, MOST_GOLDEN_BYTES):
            raise EngineError(f"{path} is not what an export makes; export the package again:", [f"it {too_much}"])
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in file.files}
    except (ValueError, OSError, MemoryError, zipfile.BadZipFile) as error:
        raise EngineError(f"{path} is not readable; export the package again:", [str(error)]) from None
    inputs = {f"in_{spec.name}": spec.name for spec in engine.manifest.inputs}
    outputs = {f"out_{spec.name}": spec.name for spec in engine.manifest.outputs}
    if arrays.keys() != {*inputs, *outputs}:
        reasons = [f"it holds {sorted(arrays)}, wanted {sorted({*inputs, *outputs})}"]
        raise EngineError(f"{path} does not fit its manifest; export the package again:", reasons)
    return _renamed(arrays, inputs), _renamed(arrays, outputs)


def _renamed(arrays: Mapping[str, Floats], names: Mapping[str, str]) -> dict[str, Floats]:
    return {short: arrays[long] for long, short in names.items()}


def _milliseconds(engine: Engine, inputs: Mapping[str, Floats]) -> float:
    for _ in range(WARM_RUNS):
        engine.run(inputs)
    times = []
    for _ in range(TIMED_RUNS):
        began = time.perf_counter()
        engine.run(inputs)
        times.append(time.perf_counter() - began)
    return float(np.median(times)) * 1e3
