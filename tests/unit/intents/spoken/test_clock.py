import pytest

from edged.intents.spoken.clock import is_hour
from edged.intents.spoken.language import LANGUAGES


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_number_beside_any_phrase_of_the_clock_is_an_hour(lang: str) -> None:
    language = LANGUAGES[lang]
    for phrase in language.behind_hour:
        assert is_hour(["x", "7", *phrase, "x"], 1, 2, lang), phrase
        assert not is_hour(["x", "7", "y", *phrase], 1, 2, lang), phrase
        assert not is_hour([*phrase, "7", "x"], sum(map(len, phrase)) if language.is_glued else len(phrase), 9, lang)
    for phrase in language.before_hour:
        assert is_hour([*phrase, "7"], len(phrase), len(phrase) + 1, lang), phrase
        assert not is_hour([*phrase, "y", "7"], len(phrase) + 1, len(phrase) + 2, lang), phrase


@pytest.mark.parametrize(
    ("lang", "text"), [("pt-BR", "às 20 por cento"), ("el", "στις 20 βαθμούς"), ("en", "20 degrees"), ("en", "at 7")]
)
def test_a_number_with_a_unit_or_alone_is_no_hour(lang: str, text: str) -> None:
    assert not is_hour(text.split(), *((0, 1) if text.startswith("2") else (1, 2)), lang)
