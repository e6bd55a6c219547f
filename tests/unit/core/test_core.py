"""The wrapper of the C core: what its classes promise."""

from __future__ import annotations

import ast
import gc
import math
import threading
from array import array
from pathlib import Path

import pytest

import edged.core
from edged.core import Matcher, Pick, Program, SplitMix64, Vocab
from edged.core._core import lib
from edged.core.expression import ByteClass, Choice, Expression, Literal, Repeat, Sequence
from edged.errors import CoreError

WORDS = [b"", b"a", b"b", b"ab", b"abc", b"c", b"ab", b"x" * 257]


def matcher_of(expression: Expression, tokens: list[bytes] | None = None) -> Matcher:
    return Matcher(Vocab(WORDS if tokens is None else tokens), Program(expression))


def picked(matcher: Matcher, *logits: float, scored: bool = True) -> Pick:
    values = array("f", logits)
    return matcher.pick(values.buffer_info()[0], scored=scored)


def test_legal_tokens_are_those_whose_bytes_all_fit() -> None:
    assert matcher_of(Literal(b"abcd")).legal() == [1, 3, 4, 6]


def test_a_token_that_runs_past_the_end_is_not_legal() -> None:
    assert matcher_of(Literal(b"ab")).legal() == [1, 3, 6]


def test_a_token_without_bytes_and_one_too_long_are_never_legal() -> None:
    anything = Repeat(ByteClass.of(range(256)), 0, None)
    assert matcher_of(anything).legal() == [1, 2, 3, 4, 5, 6]


def test_a_token_that_leads_where_nothing_can_end_is_not_legal() -> None:
    blind = Sequence((Literal(b"a"), Literal(b"b"), ByteClass.of(())))
    matcher = matcher_of(Choice((blind, Literal(b"c"))))
    assert (matcher.legal(), matcher.next_bytes()) == ([5], b"c")


def test_an_expression_that_matches_nothing_has_no_states_and_no_legal_token() -> None:
    program = Program(Sequence((Literal(b"a"), Choice(()))))
    matcher = Matcher(Vocab(WORDS), program)
    assert program.n_states == 0
    assert (matcher.legal(), matcher.is_accepting, matcher.is_finished) == ([], False, False)
    with pytest.raises(CoreError, match="no token is legal"):
        picked(matcher, *range(8))


def test_an_empty_vocabulary_still_follows_bytes() -> None:
    matcher = matcher_of(Literal(b"ab"), [])
    matcher.advance_bytes(b"ab")
    assert matcher.is_finished
    assert matcher.legal() == []


def test_accepting_and_finished_differ_where_the_text_may_go_on() -> None:
    matcher = matcher_of(Repeat(Literal(b"a"), 1, 2))
    matcher.advance(1)
    assert (matcher.is_accepting, matcher.is_finished) == (True, False)
    matcher.advance(1)
    assert (matcher.is_accepting, matcher.is_finished) == (True, True)


def test_forced_bytes_stop_at_a_choice_and_do_not_move() -> None:
    matcher = matcher_of(Sequence((Literal(b'{"a":'), Choice((Literal(b"1"), Literal(b"2"))), Literal(b"}"))))
    assert matcher.forced() == b'{"a":'
    assert matcher.forced(capacity_bytes=2) == b'{"'
    assert matcher.next_bytes() == b"{"


def test_forced_bytes_stop_where_the_text_may_end() -> None:
    assert matcher_of(Sequence((Literal(b"ab"), Repeat(Literal(b"c"), 0, 1)))).forced() == b"ab"


def test_refused_bytes_leave_the_matcher_where_it_was() -> None:
    matcher = matcher_of(Literal(b"abc"))
    with pytest.raises(CoreError, match="not legal here"):
        matcher.advance_bytes(b"abd")
    assert matcher.next_bytes() == b"a"


def test_reset_goes_back_to_the_start() -> None:
    matcher = matcher_of(Literal(b"abc"))
    matcher.advance(4)
    matcher.reset()
    assert (matcher.is_finished, matcher.legal()) == (False, [1, 3, 4, 6])


def test_the_highest_legal_logit_wins_over_a_higher_illegal_one() -> None:
    pick = picked(matcher_of(Literal(b"abc")), 9, 1, 9, 2, 0, 9, 1, 9)
    assert (pick.token, pick.legal_count, pick.margin) == (3, 4, 1.0)


def test_the_lowest_id_wins_a_tie_whatever_the_bytes() -> None:
    pick = picked(matcher_of(Literal(b"abc"), [b"abc", b"ab", b"a", b"b"]), 1, 2, 2, 9)
    assert (pick.token, pick.margin) == (1, 0.0)


def test_an_only_legal_token_has_an_infinite_margin() -> None:
    assert picked(matcher_of(Literal(b"c")), *range(8)).margin == math.inf


def test_an_unscored_pick_has_no_logarithms() -> None:
    pick = picked(matcher_of(Literal(b"c")), *range(8), scored=False)
    assert pick.token == 5
    assert math.isnan(pick.log_prob)
    assert math.isnan(pick.log_legal)
    assert pick.log_share == 0


def test_the_share_is_of_the_legal_tokens_alone() -> None:
    matcher = matcher_of(Choice((Literal(b"b"), Literal(b"c"))))
    for scored in (False, True):
        pick = picked(matcher, 9, 9, 1, 9, 9, 2, 9, 9, scored=scored)
        assert pick.log_share == pytest.approx(-math.log1p(math.exp(-1)))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_logit_that_is_no_number_is_refused_wherever_it_stands(bad: float) -> None:
    matcher = matcher_of(Literal(b"c"))
    for place in range(8):
        logits = [0.0] * 8
        logits[place] = bad
        with pytest.raises(CoreError, match="logits"):
            picked(matcher, *logits)


def test_legal_tokens_far_below_the_rest_keep_their_logarithms() -> None:
    pick = picked(matcher_of(Choice((Literal(b"b"), Literal(b"c")))), 500, 0, -300, 0, 0, -300, 0, 0)
    assert pick.log_prob == pytest.approx(-800)
    assert pick.log_legal == pytest.approx(-800 + math.log(2))


def test_legal_tokens_that_the_logits_rule_out_are_picked_with_no_probability() -> None:
    pick = picked(matcher_of(Literal(b"c")), 0, 0, 0, 0, 0, -math.inf, 0, 0)
    assert (pick.token, pick.log_prob, pick.log_legal) == (5, -math.inf, -math.inf)


def stepped(matcher: Matcher, *logits: float) -> int:
    values = array("f", logits)
    return matcher.step(values.buffer_info()[0])


def drawn(matcher: Matcher, random: SplitMix64, *logits: float, temperature: float = 1) -> Pick:
    values = array("f", logits)
    return matcher.sample(values.buffer_info()[0], temperature, random)


def test_a_step_picks_and_moves() -> None:
    matcher = matcher_of(Literal(b"abc"))
    assert stepped(matcher, 9, 1, 9, 3, 0, 9, 2, 9) == 3
    assert matcher.next_bytes() == b"c"


def test_a_step_without_a_legal_token_or_with_bad_logits_says_so_and_stays() -> None:
    matcher = matcher_of(Literal(b"c"))
    with pytest.raises(CoreError, match="logits"):
        stepped(matcher, *[math.nan] * 8)
    assert stepped(matcher, *range(8)) == 5
    with pytest.raises(CoreError, match="no token is legal"):
        stepped(matcher, *range(8))


ROWS = (array("f", [9, 3, 0, 1, 0, 0, 0, 9]), array("f", [9, 0, 3, 9, 9, 1, 9, 9]), array("f", range(8)))
"""They want "a", then "b", then what has the highest id."""
ADDRESSES = [row.buffer_info()[0] for row in ROWS]


@pytest.mark.parametrize(
    ("draft", "tokens", "following"),
    [([1, 2], [1, 2, 5], b"c"), ([1, 5], [1, 2], b"b"), ([2, 2], [1], b"a"), ([-1, 99], [1], b"a")],
)
def test_a_draft_is_taken_as_far_as_it_is_right(draft: list[int], tokens: list[int], following: bytes) -> None:
    matcher = matcher_of(Literal(b"abcc"))
    picks = matcher.verify(ADDRESSES, draft)
    assert [pick.token for pick in picks] == tokens
    assert picks[0] == matcher_of(Literal(b"abcc")).pick(ADDRESSES[0])
    assert matcher.next_bytes() == following


def test_a_draft_shorter_than_its_rows_is_refused() -> None:
    with pytest.raises(CoreError, match="1 draft tokens for 3 rows"):
        matcher_of(Literal(b"abc")).verify(ADDRESSES, [1])


def test_a_draft_against_no_rows_is_refused() -> None:
    with pytest.raises(CoreError, match="impossible size"):
        matcher_of(Literal(b"abc")).verify([], [])


def test_the_same_seed_draws_the_same_tokens() -> None:
    matcher = matcher_of(ByteClass.of(b"abc"))

    def tokens(random: SplitMix64) -> list[int]:
        return [drawn(matcher, random, 0, 1, 1.2, 0, 0, 0.8, 0, 0).token for _ in range(100)]

    first, second = SplitMix64(7), SplitMix64(7)
    seen = tokens(first)
    assert set(seen) == {1, 2, 5}
    assert tokens(second) == seen
    assert tokens(second) != seen


def test_random_numbers_go_on_from_a_kept_state() -> None:
    matcher = matcher_of(ByteClass.of(b"abc"))
    random = SplitMix64(-1)
    assert random.state == 2**64 - 1
    drawn(matcher, random, *[1] * 8)
    other = SplitMix64(random.state)
    for _ in range(50):
        assert drawn(matcher, random, *range(8)).token == drawn(matcher, other, *range(8)).token


@pytest.mark.parametrize("temperature", [math.nan, -0.1, math.inf, 1e300])
def test_a_temperature_that_is_none_is_refused(temperature: float) -> None:
    with pytest.raises(CoreError, match="temperature"):
        drawn(matcher_of(Literal(b"c")), SplitMix64(1), *range(8), temperature=temperature)


def test_an_image_gives_the_same_vocabulary() -> None:
    image = Vocab(WORDS).image()
    mapped = Vocab.from_image(memoryview(image))
    gc.collect()
    assert (len(mapped), mapped.image()) == (len(WORDS), image)
    assert [mapped.piece(token) for token in range(len(WORDS))] == WORDS
    assert mapped.memory_bytes < len(image)
    assert Matcher(mapped, Program(Literal(b"abcd"))).legal() == [1, 3, 4, 6]


def test_a_damaged_image_is_refused() -> None:
    image = Vocab(WORDS).image()
    for damaged in (b"", image[:-8], image + bytes(8), image[:100] + b"\x07" + image[101:]):
        with pytest.raises(CoreError, match="image is damaged"):
            Vocab.from_image(damaged)


@pytest.mark.parametrize("token", [-1, len(WORDS)])
def test_a_token_that_is_not_there_has_no_piece(token: int) -> None:
    with pytest.raises(CoreError):
        Vocab(WORDS).piece(token)


def test_a_matcher_keeps_its_vocabulary_and_program_alive() -> None:
    matcher = Matcher(Vocab([b"a", b"b"]), Program(Repeat(Literal(b"ab"), 0, None)))
    gc.collect()
    matcher.advance_bytes(b"abab")
    assert matcher.legal() == [0]


def test_a_full_memory_is_emptied_and_changes_no_result() -> None:
    """A set of NFA states for each way of choosing among the last twelve bytes: far more than a tiny memory holds."""
    tokens = [bytes(97 + (number >> bit & 1) for bit in range(8)) for number in range(256)]
    either = ByteClass.of(b"ab")
    expression = Sequence((Repeat(either, 0, None), Literal(b"a"), Repeat(either, 12, 12), Literal(b"!")))
    vocab, program = Vocab([*tokens, b"a!", b"b!!"]), Program(expression)
    ample, tiny = Matcher(vocab, program), Matcher(vocab, program, budget_bytes=1)
    for token in range(0, 256, 17):
        ample.advance(token)
        tiny.advance(token)
        assert tiny.legal() == ample.legal()
    assert ample.n_flushes == 0
    assert tiny.n_flushes > 50


def test_a_vocabulary_and_a_program_serve_matchers_in_several_threads() -> None:
    vocab, program = Vocab([b"a", b"b", b"ab"]), Program(Repeat(Choice((Literal(b"ab"), Literal(b"b"))), 0, None))
    seen: list[list[int]] = []

    def follow() -> None:
        matcher = Matcher(vocab, program)
        for _ in range(200):
            matcher.advance(2)
        seen.append(matcher.legal())

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [[0, 1, 2]] * 4


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (b"", "malformed"),
        (b"\x09", "malformed"),
        (b"\x01\x05\x00abc", "ends inside"),
        (b"\x02" + bytes(31), "ends inside"),
        (b"\x03\x01\x00", "malformed"),
        (b"\x01\x00\x00\x01\x00\x00", "malformed"),
        (b"\x01\x00\x00\x05\x02\x00\x01\x00", "malformed"),
        (b"\x01\x01\x00a" + b"\x05\xfe\xff\xfe\xff" * 2, "too many states"),
        (b"\x06\x00\x00" + bytes(4), "malformed"),
        (b"\x06\x01\x00" + bytes(4), "ends inside"),
        (b"\x01\x00\x00" * (1 << 17) + b"\x01\x00\x00", "operands waiting"),
        (bytes(1 << 25), "larger"),
    ],
)
def test_malformed_code_is_refused_with_its_reason(code: bytes, reason: str) -> None:
    with pytest.raises(CoreError, match=reason):
        Program(code)


def test_the_stub_names_what_the_module_holds() -> None:
    stub = ast.parse(Path(edged.core.__file__).with_name("_core.pyi").read_text(encoding="utf-8"))
    (body,) = [node.body for node in stub.body if isinstance(node, ast.ClassDef) and node.name == "_Lib"]
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    constants = {
        node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert functions | constants == set(dir(lib))
