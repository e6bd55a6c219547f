"""Utterance -> intents: ground, compile, decode, validate, and refuse what the LM was not sure of."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from edged.config import Config, default_thread_count
from edged.core import Matcher, Vocab
from edged.intents.catalog import Catalog
from edged.intents.compile import compile_catalog
from edged.intents.spoken import Grounding, find_home_mentions, ground
from edged.models import find_configured_model
from edged.types import Intent, Rejected, Utterance
from edged.understand.coverage import find_overused, find_unused, slots_for
from edged.understand.decode import MAX_TOKENS, Decoder
from edged.understand.lm import LanguageModel
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
    """0..1: the least probability that the LM gave to any of its choices, also to that of answering nothing."""
    lm_tokens: int
    """Tokens that the LM read after the text was complete."""
    lm_calls: int
    duration_ms: float


class Parser:
    """Understands utterances under one catalog. Not thread-safe: it belongs to the thread that calls it."""

    def __init__(
        self, lm: LanguageModel, catalog: Catalog, *, min_confidence: float, min_asr_confidence: float = 0.0
    ) -> None:
        """Reads the catalog's prefix, which stays for every utterance.

        Raises:
            ModelError: the catalog is too large for the LM.
        """
        self._min_asr_confidence = min_asr_confidence
        self.lm = lm
        self._catalog = catalog
        self._min_confidence = min_confidence
        pieces = lm.pieces()
        self.vocab = Vocab(pieces)
        self.decoder = Decoder(lm, pieces)
        lm.set_prefix(lm.tokenize(catalog_prefix(catalog).encode()))

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
        def rejected(reason: str) -> Rejected:
            return Rejected(utterance.id, "understand", reason)

        if utterance.asr_confidence < self._min_asr_confidence:
            heard = f"{utterance.asr_confidence:.2f} of {self._min_asr_confidence:.2f}"
            return Rejected(utterance.id, "hear", f"heard too unclearly: {heard}"), 0.0
        line = utterance_line(utterance.text, utterance.lang)
        if line == "\n":
            return rejected("nothing was said"), 1.0
        tokens = self.lm.tokenize(line.encode())
        if len(utterance.text) > MAX_CHARACTERS or len(tokens) + MAX_TOKENS > self.lm.room:
            return rejected(f"longer than {MAX_CHARACTERS} characters"), 1.0
        said = ground(self._catalog, utterance.text, utterance.lang)
        mentions = find_home_mentions(self._catalog, utterance.text, utterance.lang)
        answer = self._answer(utterance.id, tokens, said)
        unused = find_unused(answer.intents, mentions, self._catalog) if answer.intents else ()
        if unused and len(answer.intents) == 1:
            needed = slots_for(unused, answer.intents[0], self._catalog)
            answer = self._answer(utterance.id, tokens, said, needed)
            unused = find_unused(answer.intents, mentions, self._catalog)
        doubtful = {key for mention in unused for key in mention.areas | mention.devices}
        doubtful |= find_overused(answer.intents, mentions, self._catalog)
        return self._judge(utterance.id, answer, doubtful), answer.confidence

    def _answer(
        self, utterance_id: str, tokens: Sequence[int], said: Grounding, needed: frozenset[str] = frozenset()
    ) -> _Answer:
        self.lm.rewind()
        program = compile_catalog(self._catalog, said, needed)
        decoded = self.decoder.decode(Matcher(self.vocab, program), tokens)
        if decoded is None:
            return _Answer((), 0.0, ended=False)
        intents = validate(decoded, self._catalog, utterance_id)
        certain = [intent.confidence for intent in intents] or [choice.probability for choice in decoded.choices]
        return _Answer(intents, min(certain))

    def _judge(self, utterance_id: str, answer: _Answer, doubtful: Collection[str]) -> tuple[Intent, ...] | Rejected:
        if not answer.intents:
            reason = "no command in this" if answer.ended else "the answer did not end"
            return Rejected(utterance_id, "understand", reason)
        if doubtful:
            places = ", ".join(sorted(doubtful))
            return Rejected(utterance_id, "understand", f"unclear what is to happen with: {places}")
        if answer.confidence < self._min_confidence:
            sure = f"{answer.confidence:.2f} of {self._min_confidence:.2f}"
            return Rejected(utterance_id, "understand", f"not sure enough: {sure}")
        return answer.intents


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the LM wrote, and how sure it was of the least sure part."""

    intents: tuple[Intent, ...]
    confidence: float
    ended: bool = True


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
    with LanguageModel(path, adapter=adapter, threads=threads) as lm:
        log.info("language model %s, adapter %s, %d threads", path.name, adapter.name if adapter else "none", threads)
        yield Parser(
            lm,
            catalog,
            min_confidence=config.understand.min_confidence,
            min_asr_confidence=config.hear.min_confidence,
        )
