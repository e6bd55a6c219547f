"""Reads files that anybody may have put there: regular ones alone, within a bound, and without ever waiting."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


class NoRegularFileError(OSError):
    """There is a folder, a FIFO, a socket or a device."""


def read_regular(path: Path, most_bytes: int) -> bytes:
    """The first `most_bytes` + 1 bytes of a file: one byte more than `most_bytes` tells that it is too large.

    Raises:
        NoRegularFileError: it is no regular file.
        OSError: it cannot be read.
    """
    # Without O_NONBLOCK, opening a FIFO waits for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    if not is_regular:
        os.close(descriptor)
        raise NoRegularFileError(errno.EINVAL, "it is no regular file")
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, no path
        return file.read(most_bytes + 1)
