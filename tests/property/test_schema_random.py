"""Schemas and values that Hypothesis makes up: the automaton takes a value if, and only if, jsonschema calls it valid."""

import json
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from edged.intents.accept import Acceptor, parse_instance
from edged.intents.lower import LoweringError

numbers = st.integers(-12, 25) | st.sampled_from(
    [Decimal("0.5"), Decimal("-2.5"), Decimal("19.99"), Decimal("0.1"), 100, 1000]
)
steps = st.sampled_from([1, 2, 3, 5, Decimal("0.5"), Decimal("2.5"), Decimal("0.1"), 7])
words = st.text(st.sampled_from('ab1-é불𝄞"\\\n\x1f'), max_size=4) | st.sampled_from(
    ["on", "off", "2024-02-29", "2023-02-29"]
)
patterns = st.sampled_from(
    [
        "a",
        "^a",
        "b$",
        "^[ab]*$",
        "^(on|off)$",
        r"\d",
        r"^\W+$",
        r"\ba",
        "^.{2}$",
        "(a|b){2,3}",
        "^(?!)$|x",
        "[^a]",
        "a?b+?",
        "^$",
    ]
)
names = st.sampled_from(["a", "b", "c"])
flat = st.none() | st.booleans() | numbers | words
values = st.recursive(
    flat, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these keywords."""
    return st.fixed_dictionaries({}, optional=fields)


def typed(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return some(**fields).map(lambda found: {"type": kind, **found})


bounds = {key: numbers for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")} | {
    "multipleOf": steps
}
counts = st.integers(0, 3)
scalars = (
    typed("integer", **bounds)
    | typed("number", **bounds)
    | typed("string", minLength=counts, maxLength=counts, pattern=patterns)
    | typed("string", format=st.just("date"), maxLength=st.just(10))
    | st.sampled_from([{"type": "boolean"}, {"type": "null"}, True, False])
    | st.lists(values, min_size=1, max_size=4).map(lambda several: {"enum": several})
    | values.map(lambda value: {"const": value})
    | st.lists(st.sampled_from(["integer", "number", "string", "boolean", "null"]), min_size=1, unique=True).map(
        lambda kinds: {"type": kinds}
    )
)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    branches = st.lists(inner, min_size=1, max_size=3)
    properties = st.dictionaries(names, inner, max_size=3)
    loose = some(
        properties=properties,
        required=st.lists(names, unique=True, max_size=2),
        dependentRequired=st.dictionaries(names, st.lists(names, unique=True, max_size=2), max_size=2),
    )
    closed = loose.map(lambda found: {"type": "object", **found, "additionalProperties": False})
    arrays = typed(
        "array",
        items=inner,
        minItems=counts,
        maxItems=counts,
        uniqueItems=st.booleans(),
        prefixItems=st.lists(inner, min_size=1, max_size=2),
    )
    combined = some(allOf=branches, anyOf=branches, oneOf=branches, **{"not": inner})
    conditions = st.fixed_dictionaries({"if": loose | inner}, optional={"then": loose | inner, "else": loose | inner})
    narrowed = st.tuples(closed | arrays | inner, combined | conditions | loose).map(lambda pair: {"allOf": list(pair)})
    return closed | arrays | combined | narrowed


schemas = st.recursive(scalars, larger, max_leaves=7)
slow_draws = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=400)


def compiled(schema: Any) -> Acceptor:
    try:
        return Acceptor(schema)
    except LoweringError:
        assume(False)
        raise


@slow_draws
@given(schemas, st.lists(values, max_size=12))
def test_a_value_is_taken_if_and_only_if_it_is_valid(schema: Any, instances: list[Any]) -> None:
    acceptor = compiled(schema)
    for instance in (*instances, *_listed(schema)):
        assert acceptor.accepts(instance) == acceptor.is_valid(instance), instance


@slow_draws
@given(schemas, st.integers(0, 2**32))
def test_every_text_that_the_automaton_takes_is_valid_and_canonical(schema: Any, seed: int) -> None:
    acceptor = compiled(schema)
    for text in filter(None, (walk(acceptor, Random(seed + number)) for number in range(5))):
        instance = parse_instance(text.decode())
        assert acceptor.is_valid(instance), text
        assert acceptor.accepts(instance), text
        assert acceptor.canonical_text(instance) == text.decode()


def walk(acceptor: Acceptor, random: Random, longest: int = 200) -> bytes | None:
    """A text that the automaton takes; None where none was found."""
    text = b""
    for _ in range(longest):
        follow = acceptor.next_bytes(text)
        if acceptor.accepts_text(text) and (not follow or random.random() < 0.3):
            return text
        if not follow:
            return None
        text += bytes((random.choice(follow),))
    return None


def _listed(schema: Any) -> list[Any]:
    """The values that a schema names anywhere, which are the likeliest to be valid."""
    if isinstance(schema, dict):
        found = [schema["const"]] if "const" in schema else list(schema.get("enum", []))
        return found + [value for inner in schema.values() for value in _listed(inner)]
    return [value for inner in schema for value in _listed(inner)] if isinstance(schema, list) else []


def test_the_schemas_that_are_made_up_mostly_compile() -> None:
    """Else the tests above would compare nothing."""
    compiled_count = [0, 0]

    @settings(slow_draws, database=None, derandomize=True)
    @given(schemas)
    def count(schema: Any) -> None:
        compiled_count[1] += 1
        try:
            Acceptor(schema)
        except LoweringError:
            return
        compiled_count[0] += 1

    count()
    assert compiled_count[0] > 0.4 * compiled_count[1], json.dumps(compiled_count)
