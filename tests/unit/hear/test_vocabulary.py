from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.hear.vocabulary import MAX_WORD_CHARACTERS, make_grammar, split_word

KOREAN = frozenset(
    ["모든", "불", "을", "파란", "파란색", "색으로", "으로", "바꿔", "줘", "이십", "이", "도로", "로", "도"]
)


def test_known_word_stays_whole() -> None:
    assert split_word("도로", KOREAN.__contains__) == ("도로",)


def test_unknown_word_is_split_into_the_fewest_pieces() -> None:
    assert split_word("이십이도로", KOREAN.__contains__) == ("이십", "이", "도로")


def test_longer_pieces_come_first_among_equals() -> None:
    assert split_word("파란색으로", KOREAN.__contains__) == ("파란색", "으로")


def test_word_that_cannot_be_split_gives_none() -> None:
    assert split_word("불꽃", KOREAN.__contains__) is None


def test_word_of_an_alphabet_is_not_spelled() -> None:
    letters = frozenset(
        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "k", "l", "n", "o", "p", "r", "s", "t", "u", "w", "ab"]
    )

    assert split_word("zigbee", letters.__contains__) is None
    assert split_word("lab", letters.__contains__) is None
    assert split_word("livingroom", {"living", "room", "li", "ving"}.__contains__) == ("living", "room")


def test_absurdly_long_word_is_not_tried() -> None:
    assert split_word("불" * (MAX_WORD_CHARACTERS + 1), KOREAN.__contains__) is None


@given(
    st.text("불을파란색으로", min_size=1, max_size=12), st.frozensets(st.text("불을파란색으로", min_size=1, max_size=3))
)
def test_pieces_are_known_and_join_to_the_word(word: str, known: frozenset[str]) -> None:
    pieces = split_word(word, known.__contains__)

    if pieces is None:
        assert not _coverable(word, known)
    else:
        assert "".join(pieces) == word
        assert set(pieces) <= known


@given(st.text("불을파란", min_size=1, max_size=8), st.frozensets(st.text("불을파란", min_size=1, max_size=3)))
def test_no_split_has_fewer_pieces(word: str, known: frozenset[str]) -> None:
    pieces = split_word(word, known.__contains__)

    if pieces is not None:
        assert len(pieces) == _fewest(word, known)


@given(st.lists(st.text("불을파란색으로 ", min_size=1, max_size=12), max_size=5))
def test_every_word_of_the_grammar_is_known_and_every_phrase_is_there_or_reported(phrases: list[str]) -> None:
    known = frozenset(["불", "을", "파란색", "으로"])

    grammar = make_grammar(phrases, known.__contains__)

    assert {word for phrase in grammar.phrases for word in phrase.split()} <= known
    reported = {phrase for entry in grammar.unknown for phrase in entry.phrases}
    heard = {grammar.join(phrase) for phrase in grammar.phrases}
    for phrase in phrases:
        assert (
            phrase in reported
            or not phrase.split()
            or "".join(phrase.split()) in {"".join(text.split()) for text in heard}
        )


def test_phrase_with_split_words_is_joined_again() -> None:
    grammar = make_grammar(["모든 불을 파란색으로 바꿔 줘"], KOREAN.__contains__)

    assert grammar.phrases == ("모든 불 을 파란색 으로 바꿔 줘",)
    assert grammar.join("모든 불 을 파란색 으로 바꿔 줘") == "모든 불을 파란색으로 바꿔 줘"


def test_phrase_that_is_there_twice_keeps_its_weight() -> None:
    assert make_grammar(["모든 불", "불", "모든 불"], KOREAN.__contains__).phrases == ("모든 불", "불", "모든 불")


def test_longest_split_word_is_joined_first() -> None:
    grammar = make_grammar(["이십이도로 이십이"], KOREAN.__contains__)

    assert grammar.join("이십 이 도로") == "이십이도로"
    assert grammar.join("이십 이 도") == "이십이 도"


def test_word_that_cannot_be_heard_is_reported_with_its_phrases(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        grammar = make_grammar(["불꽃 바꿔 줘", "불 바꿔 줘", "모든 불꽃"], KOREAN.__contains__)

    (entry,) = grammar.unknown
    assert (entry.word, entry.phrases) == ("불꽃", ("불꽃 바꿔 줘", "모든 불꽃"))
    assert grammar.phrases == ("불 바꿔 줘",)
    assert "does not know the word 불꽃" in caplog.text


def test_phrases_are_spelled_as_models_spell() -> None:
    known = {"turn", "on", "the", "children's", "lamp", "fifty"}

    grammar = make_grammar(["Turn on the Children’s lamp!", "fifty-fifty", "…"], known.__contains__)

    assert grammar.phrases == ("turn on the children's lamp", "fifty fifty")


def test_phrases_are_spelled_by_the_rule_of_typed_text() -> None:
    known = {"lampe", "auf", "30", "prozent", "straße"}

    grammar = make_grammar(["„Lampe“ auf 30 %", "Straße"], known.__contains__, "de")

    assert grammar.phrases == ("lampe auf 30 prozent", "straße")


def test_decomposed_letters_are_composed() -> None:
    assert make_grammar(["\u1107\u116e\u11af"], KOREAN.__contains__).phrases == ("불",)


def test_asides_and_the_unknown_symbol_have_a_place_where_the_model_knows_them() -> None:
    known = {"lamp", "please", "[unk]"}

    assert make_grammar(["lamp"], known.__contains__, "en-GB").phrases == ("lamp", "please", "[unk]")
    assert make_grammar([], known.__contains__, "en").phrases == ()
    assert make_grammar(["불"], {"불", "다"}.__contains__, "ko").phrases == ("불", "다")


def test_grammar_is_given_to_vosk_as_a_json_array() -> None:
    assert json.loads(make_grammar(["불", "을"], KOREAN.__contains__).to_json()) == ["불", "을"]


def _coverable(word: str, known: frozenset[str]) -> bool:
    return not word or any(word.startswith(piece) and _coverable(word[len(piece) :], known) for piece in known)


def _fewest(word: str, known: frozenset[str]) -> float:
    if not word:
        return 0
    return min(
        (1 + _fewest(word[len(piece) :], known) for piece in known if word.startswith(piece)), default=float("inf")
    )


def test_delays_are_listened_for_with_the_words_that_the_model_knows() -> None:
    known = {"light", "off", "in", "ten", "minutes", "half", "an", "hour"}
    grammar = make_grammar(["light off"], known.__contains__, "en")
    assert {"light off", "in ten minutes", "in half an hour"} <= set(grammar.phrases)
    assert all(known.issuperset(phrase.split()) for phrase in grammar.phrases)
    assert grammar.unknown == ()


def test_where_nothing_can_be_said_no_delay_is_listened_for() -> None:
    assert make_grammar([], lambda _word: True, "en").phrases == ()
