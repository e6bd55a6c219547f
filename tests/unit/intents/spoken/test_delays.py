from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.intents.spoken.delays import MAX_WORDS, delay_phrases, find_delay, say_delay
from edged.intents.spoken.language import LANGUAGES
from edged.intents.spoken.numbers import number_forms


@pytest.mark.parametrize(
    ("lang", "text", "rest", "seconds"),
    [
        ("en", "turn off the kitchen light in ten minutes", "turn off the kitchen light", 600),
        ("en", "in an hour and a half close the blinds", "close the blinds", 5400),
        ("en", "turn off in half an hour the light", "turn off the light", 1800),
        ("en", "light off in 2 hours and 15 minutes", "light off", 8100),
        ("en", "light off in 90 seconds, please", "light off please", 90),
        ("en", "light on ten minutes from now", "light on", 600),
        ("ko", "10분 뒤에 부엌 불 꺼 줘", "부엌 불 꺼 줘", 600),
        ("ko", "부엌 불 십분 후에 꺼", "부엌 불 꺼", 600),
        ("ko", "두시간 30분 뒤에 불 꺼", "불 꺼", 9000),
        ("ko", "한 시간 반 뒤에 불 꺼", "불 꺼", 5400),
        ("ko", "밝기 50 10분 뒤에", "밝기 50", 600),
        ("de", "schalte das Licht in zehn Minuten aus", "schalte das licht aus", 600),
        ("de", "in anderthalb Stunden Licht aus", "licht aus", 5400),
        ("de", "in einer Viertelstunde Licht aus", "licht aus", 900),
        ("pt-BR", "apaga a luz daqui a dez minutos", "apaga a luz", 600),
        ("pt-BR", "apaga a luz em dez minutos", "apaga a luz", 600),
        ("pt-BR", "daqui a uma hora e meia apaga a luz", "apaga a luz", 5400),
        ("pl", "za dziesięć minut zgaś światło", "zgaś światło", 600),
        ("pl", "zgaś światło za godzinę i piętnaście minut", "zgaś światło", 4500),
        ("pl", "zgaś światło za pół godziny", "zgaś światło", 1800),
        ("el", "σβήσε το φως σε δέκα λεπτά", "σβήσε το φως", 600),
        ("el", "σε μιάμιση ώρα σβήσε το φως", "σβήσε το φως", 5400),
    ],
)
def test_a_delay_is_told_from_the_rest_of_a_sentence(lang: str, text: str, rest: str, seconds: float) -> None:
    found = find_delay(text, lang)
    assert found is not None
    assert (found.rest, found.delay_s) == (rest, seconds)


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "light off for ten minutes"),
        ("en", "light off every ten minutes"),
        ("en", "light off at nine"),
        ("en", "light off in ten"),
        ("en", "light off in zero minutes"),
        ("en", "light off in ten, no, twenty minutes"),
        ("en", "light off in ten minutes, no, twenty"),
        ("en", "light off in ten minutes, no, in twenty minutes"),
        ("en", "light off in ten minutes and open the gate"),
        ("en", "light off in five minutes heating off in ten minutes"),
        ("en", "in ten minutes"),
        ("en", ""),
        ("ko", "10분 동안 불 켜"),
        ("ko", "10분 아니 20분 뒤에 불 꺼"),
        ("de", "Licht alle zehn Minuten aus"),
        ("de", "Licht in zehn, nein, zwanzig Minuten aus"),
        ("pt-BR", "apaga a luz de dez em dez minutos"),
        ("pl", "zgaś światło co dziesięć minut"),
        ("el", "σβήσε το φως μέσα σε δέκα λεπτά"),
        ("el", "σβήσε το φως στις εννέα"),
        ("fr", "éteins la lumière dans dix minutes"),
    ],
)
def test_what_is_not_clearly_one_delay_is_none(lang: str, text: str) -> None:
    assert find_delay(text, lang) is None


def test_a_sentence_longer_than_anybody_says_is_not_looked_through() -> None:
    assert find_delay("light off " * MAX_WORDS + "in ten minutes", "en") is None


@pytest.mark.parametrize(
    ("lang", "text", "may_be_pace"),
    [
        ("de", "dimme das Licht in zehn Sekunden", True),
        ("de", "dimme das Licht in zehn Minuten", False),
        ("pt-BR", "apaga a luz em dez segundos", True),
        ("pt-BR", "apaga a luz daqui a dez segundos", False),
        ("el", "σβήσε το φως σε δέκα δευτερόλεπτα", True),
        ("en", "turn off the light in ten seconds", False),
    ],
)
def test_some_words_before_seconds_may_say_how_long_a_change_takes(lang: str, text: str, may_be_pace: bool) -> None:
    found = find_delay(text, lang)
    assert found is not None
    assert found.may_be_pace is may_be_pace


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_every_amount_is_read_as_it_is_said(data: st.DataObject) -> None:
    lang = data.draw(st.sampled_from(sorted(LANGUAGES)))
    delays = LANGUAGES[lang].delays
    before, behind = data.draw(st.sampled_from(delays.frames))
    unit = data.draw(st.sampled_from(sorted(delays.units)))
    count = data.draw(st.integers(1, 999))
    number = data.draw(st.sampled_from((str(count), *number_forms(Decimal(count), lang))))
    form = data.draw(st.sampled_from(delays.units[unit]))
    text = " ".join(f"{before} {number} {form} {behind}".split())
    is_first = data.draw(st.booleans())
    found = find_delay(f"{text} xyz" if is_first else f"xyz {text}", lang)
    assert found is not None, text
    assert (found.rest, found.delay_s, found.is_first) == ("xyz", count * unit, is_first), text


@settings(max_examples=200, deadline=None)
@given(lang=st.sampled_from(sorted(LANGUAGES)), seconds=st.integers(1, 7 * 86_400))
def test_what_is_written_in_an_answer_says_the_same_delay(lang: str, seconds: int) -> None:
    found = find_delay(f"xyz {say_delay(seconds, lang)}", lang)
    assert found is not None
    assert seconds <= found.delay_s < seconds + 60


@pytest.mark.parametrize("lang", sorted(LANGUAGES))
def test_the_recogniser_is_taught_the_words_of_delays(lang: str) -> None:
    phrases = delay_phrases(lang)
    assert len(phrases) == len(set(phrases)) > 50
    words = {word for phrase in phrases for word in phrase.split()}
    assert words >= {word for frame in LANGUAGES[lang].delays.frames for part in frame for word in part.split()}


def test_a_language_without_words_for_delays_teaches_none() -> None:
    assert delay_phrases("fr") == ()
