"""What one step of sampling under a grammar costs: edged's core beside every peer that is installed, in one run."""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from edged.bench.argmax import compile_argmax
from edged.bench.catalogues import Catalogue, make_catalogues
from edged.bench.child import Unfinished, run_limited
from edged.bench.engines import KEY, EdgedGrounded, Engine, Session, Tokens, make_grounded_answer
from edged.bench.peers import OFFERS, Offer, find_installed
from edged.bench.sentences import SENTENCES
from edged.config import Config
from edged.core.vocab_file import open_vocab
from edged.errors import ModelError
from edged.intents.catalog import Catalog
from edged.intents.grounding import ground
from edged.intents.load import load_catalog, require_intents
from edged.models import find_configured_model, find_model
from edged.understand.lm import LanguageModel

LIMIT_S: Final = 60.0
"""For one engine, catalogue and vocabulary: all but the slowest peers are done in a tenth of it."""
OTHER_MODEL: Final = "gemma-3-270m"
"""A vocabulary five times as large as the default model's; measured where it is installed."""

GROUNDED_SENTENCE: Final = 2
"""Of the sentences that the commands are timed with."""

_COMPILES: Final = 7
_COMPILING_S: Final = 10.0
"""No further compile is begun after it: some take half a minute."""
_STEPS: Final = 4000
_STEPPING_S: Final = 10.0
"""No further pass over the answers is begun after it."""


@dataclass(frozen=True, slots=True)
class CoreRow:
    """What one engine costs; None where it did not finish, or does not tell."""

    engine: str
    model: str
    catalogue: str
    pick_us_median: float | None = None
    """Mask, pick of the best legal token, and advance, called from Python; unscored."""
    pick_us_p99: float | None = None
    compile_ms: float | None = None
    """Median of cold compiles of the JSON Schema; edged's of a loaded catalog of which nothing was compiled yet."""
    start_ms: float | None = None
    """The vocabulary made ready. llguidance's reads it from llama.cpp; the others were given it."""
    bytes: int | None = None
    """Of the compiled grammar, as the engine counts, behind all answers; edged's with all that a matcher of it used."""


T = TypeVar("T")


class _IllegalError(Exception):
    """An engine refused a token of an answer that its grammar allows."""


def measure_core(config: Config, models: Sequence[Path], limit_s: float = LIMIT_S) -> Iterator[CoreRow]:
    """A row for each engine, catalogue and vocabulary.

    Args:
        config: where models lie and which is ours.
        models: files to take the vocabularies of; none: the configured model's, and a large one's if it is installed.
        limit_s: for one row.
    """
    catalog = require_intents(load_catalog(config))
    offers = find_installed(OFFERS)
    compile_argmax()
    for path in models or _default_models(config):
        with LanguageModel(path, adapter=None, threads=1) as lm, tempfile.TemporaryDirectory() as folder:
            pieces, kept = lm.pieces(), Path(folder, "vocabulary")
            open_vocab(kept, KEY, lm.pieces)
            tokens = Tokens(path.name, lm, pieces, array("f", bytes(4 * len(pieces))), kept)
            for catalogue in make_catalogues():
                for offer in offers:
                    yield measure(offer, tokens, catalogue, limit_s)
            yield measure_grounded(tokens, catalog, config.hear.lang)


def _default_models(config: Config) -> Iterator[Path]:
    ours, _ = find_configured_model(config)
    yield ours
    try:
        other = find_model(OTHER_MODEL, config.models_directory)
    except ModelError:
        _say(f"{OTHER_MODEL}: left out, it is not installed; `edged models fetch {OTHER_MODEL}` brings it")
        return
    if other != ours:
        yield other


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def measure(offer: Offer, tokens: Tokens, catalogue: Catalogue, limit_s: float = LIMIT_S) -> CoreRow:
    """The row of an engine; empty, with the reason on stderr, where it does not finish in time."""
    _say(f"{offer.name}, {tokens.name}, {catalogue.name} ...")
    row = CoreRow(offer.name, tokens.name, catalogue.name)
    outcome = run_limited(partial(_measure_here, offer, tokens, catalogue, row), limit_s)
    if isinstance(outcome, Unfinished):
        _say(f"{offer.name}, {tokens.name}, {catalogue.name}: {outcome.reason}")
        return row
    return outcome


def measure_grounded(tokens: Tokens, catalog: Catalog, lang: str, limit_s: float = LIMIT_S) -> CoreRow:
    """The row of edged under what one utterance can mean, by the loaded catalog."""
    grounding = ground(catalog, SENTENCES[GROUNDED_SENTENCE].text, lang)
    answer = make_grounded_answer(tokens, catalog, grounding)
    grounded = Catalogue("grounded", (), "", catalog, (answer,))
    return measure(Offer("edged", partial(EdgedGrounded, grounding=grounding), None), tokens, grounded, limit_s)


def _measure_here(offer: Offer, tokens: Tokens, catalogue: Catalogue, row: CoreRow) -> CoreRow:
    """In this process."""
    answers = [tokens.lm.tokenize(answer) for answer in catalogue.answers]
    engine, start_ms = _timed(lambda: offer.make(tokens))
    session = engine.compile(catalogue)
    _check_answers(session, tokens, answers)
    times_us = _step_times_us(session, tokens, answers)
    return replace(
        row,
        pick_us_median=statistics.median(times_us),
        pick_us_p99=times_us[len(times_us) * 99 // 100],
        compile_ms=_compile_ms(engine, catalogue),
        start_ms=start_ms,
        bytes=session.memory_bytes,
    )


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - started) * 1e3


def _check_answers(session: Session, tokens: Tokens, answers: Sequence[Sequence[int]]) -> None:
    """Every engine has to take every answer whole; what it works out once and keeps is worked out here."""
    for answer in answers:
        session.start()
        for token in answer:
            tokens.logits[token] = 1.0
            picked = session.step()
            tokens.logits[token] = 0.0
            if picked != token:
                raise _IllegalError(
                    f"{tokens.pieces[token]!r} is refused, in {b''.join(map(tokens.pieces.__getitem__, answer))!r}"
                )
        if not session.may_end():
            raise _IllegalError(f"may not end behind {b''.join(map(tokens.pieces.__getitem__, answer))!r}")


def _step_times_us(session: Session, tokens: Tokens, answers: Sequence[Sequence[int]]) -> list[float]:
    """Rising. Each step is on logits that want the answer's next token; whole passes over all answers."""
    times_ns: list[int] = []
    gc.collect()
    gc.disable()
    while len(times_ns) < _STEPS and sum(times_ns) < _STEPPING_S * 1e9:
        for answer in answers:
            session.start()
            for token in answer:
                tokens.logits[token] = 1.0
                started = time.perf_counter_ns()
                session.step()
                times_ns.append(time.perf_counter_ns() - started)
                tokens.logits[token] = 0.0
    gc.enable()
    return sorted(time_ns / 1e3 for time_ns in times_ns)


def _compile_ms(engine: Engine, catalogue: Catalogue) -> float:
    times_ms: list[float] = []
    while len(times_ms) < _COMPILES and sum(times_ms) < _COMPILING_S * 1e3:
        times_ms.append(_timed(lambda: engine.compile(catalogue))[1])
    return statistics.median(times_ms)
