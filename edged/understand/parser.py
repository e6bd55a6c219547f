"""Utterance -> intents: what an example says, else what the LM makes of it: ground, compile, decode, validate."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from edged.config import Config, default_thread_count
from edged.core import Matcher, Vocab
from edged.intents.catalog import Catalog, restrict
from edged.intents.compile import compile_catalog
from edged.intents.grounding import Grounding, find_home_mentions, find_said_numbers, ground
from edged.models import Training, find_configured_model, find_training
from edged.types import Intent, Rejected, Utterance
from edged.understand.coverage import find_overused, find_unused, slots_for
from edged.understand.decode import MAX_TOKENS, Decoder
from edged.understand.examples import read_examples
from edged.understand.lm import LanguageModel
from edged.understand.namesakes import find_ambiguous
from edged.understand.prompt import catalog_prefix, utterance_line
from edged.understand.validate import validate

log = logging.getLogger(__name__)

MAX_CHARACTERS: Final = 500
"""Of one utterance: a minute of fast speech."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What an utterance means, and what it cost to find out."""

    outcome: tuple[Intent, ...] | Rejected
    confidence: float
    """0..1: the least probability that the LM gave to any of its choices, also to that of answering nothing; 1 where it
    was not asked."""
    lm_tokens: int
    """Tokens that the LM read after the text was complete."""
    lm_calls: int
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What an utterance must reach to be obeyed, and where it was said."""

    min_confidence: float
    min_asr_confidence: float = 0.0
    area: str | None = None
    """The area that the daemon stands in."""


class Parser:
    """Understands utterances under one catalog. Not thread-safe: it belongs to the thread that calls it."""

    def __init__(self, lm: LanguageModel, catalog: Catalog, limits: Limits, training: Training | None = None) -> None:
        """Reads the catalog's prefix, which stays for every utterance.

        Args:
            lm: the loaded model.
            catalog: what can be said.
            limits: what an utterance must reach.
            training: the intents and languages that the LM is asked about; all without it.

        Raises:
            ModelError: the catalog is too large for the LM.
        """
        self.lm = lm
        self._limits = limits
        self._training = training
        pieces = lm.pieces()
        self.vocab = Vocab(pieces)
        self.decoder = Decoder(lm, pieces)
        self.set_catalog(catalog)

    def set_catalog(self, catalog: Catalog) -> None:
        """Understands under this catalog from now on; called between two utterances.

        Raises:
            ModelError: the catalog is too large for the LM; the one before stays in force.
        """
        readable = restrict(catalog, self._training.intents) if self._training else catalog
        self.lm.set_prefix(self.lm.tokenize(catalog_prefix(readable).encode()))
        self._catalog, self._readable = catalog, readable

    @property
    def readable(self) -> Catalog:
        """The part of the catalog that the LM is asked about."""
        return self._readable

    def parse(self, utterance: Utterance) -> Understanding:
        """The utterance's intents, at least one; `Rejected` where it is no command, or the LM was not sure.

        Raises:
            ModelError: the LM failed.
        """
        started_ns = time.monotonic_ns()
        tokens, calls = self.lm.evaluated_tokens, self.lm.evaluations
        outcome, confidence = self._understand(utterance)
        self.lm.rewind()
        return Understanding(
            outcome,
            confidence,
            self.lm.evaluated_tokens - tokens,
            self.lm.evaluations - calls,
            (time.monotonic_ns() - started_ns) / 1e6,
        )

    def _understand(self, utterance: Utterance) -> tuple[tuple[Intent, ...] | Rejected, float]:
        limits = self._limits
        if utterance.asr_confidence < limits.min_asr_confidence:
            heard = f"{utterance.asr_confidence:.2f} of {limits.min_asr_confidence:.2f}"
            return Rejected(utterance.id, "hear", f"heard too unclearly: {heard}"), 0.0
        if len(utterance.text) > MAX_CHARACTERS:
            return _rejected(utterance, f"longer than {MAX_CHARACTERS} characters"), 1.0
        if utterance_line(utterance.text, utterance.lang) == "\n":
            return _rejected(utterance, "nothing was said"), 1.0
        read = read_examples(self._catalog, utterance, limits.area)
        if read.outcome is not None:
            return read.outcome, 1.0
        outcome, confidence = self._ask(utterance)
        refused = [] if isinstance(outcome, Rejected) else [i.name for i in outcome if i.name in read.refused]
        if refused:
            return _rejected(utterance, f"the file of {refused[0]} lists this as no command"), confidence
        return outcome, confidence

    def _ask(self, utterance: Utterance) -> tuple[tuple[Intent, ...] | Rejected, float]:
        """What the LM makes of an utterance."""
        training = self._training
        if training is not None and utterance.lang.split("-")[0] not in training.languages:
            return _rejected(utterance, f"no example says this, and the model does not read {utterance.lang}"), 1.0
        catalog, here = self._readable, self._limits.area
        tokens = self.lm.tokenize(utterance_line(utterance.text, utterance.lang).encode())
        if len(tokens) + MAX_TOKENS > self.lm.room:
            return _rejected(utterance, "too long for the model"), 1.0
        said = ground(catalog, utterance.text, utterance.lang, here)
        mentions = find_home_mentions(catalog, utterance.text, utterance.lang)
        numbers = find_said_numbers(utterance.text, utterance.lang, mentions)
        answer = self._answer(utterance.id, tokens, said)
        unused = find_unused(answer.intents, mentions, numbers, catalog)
        if unused and len(answer.intents) == 1:
            intent = answer.intents[0]
            needed = slots_for(unused, intent, said[intent.name], catalog)
            answer = self._answer(utterance.id, tokens, said, needed) if needed else answer
            unused = find_unused(answer.intents, mentions, numbers, catalog)
        question = find_ambiguous(answer.intents, mentions, catalog, here)
        if question is not None:
            return _rejected(utterance, question), answer.confidence
        doubtful = unused.keys() | find_overused(answer.intents, mentions, catalog)
        return self._judge(utterance, answer, doubtful), answer.confidence

    def _answer(
        self, utterance_id: str, tokens: Sequence[int], said: Grounding, needed: frozenset[str] = frozenset()
    ) -> _Answer:
        self.lm.rewind()
        program = compile_catalog(self._readable, said, needed)
        decoded = self.decoder.decode(Matcher(self.vocab, program), tokens)
        if decoded is None:
            return _Answer((), 0.0, ended=False)
        intents = validate(decoded, self._readable, utterance_id)
        certain = [intent.confidence for intent in intents] or [choice.probability for choice in decoded.choices]
        return _Answer(intents, min(certain))

    def _judge(self, utterance: Utterance, answer: _Answer, doubtful: Collection[str]) -> tuple[Intent, ...] | Rejected:
        if not answer.intents:
            return _rejected(utterance, "no command in this" if answer.ended else "the answer did not end")
        if doubtful:
            return _rejected(utterance, f"unclear what is to happen with: {', '.join(sorted(doubtful))}")
        if answer.confidence < self._limits.min_confidence:
            sure = f"{answer.confidence:.2f} of {self._limits.min_confidence:.2f}"
            return _rejected(utterance, f"not sure enough: {sure}")
        return answer.intents


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the LM wrote, and how sure it was of the least sure part."""

    intents: tuple[Intent, ...]
    confidence: float
    ended: bool = True


def _rejected(utterance: Utterance, reason: str) -> Rejected:
    return Rejected(utterance.id, "understand", reason)


def thread_count(config: Config) -> int:
    """Threads of the LM."""
    return config.understand.threads or default_thread_count()


@contextmanager
def open_parser(config: Config, catalog: Catalog) -> Iterator[Parser]:
    """Loads the configured model, and frees it in the end.

    Raises:
        ModelError: a model file is missing, damaged or cannot be used.
    """
    path, adapter = find_configured_model(config)
    threads = thread_count(config)
    limits = Limits(config.understand.min_confidence, config.hear.min_confidence, config.home.area)
    with LanguageModel(path, adapter=adapter, threads=threads) as lm:
        log.info("language model %s, adapter %s, %d threads", path.name, adapter.name if adapter else "none", threads)
        yield Parser(lm, catalog, limits, find_training(config))
