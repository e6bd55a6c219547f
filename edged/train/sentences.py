"""Makes sentences with their intents from templates and word lists; the same seed makes the same sentences.

A template: `(a|b)` is one of these, `[a]` is there or not, `{name}` is a slot's value, a word or a phrase (phrases may
hold templates themselves), `{name+}` is meant for the second intent. In Korean `~` stands where a recogniser writes a
blank and people do not, `_` where either may. The examples of the intent files are templates as well, so that an intent
without templates of its own is learned from those.

A language's table may have: `numbers` in place of those in placeholders.toml; `agreement`, the genders that go with the
words before a value, and `gender`, regular expressions for the genders of names (m where none matches); `repairs`,
regular expressions and what stands in place of what they match ("1 degrees"); `dropped`, the articles that a recogniser
may lose. A group of sentences that are no commands has `unless`, the intents with which some of them would be commands.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from edged.intents.home import Home
from edged.intents.spoken.language import language_of
from edged.intents.spoken.text import normalize_text
from edged.train.examples import Examples
from edged.train.values import PLACEHOLDERS, Values
from edged.types import SlotValue

FOLDER: Final = Path(__file__).parent / "sentences"
MAX_INTENTS: Final = 3

Means: TypeAlias = tuple[Mapping[str, SlotValue], ...]
EXAMPLES_WEIGHT: Final = 6.0
"""Of all examples of one intent file, beside groups of templates that weigh one each."""
ONLY_EXAMPLES_WEIGHT: Final = 24.0
"""The same for an intent that has no templates."""
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
_NAME: Final = re.compile(r"\{([\w.-]+)(\+?)\}")


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
    unless: frozenset[str] = frozenset()
    """The intents beside which it is not clear that it is no command: a question beside one that answers questions."""

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
    unless: frozenset[str] = frozenset()
    joins: bool = False
    """Each may be joined with another command in one sentence."""


@dataclass(slots=True)
class _Draft:
    """A template on its way to a sentence."""

    slots: tuple[dict[str, SlotValue], ...]
    used: set[str] = field(default_factory=set)


class Speaker:
    """Says things in one language."""

    def __init__(self, lang: str, home: Home, schemas: Sequence[Mapping[str, Any]], rng: random.Random) -> None:
        self.lang, self.rng = lang, rng
        table, others = _read(FOLDER / f"{lang}.toml"), _read(FOLDER / f"{lang}-nothing.toml")
        self._glued = language_of(lang).is_glued
        self._order = {_name_of(s): list(s["properties"]) for s in schemas}
        self._devices = [
            (self._comparable(name), device.key)
            for device in home.devices.values()
            for name in device.names.get(lang, ())
        ]
        self._values = Values(lang, table, home, schemas)
        groups = [_group(entry, entry["means"]) for entry in table["command"]]
        self.commands = [group for group in groups if all(means["intent"] in self._order for means in group.means)]
        templated = {means["intent"] for group in self.commands for means in group.means}
        for schema in schemas:
            weight = EXAMPLES_WEIGHT if _name_of(schema) in templated else ONLY_EXAMPLES_WEIGHT
            self.commands += _examples(schema, lang, weight)
        self._meant = Examples(schemas, self._values, lang)
        self.nothing = [_group(entry, ()) for entry in others["nothing"]]
        self.nothing += [
            Group((), tuple(s["x-edged"].get("refused", {}).get(lang, ())), 1, order=False) for s in schemas
        ]
        self.nothing = [group for group in self.nothing if group.say]
        self._phrases: dict[str, list[str]] = {**self._strange(others["words"]), **table["phrases"]}
        self._wrap: dict[str, list[str]] = table["wrap"]
        self._confusions: dict[str, list[str]] = table["confusions"]
        self._dropped = frozenset(table.get("dropped", ()))
        self._joiners: list[str] = table["joiners"]
        self._pieces: dict[str, str] = table.get("pieces", {})
        self._repairs: dict[str, str] = table.get("repairs", {})

    def _strange(self, words: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """The words less the names of the house's devices: an order with one of those may be a command."""
        names = {name for name, _ in self._devices}
        return {
            kind: [word for word in entries if self._comparable(word) not in names] for kind, entries in words.items()
        }

    def _comparable(self, text: str) -> str:
        text = normalize_text(text, self.lang)
        return text.replace(" ", "") if self._glued else f" {text} "

    def command(self) -> Sentence:
        """A command; one in twelve is two commands joined."""
        while self._hides_a_device(sentence := self._any_command()):
            pass
        return sentence

    def _hides_a_device(self, sentence: Sentence) -> bool:
        """Whether it names a device of the house by chance ("hall" and "lamp") and means something else by it."""
        meant = {value for intent in sentence.intents for value in intent.values()}
        words = normalize_text(sentence.text, self.lang).split()
        pairs = {f" {first}{second} " for first, second in itertools.pairwise(words)}
        text = self._comparable(sentence.text)
        return any((name in text or name in pairs) and key not in meant for name, key in self._devices)

    def _any_command(self) -> Sentence:
        if self.rng.random() < 1 / 12:
            single = [group for group in self.commands if (group.order or group.joins) and len(group.means) == 1]
            first, second = (self._say(self._pick(single)) for _ in "ab")
            text = first.text + self.rng.choice(self._joiners) + second.text
            held_back = first.held_back or second.held_back
            both = Sentence(text, self.lang, first.intents + second.intents, "two joined", held_back)
            return self._finish(both, order=True)
        group = self._pick(self.commands)
        said = self._say(group)
        return self._finish(said, order=group.order)

    def no_command(self) -> Sentence:
        """Something that is to be answered with no intent at all."""
        while True:
            group = self._pick(self.nothing)
            said = self._say(group)
            if not self._meant.say(self._spaced(said.text)):
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
        return Sentence(
            text, self.lang, intents, template, group.say.index(template) > 0 and is_held_back(template), group.unless
        )

    def _ordered(self, intent: dict[str, SlotValue]) -> Mapping[str, SlotValue]:
        return {name: intent[name] for name in self._order[str(intent["intent"])] if name in intent}

    def _expand(self, text: str, draft: _Draft) -> str:
        while True:
            if match := _CHOICE.search(text):
                choices = (match[1] if match[1] is not None else f"{match[2]}|").split("|")
                text = text[: match.start()] + self.rng.choice(choices) + text[match.end() :]
            elif match := _NAME.search(text):
                before = text[: match.start()]
                text = before + self._fill(match[1], match[2], before, draft) + text[match.end() :]
            else:
                return text

    def _fill(self, name: str, second: str, before: str, draft: _Draft) -> str:
        if name in self._phrases:
            return _NAME.sub(lambda match: f"{{{match[1]}{second}}}", self.rng.choice(self._phrases[name]))
        slots = draft.slots[1 if second else 0]
        for _ in range(20):
            words, slot, value = self._values.draw(name, self.rng, slots, before)
            if words not in draft.used:
                break
        draft.used.add(words)
        if slot:
            slots[slot] = value
        for piece, split in self._pieces.items():
            words = re.sub(rf"(?<=\w){piece}", split, words)
        return words

    def _finish(self, said: Sentence, *, order: bool) -> Sentence:
        text = self._wrapped(said.text, order=order)
        for pattern, repaired in self._repairs.items():
            text = re.sub(pattern, repaired, text)
        text = self._spaced(self._confused(text))
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
            words = [word for word in words if word not in self._dropped]
        for i, word in enumerate(words):
            if word in self._confusions and self.rng.random() < 0.025:
                words[i] = self.rng.choice(self._confusions[word])
        return " ".join(words)

    def _spaced(self, text: str) -> str:
        style = self.rng.random()
        text = _PARTICLE.sub(_particle, text)
        text = text.replace("~", " " if style < 0.5 else "")
        text = re.sub("_", lambda _: " " if style < 0.5 or self.rng.random() < 0.5 else "", text)
        return text.replace(" ", "") if self._glued and style > 0.93 else text


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


def write_sentences(path: Path, sentences: Iterable[Sentence]) -> None:
    """Writes what is learned, for people to read."""
    rows = ({"text": s.text, "lang": s.lang, "expect": list(s.intents), "template": s.template} for s in sentences)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_schemas(folder: Path) -> list[dict[str, Any]]:
    """The intent files of a folder that the LM is asked about, by name."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return [file for file in files if not file["x-edged"].get("examples_only", False)]


def read_templated() -> frozenset[str]:
    """The intents that there are templates of."""
    groups = _read(FOLDER / "en.toml")["command"]
    return frozenset(str(means["intent"]) for group in groups for means in group["means"])


def _name_of(schema: Mapping[str, Any]) -> str:
    name: str = schema["properties"]["intent"]["const"]
    return name


def is_held_back(template: str) -> bool:
    """Whether a template is kept for the test set: one in twelve, the same ones always."""
    return hashlib.sha256(template.encode()).digest()[0] % 12 == 0


def _examples(schema: Mapping[str, Any], lang: str, weight: float) -> Iterator[Group]:
    """The examples of an intent file, less those that are in the test set; together they have the weight."""
    name = _name_of(schema)
    rows = schema["x-edged"]["examples"].get(lang, ())
    aliases = {entry["slot"]: alias for alias, entry in PLACEHOLDERS.items() if "slot" in entry}
    for row in rows:
        text = _NAME.sub(lambda match: f"{{{aliases.get(f'{name}.{match[1]}', f'{name}.{match[1]}')}}}", row["text"])
        if not is_held_back(text):
            means = {"intent": name, **row["slots"]}
            yield Group((means,), (text,), weight / len(rows), order=False, joins=True)


def _group(table: Mapping[str, Any], means: Iterable[Mapping[str, SlotValue]]) -> Group:
    return Group(
        tuple(means),
        tuple(table["say"]),
        float(table.get("weight", 1)),
        bool(table.get("order", False)),
        frozenset(table.get("unless", ())),
    )


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
