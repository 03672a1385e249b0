"""Engine packages -> TensorRT's plans, ahead of the live system, which otherwise builds them when it starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from realtime.config import ROOT, EnginesConfig, GpuBackend
from realtime.engine.backends.plan import PlanRecord, obtain
from realtime.engine.package.manifest import load
from realtime.errors import EngineError


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """What `build` gives with --json for each package."""

    plan: str  #: path
    new: bool  #: False if it was there already
    record: PlanRecord


def build(
    folders: Iterable[Path], config: EnginesConfig, backend: GpuBackend, capability: str | None = None
) -> list[Build]:
    """A plan for each package; EngineError, once all were tried, lists what is wrong with those that have none."""
    reasons: list[str] = []
    tried = [_tried(ROOT / folder, config, backend, capability, reasons) for folder in folders]
    built = [each for each in tried if each is not None]
    if reasons:
        raise EngineError(f"{len(tried) - len(built)} of {len(tried)} packages have no plan:", reasons)
    return built


def lines(built: Iterable[Build]) -> Iterator[str]:
    """One line a plan."""
    for each in built:
        record, identity = each.record, each.record.identity
        how = f"built in {record.seconds:.1f} s" if each.new else "was there"
        yield (
            f"{identity.package}: {how}, {record.bytes / 1e6:.1f} MB, {identity.precision}, "
            f"up to {identity.rows} rows, {identity.library} for {identity.target}: {each.plan}"
        )


def _tried(
    folder: Path, config: EnginesConfig, backend: GpuBackend, capability: str | None, reasons: list[str]
) -> Build | None:
    try:
        plan = obtain(folder, load(folder), config, backend, capability)
    except EngineError as error:
        reasons += [f"{folder.name}: {reason}" for reason in error.reasons]
        return None
    return Build(plan=str(plan.path), new=plan.new, record=plan.record)
