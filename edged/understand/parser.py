"""Utterance -> intents: what an example says, else what the same words meant before, else what the LM makes of it."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from edged.config import Config
from edged.core import Vocab
from edged.core.vocab_file import open_vocab
from edged.errors import ModelError
from edged.intents.catalog import Catalog, is_sayable
from edged.intents.spoken.delays import Delayed, find_delay
from edged.intents.spoken.text import normalize_text
from edged.intents.templates import begins_example, match_examples
from edged.models import Training, find_configured_model, find_training
from edged.models.record import find_sha256
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.types import AnsweredBy, Intent, Rejected, Utterance
from edged.understand.answers import FORMS
from edged.understand.ask import MAX_CHARACTERS, Asker, Judged, Limits, prepare_tables, rejected
from edged.understand.chat import Chat, open_chat
from edged.understand.corrections import is_taken_back
from edged.understand.delays import put_off
from edged.understand.examples import read_examples
from edged.understand.lm import LanguageModel
from edged.understand.missing import find_listed, find_missing
from edged.understand.prefix import PrefixStore, open_store, prepare_prefix
from edged.understand.prompt import Lines, readable_part
from edged.understand.threads import choose_threads

log = logging.getLogger(__name__)

MAX_KEPT: Final = 256
"""Utterances whose outcome is kept; one takes about 1 kB."""

_Words: TypeAlias = tuple[str, str | None, str]
"""A language, where it was said, and normalised words."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What an utterance means, and what it cost to find out."""

    outcome: tuple[Intent, ...] | Rejected
    confidence: float
    """0..1: the least probability that the LM gave to any of its choices, also to that of answering nothing; 1 where it
    was not asked."""
    answered_by: AnsweredBy
    questions: int
    """How often the LM had more than one way on; 0 where it was not asked."""
    lm_tokens: int
    """Tokens that the LM read after the text was complete."""
    lm_calls: int
    duration_ms: float


class Parser:
    """Understands utterances under one catalog. Not thread-safe: it belongs to the thread that calls it."""

    def __init__(
        self,
        lm: LanguageModel,
        catalog: Catalog,
        limits: Limits,
        training: Training | None = None,
        store: PrefixStore | None = None,
        vocab: Vocab | None = None,
        metrics: Metrics = UNCOUNTED,
        chat: Chat | None = None,
    ) -> None:
        """Reads the catalog's prefix, which stays for every utterance.

        Args:
            lm: the loaded model.
            catalog: what can be said.
            limits: what an utterance must reach.
            training: the intents and languages that the LM is asked about; all without it.
            store: keeps what the LM made of a catalog for the next start.
            vocab: the LM's tokens; made of the LM without it, which takes ten times as long as to map them.
            metrics: counts what was asked of whom.
            chat: how a model is asked that was not trained for edged.

        Raises:
            ModelError: the catalog is too large for the LM.
        """
        self.lm = lm
        self._known = training.intents if training else frozenset[str]()
        self._limits = limits
        self._training = training
        self._store = store
        self._metrics = metrics
        self._kept: OrderedDict[_Words, Judged] = OrderedDict()
        self.vocab = vocab or Vocab(lm.pieces())
        form_name = training.form if training else "json"
        self.prompt = chat or Lines(lm, self._known, json=form_name == "json")
        form = chat.form if chat else FORMS[form_name]
        temperature = training.confidence_temperature if training else 1.0
        self._asker = Asker(lm, self.vocab, form, self.prompt, limits, temperature=temperature, known=self._known)
        self.set_catalog(catalog)

    def set_catalog(self, catalog: Catalog) -> None:
        """Understands under this catalog from now on; called between two utterances.

        Raises:
            ModelError: the catalog is too large for the LM; the one before stays in force.
        """
        self.prepare_catalog(catalog, threads=self.lm.threads)()

    def prepare_catalog(self, catalog: Catalog, *, lang: str | None = None, threads: int = 1) -> Callable[[], None]:
        """Has the LM read a catalog, on any thread, while the one before serves; gives what puts it in force.

        That may be called again after other catalogs were in force: what was understood before is still known then.

        Args:
            catalog: what can be said from then on.
            lang: what the first utterance in this language needs is made here as well.
            threads: of the LM.

        Raises:
            ModelError: the catalog is too large for the LM, or the LM failed.
        """
        readable = readable_part(catalog, self._known, self._count_tokens)
        if lang is not None:
            _prepare_words(catalog, readable, lang)
        tokens = self.prompt.prefix(readable)
        put_prefix = prepare_prefix(self.lm, self._store, tokens, threads=threads, metrics=self._metrics)
        kept: OrderedDict[_Words, Judged] = OrderedDict()

        def use() -> None:
            put_prefix()
            self._catalog, self._readable, self._kept = catalog, readable, kept

        return use

    def _count_tokens(self, text: str) -> int:
        return len(self.lm.tokenize(text.encode()))

    def warm_up(self, lang: str) -> None:
        """Has everything at hand that the first utterance needs: it then takes 60 ms in place of 170.

        Raises:
            ModelError: the LM failed.
        """
        _prepare_words(self._catalog, self._readable, lang)
        sentences = [
            e.text for i in self._readable.intents.values() for e in i.examples.get(lang, ()) if is_sayable(i, e)
        ]
        if sentences and self._is_read(lang):
            self._asker.ask(self._readable, Utterance("warm-up", sentences[0], lang, 1.0, 0, 0, "warm-up"))

    @property
    def readable(self) -> Catalog:
        """The part of the catalog that the LM is asked about."""
        return self._readable

    def listen(self, words: str, lang: str) -> None:
        """Has the LM read what was said so far of an utterance that goes on; what is never parsed changes nothing.

        Not while an example may still say it all: of what examples said in the end, reading took 62 ms of CPU time for
        nothing, and what leaves them is caught up with in one call, in 41 ms in place of 70 word by word; tokens behind
        the last word stay at 5 in the median, 10 in place of 8 in the 90th percentile (SmolLM2-135M, x86_64 under load,
        November 2026).

        Raises:
            ModelError: the LM failed.
        """
        read = self.lm.evaluations
        if self._is_read(lang) and not begins_example(self._catalog, words[:MAX_CHARACTERS], lang):
            self._asker.listen(self._readable, words, lang)
        if self.lm.evaluations > read:
            self._metrics.count_partial()

    def anticipate(self, words: str, lang: str, area: str | None = None) -> None:
        """Understands what was said so far in an area, in case nothing follows: the same words then ask nobody.

        Raises:
            ModelError: the LM failed.
        """
        if self._is_read(lang):
            self._understand(Utterance("", words, lang, 1.0, 0, 0, "", area))

    def parse(self, utterance: Utterance) -> Understanding:
        """The utterance's intents, at least one; `Rejected` where it is no command, or the LM was not sure.

        Raises:
            ModelError: the LM failed.
        """
        started_ns = time.monotonic_ns()
        tokens, calls = self.lm.evaluated_tokens, self.lm.evaluations
        judged, answered_by = self._understand(utterance)
        understanding = Understanding(
            judged.outcome,
            judged.confidence,
            answered_by,
            judged.questions,
            self.lm.evaluated_tokens - tokens,
            self.lm.evaluations - calls,
            (time.monotonic_ns() - started_ns) / 1e6,
        )
        self._count(understanding)
        return understanding

    def _count(self, understanding: Understanding) -> None:
        self._metrics.count_answer(understanding.answered_by)
        self._metrics.count_lm(tokens=understanding.lm_tokens, calls=understanding.lm_calls)
        if understanding.answered_by in ("cache", "model"):
            self._metrics.count_cached(hit=understanding.answered_by == "cache")

    def _understand(self, utterance: Utterance) -> tuple[Judged, AnsweredBy]:
        refusal = self._refuse(utterance)
        if refusal is not None:
            return Judged(refusal, 1.0, 0), "nobody"
        delayed = find_delay(utterance.text, utterance.lang)
        return self._mean(utterance) if delayed is None else self._mean_later(utterance, delayed)

    def _mean_later(self, utterance: Utterance, delayed: Delayed) -> tuple[Judged, AnsweredBy]:
        """What a sentence with a delay means: its rest later, or the whole of it, where an intent has its own slot.

        The whole is tried first where examples say it, and where the phrase may as well say how long the change is to
        take; else last.
        """
        read = read_examples(self._catalog, utterance, self._limits.area_of(utterance))
        is_whole_first = read.outcome is not None or delayed.may_be_pace
        if is_whole_first:
            whole = self._mean(utterance)
            if not isinstance(whole[0].outcome, Rejected):
                return whole
        judged, answered_by = self._mean(replace(utterance, text=delayed.rest))
        later = put_off(judged, utterance, delayed, self._catalog, read.refused)
        if isinstance(judged.outcome, Rejected) and not is_whole_first:
            whole = self._mean(utterance)
            if not isinstance(whole[0].outcome, Rejected):
                return whole
        return later, answered_by

    def _mean(self, utterance: Utterance) -> tuple[Judged, AnsweredBy]:
        """What a sentence means at once."""
        read = read_examples(self._catalog, utterance, self._limits.area_of(utterance))
        if self._is_taken_back(utterance, read.outcome):
            return Judged(rejected(utterance, "taken back at the end"), 1.0, 0), "nobody"
        if read.outcome is not None:
            return Judged(read.outcome, 1.0, 0), "example"
        incomplete = find_listed(self._catalog, utterance)
        if incomplete and incomplete[0].name not in read.refused:
            return Judged(incomplete, 1.0, 0), "example"
        if not self._is_read(utterance.lang):
            reason = f"no example says this, and the model does not read {utterance.lang}"
            return Judged(rejected(utterance, reason), 1.0, 0), "nobody"
        judged, answered_by = self._ask(utterance)
        if isinstance(judged.outcome, Rejected) and not judged.outcome.meant and not read.refused:
            return self._ask_back(judged, utterance), answered_by
        refused = (
            [] if isinstance(judged.outcome, Rejected) else [i.name for i in judged.outcome if i.name in read.refused]
        )
        if refused:
            reason = f"the file of {refused[0]} lists this as no command"
            judged = replace(judged, outcome=rejected(utterance, reason))
        return judged, answered_by

    def _is_taken_back(self, utterance: Utterance, read: tuple[Intent, ...] | Rejected | None) -> bool:
        """Whether nothing is left of what was said; what an example ends in says something, a free text there not."""
        said = [utterance.text]
        if read is not None:
            intents = () if isinstance(read, Rejected) else read
            said = [value for intent in intents for value in intent.slots.values() if isinstance(value, str)]
        return any(is_taken_back(text, utterance.lang, self._catalog) for text in said)

    def _ask_back(self, judged: Judged, utterance: Utterance) -> Judged:
        """The same rejection, with a question where the utterance equals an example that lacks one value."""
        outcome = judged.outcome
        if isinstance(outcome, Rejected) and outcome.asks is None:
            question = find_missing(self._catalog, utterance)
            if question is not None:
                reason = f"does not say the {question.slots[0].replace('_', ' ')}"
                return replace(judged, outcome=replace(outcome, reason=reason, asks=question))
        return judged

    def _refuse(self, utterance: Utterance) -> Rejected | None:
        """Why nobody is to be asked what an utterance means."""
        least = self._limits.min_asr_confidence
        if utterance.asr_confidence < least:
            heard = f"{utterance.asr_confidence:.2f} of {least:.2f}"
            return Rejected(utterance.id, "hear", f"heard too unclearly: {heard}")
        if len(utterance.text) > MAX_CHARACTERS:
            return rejected(utterance, f"longer than {MAX_CHARACTERS} characters")
        if not normalize_text(utterance.text, utterance.lang):
            return rejected(utterance, "nothing was said")
        return None

    def _is_read(self, lang: str) -> bool:
        """Whether the LM knows a language."""
        return self._training is None or lang.split("-")[0] in self._training.languages

    def forget(self) -> None:
        """Forgets all outcomes that are kept, and what the LM has read."""
        self._kept.clear()
        self.lm.rewind()

    def _ask(self, utterance: Utterance) -> tuple[Judged, AnsweredBy]:
        """What the LM makes of an utterance, or made of the same words in the same area before."""
        words = normalize_text(utterance.text, utterance.lang)
        key = (utterance.lang, self._limits.area_of(utterance), words)
        judged = self._kept.get(key)
        if judged is not None:
            self._kept.move_to_end(key)
            return replace(judged, outcome=_of(utterance, judged.outcome)), "cache"
        judged = self._kept[key] = self._asker.ask(self._readable, utterance)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return judged, "model"


def _prepare_words(catalog: Catalog, readable: Catalog, lang: str) -> None:
    """Makes the tables of a catalog and of the part that the LM reads, which are kept as long as these two are."""
    some = Utterance("", "a b", lang, 1.0, 0, 0, "")
    match_examples(catalog, some.text, lang)
    find_listed(catalog, some)
    find_missing(catalog, some)
    prepare_tables(readable, lang)


def _of(utterance: Utterance, outcome: tuple[Intent, ...] | Rejected) -> tuple[Intent, ...] | Rejected:
    """The same outcome for another utterance."""
    if isinstance(outcome, Rejected):
        asks = outcome.asks and replace(outcome.asks, intents=_intents_of(utterance, outcome.asks.intents))
        return replace(outcome, utterance_id=utterance.id, meant=_intents_of(utterance, outcome.meant), asks=asks)
    return _intents_of(utterance, outcome)


def _intents_of(utterance: Utterance, intents: tuple[Intent, ...]) -> tuple[Intent, ...]:
    return tuple(replace(intent, utterance_id=utterance.id) for intent in intents)


@contextmanager
def open_parser(config: Config, catalog: Catalog, metrics: Metrics = UNCOUNTED) -> Iterator[Parser]:
    """Loads the configured model, and frees it in the end; `metrics` counts what the parser does.

    Raises:
        ModelError: a model file is missing, damaged or cannot be used.
    """
    path, adapter = find_configured_model(config)
    threads = choose_threads(config, path)
    limits = Limits(config.understand.min_confidence, config.hear.min_confidence, config.home.area)
    with LanguageModel(path, adapter=adapter, threads=threads.token, batch_threads=threads.batch) as lm:
        log.info("language model %s, adapter %s, threads: %s", path.name, adapter.name if adapter else "none", threads)
        store = open_store(config.models_directory, path, adapter)
        vocab = open_model_vocab(lm, config.models_directory, path)
        training = find_training(config)
        # An adapter was trained for edged's own lines.
        chat = open_chat(lm, config.hear.lang) if training is None and config.understand.adapter is None else None
        yield Parser(lm, catalog, limits, training, store, vocab, metrics, chat)


def open_model_vocab(lm: LanguageModel, models_directory: Path, path: Path) -> Vocab:
    """The tokens of the model in a file, mapped from where they were kept the first time."""
    try:
        key = find_sha256(path, models_directory)
    except ModelError as error:
        log.warning("the vocabulary is not kept: %s", error)
        return Vocab(lm.pieces())
    return open_vocab(models_directory / "vocab" / f"{path.stem}.trie", key, lm.pieces)
