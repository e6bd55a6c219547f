"""The official JSON Schema test suite: what the automaton takes is what the suite and jsonschema call valid.

Many of its schemas allow values of any type and so cannot compile. Each is therefore tried in narrower forms as well: within one
type of its instances, and within the list of its instances. `refused_schemas.txt` lists what is refused in every
form; it may only shrink.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edged.intents.accept import Acceptor
from edged.intents.lower import LoweringError

ROOT = Path(__file__).resolve().parent.parent.parent
SUITE = ROOT / ".venv" / "json-schema-suite"
REFUSED = Path(__file__).with_name("refused_schemas.txt")

FILES = (
    "type", "const", "enum", "properties", "required", "additionalProperties", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "pattern", "minLength", "maxLength", "items", "prefixItems", "minItems", "maxItems",
    "uniqueItems", "oneOf", "anyOf", "allOf", "not", "if-then-else", "dependentRequired", "ref", "defs", "boolean_schema",
    "infinite-loop-detection", "optional/format/date", "optional/format/time", "optional/format/date-time",
    "optional/format/uuid", "optional/format/email", "optional/ecmascript-regex", "optional/bignum", "optional/float-overflow",
)  # fmt: skip
"""`format` is left out: there the suite wants formats to be annotations, and here they are checked."""

Case = tuple[str, Any, list[tuple[str, Any, bool]]]
"""A name, a schema, and instances: what they show, the value, whether it is valid."""


def kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | Decimal):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def narrowed(schema: Any, kind: str, values: list[Any]) -> Any:
    """The schema within all values of a type, those of objects and arrays made of what the instances are made of."""
    within: dict[str, Any] = {"type": kind}
    if kind == "object":
        properties: dict[str, Any] = {}
        for value in values:
            for key, inner in value.items():
                properties.setdefault(key, {"enum": []})["enum"].append(inner)
        within |= {"properties": properties, "additionalProperties": False}
    if kind == "array":
        items = [item for value in values for item in value]
        within |= {"items": {"enum": items}, "maxItems": max(map(len, values))}
    return conjunction(within, schema)


def conjunction(within: Any, schema: Any) -> Any:
    if not isinstance(schema, dict):
        return {"allOf": [within, schema]}
    # References are pointers from the root, so what they lead to has to stay there.
    rooted = {key: schema[key] for key in ("$defs", "$schema", "$id") if key in schema}
    return {"allOf": [within, {key: value for key, value in schema.items() if key not in rooted}], **rooted}


def read_cases(file: str) -> Iterator[Case]:
    groups = json.loads((SUITE / f"{file}.json").read_text(encoding="utf-8"), parse_float=Decimal)
    for group in groups:
        schema, tests = group["schema"], [(test["description"], test["data"], test["valid"]) for test in group["tests"]]
        name = f"{file}: {group['description']}"
        yield name, schema, tests
        if '"#/' in json.dumps(schema, default=str).replace('"#/$defs', ""):
            continue
        for kind in sorted({kind_of(value) for _, value, _ in tests}):
            values = [value for _, value, _ in tests if kind_of(value) == kind]
            within = [(what, value, valid and kind_of(value) == kind) for what, value, valid in tests]
            yield f"{name} [{kind}]", narrowed(schema, kind, values), within
        yield f"{name} [listed]", conjunction({"enum": [value for _, value, _ in tests]}, schema), tests


def read_refused() -> set[str]:
    lines = REFUSED.read_text(encoding="utf-8").splitlines()
    return {line.split("  #")[0] for line in lines if line and not line.startswith("#")}


needs_suite = pytest.mark.skipif(not SUITE.is_dir(), reason="the suite was not fetched (scripts/setup.sh dev)")


@needs_suite
@pytest.mark.parametrize("file", FILES)
def test_the_automaton_takes_what_the_suite_calls_valid(file: str) -> None:
    for name, schema, instances in read_cases(file):
        try:
            acceptor = Acceptor(schema)
        except LoweringError:
            continue
        for what, value, valid in instances:
            assert (acceptor.accepts(value), acceptor.is_valid(value)) == (valid, valid), f"{name}: {what}"


@needs_suite
def test_the_list_of_refused_schemas_only_shrinks() -> None:
    refused = {}
    for file in FILES:
        for name, schema, _ in read_cases(file):
            try:
                Acceptor(schema)
            except LoweringError as error:
                refused[name] = f"{name}  # {error}"
    assert sorted(set(refused) - read_refused()) == [], "refused, and not on the list"
    assert sorted(read_refused() - set(refused)) == [], "compiles now: take it off the list"


def write_refused() -> None:
    """Writes the list anew: python -m tests.property.test_schema_suite."""
    lines = []
    for file in FILES:
        for name, schema, _ in read_cases(file):
            try:
                Acceptor(schema)
            except LoweringError as error:
                lines.append(f"{name}  # {error}"[:200])
    head = "# Schemas of the official suite that do not compile, and why. The list may only shrink.\n"
    REFUSED.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_refused()
