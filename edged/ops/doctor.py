"""What about the machine could keep edged from running well, each with its remedy. Looks only; changes nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from edged.ops.cores import usable_cores

Status: TypeAlias = Literal["ok", "warning", "wrong"]

UNIT: Final = "edged.service"
LEAST_PYTHON: Final = (3, 11)
LEAST_MEMORY_BYTES: Final = 700_000_000
"""A small Vosk model and the LM take about that much; the Korean speech model alone takes 535 MB."""
LEAST_DISK_BYTES: Final = 500_000_000
"""The models and what is derived from them."""

_SYSTEMCTL_TIMEOUT_S = 10
_DOT_PRODUCT_FLAGS: Final = ("asimddp", "i8mm", "avx_vnni", "avx512_vnni", "avx2")
"""In /proc/cpuinfo: what llama.cpp's repacked kernels for Q4_0 and Q8_0 need, on ARM and on x86."""
_NEEDED_FEATURES: Final = {"DOTPROD": "asimddp", "AVX2": "avx2"}
"""What llama.cpp must have been built with, by the processor's flag that makes it worth while."""
_KERNEL_FEATURES: Final = frozenset({"NEON", "DOTPROD", "MATMUL_INT8", "AVX2", "AVX512", "AVX512_VNNI", "FMA"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    status: Status
    what: str
    remedy: str = ""


def check_machine(state_directory: Path) -> list[Finding]:
    """All that can be seen without edged's own configuration, beside the folder of its state."""
    return [
        check_python(sys.version_info[:3]),
        check_cpu(read_cpuinfo(), platform.machine()),
        check_cores(usable_cores()),
        check_memory(_read_text(Path("/proc/meminfo"))),
        check_disk(state_directory),
        check_unit(_show_unit()),
    ]


def check_python(version: tuple[int, ...]) -> Finding:
    """Whether this Python is new enough."""
    text = ".".join(map(str, version))
    if version[:2] < LEAST_PYTHON:
        return Finding("python", "wrong", text, "install Python 3.11 or newer")
    return Finding("python", "ok", text)


def check_cpu(cpuinfo: str, machine: str) -> Finding:
    """The processor's name, and whether it has dot-product instructions."""
    fields = _cpu_fields(cpuinfo)
    name = cpu_model(cpuinfo)
    flags = set((fields.get("flags") or fields.get("Features") or "").split())
    found = [flag for flag in _DOT_PRODUCT_FLAGS if flag in flags]
    if found:
        return Finding("processor", "ok", f"{name} ({machine}), with {', '.join(found)}")
    remedy = "nothing can be done but to take a newer processor: understanding will take several times as long"
    return Finding("processor", "warning", f"{name} ({machine}), without dot-product instructions", remedy)


def check_cores(count: int) -> Finding:
    """Whether there is more than one core to run on."""
    if count < 2:
        return Finding("cores", "warning", "1", "give the machine or the service a second core")
    return Finding("cores", "ok", str(count))


def check_memory(meminfo: str) -> Finding:
    """Whether the models fit."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    if not found:
        return Finding("memory", "warning", "/proc/meminfo does not say how much is free")
    available_bytes = int(found.group(1)) * 1024
    text = f"{available_bytes / 1e6:.0f} MB available"
    if available_bytes < LEAST_MEMORY_BYTES:
        return Finding("memory", "warning", text, f"free some: the models take up to {LEAST_MEMORY_BYTES / 1e6:.0f} MB")
    return Finding("memory", "ok", text)


def check_disk(directory: Path) -> Finding:
    """Whether models can be kept in the folder, which need not exist yet."""
    existing = next(folder for folder in (directory, *directory.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        remedy = "run as the user of the service, or set state.directory to a folder of your own"
        return Finding("state", "warning", f"{directory} cannot be written", remedy)
    free_bytes = shutil.disk_usage(existing).free
    text = f"{directory}, {free_bytes / 1e6:.0f} MB free"
    if free_bytes < LEAST_DISK_BYTES:
        return Finding("state", "warning", text, f"free {LEAST_DISK_BYTES / 1e6:.0f} MB, or set state.directory")
    return Finding("state", "ok", text)


REBUILD: Final = "build it for this processor: remove the virtual environment and run make again"
"""The remedy for a llama.cpp that does not suit the processor."""


def check_llama(system_info: str, cpuinfo: str) -> Finding:
    """Whether llama.cpp was built for what the processor can do; `system_info` is what llama.cpp says of itself."""
    built = set(re.findall(r"(\w+) = 1", system_info))
    flags = set(cpuinfo.split())
    text = ", ".join(sorted(built & _KERNEL_FEATURES)) or "any processor"
    missing = [feature for feature, flag in _NEEDED_FEATURES.items() if flag in flags and feature not in built]
    if missing:
        return Finding("llama.cpp", "warning", f"built for {text}, without {', '.join(missing)}", REBUILD)
    return Finding("llama.cpp", "ok", f"built for {text}")


def check_openmp(wait_policy: str) -> Finding:
    """Whether threads that wait for work sleep; `wait_policy` is $OMP_WAIT_POLICY, empty where it is not set."""
    if wait_policy.lower() == "active":
        remedy = "unset OMP_WAIT_POLICY: edged sets it to passive by itself"
        return Finding("openmp", "wrong", "OMP_WAIT_POLICY=active: beside any other load a word takes seconds", remedy)
    return Finding("openmp", "ok", f"OMP_WAIT_POLICY={wait_policy or 'passive, set by edged'}")


def check_unit(properties: str | None) -> Finding:
    """The state of the systemd unit; `properties` is what `systemctl show` printed, None without systemd."""
    if properties is None:
        return Finding("service", "ok", "this machine does not run systemd")
    known = dict(line.split("=", 1) for line in properties.splitlines() if "=" in line)
    if known.get("LoadState") != "loaded":
        return Finding("service", "ok", f"{UNIT} is not installed (see the README to run it as a service)")
    state = f"{known.get('ActiveState')} ({known.get('SubState')})"
    if known.get("ActiveState") == "failed":
        return Finding("service", "wrong", state, f"journalctl -u {UNIT} -n 50 says why")
    if known.get("ActiveState") != "active":
        return Finding("service", "warning", state, f"systemctl enable --now {UNIT}")
    return Finding("service", "ok", state)


def read_cpuinfo() -> str:
    """What the kernel says of the processor; empty where it says nothing."""
    return _read_text(Path("/proc/cpuinfo"))


def cpu_model(cpuinfo: str | None = None) -> str:
    """The processor's or, on a Pi, the board's name, from the text of /proc/cpuinfo: this machine's by default."""
    fields = _cpu_fields(read_cpuinfo() if cpuinfo is None else cpuinfo)
    return fields.get("model name") or fields.get("Model") or fields.get("Hardware") or "unknown processor"


def _cpu_fields(cpuinfo: str) -> dict[str, str]:
    return dict(re.findall(r"^([^\t:\n]+?)\s*:\s*(.+)$", cpuinfo, re.MULTILINE))


def _show_unit() -> str | None:
    systemctl = shutil.which("systemctl")
    if systemctl is None or not Path("/run/systemd/system").is_dir():
        return None
    shown = subprocess.run(  # noqa: S603 -- a fixed command
        [systemctl, "show", UNIT, "--property=LoadState,ActiveState,SubState"],
        capture_output=True,
        text=True,
        timeout=_SYSTEMCTL_TIMEOUT_S,
        check=False,
    )
    return shown.stdout


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
