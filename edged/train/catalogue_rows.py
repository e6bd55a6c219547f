"""What people say in a house that has a catalogue: commands for its intents, and what is no command for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from edged.intents.spoken.numbers import find_numbers
from edged.intents.spoken.text import normalize_text
from edged.train.domains import AREA, Domain, Json, Kind, Template
from edged.train.phrasing import LANG, Draft, Drawn, Phrasing, Place, whole
from edged.train.sentences import Sentence
from edged.types import SlotValue

TRIES: Final = 12
"""Draws for one sentence before another template is taken."""
_FULL_TRIES: Final = 4
_CORRECTED: Final = 0.05
"""Of the commands that name a value: those that name a wrong one first."""
_KEYWORDS: Final = 0.08
"""Of the commands: those that are nothing but values, where the catalogue lets them."""
_SIBLINGS: Final = 0.35
"""Of what other catalogues' intents mean: those of a domain that this one has other intents of."""
_SOMEWHERE: Final = ("kitchen", "bedroom", "garage")
"""Rooms that commands of other catalogues name where there is no house."""

_JOINED_TWICE: Final = re.compile(r"\b(?:and|but) (?=and\b)")

_Made: TypeAlias = tuple[str, tuple[Json, ...], str]
"""A sentence, what it means, its template."""


class Rows:
    """Says sentences for one catalogue."""

    def __init__(
        self, drawn: Sequence[Drawn], domains: Sequence[Domain], say: Phrasing, other_rooms: Sequence[str]
    ) -> None:
        self.drawn, self.domains, self.say, self.rng = drawn, domains, say, say.rng
        self.other_rooms = other_rooms
        """Rooms that the house does not have."""
        self.texts: set[str] = set()

    def row(self, *, is_command: bool) -> Sentence | None:
        """A sentence that was not said yet; None where none was found."""
        if is_command:
            drawn = self.rng.choice(self.drawn)
            made = self._keywords(drawn) if self.say.chance(_KEYWORDS) else None
            made = made or (self._joined() if self.say.chance(0.1) else self._command(drawn))
        else:
            made = self._nothing()
        if made is None:
            return None
        text, intents, template = made
        text = normalize_text(text, LANG)
        if not text or text in self.texts:
            return None
        self.texts.add(text)
        return Sentence(text, LANG, intents, template, held_back=False)

    def _command(self, drawn: Drawn, *, order: bool = False, plain: bool = False) -> _Made | None:
        """A sentence for an intent of the sample, mostly of a template that its file does not show."""
        shown = {draft.template for draft in drawn.examples}
        for _ in range(TRIES):
            template = self.rng.choice(drawn.kind.say)
            if (template.text in shown and self.say.chance(0.8)) or not drawn.can_mean(template.means):
                continue
            draft = self._draft(drawn, template)
            if draft is None or drawn.lacks(draft) or (order and not self.say.is_order(draft.text)):
                continue
            text = draft.text if plain else self.say.spoken(self._corrected(drawn, draft))
            text, values = self.say.fill(drawn, Draft(text, draft.means, draft.template))
            if _has_numbers(text, values):
                return text, (drawn.fields(values),), draft.template
        return None

    def _draft(self, drawn: Drawn, template: Template) -> Draft | None:
        """What the template says; in one of four cases the one of several drafts that says most."""
        tries = _FULL_TRIES if self.say.chance(1 / 4) else 1
        drafts = [self.say.say(drawn, template, drawn.places) for _ in range(tries)]
        return max(filter(None, drafts), key=lambda draft: len(draft.slots), default=None)

    def _corrected(self, drawn: Drawn, draft: Draft) -> str:
        """Rarely with a wrong value or number first, put right at once or in the end: "the red, no, the blue one"."""
        places = ((slot, drawn.places[slot]) for slot in draft.slots if slot != AREA)
        slots = [slot for slot, place in places if (place.said and len(place.values) > 1) or not place.slot.values]
        if not slots or not self.say.chance(_CORRECTED):
            return draft.text
        slot = f"{{{self.rng.choice(slots)}}}"
        right = f"{self.say.pick('corrections')} {slot}"
        return f"{draft.text} {right}" if self.say.chance(0.4) else draft.text.replace(slot, f"{slot} {right}")

    def _keywords(self, drawn: Drawn) -> _Made | None:
        """Values alone, as in "large with oat milk", where no other intent has them and none has to be implied."""
        places = {slot: place for slot, place in drawn.places.items() if place.forms and place.said}
        others = {form for one in self.drawn if one is not drawn for form in _forms(one)}
        if len(places) < 2 or others & set(_forms(drawn)):
            return None
        chosen = self.rng.sample(sorted(places), self.rng.randint(2, min(3, len(places))))
        parts = [f"{{{slot}}}" for slot in chosen]
        text = f"{parts[0]} {self.rng.choice(('', '', 'and ', 'but '))}{' '.join(parts[1:])}"
        draft = Draft(text, {}, "values alone")
        if drawn.lacks(draft):
            return None
        said, values = self.say.fill(drawn, Draft(self.say.wrapped(text), {}, ""))
        return _JOINED_TWICE.sub("", said), (drawn.fields(values),), draft.template

    def _joined(self) -> _Made | None:
        """Two commands in one sentence."""
        first, second = (self._command(self.rng.choice(self.drawn), order=True, plain=True) for _ in range(2))
        if first is None or second is None:
            return None
        joiner = self.rng.choice(self.say.common.lists["joiners"])
        return f"{self.say.wrapped(first[0])} {joiner} {second[0]}", first[1] + second[1], "two joined"

    def _nothing(self) -> _Made | None:
        """What is no command for this catalogue."""
        ways = (self._foreign, self._swapped, self._out_of_list, self._incomplete, self._refused, self._not_now)
        way = self.rng.choices((*ways, self._about, self._talk), (26, 11, 15, 3, 15, 13, 10, 10))[0]
        text = way()
        return (text, (), "nothing") if text else None

    def _foreign(self) -> str:
        """A command of an intent that this catalogue does not have."""
        kind = self._foreign_kind(siblings=True)
        drawn = whole(kind, self.say.rooms or {room: (room,) for room in _SOMEWHERE})
        draft = self.say.say(drawn, self.rng.choice(kind.say), drawn.places)
        return self.say.fill(drawn, Draft(self.say.spoken(draft.text), draft.means, ""))[0] if draft is not None else ""

    def _foreign_kind(self, *, siblings: bool = False) -> Kind:
        mine = {drawn.kind for drawn in self.drawn}
        domains = {kind.domain for kind in mine}
        if siblings and self.say.chance(_SIBLINGS):
            others = [kind for domain in sorted(domains, key=_name) for kind in domain.kinds if kind not in mine]
            if others:
                return self.rng.choice(others)
        kin = frozenset().union(*(domain.kin for domain in domains))
        return self.rng.choice(self.rng.choice([d for d in self.domains if d not in domains and not d.kin & kin]).kinds)

    def _swapped(self) -> str:
        """A command of this catalogue with a thing in it that the catalogue does not have."""
        drawn = self.rng.choice(self.drawn)
        templates = [one for one in drawn.kind.say if "{thing}" in one.text and drawn.can_mean(one.means)]
        if not templates:
            return ""
        template, things = self.rng.choice(templates), self._foreign_kind().domain.things
        thing = self.rng.choice((*things, *self.say.common.lists["gadgets"]))
        draft = self.say.say(drawn, Template(template.text.replace("{thing}", thing), template.means), drawn.places)
        if draft is None or thing not in draft.text:
            return ""
        return self.say.fill(drawn, Draft(self.say.spoken(draft.text), draft.means, ""))[0]

    def _out_of_list(self) -> str:
        """A command with a value, a number or a room that there is not, in a slot that there has to be."""
        drawn = self.rng.choice(self.drawn)
        templates = [one for one in drawn.kind.say if drawn.can_mean(one.means)]
        draft = self.say.say(drawn, self.rng.choice(templates), drawn.places) if templates else None
        if draft is None:
            return ""
        slots = [slot for slot in draft.slots if slot == AREA or drawn.places[slot].required]
        if not slots:
            return ""
        slot = self.rng.choice(slots)
        form = self._no_value(slot, drawn.places[slot])
        text = self.say.spoken(draft.text).replace(f"{{{slot}}}", form)
        return self.say.fill(drawn, Draft(text, draft.means, ""))[0] if form else ""

    def _no_value(self, slot: str, place: Place) -> str:
        if slot == AREA:
            return self.rng.choice(self.other_rooms)
        if not place.slot.values:
            most = place.bounds[1]
            return self.say.number(most + self.rng.randint(1, 9) * max(place.slot.step, most // 10))
        kept = {word for forms in place.forms.values() for form in forms for word in form.split()}
        dropped = [form for value, forms in place.slot.values.items() if value not in place.forms for form in forms]
        odd = self.say.common.lists["odd"]
        pool = dropped if dropped and self.say.chance(0.7) else odd
        return self.rng.choice([form for form in pool if not kept & set(form.split())] or [""])

    def _incomplete(self) -> str:
        """A command that lacks what every such intent has."""
        drawn = self.rng.choice(self.drawn)
        draft = self.say.say(drawn, self.rng.choice(drawn.kind.say), drawn.places)
        if draft is None or not drawn.lacks(draft) or not drawn.can_mean(draft.means):
            return ""
        return self.say.fill(drawn, Draft(self.say.spoken(draft.text), draft.means, ""))[0]

    def _refused(self) -> str:
        drawn = self.rng.choice(self.drawn)
        return self.say.refused(drawn) if drawn.kind.refused else ""

    def _not_now(self) -> str:
        """An order of this catalogue that is negated, told, asked about or taken back."""
        drawn = self.rng.choice(self.drawn)
        made = self._command(drawn, order=True, plain=True)
        return self.say.pick("not_now").replace("{x}", made[0]) if made is not None else ""

    def _about(self) -> str:
        """Talk about a thing of this catalogue."""
        domain = self.rng.choice(self.drawn).kind.domain
        name = "about" if domain.asks or self.say.chance(0.5) else "asked"
        return self.say.pick(name).replace("{x}", self.rng.choice(domain.things))

    def _talk(self) -> str:
        return self.say.expand(self.say.pick("talk"), self.say.common.words, {})


def _forms(drawn: Drawn) -> list[str]:
    return [form for place in drawn.places.values() for forms in place.forms.values() for form in forms]


def _name(domain: Domain) -> str:
    return domain.name


def _has_numbers(text: str, values: Mapping[str, SlotValue]) -> bool:
    """Whether every number is read as it was meant."""
    found = {mention.value for mention in find_numbers(normalize_text(text, LANG).split(), LANG)}
    return all(value in found for value in values.values() if isinstance(value, int))
