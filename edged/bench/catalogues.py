"""Sets of intents that every engine is given, and answers that every engine has to accept. The same in each run."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from edged.intents.catalog import Catalog, Example, IntentFile
from edged.intents.home import Home

Schemas: TypeAlias = Sequence[Mapping[str, Any]]
"""The JSON Schemas of the intents of a catalogue."""

MAX_INTENTS: Final = 3
"""Intents in an answer: what `compile_catalog` allows."""

_SEED: Final = 40
_ANSWERS: Final = 24
"""Answers of a catalogue: about 600 tokens."""
_PLACES = ("attic", "bath", "cellar", "den", "foyer", "garage", "loft", "nursery", "pantry", "porch", "studio", "yard")
_THINGS = ("alarm", "awning", "boiler", "camera", "door", "filter", "heater", "mower", "oven", "pump", "radio", "valve")
_NOWHERE: Final = Home({}, {})
_WAYS = ("arm", "clean", "close", "drain", "fill", "hold", "lock", "open", "pause", "raise", "rinse", "start", "stop")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The same intents in the forms that engines take."""

    name: str
    schemas: Schemas
    schema_text: str
    """JSON Schema of an answer."""
    catalog: Catalog
    """As edged has it after loading."""
    answers: Sequence[bytes]


def make_catalogues() -> tuple[Catalogue, ...]:
    """`union` is two of the shipped intents in a house, `forty` is made up."""
    union = json.loads((Path(__file__).parent / "union.json").read_text(encoding="utf-8"))
    return make_catalogue("union", union), make_catalogue("forty", make_intents(40))


def make_catalogue(name: str, schemas: Schemas) -> Catalogue:
    """All forms of these intents."""
    return Catalogue(
        name,
        schemas,
        json.dumps(answer_schema(schemas), ensure_ascii=False),
        Catalog({schema["properties"]["intent"]["const"]: _intent_file(schema) for schema in schemas}, _NOWHERE, ()),
        make_answers(schemas),
    )


def make_intents(count: int) -> Schemas:
    """So many intents of two to five slots, required ones first: enums of words and integers with bounds."""
    chance = random.Random(_SEED)  # noqa: S311 - reproducible, not secret
    return [_make_intent(chance, number) for number in range(count)]


def grow(catalog: Catalog, count: int, first: Collection[str] = ()) -> Catalog:
    """So many intents: those of the catalog, the `first` before the others, then made up ones with English examples."""
    names = sorted(catalog.intents, key=lambda name: name not in first)[:count]
    made = make_intents(max(0, count - len(names)))
    grown = {intent.name: intent for intent in (_with_examples(schema, n) for n, schema in enumerate(made))}
    return Catalog({**{name: catalog.intents[name] for name in names}, **grown}, catalog.home, ())


def _with_examples(schema: Mapping[str, Any], number: int) -> IntentFile:
    """Sentences that begin as those of the shipped intents do, of a thing that no other made up intent has."""
    chance = random.Random(number)  # noqa: S311 - reproducible, not secret
    intent = _intent_file(schema)
    numbers = frozenset(slot for slot in intent.slots if "minimum" in schema["properties"][slot])
    way, place = _WAYS[number % len(_WAYS)], _PLACES[number // len(_WAYS) % len(_PLACES)]
    thing = f"{place} {_THINGS[number // (len(_WAYS) * len(_PLACES)) % len(_THINGS)]}"
    texts = [f"{way} the {thing}", f"turn on the {thing}", f"make the {thing} {way}", f"i want the {thing} to {way}"]
    texts += [f"set the {thing} to {{{slot}}}" for slot in sorted(numbers)]
    slots = {slot: value for slot, value in _make_answer(chance, schema).items() if slot != "intent"}
    return replace(intent, examples={"en": tuple(Example(text, slots) for text in texts)}, said=numbers)


def _make_intent(chance: random.Random, number: int) -> Mapping[str, Any]:
    name = f"{chance.choice(_THINGS)}_{number}"
    properties: dict[str, Any] = {"intent": {"const": name}}
    required = 1 + chance.randint(1, 2)
    for slot in chance.sample(("action", "area", "level", "minutes", "target", "mode"), chance.randint(2, 5)):
        properties[slot] = _make_slot(chance)
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties)[:required],
        "additionalProperties": False,
    }


def _make_slot(chance: random.Random) -> Mapping[str, Any]:
    match chance.randrange(4):
        case 0:
            least = chance.randint(-20, 20)
            return {"type": "integer", "minimum": least, "maximum": least + chance.choice((10, 100, 500))}
        case 1:
            return {"enum": chance.sample(_PLACES, chance.randint(4, len(_PLACES)))}
        case 2:
            things = chance.sample(_THINGS, chance.randint(3, 6))
            return {"enum": [f"{place} {thing}" for place in chance.sample(_PLACES, 3) for thing in things]}
        case _:
            return {"enum": chance.sample(_WAYS, chance.randint(2, 8))}


def answer_schema(schemas: Schemas) -> Mapping[str, Any]:
    """The JSON Schema of an answer: none to three intents. It is the language that `compile_catalog` compiles."""
    return {"type": "array", "items": {"anyOf": list(schemas)}, "minItems": 0, "maxItems": MAX_INTENTS}


def _intent_file(schema: Mapping[str, Any]) -> IntentFile:
    properties = schema["properties"]
    return IntentFile(
        name=properties["intent"]["const"],
        schema=schema,
        slots=tuple(slot for slot in properties if slot != "intent"),
        homes={},
        examples={},
        refused={},
        spoken={},
        said=frozenset(),
        expires_s=10.0,
        asks=False,
        command=None,
    )


def make_answers(schemas: Schemas) -> list[bytes]:
    """Compact JSON of answers that the catalogue allows: mostly one intent, sometimes two or none."""
    chance = random.Random(_SEED)  # noqa: S311 - reproducible, not secret
    return [
        _compact([_make_answer(chance, chance.choice(schemas)) for _ in range(count)])
        for count in chance.choices((0, 1, 2), (1, 16, 4), k=_ANSWERS)
    ]


def _make_answer(chance: random.Random, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    required = set(schema["required"])
    return {
        slot: _make_value(chance, values)
        for slot, values in schema["properties"].items()
        if slot in required or chance.random() < 1 / 3
    }


def _make_value(chance: random.Random, values: Mapping[str, Any]) -> str | float:
    if "const" in values:
        return str(values["const"])
    if "enum" in values:
        return str(chance.choice(values["enum"]))
    step = values.get("multipleOf", 1)
    number = values["minimum"] + step * chance.randint(0, int((values["maximum"] - values["minimum"]) / step))
    return int(number) if number == int(number) else float(number)


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
