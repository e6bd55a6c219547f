"""What one intent takes and another may not have: names and sentences of small intents made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edged.intents.catalog import Example, IntentFile, Json
from edged.intents.lint.clashes import Clashes, list_sentences

NUMBER = {"type": "integer", "minimum": 0, "maximum": 10}


def intent(name: str, *texts: str, slots: Mapping[str, Json] | None = None, lang: str = "en") -> IntentFile:
    return IntentFile(
        name=name,
        schema={"properties": {"intent": {"const": name}, **(slots or {})}, "required": ["intent"]},
        slots=tuple(slots or {}),
        homes={},
        examples={lang: tuple(Example(text, {}) for text in texts)},
        refused={},
        spoken={},
        said=frozenset(),
        expires_s=10.0,
        asks=False,
        command=None,
        file=f"{name}.json",
    )


def take_all(intents: Sequence[IntentFile]) -> list[list[str]]:
    """What each, in this order, is told."""
    clashes = Clashes()
    return [[finding.what for finding in clashes.take(one, list_sentences(one))] for one in intents]


def test_different_names_and_sentences_do_not_clash() -> None:
    assert take_all([intent("a", "one"), intent("b", "two")]) == [[], []]


def test_a_name_can_be_taken_once() -> None:
    assert take_all([intent("a", "one"), intent("a", "two")]) == [[], ['there is an intent "a" already, in a.json']]


def test_a_sentence_means_one_intent_however_it_is_written() -> None:
    (_, told) = take_all([intent("a", "zero", "one"), intent("b", "two", "One!")])
    assert told == ['this sentence means "a" already, in a.json']


def test_the_place_of_each_clashing_sentence_is_told() -> None:
    clashes, first, second = Clashes(), intent("a", "one", "two"), intent("b", "two", "three", "one")
    clashes.take(first, list_sentences(first))
    pointers = [finding.pointer for finding in clashes.take(second, list_sentences(second))]
    assert pointers == [("x-edged", "examples", "en", index, "text") for index in (0, 2)]


def test_one_sentence_of_two_languages_is_two() -> None:
    assert take_all([intent("a", "one"), intent("b", "one", lang="de")]) == [[], []]


def test_numbers_that_never_meet_tell_sentences_apart() -> None:
    low = intent("a", "set {n}", slots={"n": NUMBER})
    high = intent("b", "set {n}", slots={"n": NUMBER | {"minimum": 11, "maximum": 20}})
    both = intent("c", "set {n}", slots={"n": NUMBER | {"minimum": 10}})
    assert [len(told) for told in take_all([low, high, both])] == [0, 0, 1]


def test_an_intent_that_clashes_takes_nothing() -> None:
    refused = intent("b", "one", "free")
    assert [len(told) for told in take_all([intent("a", "one"), refused, intent("b", "two"), intent("c", "free")])] == [
        0,
        1,
        0,
        0,
    ]
