"""Small catalogs that tests write themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from edged.config import load_config
from edged.intents.catalog import Catalog
from edged.intents.load import load_catalog

AREA: Final = {"$ref": "urn:edged:home#/areas"}
LAMP: Final = {"$ref": "urn:edged:home#/devices/light"}


def make_intent(
    name: str,
    slots: Mapping[str, Any],
    examples: Iterable[tuple[str, Mapping[str, Any]]],
    required: Sequence[str] = (),
    lang: str = "en",
    **extension: Any,
) -> dict[str, Any]:
    """An intent file with these slots and examples, and what else stands in its `x-edged`."""
    said = [{"text": text, "slots": dict(meant)} for text, meant in examples]
    return {
        "type": "object",
        "properties": {"intent": {"const": name}, **slots},
        "required": ["intent", *required],
        "additionalProperties": False,
        "x-edged": {"examples": {lang: said}, **extension},
    }


def make_catalog(folder: Path, intents: Iterable[Mapping[str, Any]], home: str = "") -> Catalog:
    """The catalog of these files in a house; none of them is refused."""
    folder.mkdir(exist_ok=True)
    (folder / "home.toml").write_text(home, encoding="utf-8")
    schemas = folder / "intents"
    schemas.mkdir()
    for schema in intents:
        path = schemas / f"{schema['properties']['intent']['const']}.json"
        path.write_text(json.dumps(schema), encoding="utf-8")
    catalog = load_catalog(load_config(schemas=schemas, home=folder / "home.toml"))
    assert [str(fault) for fault in catalog.faults if fault.severity == "error"] == []
    return catalog
