import pytest

from edged.intents.text import normalize_text


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
        ("en", " \t\n", ""),
    ],
)
def test_typed_text_becomes_what_a_recogniser_would_write(lang: str, typed: str, written: str) -> None:
    assert normalize_text(typed, lang) == written


@pytest.mark.parametrize("text", ["Set it to 20.5°C.", "it's 8:30, OK?", "거실 불을 30%로 해 줘."])
def test_normal_text_stays_as_it_is(text: str) -> None:
    once = normalize_text(text, "en")
    assert normalize_text(once, "en") == once
