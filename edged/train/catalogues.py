"""Random English catalogues of intents, with sentences for them and beside them; the same seed makes the same samples.

The intents come from the domains of training. Their names, slots and values are drawn anew for each sample, so that
what a sentence means is to be read from the catalogue alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from edged.intents.spoken.text import normalize_text
from edged.train.catalogue_rows import TRIES, Rows
from edged.train.domains import AREA, Common, Domain, Json, Kind, Slot, Template, read_domains
from edged.train.phrasing import LANG, NAME, Draft, Drawn, Phrasing, Place, fix_article
from edged.train.sentences import Sentence

MAX_INTENTS: Final = 15
"""A house may have so many files of its own."""
_SIZES: Final = (1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7)
_LARGE: Final = 1 / 7
"""Of all samples: those with more intents than any of `_SIZES`."""
_EXAMPLES: Final = (2, 3, 3, 4, 4, 5, 5, 6, 7, 8)
MAX_EXAMPLES: Final = 8
ROWS: Final = (38, 46)
COMMANDS: Final = 0.7
"""Of all rows: those that mean an intent of the catalogue."""
COVERED_VALUES: Final = 4
"""Values that sentences imply may have names without a meaning where there are at most so many, each with examples."""
HOMES: Final = 0.4
"""Of all samples: those with a house; few of these have no intent that refers to it."""
_OPAQUE: Final = ("device_action", "do", "intent", "command", "skill", "task", "call", "service")
_PREFIXES: Final = ("home", "my", "user", "app", "run", "x")


@dataclass(frozen=True, slots=True)
class CatalogueSample:
    """A catalogue of intent files, and what people say in a house that has it."""

    schemas: tuple[Json, ...]
    """Complete intent files; no two share a name or a sentence."""
    rows: tuple[Sentence, ...]
    home: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Areas and what they are called; empty where no intent refers to them."""


def make_catalogue_samples(count: int, seed: int) -> Iterator[CatalogueSample]:
    """So many random catalogues, most of 1 to 7 intents, with some 40 sentences each, of which 70 % are commands."""
    domains, common = read_domains()
    for number in range(count):
        rng = random.Random(f"{seed} {number}")  # noqa: S311  # it is to be repeatable
        yield _Maker(domains, common, rng).make()


class _Maker:
    """Makes one sample."""

    def __init__(self, domains: Sequence[Domain], common: Common, rng: random.Random) -> None:
        self.domains, self.say, self.rng = domains, Phrasing(common, rng), rng
        self.other_rooms: tuple[str, ...] = ()
        self.drawn: list[Drawn] = []
        self.shown: set[str] = set()
        """The examples of all files, whatever stands in their placeholders."""

    def make(self) -> CatalogueSample:
        """The sample."""
        if self.say.chance(HOMES):
            self._draw_home()
        self._draw_intents()
        schemas = tuple(self._schema(drawn) for drawn in self.drawn)
        has_area = any(AREA in drawn.places for drawn in self.drawn)
        return CatalogueSample(schemas, tuple(self._rows()), self.say.rooms if has_area else {})

    def _rows(self) -> list[Sentence]:
        total = self.rng.randint(*ROWS)
        commands = round(total * COMMANDS)
        rows = Rows(self.drawn, self.domains, self.say, self.other_rooms)
        found: list[Sentence] = []
        for is_command in [True] * commands + [False] * (total - commands):
            row = next(filter(None, (rows.row(is_command=is_command) for _ in range(TRIES))), None)
            if row is not None:
                found.append(row)
        self.rng.shuffle(found)
        return found

    def _draw_home(self) -> None:
        rooms = self.rng.sample(self.say.common.rooms, len(self.say.common.rooms))
        count = self.rng.randint(2, 8)
        for room in rooms[:count]:
            names = tuple(room.split("|"))
            self.say.rooms[names[0].replace(" ", "_").replace("'", "")] = names
        words = {word for names in self.say.rooms.values() for name in names for word in name.split()} - {"room"}
        self.other_rooms = tuple(room.split("|")[0] for room in rooms[count:] if not words & set(room.split()))

    def _draw_intents(self) -> None:
        is_large = self.say.chance(_LARGE)
        wanted = self.rng.randint(_SIZES[-1] + 1, MAX_INTENTS) if is_large else self.rng.choice(_SIZES)
        kin: set[str] = set()
        domains = self.rng.sample(self.domains, len(self.domains))
        if self.say.rooms:
            domains.sort(key=lambda domain: not any(AREA in kind.slots for kind in domain.kinds))
            domains[1:] = self.rng.sample(domains[1:], len(domains) - 1)
        for domain in domains:
            if len(self.drawn) >= wanted:
                return
            if kin & domain.kin:
                continue
            most = min(len(domain.kinds), wanted - len(self.drawn))
            for kind in self.rng.sample(domain.kinds, self.rng.randint(1, most)):
                drawn = self._draw(kind)
                if drawn is not None:
                    self.drawn.append(drawn)
                    kin |= domain.kin

    def _draw(self, kind: Kind) -> Drawn | None:
        drawn = Drawn(kind, self._name_intent(kind), {})
        names: set[str] = {"intent"}
        is_opaque = self.say.chance(0.08)
        for key in self.rng.sample(list(kind.slots), len(kind.slots)):
            slot = kind.slots[key]
            is_dropped = not self.say.rooms if key == AREA else not slot.needed and self.say.chance(0.12)
            if not is_dropped:
                drawn.places[key] = self._place(kind, key, slot, names, is_opaque=is_opaque)
        drafts = [draft for template in kind.say for draft in self._drafts(drawn, template)]
        self._choose_examples(drawn, drafts)
        self._prune(drawn)
        self.rng.shuffle(drawn.examples)
        return drawn if len(drawn.examples) > 1 else None

    def _name_intent(self, kind: Kind) -> str:
        taken = {drawn.name for drawn in self.drawn}
        name = self.rng.choice(kind.names)
        if self.say.chance(0.1):
            name = self.rng.choice(_OPAQUE)
            name += f"_{self.rng.randint(1, 40)}"
        elif self.say.chance(0.1):
            name = f"{self.rng.choice(_PREFIXES)}_{name}"
        return name if name not in taken else f"{name}_{len(taken) + 1}"

    def _place(self, kind: Kind, key: str, slot: Slot, taken: set[str], *, is_opaque: bool) -> Place:
        name = self.rng.choice(slot.names) if self.say.chance(0.7) else key
        if is_opaque:
            name = self.rng.choice(("arg", "param", "slot", "p", "field")) + f"_{len(taken)}"
        if name in taken:
            name = f"{name}_{len(taken) + 1}"
        taken.add(name)
        kept = self._subset(list(slot.values))
        is_implied = key in kind.implied
        forms = {value: self._forms(slot.values[value]) for value in kept}
        values = self._name_values(forms, may_be_opaque=not is_implied or len(kept) <= COVERED_VALUES)
        required = slot.needed and self.say.chance(0.85)
        said = bool(slot.values) and not is_implied and self.say.chance(0.75)
        return Place(name, slot, values, forms, self._bounds(slot), required, said)

    def _subset(self, values: list[str]) -> list[str]:
        count = len(values)
        if count > 2 and self.say.chance(0.55):
            count = self.rng.randint(max(2, count // 3), count)
        kept = set(self.rng.sample(values, count))
        if self.say.chance(0.5):
            return [value for value in values if value in kept]
        return self.rng.sample(sorted(kept), len(kept))

    def _forms(self, forms: tuple[str, ...]) -> tuple[str, ...]:
        if len(forms) > 1 and self.say.chance(0.2):
            forms = tuple(self.rng.sample(forms, self.rng.randint(1, len(forms))))
        return forms

    def _name_values(self, forms: Mapping[str, tuple[str, ...]], *, may_be_opaque: bool) -> dict[str, str]:
        style = self.rng.random()
        if may_be_opaque and style < 0.06:
            letter = self.rng.choice(("mode_", "v", "opt_", "x", "item_", "no_"))
            return {value: f"{letter}{number}" for number, value in enumerate(forms, start=1)}
        names = {value: value for value in forms}
        if style < 0.4:
            for value, said in forms.items():
                name = re.sub(r"\W+", "_", self.rng.choice(said))
                if name not in names.values():
                    names[value] = name
        if 0.4 < style < 0.46:
            return {value: name.upper() for value, name in names.items()}
        if 0.46 < style < 0.52:
            return {value: name.replace("_", " ") for value, name in names.items()}
        return names

    def _bounds(self, slot: Slot) -> tuple[int, int]:
        least, most = slot.bounds
        if most - least > 8 * slot.step and self.say.chance(0.3):
            most -= slot.step * self.rng.randint(1, (most - least) // slot.step // 2)
        return least, most

    def _drafts(self, drawn: Drawn, template: Template, tries: int = 3) -> Iterator[Draft]:
        """The template as the catalogue can say it, in several ways."""
        if drawn.can_mean(template.means):
            for _ in range(tries):
                draft = self.say.say(drawn, template, drawn.places)
                if draft is not None and not drawn.lacks(draft):
                    yield draft

    def _choose_examples(self, drawn: Drawn, drafts: list[Draft]) -> None:
        """Two to eight, which give every slot and every value that a sentence implies, if so many can."""
        wanted = self.rng.choice(_EXAMPLES)
        missing = {(slot, "") for slot in drawn.places}
        missing |= {
            (slot, value) for slot in drawn.kind.implied & set(drawn.places) for value in drawn.places[slot].values
        }
        self.rng.shuffle(drafts)
        while drafts and len(drawn.examples) < MAX_EXAMPLES:
            best = max(drafts, key=lambda draft: len(_given(drawn, draft) & missing))
            if not _given(drawn, best) & missing and len(drawn.examples) >= wanted:
                return
            drafts.remove(best)
            key = NAME.sub("{}", normalize_text(best.text.replace("{", " {"), LANG))
            if NAME.sub("", best.text).strip() and key not in self.shown:
                self.shown.add(key)
                missing -= _given(drawn, best)
                drawn.examples.append(best)

    def _prune(self, drawn: Drawn) -> None:
        """Leaves out the slots and the implied values that no example gives."""
        given = set().union(*(_given(drawn, draft) for draft in drawn.examples)) if drawn.examples else set()
        for slot in [slot for slot in drawn.places if (slot, "") not in given]:
            del drawn.places[slot]
        for slot in drawn.kind.implied & set(drawn.places):
            place = drawn.places[slot]
            for value in [value for value in place.values if (slot, value) not in given]:
                del place.values[value], place.forms[value]

    def _schema(self, drawn: Drawn) -> Json:
        places = drawn.places
        properties: Json = {"intent": {"const": drawn.name}}
        properties |= {place.name: _slot_schema(slot, place) for slot, place in places.items()}
        extension: Json = {}
        if said := [place.name for place in places.values() if place.said]:
            extension["said"] = said
        spoken = {place.name: words for place in places.values() if (words := _spoken(place))}
        if spoken:
            extension["spoken"] = spoken
        extension["examples"] = {LANG: list(self._examples(drawn))}
        if drawn.kind.refused and self.say.chance(0.5):
            refused = {self.say.refused(drawn) for _ in range(self.rng.randint(1, 3))}
            extension["refused"] = {LANG: sorted(text for text in refused if text)}
        schema: Json = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": drawn.name}
        if self.say.chance(0.85):
            schema["description"] = self.rng.choice(drawn.kind.about)
        required = ["intent", *(place.name for place in places.values() if place.required)]
        schema |= {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        return schema | {"x-edged": extension}

    def _examples(self, drawn: Drawn) -> Iterator[Json]:
        """One in six with values in the place of placeholders, where another example shows these."""
        shown = list(drawn.examples)
        for draft in drawn.examples:
            rest = {slot for other in shown if other is not draft for slot in other.slots} - {AREA}
            if self.say.chance(1 / 6) and rest.issuperset(draft.slots):
                shown.remove(draft)
                text, values = self.say.fill(drawn, draft)
                yield {"text": text, "slots": {k: v for k, v in drawn.fields(values).items() if k != "intent"}}
            else:
                means = {drawn.places[slot].name: drawn.places[slot].values[one] for slot, one in draft.means.items()}
                text = NAME.sub(lambda match: f"{{{drawn.places[match[1]].name}}}", draft.text)
                yield {"text": fix_article(text), "slots": means}


def _given(drawn: Drawn, draft: Draft) -> set[tuple[str, str]]:
    """The slots that a sentence gives, and the values of those that may be implied."""
    given = {(slot, "") for slot in (*draft.slots, *draft.means)} | set(draft.means.items())
    return given | {(slot, value) for slot in draft.slots for value in drawn.places[slot].values}


def _slot_schema(slot: str, place: Place) -> Json:
    if slot == AREA:
        return {"$ref": "urn:edged:home#/areas"}
    if place.values:
        return {"enum": list(place.values.values())}
    schema: Json = {"type": "integer", "minimum": place.bounds[0], "maximum": place.bounds[1]}
    return schema | ({"multipleOf": place.slot.step} if place.slot.step > 1 else {})


def _spoken(place: Place) -> Json:
    """How the values are said, of those that are said otherwise than they are written."""
    return {
        place.values[value]: {LANG: list(forms)}
        for value, forms in place.forms.items()
        if forms != (place.values[value].replace("_", " "),)
    }
