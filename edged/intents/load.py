"""Intent files and the house -> an immutable `Catalog`. Every file stands alone: a bad one is left out and reported."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
from jsonschema.exceptions import best_match, relevance

from edged.config import SHIPPED, Config
from edged.errors import ConfigError, SchemaError
from edged.intents.catalog import (
    Catalog,
    CommandRules,
    Condition,
    Example,
    Fault,
    IntentFile,
    Json,
    Rule,
    Schema,
    SlotTerm,
)
from edged.intents.check import check_intent
from edged.intents.home import Home, load_home
from edged.intents.lower import LoweringError, lower_schema
from edged.intents.source import SourceError, find_line, parse_source, read_source
from edged.types import SlotValue

log = logging.getLogger(__name__)

MAX_FILES: Final = 400
"""Intent files in one folder."""
DEFAULT_EXPIRES_S: Final = 10.0
"""A command that names no validity is dropped after this time: longer than any answer, shorter than a memory."""

HOME: Final = "urn:edged:home#/"


def load_catalog(config: Config) -> Catalog:
    """The catalog that `config` names.

    Raises:
        ConfigError: the house or the folder of intents cannot be used at all.
    """
    return read_catalog(config.intents.directory, load_home(config.home.file))


def require_intents(catalog: Catalog) -> Catalog:
    """`catalog` itself, where it holds any intent.

    Raises:
        SchemaError: every file was refused or none is there.
    """
    if not catalog.intents:
        reasons = "\n  ".join(str(fault) for fault in catalog.faults) or "the folder holds no *.json file"
        raise SchemaError("no intent could be loaded", remedy=reasons)
    return catalog


def read_catalog(directory: Path, home: Home) -> Catalog:
    """All intents of `directory` for this house, the refused ones among its faults.

    Raises:
        ConfigError: `directory` is no folder or holds too many files.
    """
    if not directory.is_dir():
        raise ConfigError("is no folder", where=str(directory), remedy="give the folder of intents with --schemas")
    paths = sorted(path for path in directory.glob("*.json") if not path.name.startswith("."))
    if len(paths) > MAX_FILES:
        raise ConfigError(f"holds more than {MAX_FILES} files", where=str(directory), remedy="remove some")
    intents: dict[str, IntentFile] = {}
    faults: list[Fault] = []
    for path in paths:
        intent, found = read_intent(path, home)
        if intent is not None and intent.name in intents:
            found = [Fault(str(path), "/properties/intent", 0, f'"{intent.name}" is defined twice', "rename one")]
        faults += found
        if intent is not None and not found:
            intents[intent.name] = intent
    for fault in faults:
        log.warning("left out: %s", fault)
    return Catalog(intents, home, tuple(faults))


def read_intent(path: Path, home: Home) -> tuple[IntentFile | None, list[Fault]]:
    """One intent file, or what is wrong with it."""
    try:
        text = read_source(path)
        parsed = parse_source(text)
    except SourceError as error:
        return None, [Fault(str(path), "", error.line, str(error), "mend or remove the file")]

    def fault(pointer: Sequence[str | int], what: str, remedy: str) -> Fault:
        escaped = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in pointer)
        return Fault(str(path), escaped, find_line(text, pointer), what, remedy)

    faults = [fault(*found) for found in _check_form(parsed)]
    if faults:
        return None, faults
    try:
        schema = resolve_references(parsed, home)
        lower_schema({key: value for key, value in schema.items() if key != "x-edged"})
        intent = _to_intent(schema, parsed)
    except LoweringError as error:
        return None, [fault(error.pointer, str(error), error.remedy)]
    faults = [fault(*found) for found in check_intent(intent, parsed)]
    return (None if faults else intent), faults


def resolve_references(schema: Schema, home: Home) -> Schema:
    """The intent's schema with every `$ref` replaced; a slot for which the house has no value is left out.

    Raises:
        LoweringError: a reference leads nowhere, leaves the file and the house, or leads to itself.
    """
    definitions = schema.get("$defs", {})
    body = {key: value for key, value in schema.items() if key not in ("x-edged", "$defs")}
    resolved: dict[str, Any] = _resolve(body, definitions, home, (), 0)
    resolved["properties"] = {
        key: value
        for key, value in resolved["properties"].items()
        if value.get("enum") != [] or key in resolved["required"]
    }
    return resolved


_MAX_REFERENCES: Final = 8


def _resolve(node: Json, definitions: Schema, home: Home, pointer: tuple[str | int, ...], followed: int) -> Json:
    if isinstance(node, list):
        return [_resolve(item, definitions, home, (*pointer, index), followed) for index, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if reference is None or not isinstance(reference, str):
        return {key: _resolve(value, definitions, home, (*pointer, key), followed) for key, value in node.items()}
    if followed >= _MAX_REFERENCES:
        raise LoweringError(
            pointer, f'"$ref": "{reference}" leads in a circle', "recursion cannot be decoded: unroll it"
        )
    target = _find_reference(reference, definitions, home)
    if target is None:
        raise LoweringError(
            (*pointer, "$ref"),
            f'"{reference}" leads nowhere',
            'use "#/$defs/NAME", "urn:edged:home#/areas" or "urn:edged:home#/devices/KIND"',
        )
    beside = {key: value for key, value in node.items() if key != "$ref"}
    resolved = _resolve(target, definitions, home, pointer, followed + 1)
    return {**resolved, **_resolve(beside, definitions, home, pointer, followed)}


def _find_reference(reference: str, definitions: Schema, home: Home) -> Schema | None:
    if reference == f"{HOME}areas":
        return {"enum": list(home.areas)}
    if reference.startswith(f"{HOME}devices/"):
        kind = reference.removeprefix(f"{HOME}devices/")
        return {"enum": [device.key for device in home.devices_of(kind)]}
    found = definitions.get(reference.removeprefix("#/$defs/")) if reference.startswith("#/$defs/") else None
    return found if isinstance(found, Mapping) else None


@cache
def _meta_validator() -> jsonschema.protocols.Validator:
    path = SHIPPED / "schemas" / "meta" / "intent.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def _check_form(parsed: Json) -> Iterator[tuple[Sequence[str | int], str, str]]:
    for error in sorted(_meta_validator().iter_errors(parsed), key=relevance):
        inner = best_match([error]) or error
        yield tuple(inner.absolute_path), _shortened(inner.message), "see the README's section on intents"


def _shortened(message: str, length: int = 200) -> str:
    return message if len(message) <= length else f"{message[: length - 3]}..."


def _to_intent(schema: Schema, parsed: Mapping[str, Any]) -> IntentFile:
    extension = parsed["x-edged"]
    references = {slot: value.get("$ref", "") for slot, value in parsed["properties"].items()}
    return IntentFile(
        name=schema["properties"]["intent"]["const"],
        schema=schema,
        slots=tuple(key for key in schema["properties"] if key != "intent"),
        homes={
            slot: reference.removeprefix(HOME).split("/")[0]
            for slot, reference in references.items()
            if isinstance(reference, str) and reference.startswith(HOME)
        },
        examples={
            lang: tuple(Example(item["text"], item["slots"]) for item in items)
            for lang, items in extension["examples"].items()
        },
        refused=_tuples(extension.get("refused", {})),
        spoken={
            slot: {value: _tuples(words) for value, words in values.items()}
            for slot, values in extension.get("spoken", {}).items()
        },
        said=frozenset(extension.get("said", ())),
        expires_s=float(extension.get("expires_s", DEFAULT_EXPIRES_S)),
        asks=extension.get("asks", False),
        command=_to_command(extension["command"]) if "command" in extension else None,
    )


def _tuples(words: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {lang: tuple(forms) for lang, forms in words.items()}


def _to_command(command: Mapping[str, Any]) -> CommandRules:
    return CommandRules(
        kind=command["kind"],
        area=command.get("area"),
        device=command.get("device"),
        rules=tuple(
            Rule(
                when={slot: _to_condition(value) for slot, value in rule.get("when", {}).items()},
                change={capability: _to_change(value) for capability, value in rule["change"].items()},
            )
            for rule in command["rules"]
        ),
    )


def _to_condition(value: Json) -> Condition:
    if isinstance(value, bool):
        return value
    return tuple(value) if isinstance(value, list) else (value,)


def _to_change(value: Json) -> SlotValue | SlotTerm:
    if isinstance(value, Mapping):
        return SlotTerm(value["slot"], value.get("factor", 1), value.get("unit"))
    plain: SlotValue = value
    return plain
