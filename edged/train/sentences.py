"""Makes sentences with their intents from templates and word lists; the same seed makes the same sentences.

A template: `(a|b)` is one of these, `[a]` is there or not, `{name}` is a slot's value, a word or a phrase (phrases may
hold templates themselves), `{name+}` is meant for the second intent. In Korean `~` stands where a recogniser writes a
blank and people do not, `_` where either may.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from edged.intents.home import Home
from edged.intents.spoken.text import normalize_text
from edged.train.values import Values
from edged.types import SlotValue

FOLDER: Final = Path(__file__).parent / "sentences"
MAX_INTENTS: Final = 3

Means: TypeAlias = tuple[Mapping[str, SlotValue], ...]
PLACEHOLDERS: Final = {"light": {"device": "lamp"}, "thermostat": {"device": "heater", "step": "degrees"}}
"""The intents that there are templates of, and what their slots are called in them where that differs."""
EXAMPLES_WEIGHT: Final = 6.0
"""Of all examples of one intent file, beside groups of templates that weigh one each."""
_CHOICE: Final = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")
_PARTICLE: Final = re.compile(r"(\w)([~ _]*)<(\w+)>")
_PARTICLES: Final = {
    "을": ("을", "를"),
    "으로": ("으로", "로"),
    "은": ("은", "는"),
    "이": ("이", "가"),
    "과": ("과", "와"),
}
"""A Korean particle after a consonant, after a vowel."""
_NAME: Final = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """What somebody may say and the intents that it means; none for what is no command."""

    text: str
    lang: str
    intents: Means
    template: str
    """The template that made it."""
    held_back: bool
    """Kept for the test set, like every sentence of its template."""

    @property
    def answer(self) -> str:
        """What the LM is to write."""
        return json.dumps(list(self.intents), separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Templates that mean the same."""

    means: tuple[Mapping[str, SlotValue], ...]
    say: tuple[str, ...]
    weight: float
    order: bool
    """Each begins with a verb, so "please" may go before it."""


@dataclass(slots=True)
class _Draft:
    """A template on its way to a sentence."""

    slots: tuple[dict[str, SlotValue], ...]
    used: set[str] = field(default_factory=set)


class Speaker:
    """Says things in one language."""

    def __init__(self, lang: str, home: Home, schemas: Sequence[Mapping[str, Any]], rng: random.Random) -> None:
        self.lang, self.rng = lang, rng
        tables = [_read(FOLDER / f"{lang}.toml"), _read(FOLDER / f"{lang}-nothing.toml")]
        self.commands = [_group(table, table["means"]) for table in tables[0]["command"]]
        self.nothing = [_group(table, ()) for table in tables[1]["nothing"]]
        for schema in schemas:
            self.commands += _examples(schema, lang)
            self.nothing.append(Group((), tuple(schema["x-edged"]["refused"][lang]), 1, order=False))
        self._phrases: dict[str, list[str]] = {**tables[1]["words"], **tables[0]["phrases"]}
        self._wrap: dict[str, list[str]] = tables[0]["wrap"]
        self._confusions: dict[str, list[str]] = tables[0]["confusions"]
        self._joiners: list[str] = tables[0]["joiners"]
        self._pieces: dict[str, str] = tables[0].get("pieces", {})
        self._devices = [
            (name.replace(" ", "") if lang == "ko" else f" {name} ", device.key)
            for device in home.devices.values()
            for name in device.names.get(lang, ())
        ]
        self._values = Values(lang, tables[0]["names"], home, schemas)
        self._order = {s["properties"]["intent"]["const"]: list(s["properties"]) for s in schemas}

    def command(self) -> Sentence:
        """A command; one in twelve is two commands joined."""
        while self._hides_a_device(sentence := self._any_command()):
            pass
        return sentence

    def _hides_a_device(self, sentence: Sentence) -> bool:
        """Whether it names a device of the house by chance ("hall" and "lamp") and means something else by it."""
        meant = {value for intent in sentence.intents for value in intent.values()}
        glued = sentence.text.replace(" ", "") if self.lang == "ko" else f" {sentence.text} "
        return any(name in glued and key not in meant for name, key in self._devices)

    def _any_command(self) -> Sentence:
        if self.rng.random() < 1 / 12:
            first, second = (
                self._say(self._pick([g for g in self.commands if g.order and len(g.means) == 1])) for _ in "ab"
            )
            text = first.text + self.rng.choice(self._joiners) + second.text
            held_back = first.held_back or second.held_back
            both = Sentence(text, self.lang, first.intents + second.intents, "two joined", held_back)
            return self._finish(both, order=True)
        group = self._pick(self.commands)
        said = self._say(group)
        return self._finish(said, order=group.order)

    def no_command(self) -> Sentence:
        """Something that is to be answered with no intent at all."""
        group = self._pick(self.nothing)
        said = self._say(group)
        return self._finish(replace(said, intents=()), order=group.order)

    def _pick(self, groups: Sequence[Group]) -> Group:
        return self.rng.choices(groups, [group.weight for group in groups])[0]

    def _say(self, group: Group) -> Sentence:
        number = self.rng.randrange(len(group.say))
        template = group.say[number]
        draft = _Draft(tuple({} for _ in group.means) or ({},))
        text = self._expand(template, draft)
        intents = tuple(
            self._ordered({**means, **slots}) for means, slots in zip(group.means, draft.slots, strict=False)
        )
        return Sentence(text, self.lang, intents, template, group.say.index(template) > 0 and is_held_back(template))

    def _ordered(self, intent: dict[str, SlotValue]) -> Mapping[str, SlotValue]:
        return {name: intent[name] for name in self._order[str(intent["intent"])] if name in intent}

    def _expand(self, text: str, draft: _Draft) -> str:
        while True:
            if match := _CHOICE.search(text):
                choices = (match[1] if match[1] is not None else f"{match[2]}|").split("|")
                text = text[: match.start()] + self.rng.choice(choices) + text[match.end() :]
            elif match := _NAME.search(text):
                text = text[: match.start()] + self._fill(match[1], match[2], draft) + text[match.end() :]
            else:
                return text

    def _fill(self, name: str, second: str, draft: _Draft) -> str:
        if name in self._phrases:
            return _NAME.sub(lambda match: f"{{{match[1]}{second}}}", self.rng.choice(self._phrases[name]))
        slots = draft.slots[1 if second else 0]
        for _ in range(20):
            words, slot, value = self._values.draw(name, self.rng, slots)
            if words not in draft.used:
                break
        draft.used.add(words)
        if slot:
            slots[slot] = value
        for piece, split in self._pieces.items():
            words = re.sub(rf"(?<=\w){piece}", split, words)
        return words

    def _finish(self, said: Sentence, *, order: bool) -> Sentence:
        text = self._spaced(self._confused(self._wrapped(said.text, order=order)))
        return replace(said, text=normalize_text(text, self.lang))

    def _wrapped(self, text: str, *, order: bool) -> str:
        if order and self._wrap["order"] and self.rng.random() < 0.3:
            text = f"{self.rng.choice(self._wrap['order'])} {text}"
        if self.rng.random() < 0.15:
            text = f"{self.rng.choice(self._wrap['front'])} {text}"
        if self.rng.random() < 0.12:
            text = f"{text} {self.rng.choice(self._wrap['back'])}"
        return text

    def _confused(self, text: str) -> str:
        words = text.split(" ")
        if self.rng.random() < 0.15:
            words = [word for word in words if word != "the"]
        for i, word in enumerate(words):
            if word in self._confusions and self.rng.random() < 0.025:
                words[i] = self.rng.choice(self._confusions[word])
        return " ".join(words)

    def _spaced(self, text: str) -> str:
        style = self.rng.random()
        text = _PARTICLE.sub(_particle, text)
        text = text.replace("~", " " if style < 0.5 else "")
        text = re.sub("_", lambda _: " " if style < 0.5 or self.rng.random() < 0.5 else "", text)
        return text.replace(" ", "") if self.lang == "ko" and style > 0.93 else text


def make_sentences(
    home: Home,
    schemas: Sequence[Mapping[str, Any]],
    counts: Mapping[str, tuple[int, int]],
    seed: int,
    *,
    avoid: frozenset[str] = frozenset(),
) -> Iterator[Sentence]:
    """Distinct sentences, for each language so many commands and so many others as `counts` says, none of `avoid`."""
    rng = random.Random(seed)  # noqa: S311  # it is to be repeatable
    for lang, (commands, others) in counts.items():
        if not commands + others:
            continue
        speaker = Speaker(lang, home, schemas, rng)
        seen = set(avoid)
        yield from _distinct(speaker.command, commands, seen)
        yield from _distinct(speaker.no_command, others, seen)


def _distinct(say: Callable[[], Sentence], count: int, seen: set[str]) -> Iterator[Sentence]:
    made = tries = 0
    while made < count and tries < 50 * count:
        tries += 1
        sentence = say()
        if sentence.text and sentence.text not in seen:
            seen.add(sentence.text)
            made += 1
            yield sentence


def _particle(match: re.Match[str]) -> str:
    final = (ord(match[1]) - ord("가")) % 28 if "가" <= match[1] <= "힣" else 0
    after_consonant, after_vowel = _PARTICLES[match[3]]
    liquid = match[3] == "으로" and final == 8
    return match[1] + match[2] + (after_consonant if final and not liquid else after_vowel)


def read_schemas(folder: Path) -> list[dict[str, Any]]:
    """The intent files of a folder that there are templates of, by name."""
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return [schema for schema in schemas if _name_of(schema) in PLACEHOLDERS]


def _name_of(schema: Mapping[str, Any]) -> str:
    name: str = schema["properties"]["intent"]["const"]
    return name


def is_held_back(template: str) -> bool:
    """Whether a template is kept for the test set: one in twelve, the same ones always."""
    return hashlib.sha256(template.encode()).digest()[0] % 12 == 0


def _examples(schema: Mapping[str, Any], lang: str) -> Iterator[Group]:
    """The examples of an intent file, less those that are in the test set; together they weigh `EXAMPLES_WEIGHT`."""
    name = _name_of(schema)
    names = PLACEHOLDERS[name]
    rows = schema["x-edged"]["examples"][lang]
    for row in rows:
        text = _NAME.sub(lambda match: f"{{{names.get(match[1], match[1])}}}", row["text"])
        if not is_held_back(text):
            yield Group(({"intent": name, **row["slots"]},), (text,), EXAMPLES_WEIGHT / len(rows), order=False)


def _group(table: Mapping[str, Any], means: Iterable[Mapping[str, SlotValue]]) -> Group:
    return Group(tuple(means), tuple(table["say"]), float(table.get("weight", 1)), bool(table.get("order", False)))


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
