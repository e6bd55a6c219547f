"""What `edged review` shows of kept utterances, and its dialogue: a label for each, from a person at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from edged.intents.accept import exact_validator
from edged.intents.catalog import Catalog
from edged.intents.suggest import shorten
from edged.ops.feedback import Kept, delete_kept
from edged.ops.labels import Label, store_label
from edged.types import Intent, Rejected

MAX_PROPOSALS: Final = 9
"""Choices that are shown for one utterance: one key each."""
MAX_SHOWN: Final = 500
"""Characters of a text or a meaning."""
HELP: Final = "Answer with a number, other words for the same, n (no command), s (skip), d (delete) or q (quit)."

Intents: TypeAlias = Sequence[Mapping[str, Any]]
Understand: TypeAlias = Callable[[str, str], tuple[Intent, ...] | Rejected]
"""What a text in a language means."""
_Then: TypeAlias = Literal["again", "next", "quit"]


@dataclass(frozen=True, slots=True)
class Said:
    """The same words, kept once or several times."""

    text: str
    lang: str
    times: tuple[Kept, ...]
    """The oldest first."""
    corrections: tuple[Kept, ...]
    """What was said in place of them, and understood."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A meaning that the person may choose."""

    expect: tuple[dict[str, Any], ...]
    origin: str


@dataclass(slots=True)
class Tally:
    """What came of a review."""

    labelled: int = 0
    deleted: int = 0


def gather(rows: Iterable[Kept]) -> list[Said]:
    """The utterances by their words, in the order in which these were first said."""
    rows = list(rows)
    times: dict[tuple[str, str], list[Kept]] = {}
    for row in rows:
        times.setdefault((row.text, row.lang), []).append(row)
    followers = {row.follows: row for row in rows if row.follows is not None}
    return [
        Said(text, lang, tuple(same), tuple(followers[row.id] for row in same if row.id in followers))
        for (text, lang), same in times.items()
    ]


def propose(said: Said) -> list[Proposal]:
    """The meanings that the kept rows give, each once, the latest first."""
    found = [Proposal(row.intents, f"understood{_surely(row)}") for row in reversed(said.times)]
    found += [Proposal(row.intents, f'then said: "{shorten(row.text)}"') for row in reversed(said.corrections)]
    proposals: list[Proposal] = []
    for proposal in found:
        if proposal.expect and all(proposal.expect != other.expect for other in proposals):
            proposals.append(proposal)
    return proposals[:MAX_PROPOSALS]


def _surely(row: Kept) -> str:
    return "" if row.confidence is None else f" ({row.confidence:.0%})"


def is_valid(intents: Intents, catalog: Catalog) -> bool:
    """Whether the catalog in force has these intents, and jsonschema finds no fault in them."""
    return all(
        intent.get("intent") in catalog.intents
        and exact_validator(catalog.intents[intent["intent"]].schema, is_linear=True).is_valid(intent)
        for intent in intents
    )


def describe_meaning(intents: Intents) -> str:
    """Intents on one line, harmless to a terminal."""
    parts = [
        " ".join(
            [str(intent.get("intent")), *(f"{slot}={value}" for slot, value in intent.items() if slot != "intent")]
        )
        for intent in intents
    ]
    return shorten("; ".join(parts), MAX_SHOWN) or "no command"


def describe_said(said: Said) -> Iterator[str]:
    """Lines about the words and why they were refused the last time, harmless to a terminal."""
    last = said.times[-1]
    often = f", {len(said.times)} times" if len(said.times) > 1 else ""
    yield f'"{shorten(said.text, MAX_SHOWN)}"  ({said.lang}, {shorten(last.time)}{often})'
    if last.rejected is not None:
        yield f"  refused by {shorten(last.rejected.stage)}: {shorten(last.rejected.reason, MAX_SHOWN)}"


def describe_proposal(proposal: Proposal) -> str:
    """A meaning and where it comes from, harmless to a terminal."""
    return f"{describe_meaning(proposal.expect)}    {proposal.origin}"


class Dialogue:
    """Asks for labels and writes each at once: what was answered is not lost when the person leaves."""

    def __init__(
        self,
        folder: Path,
        catalog: Catalog,
        *,
        understand: Understand,
        ask: Callable[[str], str],
        say: Callable[..., None],
    ) -> None:
        """Asks nothing yet.

        Args:
            folder: where the labels go.
            catalog: what a label must be valid under.
            understand: reads other words for the same.
            ask: shows a prompt and gives the line that was typed; raises EOFError where nobody types any more.
            say: shows a line.
        """
        self._folder = folder
        self._catalog = catalog
        self._understand = understand
        self._ask = ask
        self._say = say
        self.tally = Tally()

    def run(self, utterances: Sequence[Said]) -> None:
        """Asks about each until the person quits.

        Raises:
            UsageError: a label cannot be written.
            ModelError: other words cannot be understood, since the model is missing or failed.
        """
        self._say(HELP)
        for number, said in enumerate(utterances, 1):
            self._say(f"\n{number} of {len(utterances)}")
            try:
                goes_on = self._ask_about(said)
            except EOFError:
                self._say("")
                return
            if not goes_on:
                return

    def _ask_about(self, said: Said) -> bool:
        """False where the person quits."""
        for line in describe_said(said):
            self._say(line)
        proposals = [proposal for proposal in propose(said) if is_valid(proposal.expect, self._catalog)]
        for number, proposal in enumerate(proposals, 1):
            self._show(number, proposal)
        then: _Then = "again"
        while then == "again":
            then = self._answer(self._ask("> ").strip(), said, proposals)
        return then == "next"

    def _answer(self, answer: str, said: Said, proposals: list[Proposal]) -> _Then:
        """Does what the person answered."""
        if answer == "q":
            return "quit"
        if answer == "s":
            return "next"
        if answer == "d":
            delete_kept(self._folder, {row.id for row in said.times})
            self.tally.deleted += 1
            return "next"
        chosen = {str(number): proposal.expect for number, proposal in enumerate(proposals, 1)} | {"n": ()}
        if answer in chosen:
            return self._label(said, chosen[answer])
        if not answer:
            self._say(HELP)
        elif answer.isdecimal():
            self._say(f"  there is no {shorten(answer)}")
        else:
            self._rephrase(answer, said.lang, proposals)
        return "again"

    def _rephrase(self, words: str, lang: str, proposals: list[Proposal]) -> None:
        """Adds what other words mean to the proposals."""
        outcome = self._understand(words, lang)
        if isinstance(outcome, Rejected):
            self._say(f"  nothing to do: {shorten(outcome.reason, MAX_SHOWN)}")
            return
        expect = tuple({"intent": intent.name, **intent.slots} for intent in outcome)
        proposals.append(Proposal(expect, f'typed: "{shorten(words)}"'))
        self._show(len(proposals), proposals[-1])

    def _show(self, number: int, proposal: Proposal) -> None:
        self._say(f"  {number}  {describe_proposal(proposal)}")

    def _label(self, said: Said, expect: tuple[dict[str, Any], ...]) -> _Then:
        if not is_valid(expect, self._catalog):
            self._say("  the intent files do not allow this")
            return "again"
        store_label(self._folder, Label(text=said.text, lang=said.lang, expect=expect))
        self.tally.labelled += 1
        return "next"
