"""Which version of each file is in force: the one on disk, or its last good one where that cannot be used.

`LiveFiles.read` looks at the files, `accept` says that what it found is in force now, and `refuse` that it could not be
used after all. Copies of everything in force outlive a restart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edged.errors import ConfigError, EdgedError, SchemaError
from edged.intents.catalog import Catalog, Fault
from edged.intents.copies import Copies
from edged.intents.folder import Folder, read_folder
from edged.intents.home import Home, HomeError, parse_home, read_home
from edged.intents.lint.clashes import Clashes
from edged.intents.load import MAX_FAULTS, Version, check_text
from edged.intents.source import printable_path
from edged.intents.suggest import shorten

log = logging.getLogger(__name__)

_NAMED: Final = 5
"""Files that a line of the log or of the status names."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is to be in force, and how it differs from what was."""

    catalog: Catalog
    """The very one that was, where no intent and nothing of the house differs."""
    faults: tuple[Fault, ...]
    """All that is wrong with the files as they are now."""
    touched: frozenset[str]
    """Files that are not as they were at the look before."""
    last_good: tuple[str, ...]
    """Files that are served from their last good version."""
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    home_text: str
    versions: Mapping[str, Version]
    """File name -> what is to be in force."""


@dataclass(frozen=True, slots=True)
class _Unusable:
    """Why the house or the folder cannot be used."""

    faults: tuple[Fault, ...]
    error: EdgedError = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at the files found: texts, or why there are none."""

    home: str | _Unusable
    folder: Folder | _Unusable

    @property
    def files(self) -> Mapping[str, str | tuple[Fault, ...]]:
        return self.folder.files if isinstance(self.folder, Folder) else {}


class LiveFiles:
    """The folder of intents and the house; it belongs to one thread."""

    def __init__(
        self, directory: Path, home: Path, copies: Path, *, check_home: Callable[[Home], None] = lambda _: None
    ) -> None:
        """`copies` is the folder for the last good versions; `check_home` raises ConfigError at an unusable house."""
        self._directory = directory.absolute()
        self._home_path = home.absolute()
        self._check_home = check_home
        self._copies = Copies(copies)
        self._seen: _Seen | None = None
        self._versions: dict[tuple[str, str], Version] = {}
        self._homes: dict[str, Home] = {}
        self._good: dict[str, str] = {}
        self._good_home: str | None = None
        self._in_force: Snapshot | None = None

    def start(self) -> Snapshot:
        """What the files say at the start, with last good versions where they are needed.

        Raises:
            ConfigError: the house or the folder cannot be used, and no last good version is known.
            SchemaError: there is no intent, not even a last good one.
        """
        self._load_copies()
        self._seen = self._look()
        return self._compose(self._seen, frozenset())

    def read(self) -> Snapshot | None:
        """What the files say now; None where they are as they were at the last look."""
        seen, before = self._look(), self._seen
        if seen == before:
            return None
        self._seen = seen
        return self._compose(seen, self._find_touched(seen, before))

    def accept(self, snapshot: Snapshot) -> None:
        """This snapshot is in force: its texts are the last good ones from now on."""
        self._in_force = snapshot
        self._good = {name: version.text for name, version in snapshot.versions.items()}
        self._good_home = snapshot.home_text
        texts = {str(self._directory / name): text for name, text in self._good.items()}
        self._copies.save({str(self._home_path): snapshot.home_text} | texts)

    def refuse(self, snapshot: Snapshot, error: EdgedError) -> Snapshot:
        """What stays in force in place of a snapshot that cannot be used, `error` among its faults.

        Raises:
            EdgedError: `error` itself, where there is nothing else.
        """
        texts = {name: version.text for name, version in snapshot.versions.items()}
        if self._seen is None or (self._good_home, self._good) == (snapshot.home_text, texts):
            raise error
        faults = [*snapshot.faults, *_faults_of(error, self._directory)]
        return self._fall_back(self._seen, faults, snapshot.touched, error)

    def _look(self) -> _Seen:
        return _Seen(self._read_home(), self._read_folder())

    def _read_home(self) -> str | _Unusable:
        """The text of a usable house, which `_homes` then has."""
        try:
            text = read_home(self._home_path)
            if text not in self._homes:
                home = self._load_home(text, self._home_path)
                self._homes = {kept: house for kept, house in self._homes.items() if kept == self._good_home}
                self._homes[text] = home
        except ConfigError as error:
            return _Unusable(_faults_of(error, self._home_path), error)
        return text

    def _read_folder(self) -> Folder | _Unusable:
        try:
            return read_folder(self._directory, _label)
        except ConfigError as error:
            return _Unusable(_faults_of(error, self._directory), error)

    def _load_home(self, text: str, path: Path) -> Home:
        """Raises ConfigError where the house cannot be used, also where that is our own fault."""
        try:
            home = parse_home(text, str(path))
            self._check_home(home)
        except ConfigError:
            raise
        except Exception as error:
            log.exception("%s cannot be checked", path)
            what = f"cannot be checked: {type(error).__name__}: {shorten(str(error))}"
            remedy = "this is a bug of edged: report it with the file"
            raise ConfigError(what, where=str(path), remedy=remedy) from error
        return home

    def _load_copies(self) -> None:
        texts = self._copies.load()
        text = texts.pop(str(self._home_path), None)
        self._good = {Path(file).name: good for file, good in texts.items() if Path(file).parent == self._directory}
        if text is None:
            return
        try:
            self._homes[text] = self._load_home(text, self._home_path)
        except ConfigError:
            return  # it was good for another version of edged, or under another configuration
        self._good_home = text

    def _find_touched(self, seen: _Seen, before: _Seen | None) -> frozenset[str]:
        old, new = {} if before is None else before.files, seen.files
        touched = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if before is None or before.home != seen.home:
            touched.add(self._home_path.name)
        return frozenset(map(_shown, touched))

    def _compose(self, seen: _Seen, touched: frozenset[str]) -> Snapshot:
        faults: list[Fault] = []
        home_text = self._choose_home(seen.home, faults)
        faults += seen.folder.faults
        if isinstance(seen.folder, _Unusable):
            return self._fall_back(seen, faults, touched, seen.folder.error)
        wanted = seen.files.items() | self._good.items()
        self._versions = {key: version for key, version in self._versions.items() if key in wanted}
        versions = self._choose_versions(seen.files, self._homes[home_text], faults)
        if versions:
            return self._make(seen, home_text, versions, faults, touched)
        reasons = "\n  ".join(map(str, faults)) or "the folder holds no *.json file"
        error = SchemaError("no intent could be loaded", remedy=reasons)
        faults.append(_fault(self._directory.name, "no intent is left", "mend a file, or put one there"))
        return self._fall_back(seen, faults, touched, error)

    def _choose_home(self, found: str | _Unusable, faults: list[Fault]) -> str:
        """The text of the house that was found, or else of the last good one."""
        if isinstance(found, str):
            return found
        if self._good_home is None:
            raise found.error
        faults += found.faults
        return self._good_home

    def _choose_versions(
        self, files: Mapping[str, str | tuple[Fault, ...]], home: Home, faults: list[Fault]
    ) -> dict[str, Version]:
        """For each file what was found or else its last good version; nothing where neither can be in force."""
        chosen: dict[str, Version] = {}
        clashes = Clashes()
        for name, found in files.items():
            if not isinstance(found, str):
                faults += found
            good = self._good.get(name)
            for text in (found, good if good != found else None):
                if not isinstance(text, str):
                    continue
                version = self._check(name, text, home)
                clashing = version.take(clashes)
                if text is found:
                    faults += [*version.faults, *clashing]
                if version.intent is not None and not clashing:
                    chosen[name] = version
                    break
        return chosen

    def _check(self, name: str, text: str, home: Home) -> Version:
        """Checks a text, unless that was done before."""
        in_force = self._in_force.versions.get(name) if self._in_force is not None else None
        for known in (in_force, self._versions.get((name, text))):
            if known is not None and known.text == text and known.home is home:
                return known
        version = self._versions[name, text] = check_text(text, _shown(name), home)
        return version

    def _fall_back(self, seen: _Seen, faults: list[Fault], touched: frozenset[str], error: EdgedError) -> Snapshot:
        """Everything as it was last in force, or `error` where nothing was."""
        home_text = self._good_home
        if home_text is None:
            raise error
        good = self._choose_versions(dict(sorted(self._good.items())), self._homes[home_text], [])
        if not good:
            raise error
        return self._make(seen, home_text, good, faults, touched)

    def _make(
        self,
        seen: _Seen,
        home_text: str,
        versions: Mapping[str, Version],
        faults: list[Fault],
        touched: frozenset[str],
    ) -> Snapshot:
        last_good = [] if seen.home == home_text else [self._home_path.name]
        last_good += [name for name, version in versions.items() if seen.files.get(name) != version.text]
        before = {} if self._in_force is None else self._in_force.versions
        changed = [name for name in versions if name in before and versions[name].text != before[name].text]
        if self._in_force is not None and self._in_force.home_text != home_text:
            changed.append(self._home_path.name)
        added = [name for name in versions if name not in before]
        removed = [name for name in before if name not in versions]
        if self._in_force is not None and not (added or changed or removed):
            catalog = self._in_force.catalog
        else:
            intents = {version.intent.name: version.intent for version in versions.values() if version.intent}
            catalog = Catalog(intents, self._homes[home_text], tuple(faults))
        return Snapshot(
            catalog=catalog,
            faults=tuple(faults),
            touched=touched,
            last_good=tuple(map(_shown, last_good)),
            added=tuple(map(_shown, added)),
            changed=tuple(map(_shown, changed)),
            removed=tuple(map(_shown, removed)),
            home_text=home_text,
            versions=versions,
        )


def describe_changes(snapshot: Snapshot) -> str:
    """What a look at the files has changed, in one line for the log."""
    kinds = {
        "added": snapshot.added,
        "changed": snapshot.changed,
        "removed": snapshot.removed,
        "served from its last good version": snapshot.last_good,
    }
    parts = [f"{kind} {_join(names)}" for kind, names in kinds.items() if names] or ["nothing changed"]
    return "; ".join([*parts, f"{len(snapshot.catalog.intents)} intents in force"])


def describe_state(snapshot: Snapshot) -> str:
    """What is in force and which files are not, in one line for `systemctl status`."""
    count = len(snapshot.catalog.intents)
    refused = dict.fromkeys(fault.file for fault in snapshot.faults if fault.severity == "error")
    served = [file for file in refused if file in snapshot.last_good]
    lost = [file for file in refused if file not in snapshot.last_good]
    parts = [f"{count} intent{'' if count == 1 else 's'}"]
    parts += [f"{_join(served)} refused, last good version in force"] if served else []
    parts += [f"{_join(lost)} refused"] if lost else []
    return "; ".join(parts)


def _join(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _fault(name: str, what: str, remedy: str) -> Fault:
    return Fault(_shown(name), "", 0, 0, what, remedy)


def _faults_of(error: EdgedError, path: Path) -> tuple[Fault, ...]:
    if isinstance(error, HomeError):
        return tuple(
            Fault(_label(path), _pointer_to(found.path), 0, 0, found.what, found.remedy)
            for found in error.faults[:MAX_FAULTS]
        )
    place = "" if error.where in ("", str(path)) else f"{error.where}: "
    return (_fault(path.name, place + error.what, error.remedy),)


def _pointer_to(path: str) -> str:
    """The JSON pointer of dotted keys."""
    return f"/{path.replace('.', '/')}" if path else ""


def _label(path: Path) -> str:
    return _shown(path.name)


def _shown(name: str) -> str:
    """A file's name that can be logged and sent: names may hold any bytes."""
    return printable_path(Path(name))
