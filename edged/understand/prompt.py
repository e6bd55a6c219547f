"""What the LM reads: the catalog once, then one line an utterance, which it answers in the short form.

    light(action=on|off|dim, area?, device={light}?, color?)
    order_coffee(size?, milk?)

    a small coffee with oat milk; size milk
     order_coffee size milk
    turn the lights in the {area} blue; color
     light set area color

An intent is a header, and one that the LM was not trained on shows its examples too. The house is not in it: an
utterance is delexicalised (`edged.understand.delexicalize`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import zip_longest
from typing import Final, Protocol

from edged.intents.catalog import PLACEHOLDER, Catalog, Example, IntentFile, is_sayable, restrict
from edged.intents.short import write_short
from edged.intents.spoken.forms import name_forms, named_values
from edged.intents.spoken.text import normalize_text
from edged.types import SlotValue
from edged.understand.delexicalize import delexicalize, hint, tag_of
from edged.understand.lm import LanguageModel

MAX_EXAMPLES: Final = 8
"""Of one intent; with more, the first of each meaning come first."""
MAX_VALUES: Final = 12
"""Of one slot that a header lists."""
MAX_PREFIX_TOKENS: Final = 1600
"""Only houses with many files of their own need so many. Behind prefixes of 250, 600 and 1,600 tokens, of 6, 14 and 37
MB, eight tokens took 24, 30 and 42 ms (SmolLM2-135M, two threads of x86_64, November 2026)."""
_USUAL_NUMBER: Final = 10
"""What an example says for a number, where the slot can have it."""


class Prompt(Protocol):
    """How a model is asked: what it reads, in tokens."""

    before: int | None
    """The token in front of every answer, where it is known not to grow together with one."""

    def prefix(self, catalog: Catalog) -> list[int]:
        """What the model reads once for a catalog."""

    def opening(self, catalog: Catalog, said: str, lang: str) -> list[int]:
        """What it can read of normalised words, in whatever way they go on."""

    def question(self, catalog: Catalog, text: str, lang: str) -> list[int]:
        """What it reads of an utterance, up to where it answers."""


class Lines:
    """A line for each utterance, the answer in the next one: what the models that come with edged were trained on."""

    def __init__(self, lm: LanguageModel, known: Collection[str] = (), *, json: bool = False) -> None:
        """Asks nothing yet.

        Args:
            lm: its tokenizer is used.
            known: the intents that it was trained on.
            json: the answer is to be JSON in full.
        """
        self._lm, self._known, self._json = lm, known, json
        self.before = next(reversed(lm.tokenize(b"\n")), None)

    def prefix(self, catalog: Catalog) -> list[int]:
        """The headers of the intents, and examples of those that are not known."""
        known = catalog.intents if self._json else self._known
        return self._tokens(catalog_prefix(catalog, known, self.count))

    def opening(self, catalog: Catalog, said: str, lang: str) -> list[int]:
        """The words without the end of the line."""
        return self._tokens(
            json_line(said, lang).removesuffix("\n") if self._json else delexicalize(catalog, said, lang)
        )

    def question(self, catalog: Catalog, text: str, lang: str) -> list[int]:
        """The line."""
        return self._tokens(json_line(text, lang) if self._json else question_line(catalog, text, lang))

    def count(self, text: str) -> int:
        """The tokens of a text."""
        return len(self._tokens(text))

    def _tokens(self, text: str) -> list[int]:
        return self._lm.tokenize(text.encode())


def catalog_prefix(catalog: Catalog, known: Collection[str], count: Callable[[str], int]) -> str:
    """The part of the prompt that stays the same for a catalog.

    Args:
        catalog: what can be said.
        known: the intents that the LM was trained on; of the others it reads examples, in turn one of each, as long
            as there is room.
        count: the tokens of a text.
    """
    prefix = "\n".join(_header(intent, catalog) for intent in catalog.intents.values()) + "\n\n"
    room = MAX_PREFIX_TOKENS - count(prefix)
    shown: dict[str, list[str]] = {name: [] for name in catalog.intents}
    others = [intent for intent in catalog.intents.values() if intent.name not in known]
    for turn in zip_longest(*(_examples(intent, catalog) for intent in others)):
        for intent, text in zip(others, turn, strict=True):
            room -= count(text) if text else 0
            if text and room >= 0:
                shown[intent.name].append(text)
    return prefix + "".join(text for texts in shown.values() for text in texts)


def readable_part(catalog: Catalog, known: Collection[str], count: Callable[[str], int]) -> Catalog:
    """The intents whose headers fit into a prefix, those that the LM was trained on first; the others have examples."""
    room, names = MAX_PREFIX_TOKENS, set()
    asked = (intent for intent in catalog.intents.values() if not intent.examples_only)
    for intent in sorted(asked, key=lambda intent: intent.name not in known):
        room -= count(_header(intent, catalog) + "\n")
        if room >= 0:
            names.add(intent.name)
    return restrict(catalog, names)


def _header(intent: IntentFile, catalog: Catalog) -> str:
    return f"{intent.name}({', '.join(_slot(intent, slot, catalog) for slot in intent.slots)})"


def _slot(intent: IntentFile, slot: str, catalog: Catalog) -> str:
    """A slot as a header has it: what need not be said with its values, what may be left out with a mark."""
    values = intent.schema["properties"][slot].get("enum", ())
    shown = ""
    if slot in intent.homes:
        shown = f"={tag_of(intent, slot, catalog)}" if intent.homes[slot] == "devices" else ""
    elif slot not in intent.said and values:
        shown = "=" + "|".join(map(str, values[:MAX_VALUES]))
    return f"{slot}{shown}{'' if slot in intent.schema['required'] else '?'}"


def _examples(intent: IntentFile, catalog: Catalog) -> Iterator[str]:
    """Examples as questions with answers, those that mean something new first, and a sentence that is refused."""
    lang = "en" if "en" in intent.examples else next(iter(intent.examples), "en")
    texts = [example for example in intent.examples.get(lang, ()) if is_sayable(intent, example)]
    first: dict[str, Example] = {}
    for example in texts:
        first.setdefault(str((sorted(example.slots.items()), sorted(PLACEHOLDER.findall(example.text)))), example)
    ordered = [*first.values(), *(example for example in texts if example not in first.values())]
    for place, example in enumerate(ordered[:MAX_EXAMPLES]):
        yield _answered(intent, example, catalog, lang, place)
    for text in intent.refused.get(lang, ())[:1]:
        yield f"{question_line(catalog, text, lang)}{write_short((), catalog, {})}\n"


def _answered(intent: IntentFile, example: Example, catalog: Catalog, lang: str, place: int) -> str:
    """An example as a question and its answer; `place` decides which of the values of its slots it says."""
    values: dict[str, SlotValue] = {"intent": intent.name, **example.slots}
    said: dict[str, tuple[SlotValue, ...]] = {slot: () for slot in intent.slots if slot in intent.said}
    words = []
    for index, part in enumerate(PLACEHOLDER.split(example.text)):
        if index % 2 == 0:
            words.append(part)
            continue
        text, value = _spoken(intent, part, catalog, lang, place)
        words.append(text)
        values[part] = value
        if part in said:
            said[part] = (*said[part], value)
    text = "".join(word if word.startswith("{") else f" {normalize_text(word, lang)} " for word in words)
    plain = normalize_text(PLACEHOLDER.sub(" ", text), lang)
    ordered = {slot: values[slot] for slot in ("intent", *intent.slots) if slot in values}
    answer = write_short([ordered], catalog, {intent.name: said})
    return f"{' '.join(text.split())}{hint(catalog, plain, lang)}\n{answer}"


def _spoken(intent: IntentFile, slot: str, catalog: Catalog, lang: str, place: int) -> tuple[str, SlotValue]:
    """What an example says for a slot, and the value that it means."""
    if slot in intent.homes:
        return tag_of(intent, slot, catalog), f"any {slot}"
    values = named_values(intent, slot, lang)
    forms = name_forms(intent, slot, values[place % len(values)], catalog, lang) if values else ()
    if forms:
        return forms[0], values[place % len(values)]
    schema = intent.schema["properties"][slot]
    number = min(max(_USUAL_NUMBER, schema.get("minimum", _USUAL_NUMBER)), schema.get("maximum", _USUAL_NUMBER))
    return f"{number:g}", number


def question_line(catalog: Catalog, text: str, lang: str) -> str:
    """A delexicalised utterance, and the slots that it names values of."""
    return f"{delexicalize(catalog, text, lang)}{hint(catalog, normalize_text(text, lang), lang)}\n"


def json_line(text: str, lang: str) -> str:
    """An utterance whose answer is to be JSON in full."""
    return f"json: {normalize_text(text, lang)}\n"
