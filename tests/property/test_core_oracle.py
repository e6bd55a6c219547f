"""The C core against the slow, obvious matcher, on expressions, vocabularies and walks that Hypothesis makes up."""

from __future__ import annotations

import math
import struct
from array import array
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.core import Matcher, Program, SplitMix64, Vocab
from edged.core.expression import (
    ByteClass,
    Choice,
    Digits,
    Encoded,
    Expression,
    Graph,
    Literal,
    Repeat,
    Sequence,
    Words,
    encode,
)
from edged.errors import CoreError
from tests.property.oracle import Oracle

ALPHABET = b"abc\x00\xff"
SMALLEST_BUDGET_BYTES = 1

texts = st.lists(st.sampled_from(ALPHABET), max_size=4).map(bytes)
classes = st.frozensets(st.sampled_from(ALPHABET)) | st.sampled_from([frozenset(range(256)), frozenset(range(97, 256))])
vocabularies = st.lists(texts | st.binary(max_size=2), max_size=12).map(lambda extra: [*extra, b"a", b"b", b"ab"])
seeds = st.randoms(use_true_random=False)


def repeats(items: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    bounded = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: (min(pair), max(pair)))
    unbounded = st.tuples(st.integers(0, 3), st.none())
    return st.builds(lambda item, bounds: Repeat(item, *bounds), items, bounded | unbounded)


def larger(items: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(items, max_size=4).map(tuple)
    return several.map(Sequence) | several.map(Choice) | repeats(items)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any automaton of few states: with dead ends, states out of reach, and edges that overlap."""
    n_states = draw(st.integers(1, 4))
    state = st.integers(0, n_states - 1)
    byte = st.sampled_from(ALPHABET)
    edges = draw(st.lists(st.tuples(state, byte, byte, state), max_size=8))
    ordered = tuple((source, min(pair), max(pair), target) for source, *pair, target in edges)
    return Graph(n_states, ordered, draw(st.frozensets(state)))


@st.composite
def digits(draw: st.DrawFn, most_places: int) -> Digits:
    places = draw(st.integers(1, most_places))
    low, high = sorted(draw(st.lists(st.integers(0, 10**places - 1), min_size=2, max_size=2)))
    return Digits(b"%0*d" % (places, low), b"%0*d" % (places, high))


words = st.lists(texts, min_size=1, max_size=5).map(b"\0".join).map(Words)
leaves: st.SearchStrategy[Expression] = texts.map(Literal) | classes.map(ByteClass) | graphs() | words | digits(2)
expressions = st.recursive(leaves, larger, max_leaves=10)


def encoded_in_part(expression: Expression, random: Random) -> Expression:
    """The same, some of its parts encoded already."""
    if random.random() < 0.3:
        return Encoded(encode(expression))
    if isinstance(expression, Sequence | Choice):
        return type(expression)(tuple(encoded_in_part(item, random) for item in expression.items))
    if isinstance(expression, Repeat):
        return Repeat(encoded_in_part(expression.item, random), expression.least, expression.greatest)
    return expression


@given(expressions, seeds)
@settings(max_examples=300, deadline=None)
def test_parts_that_are_encoded_already_change_no_code(expression: Expression, random: Random) -> None:
    assert encode(encoded_in_part(expression, random)) == encode(expression)


def assert_same(matcher: Matcher, oracle: Oracle) -> None:
    assert matcher.legal() == oracle.legal()
    assert matcher.next_bytes() == oracle.next_bytes()
    assert matcher.is_accepting == oracle.is_accepting
    assert matcher.is_finished == oracle.is_finished
    forced = oracle.forced()
    assert matcher.forced() == forced
    assert matcher.forced(capacity_bytes=2) == forced[:2]


def is_accepted(matcher: Matcher, text: bytes) -> bool:
    try:
        matcher.advance_bytes(text)
    except CoreError:
        return False
    return True


@given(digits(5), st.lists(st.integers(0, 10**5 - 1), max_size=20))
def test_strings_of_digits_are_those_that_lie_between_two(between: Digits, numbers: list[int]) -> None:
    places, ends = len(between.low), (int(between.low), int(between.high))
    matcher = Matcher(Vocab([b"0"]), Program(between))
    for number in (*numbers, *ends, ends[0] - 1, ends[1] + 1):
        text = b"%0*d" % (places, number % 10**places)
        matcher.reset()
        assert (is_accepted(matcher, text) and matcher.is_finished) == (between.low <= text <= between.high)


@given(expressions, vocabularies, seeds)
@settings(max_examples=400, deadline=None)
def test_a_walk_by_tokens_agrees_with_the_oracle(expression: Expression, tokens: list[bytes], random: Random) -> None:
    matcher, oracle = Matcher(Vocab(tokens), Program(expression)), Oracle(tokens, expression)
    for _ in range(6):
        assert_same(matcher, oracle)
        legal = matcher.legal()
        if not legal:
            break
        token = random.choice(legal)
        matcher.advance(token)
        assert oracle.advance_bytes(tokens[token])


@given(expressions, st.lists(st.sampled_from(ALPHABET + b"d").map(lambda byte: bytes([byte])) | texts, max_size=8))
@settings(max_examples=400, deadline=None)
def test_a_walk_by_bytes_agrees_with_the_oracle_and_never_moves_on_a_refusal(
    expression: Expression, steps: list[bytes]
) -> None:
    tokens = [b"a", b"b", b"ab", b"abc", b"\xff"]
    matcher, oracle = Matcher(Vocab(tokens), Program(expression)), Oracle(tokens, expression)
    for step in steps:
        assert is_accepted(matcher, step) == oracle.advance_bytes(step)
        assert_same(matcher, oracle)


@given(expressions, vocabularies, seeds)
@settings(max_examples=200, deadline=None)
def test_every_token_that_is_not_legal_is_refused(expression: Expression, tokens: list[bytes], random: Random) -> None:
    matcher = Matcher(Vocab(tokens), Program(expression))
    for _ in range(3):
        legal = matcher.legal()
        for token in set(range(-1, len(tokens) + 1)) - set(legal):
            with pytest.raises(CoreError, match="not legal"):
                matcher.advance(token)
        assert matcher.legal() == legal
        if legal:
            matcher.advance(random.choice(legal))


def many_states(expression: Expression) -> Expression:
    return Repeat(
        Choice((expression, Repeat(Sequence((ByteClass.of(b"ab"), expression)), 0, 9), Literal(b"ca"))), 0, 20
    )


@given(expressions, vocabularies, seeds)
@settings(max_examples=200, deadline=None)
def test_a_tiny_memory_changes_no_result(expression: Expression, tokens: list[bytes], random: Random) -> None:
    vocab = Vocab([*tokens, *(bytes(random.choices(ALPHABET, k=8)) for _ in range(20))])
    program = Program(many_states(expression))
    ample, tiny = Matcher(vocab, program), Matcher(vocab, program, budget_bytes=SMALLEST_BUDGET_BYTES)
    for _ in range(8):
        legal = ample.legal()
        assert tiny.legal() == legal
        assert (tiny.next_bytes(), tiny.forced()) == (ample.next_bytes(), ample.forced())
        assert (tiny.is_accepting, tiny.is_finished) == (ample.is_accepting, ample.is_finished)
        if not legal:
            break
        token = random.choice(legal)
        ample.advance(token)
        tiny.advance(token)


logit = st.floats(-60, 60, width=32) | st.sampled_from([0.0, 1.0, -math.inf])


def log_sum_exp(values: list[float]) -> float:
    highest = max(values)
    return -math.inf if highest == -math.inf else highest + math.log(sum(math.exp(value - highest) for value in values))


@given(expressions, vocabularies, st.data())
@settings(max_examples=300, deadline=None)
def test_the_pick_is_the_plain_argmax_with_its_softmax(
    expression: Expression, tokens: list[bytes], data: st.DataObject
) -> None:
    matcher = Matcher(Vocab(tokens), Program(expression))
    legal = matcher.legal()
    logits = array("f", data.draw(st.lists(logit, min_size=len(tokens), max_size=len(tokens))))
    if not legal or max(logits) == -math.inf:
        with pytest.raises(CoreError):
            matcher.pick(logits.buffer_info()[0])
        return
    pick = matcher.pick(logits.buffer_info()[0])
    best = max(legal, key=lambda token: (logits[token], -token))
    others = [logits[token] for token in legal if token != best]
    assert (pick.token, pick.legal_count) == (best, len(legal))
    if others and logits[best] != max(others):
        assert pick.margin == pytest.approx(logits[best] - max(others), rel=1e-6)
    else:
        assert pick.margin == (0 if others else math.inf)
    whole = log_sum_exp(list(logits))
    assert pick.log_prob == pytest.approx(logits[best] - whole, rel=1e-5, abs=1e-5)
    assert pick.log_legal == pytest.approx(log_sum_exp([logits[token] for token in legal]) - whole, rel=1e-5, abs=1e-5)
    if logits[best] == -math.inf:
        assert pick.log_share == -math.inf
    else:
        share = logits[best] - log_sum_exp([logits[token] for token in legal])
        assert pick.log_share == pytest.approx(share, abs=1e-5)
    assert matcher.pick(logits.buffer_info()[0], scored=False)[:2] == pick[:2]


def random_logits(n_tokens: int, random: Random) -> array[float]:
    """Few different values, so that some are equal."""
    return array("f", [random.randint(-3, 3) for _ in range(n_tokens)])


@given(expressions, vocabularies, seeds)
@settings(max_examples=100, deadline=None)
def test_a_step_is_a_pick_and_an_advance(expression: Expression, tokens: list[bytes], random: Random) -> None:
    vocab, program = Vocab(tokens), Program(expression)
    stepped, picked = Matcher(vocab, program, budget_bytes=SMALLEST_BUDGET_BYTES), Matcher(vocab, program)
    for _ in range(8):
        logits = random_logits(len(tokens), random)
        if not picked.legal():
            with pytest.raises(CoreError, match="no token is legal"):
                stepped.step(logits.buffer_info()[0])
            break
        token = picked.pick(logits.buffer_info()[0]).token
        picked.advance(token)
        assert stepped.step(logits.buffer_info()[0]) == token
        assert stepped.legal() == picked.legal()


def greedy(matcher: Matcher, rows: list[array[float]]) -> list[int]:
    """The tokens of plain decoding, as many as there are rows or until the text is complete or stuck."""
    matcher.reset()
    tokens = []
    for row in rows:
        if not matcher.legal():
            break
        tokens.append(matcher.step(row.buffer_info()[0]))
    return tokens


@given(expressions, vocabularies, st.integers(0, 8), seeds)
@settings(max_examples=150, deadline=None)
def test_a_draft_with_its_last_pick_is_the_start_of_plain_decoding(
    expression: Expression, tokens: list[bytes], n_right: int, random: Random
) -> None:
    vocab, program = Vocab(tokens), Program(expression)
    rows = [random_logits(len(tokens), random) for _ in range(8)]
    plain = Matcher(vocab, program)
    wanted = greedy(plain, rows)
    dead_end = bool(wanted) and len(wanted) < len(rows) and not plain.is_finished
    if not wanted or dead_end:  # no token of the vocabulary can come next somewhere
        return
    draft = [*wanted[:n_right], *(random.randrange(-1, len(tokens)) for _ in rows)]
    matcher = Matcher(vocab, program, budget_bytes=SMALLEST_BUDGET_BYTES)
    picks = matcher.verify([row.buffer_info()[0] for row in rows], draft, scored=False)
    assert [pick.token for pick in picks] == wanted[: len(picks)]
    assert len(picks) >= min(n_right + 1, len(wanted))
    plain.reset()
    for token in wanted[: len(picks) - 1]:
        plain.advance(token)
    assert matcher.legal() == plain.legal()


MOST_CHI_SQUARE = 27.9
"""With nine degrees of freedom, those of ten legal tokens, one in a thousand fair tries lies above."""


def chi_square(counts: list[int], chances: list[float]) -> float:
    n = sum(counts)
    return sum((count - n * chance) ** 2 / (n * chance) for count, chance in zip(counts, chances, strict=True))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_draws_have_the_chances_of_the_exact_softmax(temperature: float) -> None:
    tokens = [bytes((byte,)) for byte in range(97, 117)]
    matcher = Matcher(Vocab(tokens), Program(ByteClass.of(tokens[token][0] for token in range(0, 20, 2))))
    logits = array("f", [token % 7 * 0.25 for token in range(20)])
    weights = [math.exp(logits[token] / temperature) for token in range(0, 20, 2)]
    random = SplitMix64(20261122)
    counts = [0] * 20
    for _ in range(20000):
        counts[matcher.sample(logits.buffer_info()[0], temperature, random).token] += 1
    assert not any(counts[1::2])
    assert chi_square(counts[::2], [weight / sum(weights) for weight in weights]) < MOST_CHI_SQUARE


@given(vocabularies)
@settings(max_examples=50, deadline=None)
def test_an_image_says_the_same_as_the_tokens(tokens: list[bytes]) -> None:
    built = Vocab(tokens)
    mapped = Vocab.from_image(built.image())
    program = Program(Repeat(ByteClass.of(range(256)), 0, None))
    assert Matcher(mapped, program).legal() == Matcher(built, program).legal()
    assert [mapped.piece(token) for token in range(len(tokens))] == tokens
    assert mapped.image() == built.image()


operations = st.one_of(
    st.binary(max_size=3).map(lambda text: b"\x01" + struct.pack("<H", len(text)) + text),
    st.binary(min_size=32, max_size=32).map(lambda bitmap: b"\x02" + bitmap),
    st.builds(struct.pack, st.just("<BH"), st.sampled_from([3, 4]), st.integers(0, 3)),
    st.builds(struct.pack, st.just("<BHH"), st.just(5), st.integers(0, 4), st.integers(0, 4) | st.just(0xFFFF)),
    st.builds(
        lambda n_states, edges, marks: b"\x06" + struct.pack("<HIB", n_states, len(edges), marks) + b"".join(edges),
        st.integers(0, 3),
        st.lists(st.builds(struct.pack, st.just("<HBBH"), *[st.integers(0, 3)] * 4), max_size=3),
        st.integers(0, 8),
    ),
    st.binary(max_size=4),
)


@given(st.binary(max_size=80) | st.lists(operations, max_size=12).map(b"".join))
@settings(max_examples=1000, deadline=None)
def test_any_code_gives_an_error_or_a_program_that_works(code: bytes) -> None:
    try:
        program = Program(code)
    except CoreError:
        return
    matcher = Matcher(Vocab([b"a", b"\x00", b"ab", b"\x00\x01"]), program)
    for _ in range(8):
        legal = matcher.legal()
        if not legal:
            break
        matcher.advance(legal[-1])
