"""The engine packages, and what is to run them: the CPU, a GPU with its libraries, or a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from realtime.config import ROOT, EnginesConfig
from realtime.doctor.finding import Finding
from realtime.engine.backends.library import GPU_BACKENDS
from realtime.engine.backends.triton import SCHEME
from realtime.engine.factory import choose
from realtime.engine.package.manifest import load
from realtime.errors import EngineError

#: What may run an engine, by its name in pip's lists.
LIBRARIES = ("openvino", *GPU_BACKENDS, "cuda-bindings", "tritonclient", "mediapipe")


def engines(config: EnginesConfig, installed: Mapping[str, str]) -> list[Finding]:
    """Findings on what runs the engines, and on each package that the configuration names."""
    try:
        backend, why = choose(config.device)
        where = judge_backend(f"{backend}, since {why}", [], config, installed)
    except EngineError as error:
        where = judge_backend("", error.reasons, config, installed)
    return [where, judge_packages(ROOT / config.folder, config.packages)]


def judge_backend(chosen: str, missing: Sequence[str], config: EnginesConfig, installed: Mapping[str, str]) -> Finding:
    """`chosen` says what runs the engines and why; `missing` why the configured device cannot."""
    have = ", ".join(f"{name} {installed[name]}" for name in LIBRARIES if name in installed) or "no library at all"
    if not missing:
        server = " (asked when it is first used)" if config.device.startswith(SCHEME) else ""
        return Finding("device", "ok", f"{chosen}{server}; installed: {have}")
    if config.fallback:
        return Finding("device", "look", "; ".join(missing), "the CPU is used meanwhile; engines.device=cpu ends this")
    return Finding("device", "stop", "; ".join(missing), "or set engines.fallback=true, and the CPU is used meanwhile")


def judge_packages(folder: Path, names: Sequence[str]) -> Finding:
    """Whether each is whole: its manifest, and the SHA-256 of every file."""
    wrong = [why for name in names if (why := _damage(folder / name))]
    if wrong:
        return Finding("engines", "stop", "; ".join(wrong), "git checkout engines, or build them anew by make engines")
    return Finding("engines", "ok", f"{', '.join(names)} are whole")


def _damage(folder: Path) -> str:
    """What is wrong with a package, in one line; nothing where it is whole."""
    try:
        load(folder)
    except EngineError as error:
        return " ".join(str(error).split())
    return ""
