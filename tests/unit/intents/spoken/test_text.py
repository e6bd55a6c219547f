import pytest

from edged.intents.spoken.language import LANGUAGES
from edged.intents.spoken.text import fold_text, normalize_text


@pytest.mark.parametrize(
    ("lang", "typed", "written"),
    [
        ("en", "Turn on the kitchen light, please!", "turn on the kitchen light please"),
        ("en", "Set it to 20.5°C.", "set it to 20.5 degrees celsius"),
        ("en", "dim to 30%", "dim to 30 percent"),
        ("en", "the children’s room", "the children's room"),
        ("en", "-5 degrees, twenty-two", "-5 degrees twenty two"),
        ("en", "'x' --- #+/ a_b", "x a b"),
        ("ko", "거실 불을 30%로 해 줘.", "거실 불을 30 퍼센트 로 해 줘"),
        ("ko", "불", "불"),
        ("en", "2700K, 20C for 30s or 5 min", "2700 kelvin 20 degrees celsius for 30 seconds or 5 minutes"),
        ("en", "the k and the 5kg", "the k and the 5kg"),
        ("en", " \t\n", ""),
        ("ko", "20°C로, 2700K로", "20 도 로 2700 켈빈 로"),
        ("de", "20,5 °C im Büro – 30 %!", "20,5 grad celsius im büro 30 prozent"),
        ("de", "„Größe“ STRASSE", "größe strasse"),
        ("pt-BR", "20 ºC no 1º andar, 30%", "20 graus celsius no 1º andar 30 por cento"),
        ("pl", "Światło: 70°F i 30%", "światło 70 stopni fahrenheita i 30 procent"),
        ("el", "ΤΟ ΦΩΣ ΣΤΟ 30%", "το φως στο 30 τοις εκατό"),
        ("el", "μεγι\u0301στη", "μεγίστη"),
        ("xx", "30% of 20°C", "30 of 20 c"),
    ],
)
def test_typed_text_becomes_what_a_recogniser_would_write(lang: str, typed: str, written: str) -> None:
    assert normalize_text(typed, lang) == written


@pytest.mark.parametrize("text", ["Set it to 20.5°C.", "it's 8:30, OK?", "거실 불을 30%로 해 줘."])
def test_normal_text_stays_as_it_is(text: str) -> None:
    once = normalize_text(text, "en")
    assert normalize_text(once, "en") == once


@pytest.mark.parametrize("lang", LANGUAGES)
def test_normal_text_of_every_language_stays_as_it_is(lang: str) -> None:
    once = normalize_text("20,5°C, -5% K 2700K 30s d'água ΦΩΣ Größe łóżko 불", lang)
    assert normalize_text(once, lang) == once


@pytest.mark.parametrize(
    ("lang", "typed", "other"),
    [
        ("el", "άναψε το φως στην κουζίνα", "αναψε το φωσ στη κουζινα"),
        ("de", "das licht im büro in der straße", "das licht in buero in der strasse"),
        ("pt-BR", "apague a luz no escritório", "apague a luz em escritorio"),
        ("pl", "światło we wtorek", "światło w wtorek"),
    ],
)
def test_spellings_that_do_not_tell_words_apart_fold_together(lang: str, typed: str, other: str) -> None:
    assert fold_text(typed, lang) == fold_text(other, lang)
    assert len(fold_text(typed, lang).split()) == len(typed.split())


@pytest.mark.parametrize(
    ("lang", "one", "other"),
    [
        ("el", "φως ή", "φως η"),
        ("pt-BR", "a luz é", "a luz e"),
        ("de", "an", "aus"),
        ("pt-BR", "ao", "em"),
        ("en", "é", "e"),
    ],
)
def test_words_that_mean_something_else_do_not_fold_together(lang: str, one: str, other: str) -> None:
    assert fold_text(one, lang) != fold_text(other, lang)
