"""Houses to train with: the example house with some rooms and devices less, and some of other people's more."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edged.intents.home import Home
from edged.train.sentences import FOLDER
from edged.train.values import slug

_GONE_SHARE: Final = 0.2
"""So many rooms and devices of the example house are missing from another."""
_MORE_SHARE: Final = 0.5
"""So many of other people's rooms and devices are in it."""
_KINDS: Final[Mapping[str, str]] = {"lamp": "light", "heater": "thermostat"}


def house_file(home: Home, rng: random.Random) -> str:
    """Another house, as what stands in its home.toml."""
    areas = [area for area in home.areas.values() if rng.random() > _GONE_SHARE]
    devices = [device for device in home.devices.values() if rng.random() > _GONE_SHARE]
    kept = {area.key for area in areas}
    lines: list[str] = []
    for floor in home.floors.values():
        lines += [f"[floors.{floor.key}]", *_names(floor.names)]
    for area in areas:
        lines += [f"[areas.{area.key}]", *_names(area.names), *([f'floor = "{area.floor}"'] if area.floor else [])]
    for device in devices:
        if device.area is None or device.area in kept:
            lines += _device(device.key, device.kind, device.area, device.names)
    lines += _others(home, kept, rng)
    return "\n".join(lines) + "\n"


def _others(home: Home, kept: Collection[str], rng: random.Random) -> Iterator[str]:
    """Some of other people's rooms, and of their devices, which stand in rooms of the example house."""
    known = {*kept, *home.floors}
    others: dict[str, dict[str, dict[str, list[str]]]] = {"area": {}, "lamp": {}, "heater": {}}
    for lang, kind, name, key in _strangers():
        others[kind].setdefault(key, {}).setdefault(lang, []).append(name)
    for kind, entries in others.items():
        for key, names in sorted(entries.items()):
            if key in known or key in home.devices or rng.random() > _MORE_SHARE:
                continue
            known.add(key)
            if kind == "area":
                yield from (f"[areas.{key}]", *_names(names))
            else:
                yield from _device(key, _KINDS[kind], rng.choice(sorted(kept)) if kept else None, names)


def _names(names: Mapping[str, Any]) -> list[str]:
    return [f"names.{lang} = [{', '.join(map(_quoted, words))}]" for lang, words in names.items() if words]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "") + '"'


def _device(key: str, kind: str, area: str | None, names: Mapping[str, Any]) -> list[str]:
    where = [f'area = "{area}"'] if area else []
    return [
        f"[devices.{key}]",
        f'kind = "{kind}"',
        *where,
        'driver = "zigbee2mqtt"',
        f'address = "{key}"',
        *_names(names),
    ]


def _strangers() -> Iterator[tuple[str, str, str, str]]:
    """Language, kind, name and key of the rooms and devices that the templates name and the example house lacks."""
    for path in sorted(Path(FOLDER).glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for kind, entries in table.get("names", {}).items():
            if kind in ("area", *_KINDS):
                pairs = entries.items() if isinstance(entries, Mapping) else ((name, slug(name)) for name in entries)
                yield from ((path.stem, kind, name, str(key)) for name, key in pairs)
