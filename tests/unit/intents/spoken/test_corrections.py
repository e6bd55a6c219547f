import pytest

from edged.intents.spoken.corrections import find_corrections
from edged.intents.spoken.language import LANGUAGES


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_correcting_phrase_is_found_in_its_place(lang: str) -> None:
    glued = LANGUAGES[lang].is_glued
    for phrase in LANGUAGES[lang].corrections:
        words = ["xx", *phrase, "xx"]
        length = len("".join(phrase)) if glued else len(phrase)
        start = 2 if glued else 1
        assert find_corrections(words, lang) == ((start, start + length),), phrase


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_phrase_that_denies_corrects(lang: str) -> None:
    for phrase in LANGUAGES[lang].denials:
        assert find_corrections(["xx", *phrase, "xx"], lang) == (), phrase
        assert any(find_corrections(phrase[at : at + 1], lang) for at in range(len(phrase))), phrase


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("turn on the kitchen light", "en"),
        ("liga a luz no quarto", "pt-BR"),  # "in the"
        ("거실 아니면 침실 불 켜 줘", "ko"),  # "or"
        ("włącz no to światło", "pl"),  # "well"
        ("mach nicht das licht an", "de"),
        ("μην ανάψεις το φως", "el"),
        ("no sorry", "xx"),
    ],
)
def test_other_words_correct_nothing(text: str, lang: str) -> None:
    assert find_corrections(text.split(), lang) == ()


def test_each_of_several_is_found_behind_a_denial_too() -> None:
    assert find_corrections(["and", "no", "light", "no", "sorry"], "en") == ((3, 4), (4, 5))
