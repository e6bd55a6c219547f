"""Many houses, one file each: read when somebody there speaks, and kept while they are used."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edged.errors import ConfigError, EdgedError
from edged.intents.catalog import Catalog
from edged.intents.home import Home, load_home
from edged.intents.load import make_catalog, require_intents

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _House:
    mark: tuple[int, ...]
    """Of the file that was looked at last."""
    home: Home
    """The last good one."""
    use: Callable[[], None] | None
    """Puts its catalog in force; None where the intents have changed since."""


class Houses:
    """A folder with <name>/home.toml for each; it belongs to one thread."""

    def __init__(
        self, folder: Path, *, most: int, texts: Mapping[str, str], prepare: Callable[[Catalog], Callable[[], None]]
    ) -> None:
        """Reads nothing yet.

        Args:
            folder: where the houses are.
            most: so many are kept, those that were used last.
            texts: file name -> text of every intent that is in force in all of them.
            prepare: does for a catalog what takes time; what it gives puts it in force, as often as it is called.
        """
        self._folder = folder
        self._most = most
        self._texts = texts
        self._prepare = prepare
        self._kept: OrderedDict[str, _House] = OrderedDict()

    def set_texts(self, texts: Mapping[str, str]) -> None:
        """These intents are in force from now on."""
        self._texts = texts
        self._kept = OrderedDict((name, _House(house.mark, house.home, None)) for name, house in self._kept.items())

    def enter(self, name: str) -> None:
        """Puts a house in force, as its file is now; one that cannot be read stays as it was last read.

        Args:
            name: of the house; it must be safe as that of a folder.

        Raises:
            EdgedError: there is none of this name, or it cannot be used.
        """
        path = self._folder / name / "home.toml"
        mark, kept = _mark(path), self._kept.pop(name, None)
        if kept is None or kept.mark != mark:
            kept = _House(mark, self._read(path, kept), None)
        use = kept.use or self._prepare(require_intents(self._make(kept.home)))
        self._kept[name] = _House(mark, kept.home, use)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        use()

    def _read(self, path: Path, before: _House | None) -> Home:
        try:
            return load_home(path)
        except EdgedError as error:
            if before is None:
                raise
            logger.warning("%s; it stays as it was", error)
            return before.home

    def _make(self, home: Home) -> Catalog:
        return make_catalog({Path(name): text for name, text in self._texts.items()}, home)


def _mark(path: Path) -> tuple[int, ...]:
    """What tells one state of a file from another."""
    try:
        found = path.stat()
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="put the house's home.toml there"
        ) from error
    return found.st_mtime_ns, found.st_size, found.st_ino
