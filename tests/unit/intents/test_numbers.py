from decimal import Decimal

import pytest

from edged.intents.numbers import NUMBER_WORDS, find_numbers, number_forms


@pytest.mark.parametrize(
    ("lang", "text", "values"),
    [
        ("en", "set it to twenty two", ["22"]),
        ("en", "twenty seven hundred kelvin", ["2700"]),
        ("en", "two thousand seven hundred", ["2700"]),
        ("en", "nineteen and a half degrees", ["19.5"]),
        ("en", "twenty point five", ["20.5"]),
        ("en", "20.5 degrees", ["20.5"]),
        ("en", "2700k", ["2700"]),
        ("en", "minus five", ["-5"]),
        ("en", "one hundred and fifty", ["150"]),
        ("en", "a hundred percent", ["100"]),
        ("en", "two and three", ["2", "3"]),
        ("en", "the tenant pointed at five4", []),
        ("ko", "온도를 이십이 도로 맞춰 줘", ["22"]),
        ("ko", "이십 이 도", ["22"]),
        ("ko", "불을 삼십퍼센트로", ["30"]),
        ("ko", "30퍼센트로", ["30"]),
        ("ko", "이십 점 오 도", ["20.5"]),
        ("ko", "이십 도 반", ["20.5"]),
        ("ko", "영하 오 도", ["-5"]),
        ("ko", "사무실 불", []),
        ("xx", "20,5 and twenty", ["20.5"]),
    ],
)
def test_numbers_are_found_where_they_are_said(lang: str, text: str, values: list[str]) -> None:
    assert [mention.value for mention in find_numbers(text.split(), lang)] == [Decimal(value) for value in values]


@pytest.mark.parametrize("lang", NUMBER_WORDS)
@pytest.mark.parametrize("half", [Decimal(0), Decimal("0.5")])
def test_every_spoken_form_is_read_back_as_its_number(lang: str, half: Decimal) -> None:
    for whole in (*range(101), 255, 999, 1500, 2700, 6500, 9950):
        for form in number_forms(whole + half, lang):
            assert [mention.value for mention in find_numbers(form.split(), lang)] == [whole + half], form
