"""The real model: what it costs to write an answer; test_exact shows that the answer is the greedy one."""

import math
from pathlib import Path

import llama_cpp
import pytest

from edged.core import Canonical, Matcher, Program, Vocab
from edged.core.expression import ByteClass, Literal, Repeat
from edged.errors import ModelError
from edged.intents.grounding import ground
from edged.understand.answers import FORMS, FormName
from edged.understand.decode import MAX_TOKENS, Decoder
from edged.understand.lm import CONTEXT_TOKENS, LanguageModel
from edged.understand.parser import Parser
from edged.understand.prompt import Lines

pytestmark = pytest.mark.model


def hear(parser: Parser, text: str, form: FormName) -> tuple[list[int], Matcher]:
    said = ground(parser.readable, text, "en")
    prompt = Lines(parser.lm, json=form == "json")
    program = FORMS[form].compile(parser.readable, said, ())
    matcher = Matcher(
        parser.vocab, program, canonical=Canonical(parser.lm.tokenize, parser.vocab.piece, before=prompt.before)
    )
    return prompt.question(parser.readable, text, "en"), matcher


@pytest.fixture
def decoder(parser: Parser) -> Decoder:
    return Decoder(parser.lm, parser.vocab)


def test_forced_tokens_are_read_with_the_next_choice(parser: Parser, decoder: Decoder) -> None:
    question, matcher = hear(parser, "set the bedroom to nineteen and a half degrees", "json")
    parser.lm.rewind()
    calls, tokens = parser.lm.evaluations, parser.lm.evaluated_tokens
    decoded = decoder.decode(matcher, question)
    assert decoded is not None
    answer = parser.lm.tokenize(decoded.text)
    calls = parser.lm.evaluations - calls
    # Behind a long prefix a token that is read alone takes another one with it.
    assert parser.lm.evaluated_tokens - tokens <= len(question) + len(answer) + 1 + calls
    assert calls < len(answer) / 2


def test_a_right_draft_is_read_with_the_question_alone(parser: Parser, decoder: Decoder) -> None:
    question, matcher = hear(parser, "turn on the kitchen light", "short")
    first = decoder.decode(matcher, question)
    assert first is not None
    parser.lm.rewind()
    matcher.reset()
    calls = parser.lm.evaluations
    again = decoder.decode(matcher, question, parser.lm.tokenize(first.text))
    assert again == first
    assert parser.lm.evaluations - calls == 1


def test_what_is_certain_is_no_question(parser: Parser, decoder: Decoder) -> None:
    question, _ = hear(parser, "turn on the kitchen light", "short")
    decoded = decoder.decode(Matcher(parser.vocab, Program(Literal(b" none of this"))), question)
    assert decoded is not None
    assert decoded.text == b" none of this"


def test_a_choice_knows_where_it_stands(parser: Parser, decoder: Decoder) -> None:
    question, matcher = hear(parser, "turn on the kitchen light and the hall light", "short")
    decoded = decoder.decode(matcher, question)
    assert decoded is not None
    starts = [choice.start for choice in decoded.choices]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert all(0 <= choice.probability <= choice.share <= 1 for choice in decoded.choices)
    assert decoded.questions == sum(choice.margin != math.inf for choice in decoded.choices) > 0


def test_an_answer_that_does_not_end_is_given_up(parser: Parser, decoder: Decoder) -> None:
    endless = Program(Repeat(ByteClass(frozenset(b"ab")), MAX_TOKENS * 100, None))
    assert decoder.decode(Matcher(parser.vocab, endless), parser.lm.tokenize(b"x\n")) is None
    parser.lm.rewind()


def test_what_does_not_fit_in_the_context_is_refused(parser: Parser) -> None:
    with pytest.raises(ModelError, match="do not fit"):
        parser.lm.read([1] * (CONTEXT_TOKENS + 1))
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


def test_one_token_and_several_have_threads_of_their_own(parser: Parser) -> None:
    def read_threads() -> tuple[int, int]:
        context = parser.lm._context
        return llama_cpp.llama_n_threads(context), llama_cpp.llama_n_threads_batch(context)

    before = read_threads()
    parser.lm.set_threads(1, 3)
    changed = read_threads()
    parser.lm.set_threads(*before)
    assert changed == (1, 3)
    assert read_threads() == before
