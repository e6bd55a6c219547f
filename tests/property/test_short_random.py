"""Catalogs and utterances that Hypothesis makes up: the short form says what JSON says under the same grammar, no more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from edged.core import Matcher, Program
from edged.intents import compile as compile_module
from edged.intents import short as short_module
from edged.intents.accept import Acceptor, exact_validator, takes, text_matcher
from edged.intents.catalog import Catalog, IntentFile
from edged.intents.compile import compile_catalog
from edged.intents.grounding import Grounding
from edged.intents.home import Home
from edged.intents.lower import LoweringError, json_text
from edged.intents.short import compile_short, read_short, write_short

MAX_MEANINGS = 400
"""Of one intent that are all looked at; of more, some are."""

clashing = st.sampled_from(
    [
        "none", "first", "second", "ninth", "true", "false", "null", "nothing", "on", "off", "a", "b", "light", "On",
        "two words", " on", "on ", "", "1", "불", "é", '"q"', "x,y", "line\nfeed", "\\", "𝄞", "a-b", "_a", "true_",
        True, False, None, 0, 1, 2, -3, 0.5, 19.5, 1000, {"a": 1}, {"b": "on", "a": None}, {"a": None, "b": "on"},
        ["on", "off"], [], [["none"]], {},
    ]
)  # fmt: skip
names = st.sampled_from(["a", "b", "none", "first", "second", "true", "null", "on", "light"])
many_words = [f"w{number}" for number in range(70)]


def unlike(values: Sequence[Any]) -> list[Any]:
    return list({json_text(value): value for value in values}.values())


enums = st.lists(clashing, min_size=1, max_size=6).map(lambda values: {"enum": unlike(values)})
slot_schemas = enums | st.sampled_from(
    [
        {"enum": many_words},
        {"enum": [*many_words, "none", 1, None]},
        {"const": "on"},
        {"anyOf": [{"const": "on"}, {"const": "none"}, {"type": "boolean"}]},
        {"type": "boolean"},
        {"type": "null"},
        {"type": ["boolean", "null", "integer"], "minimum": 0, "maximum": 3},
        {"type": "integer", "minimum": -2, "maximum": 12},
        {"type": "integer", "minimum": 0, "maximum": 100},
        {"type": "number", "minimum": 0, "maximum": 2, "multipleOf": 0.5},
        {"type": "string", "maxLength": 2},
        {"type": "string", "pattern": "^(on|none|two words)$"},
        {"type": "string", "pattern": "^[ab]+$", "maxLength": 3},
        {"type": "array", "items": {"enum": ["on", "none", 1]}, "maxItems": 2},
        {"type": "array", "items": {"enum": ["on", "none"]}, "uniqueItems": True},
        {"type": ["array", "string"], "items": {"enum": ["on", "off"]}, "maxItems": 2, "maxLength": 1},
        {
            "type": "object",
            "properties": {"b": {"enum": ["on", "none"]}, "a": {"type": "boolean"}},
            "required": ["a"],
            "additionalProperties": False,
        },
    ]
)


@st.composite
def conditions(draw: st.DrawFn, slots: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords that let slots depend on each other."""
    some = st.lists(st.sampled_from(sorted(slots)), min_size=1, max_size=2, unique=True)

    def one_of_its_values() -> dict[str, Any]:
        slot = draw(st.sampled_from(sorted(slots)))
        schema = slots[slot]
        return {"properties": {slot: {"enum": schema["enum"][:2]} if "enum" in schema else schema}, "required": [slot]}

    found: dict[str, Any] = {}
    if draw(st.booleans()):
        found |= {"if": one_of_its_values(), "then": {"required": draw(some)}}
    if draw(st.booleans()):
        found["dependentRequired"] = {draw(st.sampled_from(sorted(slots))): draw(some)}
    if draw(st.booleans()):
        found["oneOf"] = [{"required": draw(some)}, {"required": draw(some)}, one_of_its_values()]
    if draw(st.booleans()):
        found["allOf"] = [{"not": {"required": draw(some)}}]
    return found


@st.composite
def intents(draw: st.DrawFn, name: str) -> IntentFile:
    slots = draw(st.dictionaries(names, slot_schemas, max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(slots)), unique=True)) if slots else []
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"intent": {"const": name}, **slots},
        "required": ["intent", *required],
        "additionalProperties": False,
    }
    if draw(st.booleans()) and slots:
        schema = {**schema, **draw(conditions(slots))}
    return IntentFile(
        name=name, schema=schema, slots=tuple(slots), homes={}, examples={}, refused={}, spoken={},
        said=frozenset(), expires_s=1, asks=False, command=None,
    )  # fmt: skip


@st.composite
def sayings(draw: st.DrawFn, intent: IntentFile) -> dict[str, tuple[Any, ...]]:
    """Values that an utterance says, of some of the slots."""
    said = {}
    for slot in intent.slots:
        if draw(st.booleans()):
            values = some_values(intent.schema["properties"][slot], draw(st.integers(0, 99)))
            count = draw(st.sampled_from([0, 1, 1, 2, 3, 12, 70]))
            said[slot] = tuple(values[:count])
    return said


def some_values(schema: Any, seed: int) -> list[Any]:
    acceptor, random = Acceptor(schema), Random(seed)
    texts = (walk(acceptor._matcher, random) for _ in range(80))
    values = list({text: json.loads(text) for text in texts if text is not None}.values())
    return [value for value in values if not isinstance(value, list | dict)]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Catalog, Grounding, frozenset[str]]:
    """A catalog, what an utterance says, and the slots that its intents need."""
    several = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    found = {name: draw(intents(name)) for name in several}
    said = {name: draw(sayings(intent)) for name, intent in found.items()}
    needed = draw(st.just(frozenset[str]()) | st.frozensets(names, max_size=1))
    return Catalog(found, Home({}, {}), ()), said, needed


def walk(matcher: Matcher, random: Random, longest: int = 400) -> bytes | None:
    """A text that the automaton takes; None where none was found."""
    matcher.reset()
    text = b""
    for _ in range(longest):
        follow = matcher.next_bytes()
        if matcher.is_accepting and (not follow or random.random() < 0.3):
            return text
        if not follow:
            return None
        chosen = bytes((random.choice(follow),))
        matcher.advance_bytes(chosen)
        text += chosen
    return None


def every_text(program: Program, most: int = MAX_MEANINGS) -> list[bytes] | None:
    """All texts of an automaton; None where there are more."""
    matcher, waiting, found = text_matcher(program), [b""], []
    steps = 0
    while waiting:
        start = waiting.pop()
        steps += 1
        matcher.reset()
        matcher.advance_bytes(start)
        if matcher.is_accepting:
            found.append(start)
        waiting += [start + bytes((byte,)) for byte in matcher.next_bytes()]
        if len(found) + len(waiting) > most or steps > 40 * most:
            return None
    return found


def compiled(case: tuple[Catalog, Grounding, frozenset[str]]) -> tuple[Matcher, Matcher]:
    """The automata of both forms, as far as the schemas compile."""
    try:
        full = compile_catalog(*case)
    except LoweringError:
        assume(False)
        raise
    return text_matcher(full), text_matcher(compile_short(*case))


def is_writable(fields: Mapping[str, Any], said: Grounding) -> bool:
    """Whether everything that was said is among the first nine values, which alone have names."""
    mine = said[str(fields["intent"])]
    return all(
        slot not in mine or json_text(value) in [json_text(known) for known in mine[slot][:9]]
        for slot, value in fields.items()
    )


def texts_of(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    return [json_text(dict(fields)) for fields in objects]


many = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=300)
fewer = settings(many, max_examples=150)


def walks(matcher: Matcher, seed: int, count: int = 6) -> Iterator[bytes]:
    random = Random(seed)
    return filter(None, (walk(matcher, random) for _ in range(count)))


@many
@given(cases(), st.integers(0, 2**32))
def test_whatever_may_be_meant_is_written_taken_and_read_back(
    case: tuple[Catalog, Grounding, frozenset[str]], seed: int
) -> None:
    catalog, said, _ = case
    full, short = compiled(case)
    for text in walks(full, seed):
        objects = json.loads(text)
        if all(is_writable(fields, said) for fields in objects):
            answer = write_short(objects, catalog, said).encode()
            assert takes(short, answer), (text, answer)
            read = read_short(answer, catalog, said)
            assert texts_of([part.fields for part in read]) == texts_of(objects), answer
            assert b"".join(answer[part.span.start : part.span.stop] for part in read) == answer or not objects


@many
@given(cases(), st.integers(0, 2**32))
def test_whatever_is_taken_is_read_and_may_be_meant(case: tuple[Catalog, Grounding, frozenset[str]], seed: int) -> None:
    catalog, said, needed = case
    full, short = compiled(case)
    for answer in walks(short, seed):
        objects = [part.fields for part in read_short(answer, catalog, said)]
        assert takes(full, f"[{','.join(texts_of(objects))}]".encode()), answer
        for fields in objects:
            schema = catalog.intents[str(fields["intent"])].schema
            assert exact_validator(schema).is_valid(fields), answer
            assert needed <= fields.keys()
        assert write_short(objects, catalog, said).encode() == answer


@fewer
@given(cases())
def test_both_forms_have_the_same_meanings(case: tuple[Catalog, Grounding, frozenset[str]]) -> None:
    catalog, said, needed = case
    for name in catalog.intents:
        alone = Catalog({name: catalog.intents[name]}, catalog.home, ())
        with patch.object(compile_module, "MAX_INTENTS", 1), patch.object(short_module, "MAX_INTENTS", 1):
            try:
                full = every_text(compile_catalog(alone, said, needed))
            except LoweringError:
                continue
            if full is None:
                continue
            answers = every_text(compile_short(alone, said, needed))
        assert answers is not None
        meant = [json.loads(text) for text in full]
        expected = [text for text in map(texts_of, meant) if all(is_writable(json.loads(one), said) for one in text)]
        read = [texts_of([part.fields for part in read_short(answer, alone, said)]) for answer in answers]
        assert sorted(read) == sorted(expected)


def test_most_of_what_is_made_up_is_compared() -> None:
    """Else the tests above would compare nothing."""
    counted = {"made": 0, "compiled": 0, "several": 0, "intents": 0}

    @settings(many, database=None, derandomize=True, max_examples=100)
    @given(cases(), st.integers(0, 2**32))
    def count(case: tuple[Catalog, Grounding, frozenset[str]], seed: int) -> None:
        counted["made"] += 1
        try:
            short = text_matcher(compile_short(*case))
        except LoweringError:
            return
        counted["compiled"] += 1
        counted["several"] += any(len(values) > 1 for slots in case[1].values() for values in slots.values())
        counted["intents"] += any(text != b" none" for text in walks(short, seed))

    count()
    assert counted["compiled"] > 0.7 * counted["made"], counted
    assert counted["several"] > 0.2 * counted["made"], counted
    assert counted["intents"] > 0.4 * counted["made"], counted


@pytest.mark.parametrize("count", [10, 70])
def test_of_very_many_said_values_the_first_nine_can_be_meant(count: int) -> None:
    schema = {
        "type": "object",
        "properties": {"intent": {"const": "a"}, "n": {"type": "integer", "minimum": 0, "maximum": 200}},
        "required": ["intent"],
        "additionalProperties": False,
    }
    for crossing in ({}, {"dependentRequired": {"n": ["intent"]}}):
        intent = IntentFile(
            name="a", schema={**schema, **crossing}, slots=("n",), homes={}, examples={}, refused={}, spoken={},
            said=frozenset({"n"}), expires_s=1, asks=False, command=None,
        )  # fmt: skip
        catalog = Catalog({"a": intent}, Home({}, {}), ())
        said: Grounding = {"a": {"n": tuple(range(count))}}
        matcher = text_matcher(compile_short(catalog, said))
        for value in range(9):
            assert takes(matcher, write_short([{"intent": "a", "n": value}], catalog, said).encode())
