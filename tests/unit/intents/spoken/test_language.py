import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.intents.spoken.language import LANGUAGES, LEVELS, language_of
from edged.intents.spoken.text import fold_text, normalize_text

NEVER_SKIPPED = {
    "en": "not no don't never all every in out on off up down what is which how to by from half more less",
    "ko": "안 못 모든 다 전부 더 덜 켜 꺼 뭐 언제 마",
    "de": "nicht kein keine nie alle an aus ein auf zu um in was wie ist welche halb mehr weniger heller",
    "pt-BR": "não nunca todos todas em de para por que qual como está mais menos acende apaga",
    "pl": "nie nigdy wszystkie w z na do o co czy jak jest więcej mniej",
    "el": "μην δεν ποτέ όλα όλες σε από στο στη για τι πώς πόσο είναι πιο λίγο",
}
"""Words that turn an order into another one, or into none."""


def test_the_six_languages_are_found_by_their_primary_subtag() -> None:
    assert list(LANGUAGES) == ["en", "ko", "de", "pt-BR", "pl", "el"]
    assert language_of("pt") is language_of("pt-BR") is language_of("PT-pt") is LANGUAGES["pt-BR"]
    assert language_of("xx").tag == ""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_entry_is_complete(lang: str) -> None:
    language = LANGUAGES[lang]
    assert set(language.units) == set(LANGUAGES["en"].units)
    assert tuple(language.levels) == LEVELS
    assert language.skippable
    assert language.conjunctions
    assert language.asides
    assert language.corrections
    assert language.denials
    assert language.behind_hour
    assert language.numbers.minus
    assert language.numbers.point
    assert language.numbers.half


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_is_written_as_it_is_said(lang: str) -> None:
    language = LANGUAGES[lang]
    said = {
        *(form for forms in (*language.units.values(), *language.levels.values()) for form in forms),
        *(" ".join(phrase) for phrase in language.conjunctions),
        *(" ".join(phrase) for phrase in language.skippable),
        *(" ".join(phrase) for phrase in language.corrections | language.denials),
        *(" ".join(phrase) for phrase in language.before_hour | language.behind_hour),
        *language.asides,
    }
    for form in said:
        assert normalize_text(form, lang) == form
        assert re.fullmatch(r"[\w' ]+", form)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_changes_the_meaning_is_never_skipped(lang: str) -> None:
    for word in NEVER_SKIPPED[lang].split():
        assert (word,) not in LANGUAGES[lang].skippable
        assert (fold_text(word, lang),) not in LANGUAGES[lang].skippable
    assert not LANGUAGES[lang].skippable & LANGUAGES[lang].conjunctions


@pytest.mark.parametrize("lang", LANGUAGES)
def test_phrases_are_known_in_either_spelling(lang: str) -> None:
    language = LANGUAGES[lang]
    for phrases in (language.skippable, language.conjunctions):
        assert {tuple(map(language.fold, phrase)) for phrase in phrases} <= phrases


@given(st.sampled_from(list(LANGUAGES)), st.text("αάςστοήηßüeéamnoizw's불", max_size=8))
def test_a_folded_word_stays_as_it_is(lang: str, word: str) -> None:
    language = LANGUAGES[lang]
    assert language.fold(language.fold(word)) == language.fold(word)


@pytest.mark.parametrize(
    ("lang", "word", "other"),
    [
        ("en", "children's", "children"),
        ("en", "kitchens", "kitchen"),
        ("de", "wohnzimmers", "wohnzimmer"),
        ("de", "küche", "kueche"),
        ("pt-BR", "quartos", "quarto"),
        ("pt-BR", "escritório", "escritorio"),
        ("el", "κουζίνας", "κουζινας"),
        ("xx", "rooms", "room"),
    ],
)
def test_a_name_is_known_with_and_without_its_ending(lang: str, word: str, other: str) -> None:
    assert language_of(lang).stem(word) == language_of(lang).stem(other)


@pytest.mark.parametrize(
    ("lang", "word", "other"),
    [("el", "ή", "η"), ("pt-BR", "é", "e"), ("pl", "łóżko", "lozko"), ("pl", "lampas", "lampa")],
)
def test_words_that_mean_something_else_stay_apart(lang: str, word: str, other: str) -> None:
    assert language_of(lang).stem(word) != language_of(lang).stem(other)
