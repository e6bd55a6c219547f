"""Canonical tokens: exactly those that the model's own tokenizer writes, of every legal text of small catalogues."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import pytest

from edged.core import Canonical, Matcher, Program, Vocab
from edged.core.canonical import TokenizerRule
from edged.core.expression import ByteClass, Choice, Literal, Repeat
from edged.core.expression import Sequence as Row
from edged.intents import compile as compiling
from edged.intents.catalog import Catalog
from edged.intents.compile import compile_catalog
from edged.intents.grounding import ground
from edged.understand.lm import LanguageModel
from edged.understand.parser import Parser

BYTES = Vocab([bytes((byte,)) for byte in range(256)])
PIECES = [b"k", b"it", b"kit", b"chen", b"kitchen", b'"', b" ", b" kitchen", b"\n", b"\xea", b"a"]

Ways: TypeAlias = dict[int, "Ways"]
"""Every way to go on, by its first token."""


def take_longest(text: bytes) -> list[int]:
    tokens = []
    while text:
        token = max((i for i, piece in enumerate(PIECES) if text.startswith(piece)), key=lambda i: len(PIECES[i]))
        tokens.append(token)
        text = text[len(PIECES[token]) :]
    return tokens


def add_blank(text: bytes) -> list[int]:
    return take_longest(b" " + text)


def texts_of(program: Program) -> Iterator[bytes]:
    """Every text that the program accepts; of a finite one."""
    matcher = Matcher(BYTES, program)
    begun = [b""]
    while begun:
        text = begun.pop()
        matcher.reset()
        matcher.advance_bytes(text)
        if matcher.is_accepting:
            yield text
        begun += [text + bytes((byte,)) for byte in matcher.next_bytes()]


class Model:
    """A model's tokens, and what its tokenizer makes of texts behind a line end."""

    def __init__(self, lm: LanguageModel) -> None:
        pieces = lm.pieces()
        (self._before,) = lm.tokenize(b"\n")
        self._lm = lm
        self._vocab = Vocab(pieces)
        self.canonical = Canonical(lm.tokenize, pieces.__getitem__, before=self._before)

    def matcher(self, program: Program) -> Matcher:
        return Matcher(self._vocab, program, canonical=self.canonical)

    def write(self, text: bytes) -> list[int]:
        before, *tokens = self._lm.tokenize(b"\n" + text)
        assert before == self._before
        return tokens

    def check(self, program: Program, *, exactly: bool = True) -> int:
        """Every place on the way of every text has the tokens that the tokenizer writes there; how many texts."""
        ways: Ways = {}
        texts = list(texts_of(program))
        for text in texts:
            here = ways
            for token in self.write(text):
                here = here.setdefault(token, {})
        matcher = self.matcher(program)
        begun: list[tuple[tuple[int, ...], Ways]] = [((), ways)]
        while begun:
            tokens, here = begun.pop()
            matcher.reset()
            for token in tokens:
                matcher.advance(token)
            legal = set(matcher.legal())
            assert here.keys() <= legal
            assert not exactly or here.keys() == legal
            begun += [((*tokens, token), behind) for token, behind in here.items()]
        return len(texts)


@pytest.fixture(scope="module")
def model(parser: Parser) -> Model:
    return Model(parser.lm)


def named(names: Sequence[str]) -> Program:
    """One object with one of the names, in quotes, and perhaps a second property."""
    end = Choice((Literal(b'"}]'), Literal(b'","on":true}]')))
    return Program(Row((Literal(b'[{"area":"'), Choice(tuple(Literal(name.encode()) for name in names)), end)))


def test_only_the_tokenizers_way_is_legal_and_without_it_every_way() -> None:
    vocab, program = Vocab(PIECES), Program(Literal(b'kitchen"'))
    canonical = Canonical(take_longest, PIECES.__getitem__)
    assert Matcher(vocab, program).legal() == [0, 2, 4]
    matcher = Matcher(vocab, program, canonical=canonical)
    assert matcher.legal() == [4]
    assert matcher.forced_tokens(8) == [4, 5]
    assert matcher.forced_tokens(1) == [4]
    assert canonical.n_pairs > 0
    assert canonical.memory_bytes > 0


def test_a_token_that_is_not_canonical_may_be_taken_all_the_same() -> None:
    matcher = Matcher(
        Vocab(PIECES), Program(Literal(b'kitchen"')), canonical=Canonical(take_longest, PIECES.__getitem__)
    )
    matcher.advance(2)
    assert matcher.legal() == [3]


def test_a_matcher_keeps_its_canonical_pairs_alive() -> None:
    matcher = Matcher(
        Vocab(PIECES), Program(Literal(b"kitchen")), canonical=Canonical(take_longest, PIECES.__getitem__)
    )
    assert matcher.legal() == [4]


def test_a_tokenizer_that_adds_a_blank_is_asked_behind_an_anchor() -> None:
    rule = TokenizerRule(add_blank, PIECES.__getitem__)
    assert rule.allows([4, 5])
    assert not rule.allows([2, 3])


def test_what_cannot_be_asked_passes() -> None:
    rule = TokenizerRule(take_longest, PIECES.__getitem__)
    assert rule.allows([0, 9])
    assert rule.allows([6, 6])


@pytest.mark.model
@pytest.mark.parametrize(
    "names",
    [
        ("kitchen", "kit", "living room", "LED strip 2", "wohn-zimmer", "2nd floor (left)", " lead", "trail ", "a  b"),
        ("bob's lamp", "the 's x", "'ll", "don't 1st", "...", "-_-", 'x\\"y', "a\\\\b", "_'ll", ".'s", "!   1"),
        ("salle à manger", "Küche", "łazienka", "pokój dzienny", "größer", "Κουζίνα", "μπάνιο", "υπνοδωμάτιο"),
        ("거실", "거실 조명", "부엌", "침실", "안방 조명", "화장실", "현관", "🙂 lamp", "🙃", "日本", "日木"),
    ],
)
def test_names_are_written_as_the_tokenizer_does(model: Model, names: tuple[str, ...]) -> None:
    assert model.check(named(names)) == 2 * len(names)


@pytest.mark.model
def test_numbers_and_repeats_are_written_as_the_tokenizer_does(model: Model) -> None:
    digits = Repeat(ByteClass.of(b"0123456789"), 1, 2)
    words = Repeat(Choice((Literal(b"ab"), Literal(b"kitchen"), Literal(b"a"), Literal(b" "))), 0, 3)
    assert model.check(Program(Row((Literal(b'{"t":'), digits, Choice((Literal(b""), Literal(b".5"))))))) == 220
    assert model.check(Program(Row((Literal(b'["'), words, Literal(b'"]'))))) > 50


@pytest.mark.model
@pytest.mark.parametrize(
    "said",
    ["turn on the kitchen light", "set the bedroom to nineteen and a half degrees", "what a lovely day"],
)
def test_every_answer_is_written_as_the_tokenizer_does(
    model: Model, catalog: Catalog, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "MAX_INTENTS", 1)
    assert model.check(compile_catalog(catalog, ground(catalog, said, "en"))) > 40


@pytest.mark.model
@pytest.mark.parametrize(
    "parts", [" ,  ,',s,t,ll,0,12,a,the,.,-,\\\",/,!,n't", "é,ß,한,거실,🙂,\u00a0,\u3000,a, ,Ω,日,\u0301,1"]
)
def test_no_text_of_hostile_parts_loses_its_way(model: Model, parts: str) -> None:
    for seed in range(15):
        chance = random.Random(seed)
        words = {"".join(chance.choices(parts.split(","), k=chance.randint(1, 7))) for _ in range(10)}
        model.check(named(sorted(words)), exactly=False)


@pytest.mark.model
def test_forced_tokens_are_the_tokenizers_own_and_do_not_move(model: Model, catalog: Catalog) -> None:
    text = b'[{"intent":"light","action":"on","area":"kitchen"}]'
    matcher = model.matcher(compile_catalog(catalog, ground(catalog, "turn on the kitchen light", "en")))
    left = model.write(text)
    n_forced = 0
    while left:
        forced = matcher.forced_tokens(64)
        assert forced == left[: len(forced)]
        n_forced += len(forced)
        for token in [*forced, *left[len(forced) :][:1]]:
            matcher.advance(token)
        left = left[len(forced) + 1 :]
    assert matcher.is_finished
    assert n_forced > len(model.write(text)) / 2
