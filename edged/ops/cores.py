"""How many cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_OWN_GROUP: Final = Path("/proc/self/cgroup")
_GROUPS: Final = Path("/sys/fs/cgroup")


def usable_cores(own_group: Path = _OWN_GROUP, groups: Path = _GROUPS) -> int:
    """The cores that its affinity leaves it, or the whole ones of its time quota where that is less; at least one.

    A container or a service with `CPUQuota` sees every core and is stopped when it uses more than its share. The quota
    is that of cgroup v2 (Linux, Documentation/admin-guide/cgroup-v2.rst, cpu.max).
    """
    quotas = [_read_quota(folder / "cpu.max") for folder in _list_groups(own_group, groups)]
    return max(1, int(min([float(len(os.sched_getaffinity(0))), *(quota for quota in quotas if quota is not None)])))


def _list_groups(own_group: Path, groups: Path) -> list[Path]:
    """The folders of the process's group and of all groups above it."""
    try:
        lines = own_group.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    path = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if path is None or ".." in Path(path).parts:  # a group outside of what is mounted here
        return [groups]
    return [groups / path, *(groups / parent for parent in Path(path).parents)]


def _read_quota(file: Path) -> float | None:
    """Cores; None for no limit."""
    try:
        quota_us, period_us = (int(word) for word in file.read_text(encoding="ascii").split())
        return quota_us / period_us
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max" for no limit
        return None


def busy_s(stat: Path = Path("/proc/stat")) -> float:
    """The seconds that all cores together have worked since the machine started; 0 where the kernel does not say."""
    try:
        words = stat.read_text(encoding="ascii").split("\n", 1)[0].split()
        user, nice, system, _idle, _waiting, interrupts, soft_interrupts, *_ = (int(word) for word in words[1:])
    except (OSError, ValueError):
        return 0.0
    return (user + nice + system + interrupts + soft_interrupts) / os.sysconf("SC_CLK_TCK")
