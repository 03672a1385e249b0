"""ONNX -> plan: built once for this GPU and this library, kept in a cache, and used only if it is what was built.

Beside each plan lies a record of all that it depends on and its SHA-256; the file's name is a hash of the
former. So another GPU, library or model finds no plan and builds its own, and the old one stays.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from realtime.config import ROOT, EnginesConfig, GpuBackend
from realtime.engine.backends.builder import BuildOrder, serialize
from realtime.engine.backends.cuda import gpu
from realtime.engine.backends.library import library
from realtime.engine.package.manifest import MODEL, Manifest, Precision, Sha256
from realtime.errors import EngineError

log = logging.getLogger(__name__)

#: What TensorRT for RTX builds for unless told otherwise, no GPU needed: its own choice.
PORTABLE = "compute capability 8.0 and later"
RECORD = ".json"
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """All that a plan depends on."""

    package: str
    model: Sha256  #: of model.onnx
    precision: Precision
    opset: int
    rows: int  #: most at once
    library: str  #: name and version
    target: str  #: the GPU, or those that it was built for ahead of time

    @property
    def stem(self) -> str:
        """Name of its files: package and a hash of everything."""
        return f"{_plain(self.package)}-{hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]}"


class PlanRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands beside a plan."""

    identity: Identity
    sha256: Sha256  #: of the plan
    bytes: int
    seconds: float  #: that building took
    built: datetime.datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that is whole."""

    path: Path
    record: PlanRecord
    data: bytes
    new: bool  #: whether it was built just now


def target(backend: GpuBackend, capability: str | None) -> str:
    """What to build for: the GPU at hand, or for RTX a compute capability such as "8.6", by default all."""
    if backend == "tensorrt-rtx":
        return f"compute capability {capability}" if capability else PORTABLE
    if capability:
        reasons = ["leave the compute capability out, or give --backend tensorrt-rtx"]
        raise EngineError("tensorrt builds for the GPU at hand alone:", reasons)
    return str(gpu())


def obtain(
    folder: Path, manifest: Manifest, config: EnginesConfig, backend: GpuBackend, capability: str | None = None
) -> Plan:
    """The plan of the package in `folder`, from the cache or built into it.

    Of several processes the first builds and the others wait. EngineError lists why there can be none and
    what is wrong with those that are there; no older plan is lost then.
    """
    identity = Identity(
        package=manifest.name,
        model=manifest.files[MODEL],
        precision=manifest.precision,
        opset=manifest.opset,
        rows=config.batch,
        library=f"{backend} {library(backend).__version__}",
        target=target(backend, capability),
    )
    path = ROOT / Path(config.cache).expanduser() / f"{identity.stem}.plan"
    flaws: list[str] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            return _kept(path, identity, flaws) or _built(
                path, identity, BuildOrder(folder / MODEL, manifest, backend, capability, config.batch), flaws
            )
    except OSError as error:
        reasons = [f"{error.strerror}: make room in {path.parent}, or let engines.cache be another folder"]
    except EngineError as error:
        reasons = [*error.reasons]
    raise EngineError(f"{manifest.name} has no plan of {identity.library} for {identity.target}:", reasons + flaws)


def differences(found: Identity, wanted: Identity) -> list[str]:
    """What a plan was built for, where that is not what is wanted."""
    pairs = zip(
        Identity.__struct_fields__, msgspec.structs.astuple(found), msgspec.structs.astuple(wanted), strict=True
    )
    return [f"it has {name} {old}, wanted {new}" for name, old, new in pairs if old != new]


def _kept(path: Path, identity: Identity, flaws: list[str]) -> Plan | None:
    """The plan if it is whole; otherwise `flaws` are told, of an older one if there is none of this identity."""
    try:
        record = _record(path)
        data = _read(path)
    except FileNotFoundError:
        flaws += _outdated(path.parent, identity)
        return None
    except PermissionError as error:
        flaws.append(f"{path.name} is not used: {error}")
        return None
    except msgspec.DecodeError as error:
        flaws.append(f"{path.name} has a record that cannot be read ({error})")
        return None
    flaws += [f"{path.name}: {difference}" for difference in differences(record.identity, identity)]
    if hashlib.sha256(data).hexdigest() != record.sha256:
        flaws.append(f"{path.name} is damaged: it is not what was built")
    return None if flaws else Plan(path, record, data, new=False)


def _outdated(cache: Path, identity: Identity) -> list[str]:
    """How the newest plan of the same package differs, if there is one."""
    for path in sorted(
        cache.glob(f"{_plain(identity.package)}-*.plan"), key=lambda path: path.stat().st_mtime, reverse=True
    ):
        try:
            found = _record(path).identity
        except (OSError, msgspec.DecodeError):
            continue
        if found.package == identity.package:
            return [f"{path.name} does not fit: {difference}" for difference in differences(found, identity)]
    return []


def _built(path: Path, identity: Identity, order: BuildOrder, flaws: list[str]) -> Plan:
    why = "; ".join(flaws) or "there is none yet"
    # A warning, because a live system that starts waits for it, a minute perhaps.
    log.warning("building the plan of %s for %s: %s", identity.package, identity.target, why)
    began = time.perf_counter()
    timing = path.with_name(f"{hashlib.sha256((identity.library + identity.target).encode()).hexdigest()[:16]}.timing")
    data, times = serialize(order, _timing(timing))
    record = PlanRecord(
        identity=identity,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        seconds=round(time.perf_counter() - began, 3),
        built=datetime.datetime.now(datetime.timezone.utc),
    )
    _write(path, data)
    _write(path.with_suffix(RECORD), msgspec.json.format(msgspec.json.encode(record), indent=2))
    if times:
        _write(timing, times)
    return Plan(path, record, data, new=True)


def _plain(name: str) -> str:
    """A name that is no path and no pattern."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def _record(path: Path) -> PlanRecord:
    return msgspec.json.decode(_read(path.with_suffix(RECORD)), type=PlanRecord)


def _timing(path: Path) -> bytes:
    """What earlier builds measured; empty where that is not to be had."""
    try:
        return _read(path)
    except OSError:
        return b""


def _read(path: Path) -> bytes:
    """A file of the cache; PermissionError where another user could have written it: a plan runs as code does."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        if found.st_uid not in (0, os.geteuid()):
            raise PermissionError(f"it belongs to another user, number {found.st_uid}")
        if found.st_mode & OTHERS_WRITE:
            raise PermissionError("others may write to it")
        return file.read()


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: an older file stays until the new one lies whole on the disk."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            os.fchmod(file.fileno(), 0o644)  # whatever the umask allows others
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of a plan; whoever dies lets go of it."""
    import fcntl  # which Windows lacks, where plans are not built

    with path.with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("waiting for another process, which builds %s", path.name)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
