"""A vocabulary kept in a file, so that a start maps it instead of asking the model for every token.

The file is a key of 64 hexadecimal digits and then the image of `Vocab`. The key says which tokens these are; it never
says that the file is sound: that is looked at each time.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from edged.core import Vocab
from edged.errors import CoreError

log = logging.getLogger(__name__)

_KEY_BYTES: Final = 64
"""A SHA-256 in hexadecimal digits; a multiple of 8, as the image behind it must begin at one."""


def open_vocab(path: Path, key: str, make: Callable[[], Sequence[bytes]]) -> Vocab:
    """The vocabulary of the file, or else made anew and written there for the next time.

    Nothing may write into the file while it is mapped; here it is only ever replaced as a whole. A file that cannot be
    used or written costs time and is logged.

    Args:
        path: of the file; its folder is made if need be.
        key: a SHA-256 in hexadecimal digits of what decides over the tokens, such as the model file's.
        make: gives the tokens by id; only called if the file is missing, damaged, or of another key.

    Raises:
        ValueError: the key is no SHA-256 in hexadecimal digits.
        CoreError: there are too many tokens.
    """
    if len(bytes.fromhex(key)) * 2 != _KEY_BYTES or len(key) != _KEY_BYTES:
        raise ValueError(f"not a SHA-256 in {_KEY_BYTES} hexadecimal digits: {key!r}")
    vocab = _map(path, key.encode())
    if vocab is None:
        vocab = Vocab(make())
        try:
            _write(path, key.encode(), vocab.image())
        except OSError as error:
            log.warning("the vocabulary cannot be kept in %s, so each start builds it: %s", path, error.strerror)
    return vocab


def _map(path: Path, key: bytes) -> Vocab | None:
    """The vocabulary of a file that is whole and of this key."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO must not be waited for
        try:
            mapped = memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
        finally:
            os.close(descriptor)
        if mapped[:_KEY_BYTES] != key:
            log.debug("%s is of other tokens", path)
            return None
        return Vocab.from_image(mapped[_KEY_BYTES:])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, CoreError) as error:  # ValueError: an empty file
        log.warning("the vocabulary in %s cannot be used and is built anew: %s", path, error)
        return None


def _write(path: Path, key: bytes, image: bytes) -> None:
    """Writes beside and renames: the file is the old one or the new one, and a process may have the old one mapped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - the file is open already
            file.write(key)
            file.write(image)
            os.fchmod(descriptor, 0o644)  # it holds no more than the model does, which others may read
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
