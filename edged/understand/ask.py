"""What the language model makes of an utterance: ground, compile, draft, decode, validate, judge."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edged.core import Canonical, Matcher, Vocab
from edged.intents.catalog import Catalog
from edged.intents.grounding import (
    Grounding,
    HomeMention,
    NumberSpan,
    find_home_mentions,
    find_number_spans,
    find_said_numbers,
    ground,
)
from edged.intents.spoken.text import normalize_text
from edged.types import Intent, Rejected, Utterance
from edged.understand.answers import AnswerForm
from edged.understand.confidence import temper
from edged.understand.corrections import Withdrawn, find_withdrawn
from edged.understand.coverage import Unused, find_kept, find_overused, find_skipped, find_unused, ways_to_use
from edged.understand.decode import MAX_TOKENS, Decoder
from edged.understand.draft import Continuation, draft_fields, rank_fields
from edged.understand.lm import LanguageModel
from edged.understand.namesakes import find_ambiguous, which_one
from edged.understand.prompt import Prompt
from edged.understand.validate import validate

MAX_CHARACTERS: Final = 500
"""Of one utterance: a minute of fast speech."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an utterance must reach to be obeyed, and where it was said."""

    min_confidence: float
    min_asr_confidence: float = 0.0
    area: str | None = None
    """The area that the daemon stands in."""

    def area_of(self, utterance: Utterance) -> str | None:
        """The area where it was said: its own, else the daemon's."""
        return utterance.area or self.area


@dataclass(frozen=True, slots=True)
class Judged:
    """What the LM made of an utterance."""

    outcome: tuple[Intent, ...] | Rejected
    confidence: float
    """0..1: the least probability that the LM gave to any of its choices, also to that of answering nothing, at the
    temperature of its record: the probability that the whole answer is right."""
    questions: int
    """How often there was more than one way on."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What an utterance says by itself."""

    utterance: Utterance
    tokens: Sequence[int]
    """The question to the LM."""
    said: Grounding
    mentions: Sequence[HomeMention]
    numbers: Sequence[NumberSpan]
    """Those that are no part of a name."""
    withdrawn: Withdrawn
    draft: Sequence[int]
    """What the answer is likely to begin with."""
    continuation: Continuation
    """What it is likely to go on with where it begins otherwise."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the LM wrote, and how sure it was of the least sure part."""

    intents: tuple[Intent, ...]
    confidence: float
    questions: int
    likelihood: float = 0.0
    """The probability of all that it wrote, whatever was legal."""
    ended: bool = True


class Asker:
    """Asks one LM, whose prefix is the catalog's. Not thread-safe: it belongs to the thread that calls it."""

    def __init__(
        self,
        lm: LanguageModel,
        vocab: Vocab,
        form: AnswerForm,
        prompt: Prompt,
        limits: Limits,
        decoder: Decoder | None = None,
        *,
        temperature: float = 1.0,
        known: Collection[str] = (),
    ) -> None:
        """Asks nothing yet.

        Args:
            lm: the loaded model.
            vocab: its tokens.
            form: how it answers.
            prompt: how it is asked.
            limits: what an utterance must reach.
            decoder: writes the answers with the same LM; without it, what is certain is read in one batch.
            temperature: of the LM's confidence, found on held-back sentences.
            known: the intents that the LM was trained on; of others it skips slots that were said.
        """
        self._lm = lm
        self._vocab = vocab
        self._form = form
        self._limits = limits
        self._temperature = temperature
        self._known = known
        self._prompt = prompt
        self._canonical = Canonical(lm.tokenize, vocab.piece, before=prompt.before)
        self._decoder = decoder or Decoder(lm, vocab)

    def listen(self, catalog: Catalog, words: str, lang: str) -> None:
        """Has the LM read what has been said so far of an utterance that goes on.

        The last word is left out: it is the one that changes.
        """
        said = normalize_text(words[:MAX_CHARACTERS], lang).split()[:-1]
        tokens = self._prompt.opening(catalog, " ".join(said), lang) if said else []
        if tokens and len(tokens) + MAX_TOKENS <= self._lm.room:
            self._lm.read(tokens, every_from=len(tokens))

    def ask(self, catalog: Catalog, utterance: Utterance) -> Judged:
        """What an utterance means.

        Raises:
            ModelError: the LM failed.
        """
        heard = self._hear(catalog, utterance)
        if len(heard.tokens) + MAX_TOKENS > self._lm.room:
            return Judged(rejected(utterance, "too long for the model"), 1.0, 0)
        answer = self._answer(catalog, heard)
        unused = find_unused(answer.intents, heard.mentions, heard.numbers, catalog, heard.withdrawn)
        ways = [way for way in self._ways(catalog, heard, answer, unused) if way]
        if ways:
            # In an intent that it was trained on, the LM's own word counts: a number may be what no slot is for.
            is_known = answer.intents[0].name in self._known
            answers = (self._answer(catalog, heard, way, frozenset() if is_known else way) for way in ways)
            answer = max(answers, key=lambda answer: answer.likelihood)
            unused = find_unused(answer.intents, heard.mentions, heard.numbers, catalog, heard.withdrawn)
        question = find_ambiguous(answer.intents, heard.mentions, catalog, self._limits.area_of(utterance))
        if question is not None:
            reason = which_one(question.choices, catalog.home)
            outcome = replace(rejected(utterance, reason), asks=question)
            return Judged(outcome, answer.confidence, answer.questions)
        kept = find_kept(answer.intents, heard.mentions, heard.numbers, catalog, heard.withdrawn)
        if kept:
            return Judged(
                rejected(utterance, f"said and taken back: {', '.join(sorted(kept))}", answer.intents),
                answer.confidence,
                answer.questions,
            )
        doubtful = unused.keys() | find_overused(answer.intents, heard.mentions, catalog)
        return Judged(self._judge(utterance, answer, doubtful), answer.confidence, answer.questions)

    def _ways(self, catalog: Catalog, heard: _Heard, answer: _Answer, unused: Unused) -> Iterator[frozenset[str]]:
        """The slots that an only intent should have for what it leaves unused, in each way that there is."""
        if len(answer.intents) == 1:
            intent, skipped = answer.intents[0], frozenset[str]()
            if intent.name not in self._known:
                skipped = find_skipped(intent, catalog, heard.utterance.text, heard.utterance.lang)
            for way in ways_to_use(unused, intent, heard.said[intent.name], catalog):
                yield way | skipped

    def _hear(self, catalog: Catalog, utterance: Utterance) -> _Heard:
        text, lang = utterance.text, utterance.lang
        said = ground(catalog, text, lang, self._limits.area_of(utterance))
        mentions = find_home_mentions(catalog, text, lang)
        numbers = find_said_numbers(catalog, text, lang, mentions)
        named = {place for mention in mentions for place in range(mention.start, mention.end)}
        for start, end, _ in find_number_spans(normalize_text(text, lang).split(), lang):
            named.update(range(start, end))
        fields = draft_fields(catalog, text, lang, said, named)
        draft = self._form.write(fields, catalog, said) if fields else ""
        tokenize = self._lm.tokenize
        question = self._prompt.question(catalog, text, lang)
        # The draft's last token completes it: the LM need not read it.
        withdrawn = find_withdrawn(text, lang, mentions, numbers)
        ranked = (self._form.write(each, catalog, said) for each in rank_fields(catalog, text, lang, said, named))
        continuation = Continuation(ranked, tokenize)
        first = tokenize(draft.encode())[:-1]
        return _Heard(utterance, question, said, mentions, numbers, withdrawn, first, continuation)

    def _answer(
        self,
        catalog: Catalog,
        heard: _Heard,
        needed: frozenset[str] = frozenset(),
        spared: frozenset[str] = frozenset(),
    ) -> _Answer:
        """What the LM writes if it must write `needed` slots; that it must is not held against it for the `spared`."""
        program = self._form.compile(catalog, heard.said, needed)
        matcher = Matcher(self._vocab, program, canonical=self._canonical)
        decoded = self._decoder.decode(matcher, heard.tokens, heard.draft, heard.continuation.after)
        if decoded is None:
            return _Answer((), 0.0, 0, ended=False)
        written = self._form.read(decoded.text, catalog, heard.said, spared)
        intents = tuple(
            replace(intent, confidence=temper(intent.confidence, self._temperature))
            for intent in validate(written, decoded.choices, catalog, heard.utterance.id)
        )
        certain = [intent.confidence for intent in intents] or [
            temper(choice.probability, self._temperature) for choice in decoded.choices
        ]
        likelihood = math.prod(choice.probability for choice in decoded.choices)
        return _Answer(intents, min(certain), decoded.questions, likelihood)

    def _judge(self, utterance: Utterance, answer: _Answer, doubtful: Collection[str]) -> tuple[Intent, ...] | Rejected:
        if not answer.intents:
            return rejected(utterance, "no command in this" if answer.ended else "the answer did not end")
        if doubtful:
            return rejected(utterance, f"unclear what is to happen with: {', '.join(sorted(doubtful))}", answer.intents)
        if answer.confidence < self._limits.min_confidence:
            sure = f"{answer.confidence:.2f} of {self._limits.min_confidence:.2f}"
            return rejected(utterance, f"not sure enough: {sure}", answer.intents)
        return answer.intents


def prepare_tables(catalog: Catalog, lang: str) -> None:
    """Makes what asking under a catalog needs and keeps, on any thread."""
    said = ground(catalog, "", lang)
    find_home_mentions(catalog, "", lang)
    draft_fields(catalog, "a", lang, said, ())
    validate((), (), catalog, "")


def rejected(utterance: Utterance, reason: str, meant: tuple[Intent, ...] = ()) -> Rejected:
    """Why an utterance is not obeyed."""
    return Rejected(utterance.id, "understand", reason, meant)
