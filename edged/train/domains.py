"""What the domains of training say: intents of many kinds, with what people say for them and beside them.

In a line of `say` or `refused` in `domains/*.toml`: `(a|b)` is one of these, `[a]` is there or not, `<a;b>` is all of
these in any order, `{name}` is a slot's value or a macro of `words`, `{thing}` one of the domain's things. A line
`@ slot=value` means these slots from the next line on, and `@` alone means none. The values of a slot are separated by
commas, their spoken words by `|`; `key=` in front of them where the value is not the first of these words. Domains that
share a word of `kin` never meet in one catalogue, nor do sentences of one stand beside the other as what is no command.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

FOLDER: Final = Path(__file__).parent / "domains"
COMMON: Final = "common.toml"
"""Holds no domain but what is said everywhere: polite forms, talk, rooms."""
AREA: Final = "area"
"""The slot that means a room of the house."""
_THING: Final = "the {thing}"
_PLACED: Final = "the ({thing}|[{area}] {thing}|{thing} [in the {area}])"
"""The thing of a domain that is `placed`: a house may have one in several rooms."""

Words: TypeAlias = Mapping[str, str]
Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot as its domain describes it."""

    names: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    """Value -> how it is said; empty for a number."""
    bounds: tuple[int, int]
    step: int
    needed: bool
    """Mostly required."""


@dataclass(frozen=True, slots=True)
class Template:
    """A line that people say, and the slots that it means beside those that it names."""

    text: str
    means: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """An intent as its domain describes it, before anything is renamed."""

    domain: Domain
    names: tuple[str, ...]
    about: tuple[str, ...]
    slots: Mapping[str, Slot]
    say: tuple[Template, ...]
    refused: tuple[Template, ...]
    words: Words

    @property
    def implied(self) -> frozenset[str]:
        """The slots that some sentence gives without saying their value."""
        return frozenset(slot for template in self.say for slot in template.means)


@dataclass(slots=True, eq=False)
class Domain:
    """Intents about one thing."""

    name: str
    kin: frozenset[str]
    """What other domains also do: sentences of two that share one of these may mean either."""
    things: tuple[str, ...]
    asks: bool
    """Whether questions are commands here."""
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class Common:
    """What is said everywhere."""

    words: Words
    verbs: frozenset[str]
    lists: Mapping[str, tuple[str, ...]]
    rooms: tuple[str, ...]


@cache
def read_domains() -> tuple[tuple[Domain, ...], Common]:
    """All domains, by the names of their files, and what is common to them."""
    common = _read(FOLDER / COMMON)
    lists = {key: tuple(_lines(text)) for key, text in common["lists"].items()}
    paths = sorted(path for path in FOLDER.glob("*.toml") if path.name != COMMON)
    domains = tuple(domain for path in paths for domain in _domains(path))
    rooms = tuple(room.strip() for room in common["rooms"].split(","))
    return domains, Common(common["words"], frozenset(common["verbs"].split()), lists, rooms)


def _domains(path: Path) -> Iterator[Domain]:
    for name, table in _read(path).items():
        things = tuple(table["things"].split("|"))
        kin = frozenset(table.get("kin", "").split())
        domain = Domain(name, kin, things, table.get("asks", False))
        words = table.get("words", {})
        place = _PLACED if table.get("placed", False) else _THING
        domain.kinds = tuple(_kind(domain, words, row, place) for row in table["intent"])
        yield domain


def _kind(domain: Domain, words: Words, row: Json, place: str) -> Kind:
    slots = {name: _slot(name, table) for name, table in row.get("slots", {}).items()}
    texts = (row["say"].replace(_THING, place), row.get("refused", ""))
    say, refused = (tuple(_templates(text)) for text in texts)
    if any(f"{{{AREA}}}" in template.text for template in say):
        slots[AREA] = Slot((AREA, "room", "place", "where", "location"), {}, (0, 0), 1, needed=False)
    words = {**words, **row.get("words", {}), "thing": "|".join(domain.things)}
    return Kind(domain, tuple(row["names"].split()), tuple(row["about"].split("|")), slots, say, refused, words)


def _slot(name: str, table: Json) -> Slot:
    values = dict(_value(text.strip()) for text in table["values"].split(",")) if "values" in table else {}
    least, most = table.get("range", (0, 0))
    names = (name, *table.get("names", "").split())
    return Slot(names, values, (least, most), table.get("step", 1), table.get("need", False))


def _value(text: str) -> tuple[str, tuple[str, ...]]:
    key, _, forms = text.rpartition("=")
    said = tuple(forms.split("|"))
    return key or said[0].replace(" ", "_").replace("'", ""), said


def _templates(text: str) -> Iterator[Template]:
    means: dict[str, str] = {}
    for line in _lines(text):
        if line.startswith("@"):
            means = dict(pair.split("=") for pair in line[1:].split())
        else:
            yield Template(line, means)


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip())


def _read(path: Path) -> Json:
    return tomllib.loads(path.read_text(encoding="utf-8"))
