"""The other engines, each used in its own fastest way from Python. Those that give a mask pick with `argmax`.

All are given the same JSON Schema, and told to write no blanks where they can be told. Not all hold to all of it:
outlines-core and llama.cpp ignore the bounds of numbers, xgrammar the multiples of fractions.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from edged.bench.argmax import MaskedArgmax
from edged.bench.catalogues import Catalogue
from edged.bench.engines import Edged, EdgedWarm, MakeEngine, Session, Tokens
from edged.bench.stock import StockGrammar


@dataclass(frozen=True, slots=True)
class Offer:
    """An engine that may be there."""

    name: str
    make: MakeEngine
    module: str | None
    """The package that it needs; None: nothing that edged does not need itself."""

    @property
    def is_installed(self) -> bool:
        """Whether it can be timed."""
        return self.module is None or importlib.util.find_spec(self.module) is not None


def find_installed(offers: Sequence[Offer]) -> list[Offer]:
    """Those that can be timed; a line on stderr for each of the others."""
    for offer in offers:
        if not offer.is_installed:
            remedy = "make bench, or pip install 'edged[bench]', brings it"
            print(f"{offer.name}: left out, it is not installed; {remedy}", file=sys.stderr)
    return [offer for offer in offers if offer.is_installed]


class LlguidanceSession:
    """A matcher of llguidance's."""

    memory_bytes = None

    def __init__(self, matcher: Any, tokens: Tokens) -> None:  # noqa: ANN401 - no types where it is not installed
        self._matcher = matcher
        self._argmax = MaskedArgmax(tokens.logits)
        self._size_bytes = -(-len(tokens.logits) // 32) * 4

    def start(self) -> None:
        """Back to the empty text."""
        self._matcher.reset()

    def step(self) -> int:
        """Its mask is written straight to where the pick reads it."""
        self._matcher.unsafe_compute_mask_ptr(self._argmax.address, self._size_bytes)
        token = self._argmax.pick()
        return token if self._matcher.consume_token(token) else -1

    def may_end(self) -> bool:
        """Whether the text may end here."""
        return bool(self._matcher.is_accepting())


class Llguidance:
    """llguidance. Its way to make a tokenizer of a llama.cpp vocabulary reads every token from it once more."""

    def __init__(self, tokens: Tokens) -> None:
        self._library = importlib.import_module("llguidance")
        self._tokens = tokens
        self._tokenizer = importlib.import_module("llguidance.llamacpp").lltokenizer_from_vocab(tokens.lm.vocabulary)

    def compile(self, catalogue: Catalogue) -> Session:
        """Schema to grammar to matcher.

        Raises:
            ValueError: it refuses the schema.
        """
        matcher_of = self._library.LLMatcher
        written = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
        grammar = matcher_of.grammar_from_json_schema(catalogue.schema_text, overrides=written)
        matcher = matcher_of(self._tokenizer, grammar)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        return LlguidanceSession(matcher, self._tokens)


class XgrammarSession:
    """A matcher of xgrammar's."""

    def __init__(self, matcher: Any, memory_bytes: int, tokens: Tokens) -> None:  # noqa: ANN401 - as above
        numpy: Any = importlib.import_module("numpy")
        self._matcher = matcher
        self.memory_bytes = memory_bytes
        self._end_token = tokens.lm.end_token
        self._argmax = MaskedArgmax(tokens.logits)
        n_words = -(-len(tokens.logits) // 32)
        self._mask = numpy.frombuffer(self._argmax.mask, dtype=numpy.int32)[:n_words].reshape(1, n_words)

    def start(self) -> None:
        """Back to the empty text."""
        self._matcher.reset()

    def step(self) -> int:
        """Its mask is written straight to where the pick reads it."""
        self._matcher.fill_next_token_bitmask(self._mask)
        token = self._argmax.pick()
        return token if self._matcher.accept_token(token) else -1

    def may_end(self) -> bool:
        """Whether the text may end here."""
        self._matcher.fill_next_token_bitmask(self._mask)
        return bool(self._argmax.mask[self._end_token >> 5] >> (self._end_token & 31) & 1)


class Xgrammar:
    """xgrammar, without its cache of compiled grammars."""

    def __init__(self, tokens: Tokens) -> None:
        stub_torch()
        self._library = importlib.import_module("xgrammar")
        self._tokens = tokens
        known = self._library.TokenizerInfo(list(tokens.pieces), stop_token_ids=[tokens.lm.end_token])
        self._compiler = self._library.GrammarCompiler(known, cache_enabled=False)

    def compile(self, catalogue: Catalogue) -> Session:
        """Schema to compiled grammar to matcher."""
        compiled = self._compiler.compile_json_schema(
            catalogue.schema_text, any_whitespace=False, separators=(",", ":"), strict_mode=True
        )
        return XgrammarSession(self._library.GrammarMatcher(compiled), compiled.memory_size_bytes, self._tokens)


class OutlinesSession:
    """A guide of outlines-core's."""

    memory_bytes = None

    def __init__(self, guide: Any, tokens: Tokens) -> None:  # noqa: ANN401 - as above
        self._guide = guide
        self._argmax = MaskedArgmax(tokens.logits)
        self._n_words = -(-len(tokens.logits) // 32)

    def start(self) -> None:
        """Back to the empty text."""
        self._guide.reset()

    def step(self) -> int:
        """Its mask is written straight to where the pick reads it."""
        self._guide.write_mask_into(self._argmax.address, self._n_words, 4)
        token = self._argmax.pick()
        self._guide.advance(token, return_tokens=False)
        return token

    def may_end(self) -> bool:
        """Whether the text may end here."""
        return bool(self._guide.is_finished())


class Outlines:
    """outlines-core: the schema as a regular expression, its automaton over the whole vocabulary made in advance."""

    def __init__(self, tokens: Tokens) -> None:
        self._library = importlib.import_module("outlines_core")
        self._tokens = tokens
        ids: dict[bytes, list[int]] = {}
        for token, piece in enumerate(tokens.pieces):
            if piece and token != tokens.lm.end_token:
                ids.setdefault(piece, []).append(token)
        self._vocabulary = self._library.Vocabulary(tokens.lm.end_token, ids)

    def compile(self, catalogue: Catalogue) -> Session:
        """Schema to regular expression to index."""
        library = self._library
        expression = library.json_schema.build_regex_from_schema(catalogue.schema_text, whitespace_pattern="")
        return OutlinesSession(library.Guide(library.Index(expression, self._vocabulary)), self._tokens)


class LlamaSession:
    """llama.cpp's grammar sampler with its greedy sampler behind it."""

    memory_bytes = None

    def __init__(self, grammar: StockGrammar, tokens: Tokens) -> None:
        numpy: Any = importlib.import_module("numpy")
        self._grammar = grammar
        self._end_token = tokens.lm.end_token
        rows = numpy.frombuffer(grammar.candidates, dtype=[("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])
        rows["id"] = range(len(rows))
        self._fill = rows["logit"]
        self._ids = rows["id"]
        self._all_ids = self._ids.copy()
        self._source = numpy.frombuffer(tokens.logits, dtype=numpy.float32)

    def start(self) -> None:
        """Back to the empty text."""
        self._grammar.reset()

    def step(self) -> int:
        """The logits are copied to the candidates, as llama-cpp-python's own sampler does."""
        self._fill[:] = self._source
        return self._grammar.pick()

    def may_end(self) -> bool:
        """Whether the text may end here: looked at on the candidates of a step that wants the end. It is then over."""
        wanted = self._source.copy()
        wanted[self._end_token] = wanted.max() + 1
        self._fill[:] = wanted
        return self._grammar.pick() == self._end_token


class Llama:
    """llama.cpp's grammar: the schema as GBNF. The vocabulary is in the model already."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def compile(self, catalogue: Catalogue) -> Session:
        """Schema to GBNF to sampler."""
        return LlamaSession(StockGrammar(self._tokens.lm, catalogue.schema_text), self._tokens)


class _Stub(ModuleType):
    """A module in which every name is an empty class."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda *_arguments, **_options: None})


def stub_torch() -> None:
    """Lets xgrammar be imported without PyTorch and transformers, of which masking in numpy memory uses nothing."""
    importlib.import_module("tvm_ffi")  # it does without PyTorch where it finds none, and must not find this one
    for name in ("torch", "transformers"):
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            sys.modules[name] = _Stub(name)


OFFERS: Final = (
    Offer("edged", Edged, None),
    Offer("edged-warm", EdgedWarm, None),
    Offer("llguidance", Llguidance, "llguidance"),
    Offer("xgrammar", Xgrammar, "xgrammar"),
    Offer("outlines-core", Outlines, "outlines_core"),
    Offer("llama.cpp", Llama, None),
)
"""Every engine, in the order of the table."""
