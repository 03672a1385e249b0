"""The processor, its instruction set, and the memory: what speed can be expected of them."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import psutil

from realtime.doctor.finding import Finding

CPUINFO = Path("/proc/cpuinfo")
#: From the fastest on: the flag as Linux names it, what it is called, and what of the speed that it gives.
SETS = (
    ("amx_bf16", "AMX", "networks run in bfloat16, the fastest there is"),
    ("avx512f", "AVX-512", "about 130 frames/s of one face on two cores of 2.8 GHz"),
    ("avx2", "AVX2", "about 130 frames/s of one face on two cores of 2.8 GHz"),
    ("asimd", "NEON", "not measured; two fast cores are as AVX2, a Raspberry Pi 5 is a third of that or less"),
)
#: One follows faces while the other measures how they move and judges events.
CORES = 2
#: Everything on takes 370 MB, the page 150, each visitor's camera 100.
LEAST_MB = 700.0


def processor() -> list[Finding]:
    """Findings on the processor and the memory."""
    text = CPUINFO.read_text("utf-8", "replace") if CPUINFO.is_file() else ""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [
        judge_processor(text, cores, platform.processor() or platform.machine()),
        judge_memory(psutil.virtual_memory().available / 1e6),
    ]


def judge_processor(cpuinfo: str, cores: int, otherwise: str) -> Finding:
    """From the text of /proc/cpuinfo; `otherwise` is what the processor is called where that says nothing."""
    flags = set(re.findall(r"\S+", "".join(re.findall(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.M)[:1])))
    name = next(iter(re.findall(r"^model name\s*:\s*(.+)$", cpuinfo, re.M)), otherwise)
    called, speed = next(((called, speed) for flag, called, speed in SETS if flag in flags), ("", ""))
    shown = f"{name}, {cores} {'core' if cores == 1 else 'cores'}"
    if cores < CORES:
        todo = f"at least {CORES} are wanted; frames will be left out, and meta says how many"
        return Finding("processor", "look", f"{shown}, {called or 'unknown instructions'}", todo)
    if not flags:
        return Finding("processor", "ok", f"{shown}, whose instructions this system does not tell")
    if not called:
        todo = "expect a quarter of the speed of AVX2, a lower source.rate_hz, or take another computer"
        return Finding("processor", "look", f"{shown}, neither AVX2 nor NEON", todo)
    return Finding("processor", "ok", f"{shown}, {called}: {speed}")


def judge_memory(available_mb: float) -> Finding:
    """Whether there is room for the recogniser and the page."""
    shown = f"{available_mb:.0f} MB free"
    if available_mb < LEAST_MB:
        return Finding(
            "memory", "look", shown, f"{LEAST_MB:.0f} are wanted for recogniser and page; close other programs"
        )
    return Finding("memory", "ok", shown)
