from dataclasses import replace

import pytest

from edged.intents.catalog import Catalog, restrict
from edged.types import Question
from edged.understand.missing import find_listed, find_missing
from tests.unit.understand.utterances import say


def ask(catalog: Catalog, text: str, lang: str = "en") -> Question | None:
    return find_missing(catalog, say(text, lang))


def test_an_example_without_its_value_is_asked_about(catalog: Catalog) -> None:
    question = ask(restrict(catalog, ["gate"]), "please open up the")
    assert question is not None
    assert (question.intents[0].name, question.intents[0].slots) == ("gate", {"action": "open"})
    assert (question.slots, question.text) == (("device",), "Which gate?")


@pytest.mark.parametrize("text", ["turn on the", "open", "open up the window", "open up the garage door", ""])
def test_what_may_be_several_intents_or_lacks_nothing_is_not(catalog: Catalog, text: str) -> None:
    assert ask(catalog, text) is None


def test_a_slot_that_may_be_left_out_is_not_missing(catalog: Catalog) -> None:
    light = catalog.intents["light"]
    assert ask(replace(catalog, intents={"light": light}), "turn on the lights in the") is None


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "Please change the temperature"),
        ("ko", "온도 맞춰 줘"),
        ("de", "Stelle die Temperatur ein"),
        ("pt-BR", "ajusta a temperatura"),
        ("pl", "ustaw temperaturę"),
        ("el", "ρύθμισε τη θερμοκρασία"),
    ],
)
def test_a_listed_sentence_that_lacks_a_value_is_its_intent_without_it(catalog: Catalog, lang: str, text: str) -> None:
    (intent,) = find_listed(catalog, say(text, lang))
    assert (intent.name, intent.slots) == ("thermostat", {"action": "set"})


def test_a_listed_sentence_may_name_a_place(catalog: Catalog) -> None:
    (intent,) = find_listed(catalog, say("set the temperature in the bedroom", "en"))
    assert intent.slots == {"action": "set", "area": "bedroom"}


@pytest.mark.parametrize("text", ["set the temperature to 20 degrees", "what a lovely day", ""])
def test_other_sentences_are_not_listed(catalog: Catalog, text: str) -> None:
    assert find_listed(catalog, say(text, "en")) == ()
