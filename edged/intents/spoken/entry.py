"""What an entry about a language holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from edged.intents.spoken.delay_words import DelayWords

Unit: TypeAlias = Literal["percent", "degrees", "celsius", "fahrenheit", "kelvin", "seconds", "minutes"]


@dataclass(frozen=True, slots=True)
class Cardinals:
    """The parts of the whole numbers up to ten thousand, for a language that num2words lacks."""

    small: tuple[str, ...]
    """0 to 19."""
    tens: tuple[str, ...]
    """20 to 90."""
    hundreds: tuple[str, ...]
    """100 to 900."""
    hundred_and: str
    """100 before something more."""
    thousand: str
    thousands: str
    """After the number of thousands, from two."""
    counting_thousands: Mapping[int, str]
    """Numbers that are said otherwise before `thousands`."""


@dataclass(frozen=True, slots=True)
class NumberWords:
    """How a language says numbers."""

    cardinals: str | Cardinals | None = None
    """The language's name in num2words, or its parts."""
    point: tuple[str, ...] = ()
    """Between the whole part and the decimals."""
    minus: tuple[str, ...] = ()
    half: tuple[str, ...] = ()
    """What is put behind the whole part for a half more, with its blank where it is a word of its own."""
    halved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The last word of a whole number -> the words in its place for a half more."""
    silent: tuple[str, ...] = ()
    """Words inside a number that some people leave out."""
    hundreds: str = ""
    """What is put behind a number of hundreds above nine: twenty-seven hundred."""
    variants: tuple[tuple[str, str], ...] = ()
    """Regular expressions and what may be said in place of what they match, anywhere in a number."""
    inflections: tuple[Mapping[str, str], ...] = ()
    """A gender, case or style each: the usual word -> the word in it."""
    spoken: Mapping[float, tuple[str, ...]] = field(default_factory=dict)
    """Further ways to say a number."""
    heard: Mapping[float, tuple[str, ...]] = field(default_factory=dict)
    """Ways that are read and never written, with the unit inside."""
    half_thousands: tuple[str, ...] = ()
    """What is put behind a number and a half for so many thousands: three and a half thousand."""
    bound: frozenset[str] = frozenset()
    """Number words that are something else as well, such as articles: they say a number before a unit or a fraction
    alone and, if they are its usual word, at the end of the utterance, where no noun follows."""
    counters: tuple[str, ...] = ()
    """What may follow a number without a blank."""
    thousands_sign: str = ""
    """Between digits, before the last three."""


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """One language; equal to itself alone, so that what is made from it can be cached."""

    tag: str
    """As in intent files; any tag with its primary subtag finds it."""
    numbers: NumberWords = field(default_factory=NumberWords)
    units: Mapping[Unit, tuple[str, ...]] = field(default_factory=dict)
    """Unit -> its words, the one that is written for its sign first."""
    signs: Mapping[str, str] = field(default_factory=dict)
    """Sign -> words, where they are not those of the unit."""
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Percents that have names -> the names."""
    skippable: frozenset[tuple[str, ...]] = frozenset()
    """Articles, politeness and fillers: phrases, in words, without which an order means the same. A number, a name or a
    longer phrase that has such a word in it is to be looked for before the word is left out."""
    conjunctions: frozenset[tuple[str, ...]] = frozenset()
    """What joins two orders."""
    corrections: frozenset[tuple[str, ...]] = frozenset()
    """What takes back the name or number before it for the one behind it: "the kitchen, no, the hall"."""
    denials: frozenset[tuple[str, ...]] = frozenset()
    """Phrases with such a word in them that take nothing back: "the kitchen and no light in the hall"."""
    before_hour: frozenset[tuple[str, ...]] = frozenset()
    """What makes the number behind it an hour, unless a unit follows: "half past seven"."""
    behind_hour: frozenset[tuple[str, ...]] = frozenset()
    """What makes the number before it an hour: "eleven o'clock"."""
    delays: DelayWords = field(default_factory=DelayWords)
    """How it says that something is to be done later."""
    contractions: Mapping[str, str] = field(default_factory=dict)
    """A preposition with its article, or its form before some sounds -> the preposition; for comparison alone."""
    orders: Mapping[str, str] = field(default_factory=dict)
    """A form of a verb that gives an order -> the one that stands for all, both folded; for comparison alone."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What a device may tell of itself -> the word for it behind the device's name: "kitchen lamp: on"."""
    decimal_sign: str = "."
    """Before the decimals of a number that is written in digits."""
    asides: tuple[str, ...] = ()
    """Words that people put into any order, for the recogniser: without its own place in the grammar such a word is
    heard as one that means something (of "... 파란색으로 다 바꿔 줘", 다 was heard as 더, "more")."""
    is_glued: bool = False
    """Particles are glued to words, and blanks are as people please."""
    particles: tuple[str, ...] = ()
    """What may follow a name of one syllable; without one of them it is the start of another word."""
    endings: tuple[str, ...] = ("'s", "s")
    """What a name may end in or not."""
    folds: Mapping[int, str | int] = field(default_factory=dict)
    """Letters that people type otherwise -> what stands for both where words are compared, never where words are
    written: speech models know words as they are spelled."""

    def fold(self, word: str) -> str:
        """Gives a word as it is compared; a word of one letter keeps its accent, which tells it from another word."""
        word = self.contractions.get(word, word)
        if len(word) == 1:
            return word
        folded = word.translate(self.folds)
        return self.orders.get(folded, self.contractions.get(folded, folded))

    def stem(self, word: str) -> str:
        """Gives a word of a name as it is compared: folded, without an ending."""
        folded = self.fold(word)
        return next((folded.removesuffix(ending) for ending in self.endings if folded.endswith(ending)), folded)
