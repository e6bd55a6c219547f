"""What is timed: an engine knows a vocabulary, compiles a JSON Schema, and a session of it samples token by token."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from edged.bench.catalogues import Catalogue
from edged.core import Matcher, Program, Vocab
from edged.core.vocab_file import open_vocab
from edged.intents.catalog import Catalog
from edged.intents.compile import compile_catalog
from edged.intents.grounding import Grounding
from edged.understand.lm import LanguageModel

KEY: Final = "0" * 64
"""Of every kept vocabulary: each bench keeps its own."""
_OPENING: Final = b'[{"intent":"'
_LONGEST_ANSWER: Final = 400
"""Tokens."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A model's vocabulary, and the logits that every step of an engine looks at."""

    name: str
    """The model's file."""
    lm: LanguageModel
    pieces: Sequence[bytes]
    logits: array[float]
    """float32[vocabulary], always the same memory, as llama.cpp's are."""
    kept: Path | None = None
    """Where the vocabulary is kept as `open_vocab` keeps it, for edged to start as the daemon does."""


class Session(Protocol):
    """A text being sampled, in the engine's own fastest way from Python."""

    @property
    def memory_bytes(self) -> int | None:
        """Of the compiled grammar, as far as the engine tells."""

    def start(self) -> None:
        """Back to the empty text; what was worked out stays."""

    def step(self) -> int:
        """Masks, picks the best legal token on the logits, and takes it; -1 if there is none."""

    def may_end(self) -> bool:
        """Whether the text may end here."""


class Engine(Protocol):
    """A way to sample under a JSON Schema."""

    def compile(self, catalogue: Catalogue) -> Session:
        """A session of all answers of a catalogue. Nothing is kept from one call to the next."""


MakeEngine: TypeAlias = Callable[[Tokens], Engine]


class EdgedSession:
    """The sampling core."""

    def __init__(self, tokens: Tokens, vocab: Vocab, program: Program) -> None:
        self._matcher = Matcher(vocab, program)
        self._address = tokens.logits.buffer_info()[0]
        self._program = program

    @property
    def memory_bytes(self) -> int:
        """Of the program and what a matcher has used of its own so far: states, lists of tokens, and its tables."""
        return self._program.memory_bytes + self._matcher.used_bytes

    def start(self) -> None:
        """Back to the empty text."""
        self._matcher.reset()

    def step(self) -> int:
        """Unscored, as the peers do it."""
        return self._matcher.step(self._address)

    def may_end(self) -> bool:
        """Whether the text may end here."""
        return self._matcher.is_accepting


class Edged:
    """Our own engine."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._vocab = open_vocab(tokens.kept, KEY, lambda: tokens.pieces) if tokens.kept else Vocab(tokens.pieces)

    def compile(self, catalogue: Catalogue) -> Session:
        """Cold: of a catalog that was loaded and that nothing was compiled of yet."""
        return EdgedSession(self._tokens, self._vocab, compile_catalog(replace(catalogue.catalog)))


class EdgedWarm(Edged):
    """The same, of a catalog that was compiled before: what each slot allows is kept."""

    def compile(self, catalogue: Catalogue) -> Session:
        """Warm from the second call on."""
        return EdgedSession(self._tokens, self._vocab, compile_catalog(catalogue.catalog))


class EdgedGrounded(Edged):
    """The same under what one utterance can mean, as the daemon compiles it for each."""

    def __init__(self, tokens: Tokens, grounding: Grounding) -> None:
        super().__init__(tokens)
        self._grounding = grounding

    def compile(self, catalogue: Catalogue) -> Session:
        """Warm from the second call on."""
        return EdgedSession(self._tokens, self._vocab, compile_catalog(catalogue.catalog, self._grounding))


def make_grounded_answer(tokens: Tokens, catalog: Catalog, grounding: Grounding) -> bytes:
    """An answer that the grounded grammar allows: its first words always."""
    matcher = Matcher(Vocab(tokens.pieces), compile_catalog(catalog, grounding))
    matcher.advance_bytes(_OPENING)
    answer = bytearray(_OPENING)
    for _ in range(_LONGEST_ANSWER):
        if matcher.is_finished:
            break
        token = matcher.legal()[0]
        matcher.advance(token)
        answer += tokens.pieces[token]
    return bytes(answer)
