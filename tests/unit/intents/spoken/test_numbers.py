from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.intents.spoken.language import LANGUAGES
from edged.intents.spoken.numbers import HALF, find_numbers, number_forms
from edged.intents.spoken.text import normalize_text

SENTENCES = {
    "en": ("set the heating to {} degrees please", "dim the lamp to {} percent"),
    "ko": ("거실 온도를 {} 도로 맞춰 줘", "침실 불을 {} 퍼센트로 해 줘"),
    "de": ("stelle die heizung auf {} grad", "mach die lampe auf {} prozent heller"),
    "pt-BR": ("coloque o aquecedor em {} graus por favor", "deixe a luz em {} por cento"),
    "pl": ("ustaw ogrzewanie na {} stopni", "przyciemnij lampę do {} procent proszę"),
    "el": ("βάλε τη θέρμανση στους {} βαθμούς", "χαμήλωσε το φως στο {} τοις εκατό"),
}


def read(text: str, lang: str) -> list[Decimal]:
    return [mention.value for mention in find_numbers(normalize_text(text, lang).split(), lang)]


@pytest.mark.parametrize(
    ("lang", "text", "values"),
    [
        ("en", "set it to twenty two", ["22"]),
        ("en", "twenty seven hundred kelvin", ["2700"]),
        ("en", "two thousand seven hundred", ["2700"]),
        ("en", "nineteen and a half degrees", ["19.5"]),
        ("en", "nineteen degrees and a half", ["19.5"]),
        ("en", "half a degree warmer", ["0.5"]),
        ("en", "half brightness", []),
        ("en", "twenty point five", ["20.5"]),
        ("en", "20.5 degrees", ["20.5"]),
        ("en", "2,700 K", ["2700"]),
        ("en", "2700k", ["2700"]),
        ("en", "minus five", ["-5"]),
        ("en", "one hundred and fifty", ["150"]),
        ("en", "a hundred percent", ["100"]),
        ("en", "two and three", ["2", "3"]),
        ("en", "the tenant pointed at five4", []),
        ("en", "a light", []),
        ("ko", "온도를 이십이 도로 맞춰 줘", ["22"]),
        ("ko", "이십 이 도", ["22"]),
        ("ko", "불을 삼십퍼센트로", ["30"]),
        ("ko", "30퍼센트로", ["30"]),
        ("ko", "이십 점 오 도", ["20.5"]),
        ("ko", "이십 도 반", ["20.5"]),
        ("ko", "20.5°C로 해 줘", ["20.5"]),
        ("ko", "영하 오 도", ["-5"]),
        ("ko", "이단계 올려 줘", ["2"]),
        ("ko", "사무실 불", []),
        ("ko", "이 불 켜 줘", []),
        ("ko", "불 이 켜져 있어", []),
        ("de", "stelle auf ein und zwanzig grad", ["21"]),
        ("de", "zwei tausend sieben hundert Kelvin", ["2700"]),
        ("de", "siebenundzwanzighundert kelvin", ["2700"]),
        ("de", "2.700K", ["2700"]),
        ("de", "neunzehneinhalb Grad", ["19.5"]),
        ("de", "neunzehn ein halb grad", ["19.5"]),
        ("de", "anderthalb grad wärmer", ["1.5"]),
        ("de", "einen halben grad", ["0.5"]),
        ("de", "20,5 °C", ["20.5"]),
        ("de", "20 Komma 5 Grad", ["20.5"]),
        ("de", "fuenf und dreissig prozent", ["35"]),
        ("de", "hundert und eins", ["101"]),
        ("de", "ein grad wärmer", ["1"]),
        ("de", "minus ein grad", ["-1"]),
        ("de", "auf eins", ["1"]),
        ("de", "mach ein licht an", []),
        ("de", "schalte das licht ein", []),
        ("de", "im achten stock", []),
        ("pt-BR", "vinte e um graus", ["21"]),
        ("pt-BR", "trezentos quarenta e cinco", ["345"]),
        ("pt-BR", "duas mil e setecentas", ["2700"]),
        ("pt-BR", "dezenove graus e meio", ["19.5"]),
        ("pt-BR", "vinte virgula cinco", ["20.5"]),
        ("pt-BR", "20,5 ºC", ["20.5"]),
        ("pt-BR", "menos cinco graus", ["-5"]),
        ("pt-BR", "mais ou menos vinte graus", ["20"]),
        ("pt-BR", "meio grau", ["0.5"]),
        ("pt-BR", "um grau", ["1"]),
        ("pt-BR", "um vírgula cinco", ["1.5"]),
        ("pt-BR", "coloque em um", ["1"]),
        ("pt-BR", "um por favor", []),
        ("pt-BR", "acenda uma luz", []),
        ("pt-BR", "meia luz na sala", []),
        ("pl", "do dwudziestu dwóch stopni", ["22"]),
        ("pl", "dwie lampy i jedna świeca", ["2", "1"]),
        ("pl", "dwa tysiące siedemset kelwinów", ["2700"]),
        ("pl", "dziewiętnaście i pół stopnia", ["19.5"]),
        ("pl", "półtora stopnia", ["1.5"]),
        ("pl", "o pół stopnia", ["0.5"]),
        ("pl", "pół litra", []),
        ("pl", "dwadzieścia przecinek pięć", ["20.5"]),
        ("el", "ΕΙΚΟΣΙ ΠΕΝΤΕ ΤΟΙΣ ΕΚΑΤΟ", ["25"]),
        ("el", "εκατό τοις εκατό", ["100"]),
        ("el", "20%", ["20"]),
        ("el", "δυο χιλιαδες εφτακοσια κελβιν", ["2700"]),
        ("el", "δεκαεννιάμισι βαθμούς", ["19.5"]),
        ("el", "δεκαεννέα βαθμούς και μισό", ["19.5"]),
        ("el", "είκοσι κόμμα πέντε", ["20.5"]),
        ("el", "έναν βαθμό πιο ζεστά", ["1"]),
        ("el", "άναψε ένα φως", []),
        ("xx", "20,5 and twenty", ["20.5"]),
    ],
)
def test_numbers_are_found_where_they_are_said(lang: str, text: str, values: list[str]) -> None:
    assert read(text, lang) == [Decimal(value) for value in values]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_whole_number_up_to_a_thousand_is_read_back(lang: str) -> None:
    for whole in (*range(1001), 1500, 2700, 2750, 6500, 9950, 10_000):
        for value in (Decimal(whole), -Decimal(whole)):
            for form in number_forms(value, lang):
                assert read(form, lang) == [value], form


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_half_up_to_a_hundred_is_read_back(lang: str) -> None:
    for whole in range(101):
        for value in (whole + HALF, -(whole + HALF)):
            for form in number_forms(value, lang):
                assert read(form, lang) == [value], form


@pytest.mark.parametrize("lang", LANGUAGES)
def test_numbers_are_read_in_the_middle_of_a_sentence(lang: str) -> None:
    for sentence, whole, more in product(SENTENCES[lang], range(101), (Decimal(0), HALF)):
        for form in number_forms(whole + more, lang):
            assert read(sentence.format(form), lang) == [whole + more], form


@pytest.mark.parametrize("lang", LANGUAGES)
def test_digits_say_what_words_say(lang: str) -> None:
    for sentence, whole, written in product(SENTENCES[lang], (0, 1, 20, 100), ("{}", "{}.5", "{},5", "-{}.25")):
        digits = written.format(whole)
        assert read(sentence.format(digits), lang) == [Decimal(digits.replace(",", "."))]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_form_is_written_as_a_recogniser_writes(lang: str) -> None:
    for number in (*range(101), 345, 2700):
        for form in (*number_forms(Decimal(number), lang), *number_forms(number + HALF, lang)):
            assert normalize_text(form, lang) == form


@given(st.sampled_from(list(LANGUAGES)), st.decimals(-1000, 1000, places=2))
def test_two_decimals_are_read_back(lang: str, value: Decimal) -> None:
    assert read(number_forms(value, lang)[0], lang) == [value]


@given(
    st.sampled_from(list(LANGUAGES)),
    st.lists(
        st.sampled_from(
            [
                "ein",
                "und",
                "zwanzig",
                "um",
                "e",
                "meia",
                "이",
                "도",
                "반",
                "half",
                "a",
                "and",
                "μισό",
                "τοις",
                "εκατό",
                "5",
                "-5",
                "20,5",
                "minus",
                ".",
                "k",
            ]
        )
    ),
)
def test_any_words_are_read_without_overlap(lang: str, words: list[str]) -> None:
    mentions = find_numbers(words, lang)
    ends = [0, *(mention.end for mention in mentions)]
    assert all(before <= mention.start < mention.end for before, mention in zip(ends, mentions, strict=False))
    assert ends[-1] <= len(words)


def test_a_mention_is_the_number_without_its_unit() -> None:
    (mention,) = find_numbers(["auf", "zwanzig", "und", "einen", "halben", "grad", "stellen"], "de")
    assert (mention.start, mention.end) == (1, 5)


@pytest.mark.parametrize(("lang", "value"), [("xx", "20.5"), ("el", "10001")])
def test_a_number_without_words_is_said_in_digits(lang: str, value: str) -> None:
    assert number_forms(Decimal(value), lang) == (value,)


@pytest.mark.parametrize(
    ("lang", "value", "forms"),
    [
        ("en", "150", {"one hundred and fifty", "a hundred and fifty"}),
        ("ko", "19.5", {"십구 점 오", "십구 반", "십구 도 반"}),
        ("de", "101", {"einhunderteins", "hunderteins", "einhundertundeins", "hundertundeins"}),
        ("de", "1", {"eins"}),
        (
            "de",
            "1.5",
            {"eins komma fünf", "eineinhalb", "anderthalb"}
            | {f"eins und {half}" for half in ("ein halb", "ein halbes", "eine halbe", "einen halben")},
        ),
        ("pt-BR", "22", {"vinte e dois", "vinte e duas"}),
        ("pt-BR", "1", {"um"}),
        ("pl", "22", {"dwadzieścia dwa", "dwudziestu dwóch", "dwadzieścia dwie"}),
        ("el", "1103", {"χίλια εκατόν τρία", "χίλια εκατό τρία", "χίλιους εκατόν τρεις", "χίλιες εκατόν τρεις"}),
        ("el", "4000", {"τέσσερις χιλιάδες"}),
        ("el", "0", {"μηδέν"}),
    ],
)
def test_a_number_is_said_in_every_usual_way(lang: str, value: str, forms: set[str]) -> None:
    assert set(number_forms(Decimal(value), lang)) == forms


@pytest.mark.parametrize(
    ("lang", "text", "value"),
    [
        ("en", "half a degree", "0.5"),
        ("en", "a degree and a half", "1.5"),
        ("en", "one degree and a half", "1.5"),
        ("en", "twenty two and a half", "22.5"),
        ("en", "three and a half thousand kelvin", "3500"),
        ("en", "2800 kelvin", "2800"),
        ("en", "5s", "5"),
        ("en", "5seconds", "5"),
        ("de", "ein halbes grad", "0.5"),
        ("de", "anderthalb grad", "1.5"),
        ("de", "zweiundzwanzigeinhalb grad", "22.5"),
        ("de", "dreieinhalbtausend kelvin", "3500"),
        ("de", "viereinhalb tausend kelvin", "4500"),
        ("de", "anderthalbtausend kelvin", "1500"),
        ("pt-BR", "meio grau", "0.5"),
        ("pt-BR", "um grau e meio", "1.5"),
        ("pt-BR", "vinte e dois e meio", "22.5"),
        ("pt-BR", "três mil e quinhentos kelvin", "3500"),
        ("pl", "pół stopnia", "0.5"),
        ("pl", "półtora stopnia", "1.5"),
        ("pl", "dwadzieścia dwa stopnie i pół", "22.5"),
        ("pl", "cztery i pół tysiąca kelwinów", "4500"),
        ("pl", "półtora tysiąca kelwinów", "1500"),
        ("el", "μισό βαθμό", "0.5"),
        ("el", "ενάμιση βαθμό", "1.5"),
        ("el", "είκοσι δύο και μισό βαθμούς", "22.5"),
        ("el", "τρεις χιλιάδες πεντακόσια κέλβιν", "3500"),
        ("el", "τρεισήμισι χιλιάδες κέλβιν", "3500"),
        ("ko", "반 도", "0.5"),
        ("ko", "반도 올려 줘", "0.5"),
        ("ko", "일 도 반", "1.5"),
        ("ko", "이십이 도 반", "22.5"),
        ("ko", "이십이도 반으로", "22.5"),
        ("ko", "이십이도반으로", "22.5"),
        ("ko", "22도 반으로", "22.5"),
        ("ko", "22도반으로", "22.5"),
        ("ko", "이십점오도로", "20.5"),
        ("ko", "일점오", "1.5"),
        ("ko", "이십 점 오 오", "20.55"),
        ("ko", "삼천오백 켈빈", "3500"),
        ("ko", "2800켈빈으로", "2800"),
    ],
)
def test_halves_and_thousands_are_read_as_people_say_them(lang: str, text: str, value: str) -> None:
    assert read(text, lang) == [Decimal(value)]
    assert str(read(text, lang)[0]) == value


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "the 12th"),
        ("en", "21st"),
        ("en", "31st"),
        ("en", "the twelfth"),
        ("ko", "반으로 줄여 줘"),
        ("ko", "반도체"),
        ("ko", "11시에"),
        ("pl", "o jedenastej"),
    ],
)
def test_ordinals_and_half_alone_are_no_numbers(lang: str, text: str) -> None:
    assert read(text, lang) == []
