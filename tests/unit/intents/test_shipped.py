"""What every shipped intent file promises, whatever it is about: sentences in six languages that mean one thing each."""

import itertools
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping

import jsonschema
import pytest

from edged.act.answers import Answer, answer_question
from edged.act.mapping import map_intent
from edged.config import Config
from edged.intents.catalog import PLACEHOLDER, Catalog, Example, IntentFile
from edged.intents.compile import compile_catalog
from edged.intents.home import Home, parse_home
from edged.intents.load import read_catalog
from edged.intents.spoken.phrases import list_phrases, slot_forms
from edged.intents.spoken.text import normalize_text
from edged.intents.templates import match_examples
from edged.types import Intent, SlotValue, Utterance
from edged.understand.examples import read_examples

SCRIPTS = {"en": "LATIN", "ko": "HANGUL", "de": "LATIN", "pt-BR": "LATIN", "pl": "LATIN", "el": "GREEK"}
LANGUAGES = tuple(SCRIPTS)
LEAST_EXAMPLES = 15
ANY_NUMBER = "7"
"""Stands for every number: two intents that take numbers in one place of one sentence take the same ones."""
TURNS = 3
"""Each example is said with so many choices of names."""

every_language = pytest.mark.parametrize("lang", LANGUAGES)


def is_number(intent: IntentFile, slot: str) -> bool:
    return intent.schema["properties"][slot].get("type") in ("integer", "number")


def listed_values(intent: IntentFile) -> Iterator[tuple[str, SlotValue]]:
    """The values that a file lists itself, slot by slot."""
    for slot in intent.slots:
        if slot not in intent.homes:
            for value in intent.schema["properties"][slot].get("enum", ()):
                yield slot, value


def forms_of(intent: IntentFile, slot: str, catalog: Catalog, lang: str) -> tuple[str, ...]:
    if not is_number(intent, slot):
        return slot_forms(intent, slot, catalog, lang)
    words = (form for forms in intent.spoken.get(slot, {}).values() for form in forms.get(lang, ()))
    return (ANY_NUMBER, *(normalize_text(form, lang) for form in words))


def sentences_of(intent: IntentFile, catalog: Catalog, lang: str) -> Iterator[str]:
    """Everything that the examples of one language say in this house, normalised."""
    forms = {slot: forms_of(intent, slot, catalog, lang) for slot in intent.slots}
    for example in intent.examples[lang]:
        slots = PLACEHOLDER.findall(example.text)
        parts = [normalize_text(part, lang) for part in PLACEHOLDER.split(example.text)[::2]]
        for chosen in itertools.product(*(forms[slot] for slot in slots)):
            yield " ".join(" ".join(map(" ".join, zip(parts, (*chosen, ""), strict=True))).split())


def any_value(intent: IntentFile, slot: str, catalog: Catalog) -> SlotValue:
    """A value of the slot that some device of this intent takes."""
    schema = intent.schema["properties"][slot]
    if intent.homes.get(slot) == "areas" and intent.command:
        found = (device.area for device in catalog.home.devices_of(intent.command.kind) if device.area)
        return next(found, schema["enum"][0])
    value: SlotValue = schema["enum"][0] if "enum" in schema else schema["minimum"]
    return value


def filled_slots(intent: IntentFile, example: Example, catalog: Catalog) -> Mapping[str, SlotValue]:
    said = {slot: any_value(intent, slot, catalog) for slot in PLACEHOLDER.findall(example.text)}
    return {**said, **example.slots}


def every_example(catalog: Catalog, lang: str) -> Iterator[tuple[IntentFile, Example]]:
    for intent in catalog.intents.values():
        for example in intent.examples[lang]:
            yield intent, example


def test_every_file_is_in_force(catalog: Catalog) -> None:
    assert not [fault for fault in catalog.faults if fault.severity == "error"]


@every_language
def test_there_are_many_ways_to_say_each_intent(catalog: Catalog, lang: str) -> None:
    for intent in catalog.intents.values():
        assert len(intent.examples[lang]) >= LEAST_EXAMPLES, intent.name
        assert intent.refused[lang], intent.name


@every_language
def test_no_example_is_written_twice(catalog: Catalog, lang: str) -> None:
    for intent in catalog.intents.values():
        texts = [example.text.casefold() for example in intent.examples[lang]]
        assert sorted(set(texts)) == sorted(texts), intent.name


@every_language
def test_what_an_example_means_is_a_whole_intent(catalog: Catalog, lang: str) -> None:
    for intent, example in every_example(catalog, lang):
        assert set(PLACEHOLDER.findall(example.text)) <= set(intent.slots), example.text
        assert not set(PLACEHOLDER.findall(example.text)) & set(example.slots), example.text
        jsonschema.validate({"intent": intent.name, **filled_slots(intent, example, catalog)}, intent.schema)


def said_in_turn(intent: IntentFile, example: Example, turn: int, catalog: Catalog, lang: str) -> str:
    """An example with names in its places, other ones each turn, and the greatest of its numbers."""

    def form(slot: str) -> str:
        if is_number(intent, slot):
            return str(intent.schema["properties"][slot]["maximum"])
        forms = slot_forms(intent, slot, catalog, lang)
        return forms[turn * (len(forms) // TURNS) % len(forms)]

    return PLACEHOLDER.sub(lambda match: form(match[1]), example.text)


@every_language
def test_an_example_with_names_of_the_house_means_what_the_file_says(catalog: Catalog, lang: str) -> None:
    for intent, example in every_example(catalog, lang):
        for turn in range(TURNS):
            text = said_in_turn(intent, example, turn, catalog, lang)
            read = read_examples(catalog, Utterance("1", text, lang, 1.0, 0, 0, "cli")).outcome
            assert isinstance(read, tuple), f"{intent.name}: {text}"
            assert [found.name for found in read] == [intent.name], text
            assert read[0].slots.items() >= example.slots.items(), text


@pytest.mark.parametrize(
    ("lang", "texts"),
    [
        ("en", ("turn the kitchen lights off", "lights off in the kitchen", "kill the kitchen lights")),
        ("ko", ("부엌 불 꺼", "부엌에 불 꺼 줘", "주방 조명 좀 꺼 주세요")),
        ("de", ("schalte das Licht in der Küche aus", "Licht Küche ausmachen", "in der Küche Licht aus")),
        ("pt-BR", ("apague a luz da cozinha", "desligar as luzes na cozinha", "na cozinha apaga a luz")),
        ("pl", ("wyłączyć światło w kuchni", "w kuchni zgaś światło", "pogaś światła w kuchni")),
        ("el", ("κλείστε τα φώτα της κουζίνας", "μπορείς να σβήσεις το φως στην κουζίνα", "στην κουζίνα σβήσε το φως")),
    ],
)
def test_one_order_is_understood_in_the_forms_that_people_use(
    catalog: Catalog, lang: str, texts: tuple[str, ...]
) -> None:
    for text in texts:
        read = read_examples(catalog, Utterance("1", text, lang, 1.0, 0, 0, "cli")).outcome
        assert isinstance(read, tuple), text
        assert [(found.name, dict(found.slots)) for found in read] == [("light", {"action": "off", "area": "kitchen"})]


@pytest.mark.parametrize(
    ("lang", "texts"),
    [
        ("en", ("should i turn on the light", "i turned off the kitchen light", "not the kitchen light")),
        ("ko", ("불 켜야 할까", "부엌 불은 켜 두고", "다락방 불 켜 줘")),
        ("de", ("soll ich das Licht ausmachen", "kein Licht in der Küche", "das Licht war an")),
        ("pt-BR", ("devo apagar a luz", "não apagar a luz da cozinha", "a luz acabou")),
        ("pl", ("czy mam zgasić światło", "nie wyłączać światła w kuchni", "nie teraz")),
        ("el", ("να σβήσω το φως", "μην ανάψεις τα φώτα στην κουζίνα", "όχι τώρα")),
    ],
)
def test_what_is_denied_asked_or_told_is_no_order(catalog: Catalog, lang: str, texts: tuple[str, ...]) -> None:
    for text in texts:
        assert read_examples(catalog, Utterance("1", text, lang, 1.0, 0, 0, "cli")).outcome is None, text


@pytest.mark.parametrize("text", ["a luz da cozinha tá acesa", "a luz da cozinha está acesa"])
def test_a_question_without_a_question_word_is_no_order(catalog: Catalog, text: str) -> None:
    read = read_examples(catalog, Utterance("1", text, "pt-BR", 1.0, 0, 0, "cli")).outcome
    assert isinstance(read, tuple)
    assert [found.name for found in read] == ["query"]


@every_language
def test_no_refused_sentence_means_the_intent_that_refuses_it(catalog: Catalog, lang: str) -> None:
    for intent in catalog.intents.values():
        for text in intent.refused[lang]:
            read = read_examples(catalog, Utterance("1", text, lang, 1.0, 0, 0, "cli"))
            assert intent.name in read.refused, text
            found = read.outcome if isinstance(read.outcome, tuple) else ()
            assert intent.name not in {meant.name for meant in found}, text
            assert intent.asks or all(catalog.intents[meant.name].asks for meant in found), f"{text}: {found}"


@every_language
def test_every_listed_value_can_be_said(catalog: Catalog, lang: str) -> None:
    for intent in catalog.intents.values():
        examples = intent.examples[lang]
        placed = {slot for example in examples for slot in PLACEHOLDER.findall(example.text)}
        given = {(slot, value) for example in examples for slot, value in example.slots.items()}
        for slot, value in listed_values(intent):
            assert slot in placed or (slot, value) in given, f"{intent.name} {slot} {value}"
            assert slot not in placed or lang in intent.spoken[slot][str(value)], f"{intent.name} {slot} {value}"


@every_language
def test_every_slot_is_filled_by_some_example(catalog: Catalog, lang: str) -> None:
    for intent in catalog.intents.values():
        filled = {
            slot for example in intent.examples[lang] for slot in (*PLACEHOLDER.findall(example.text), *example.slots)
        }
        assert filled == set(intent.slots), intent.name


@every_language
def test_what_an_example_commands_can_be_carried_out(catalog: Catalog, lang: str) -> None:
    for intent, example in every_example(catalog, lang):
        asked = Intent("1", intent.name, filled_slots(intent, example, catalog), confidence=1, margin=0)
        mapped = map_intent(asked, catalog, default_area=None)
        assert isinstance(mapped, tuple), f"{example.text}: {mapped}"
        assert bool(mapped) != (intent.asks or intent.timers is not None), example.text


@every_language
def test_what_an_example_asks_is_answered(catalog: Catalog, lang: str) -> None:
    for intent, example in every_example(catalog, lang):
        if not intent.asks:
            continue
        assert intent.answer is not None, intent.name
        asked = Intent("1", intent.name, filled_slots(intent, example, catalog), confidence=1, margin=0)
        answer = answer_question(
            asked,
            intent.answer,
            catalog.home,
            lang=lang,
            default_area=None,
            told_by=lambda _device: {},
            is_offline=lambda _device: False,
        )
        assert isinstance(answer, Answer), f"{example.text}: {answer}"
        assert answer.devices, example.text


@every_language
def test_no_sentence_is_an_example_of_two_intents(catalog: Catalog, lang: str) -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for intent in catalog.intents.values():
        for sentence in sentences_of(intent, catalog, lang):
            owners[sentence.replace(" ", "")].add(intent.name)
    assert not {sentence: names for sentence, names in owners.items() if len(names) > 1}


@every_language
def test_every_sentence_is_in_the_script_of_its_language(catalog: Catalog, lang: str) -> None:
    for intent in catalog.intents.values():
        written = [PLACEHOLDER.sub("", example.text) for example in intent.examples[lang]]
        written += intent.refused[lang]
        written += [form for values in intent.spoken.values() for forms in values.values() for form in forms[lang]]
        for text in written:
            letters = (letter for letter in text if letter.isalpha())
            assert all(unicodedata.name(letter).startswith(SCRIPTS[lang]) for letter in letters), text


def house_names(home: Home, lang: str) -> list[tuple[str, tuple[str, ...]]]:
    """The key of each thing of the house, and what it is called."""
    return [
        *((area.key, area.names.get(lang, ())) for area in home.areas.values()),
        *((floor.key, floor.names.get(lang, ())) for floor in home.floors.values()),
        *((device.key, device.names.get(lang, ())) for device in home.devices.values()),
    ]


@every_language
def test_everything_in_the_example_house_has_a_name_of_its_own(catalog: Catalog, lang: str) -> None:
    owners: dict[str, str] = {}
    for key, names in house_names(catalog.home, lang):
        assert names, key
        for name in names:
            assert owners.setdefault(normalize_text(name, lang), key) == key, name


ONE_LAMP = """
[areas.kitchen]
[devices.lamp]
kind = "light"
area = "kitchen"
driver = "zigbee2mqtt"
address = "lamp"
"""


@pytest.mark.parametrize("house", ["", ONE_LAMP])
def test_a_house_without_some_kinds_of_devices_leaves_out_what_needs_them(config: Config, house: str) -> None:
    loaded = read_catalog(config.intents.directory, parse_home(house, "home.toml"))
    assert [fault for fault in loaded.faults if fault.severity == "error"] == []
    told = [fault.file for fault in loaded.faults]
    assert len(told) == len(set(told)), "one warning a file is enough"
    for intent in loaded.intents.values():
        assert all(intent.schema["properties"][slot] for slot in intent.schema["required"])
    assert compile_catalog(loaded).n_states > 0
    for lang in LANGUAGES:
        assert list_phrases(loaded, lang)
        assert not match_examples(loaded, "", lang)


def test_a_small_house_understands_what_it_has(config: Config) -> None:
    loaded = read_catalog(config.intents.directory, parse_home(ONE_LAMP, "home.toml"))
    outcome = read_examples(loaded, Utterance("1", "turn on the kitchen light", "en", 1.0, 0, 0, "cli")).outcome
    assert isinstance(outcome, tuple)
    assert [dict(intent.slots) for intent in outcome] == [{"action": "on", "area": "kitchen"}]
