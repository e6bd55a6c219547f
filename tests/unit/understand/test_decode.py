"""The real model: what batches of forced bytes give is what the model writes token by token."""

from pathlib import Path

import pytest

from edged.core import Matcher, Vocab
from edged.errors import ModelError
from edged.intents.catalog import Catalog
from edged.intents.compile import compile_catalog
from edged.intents.grounding import ground
from edged.understand.decode import MAX_TOKENS, Decoder
from edged.understand.lm import CONTEXT_TOKENS, LanguageModel
from edged.understand.parser import Parser
from edged.understand.prompt import utterance_line

pytestmark = pytest.mark.model

SENTENCES = [
    "turn on the kitchen light",
    "dim the floor lamp to thirty percent",
    "set the bedroom to nineteen and a half degrees",
    "turn off the lights and set the heating to twenty",
    "make the hall red and switch off the desk lamp",
    "what a lovely day",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_forced_bytes_in_batches_give_what_single_tokens_give(parser: Parser, catalog: Catalog, text: str) -> None:
    lm, decoder, vocab = parser.lm, parser.decoder, parser.vocab
    program = compile_catalog(catalog, ground(catalog, text, "en"))
    tokens = lm.tokenize(utterance_line(text, "en").encode())
    before = lm.evaluations
    decoded = decoder.decode(Matcher(vocab, program), tokens)
    batched_calls = lm.evaluations - before
    lm.rewind()

    matcher = Matcher(vocab, program)
    pieces = lm.pieces()
    written, logits = b"", lm.evaluate(tokens)
    while not matcher.is_finished:
        pick = matcher.pick(logits)
        matcher.advance(pick.token)
        written += pieces[pick.token]
        logits = lm.evaluate([pick.token])
    single_calls = lm.evaluations - before - batched_calls
    lm.rewind()

    assert decoded is not None
    assert decoded.text == written
    assert batched_calls < single_calls


def test_forced_tokens_are_those_of_the_tokenizer(parser: Parser, catalog: Catalog) -> None:
    lm, vocab = parser.lm, parser.vocab
    pieces = lm.pieces()
    decoder = Decoder(lm, pieces)
    matcher = Matcher(vocab, compile_catalog(catalog, ground(catalog, "turn on the kitchen light", "en")))
    start = b'[{"intent":"light'
    matcher.advance_bytes(start)
    forced = decoder._forced(matcher, start)
    assert forced
    assert lm.tokenize(start + b"".join(pieces[token] for token in forced))[-len(forced) :] == list(forced)


def test_an_answer_that_does_not_end_is_given_up(parser: Parser) -> None:
    from edged.core import Program
    from edged.core.expression import ByteClass, Repeat

    endless = Program(Repeat(ByteClass(frozenset(b"ab")), MAX_TOKENS * 100, None))
    assert parser.decoder.decode(Matcher(parser.vocab, endless), parser.lm.tokenize(b"x\n")) is None
    parser.lm.rewind()


def test_what_does_not_fit_in_the_context_is_refused(parser: Parser) -> None:
    with pytest.raises(ModelError, match="do not fit"):
        parser.lm.evaluate([1] * (CONTEXT_TOKENS + 1))
    with pytest.raises(ModelError, match="fewer intents"):
        parser.lm.set_prefix([1] * CONTEXT_TOKENS)


def test_every_token_has_its_bytes(parser: Parser) -> None:
    pieces = parser.lm.pieces()
    text = 'Turn on 불을 켜 줘 — 20.5° {"x":[]}'.encode()
    assert b"".join(pieces[token] for token in parser.lm.tokenize(text)) == text
    assert len(Vocab(pieces)) == len(pieces)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\xff" * 100, b"no model at all" * 100])
def test_a_file_that_is_no_model_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        LanguageModel(path, adapter=None, threads=1)
    assert str(path) in str(caught.value)
    assert caught.value.remedy


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        LanguageModel(tmp_path / "none.gguf", adapter=None, threads=1)
