from decimal import Decimal

import pytest

from edged.intents.catalog import Catalog
from edged.intents.grounding import HomeMention, find_home_mentions, find_said_numbers
from edged.understand.corrections import Withdrawn, find_forgiven, find_withdrawn, is_same_sort, is_taken_back


def withdrawn_in(catalog: Catalog, text: str, lang: str = "en") -> Withdrawn:
    mentions = find_home_mentions(catalog, text, lang)
    return find_withdrawn(text, lang, mentions, find_said_numbers(catalog, text, lang, mentions))


def places(catalog: Catalog, text: str, lang: str = "en") -> list[tuple[str, str]]:
    pairs = withdrawn_in(catalog, text, lang).places
    return [("/".join(sorted(m.areas | m.devices)), "/".join(sorted(n.areas | n.devices))) for m, n in pairs]


@pytest.mark.parametrize(
    ("lang", "text", "pairs"),
    [
        ("en", "turn on the kitchen, no, the dining room light", [("kitchen", "dining_room")]),
        ("de", "mach in der Küche, nein, im Esszimmer das Licht an", [("kitchen", "dining_room")]),
        ("pt-BR", "liga a luz da cozinha, não, da sala", [("kitchen", "living_room")]),
        ("pl", "włącz światło w kuchni, przepraszam, w sypialni", [("kitchen", "bedroom")]),
        ("el", "άναψε το φως στην κουζίνα, συγγνώμη, στο υπνοδωμάτιο", [("kitchen", "bedroom")]),
        ("ko", "거실 아니 침실 불 켜 줘", [("living_room", "bedroom")]),
        ("ko", "거실 말고 침실 불 켜 줘", [("living_room", "bedroom")]),
        ("en", "kitchen, sorry, hall, no, bedroom lights on", [("kitchen", "hall"), ("hall", "bedroom")]),
        ("en", "kitchen and hall, no, bedroom lights on", [("hall", "bedroom")]),
        ("en", "turn on the desk lamp, no, the floor lamp", [("desk_lamp", "floor_lamp")]),
        ("en", "turn on the desk lamp, sorry, the hall light", [("desk_lamp", "hall")]),
    ],
)
def test_the_last_place_before_a_correction_is_taken_back_for_the_first_behind(
    catalog: Catalog, lang: str, text: str, pairs: list[tuple[str, str]]
) -> None:
    assert places(catalog, text, lang) == pairs


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "turn on the kitchen and the hall light"),
        ("en", "no lights in the kitchen and the hall"),
        ("en", "kitchen lights on and no lights in the hall"),
        ("en", "turn on the kitchen and the hall light, sorry"),
        ("en", "no, the kitchen light"),
        ("pt-BR", "liga a luz da sala no quarto"),
        ("pt-BR", "liga a sala, não ligue o quarto"),
        ("ko", "거실 아니면 침실 불 켜 줘"),
        ("pl", "włącz w kuchni a nie w sypialni"),
    ],
)
def test_nothing_is_taken_back_but_by_a_correction_between(catalog: Catalog, lang: str, text: str) -> None:
    assert withdrawn_in(catalog, text, lang) == Withdrawn()


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "set the bedroom to twenty, sorry, nineteen degrees"),
        ("de", "stell das Schlafzimmer auf zwanzig, nein, neunzehn Grad"),
        ("pt-BR", "coloca o quarto em vinte, digo, dezenove graus"),
        ("pl", "ustaw w sypialni dwadzieścia, to znaczy, dziewiętnaście stopni"),
        ("el", "βάλε το υπνοδωμάτιο στους είκοσι, όχι, δεκαεννέα βαθμούς"),
        ("ko", "침실 온도를 이십 도 아니 십구 도로 맞춰 줘"),
    ],
)
def test_a_number_is_taken_back_for_another_and_the_place_is_not(catalog: Catalog, lang: str, text: str) -> None:
    found = withdrawn_in(catalog, text, lang)
    assert [(one[2], other[2]) for one, other in found.numbers] == [(Decimal(20), Decimal(19))]
    assert found.places == ()


@pytest.mark.parametrize(("end", "is_correction"), [(1, True), (2, False)])
def test_a_correcting_word_in_a_name_corrects_nothing(end: int, is_correction: bool) -> None:
    first = HomeMention(0, end, frozenset({"kitchen"}), frozenset())
    second = HomeMention(2, 3, frozenset({"hall"}), frozenset())
    found = find_withdrawn("kitchen sorry hall", "en", (first, second), ())
    assert found.places == (((first, second),) if is_correction else ())


def test_of_a_name_in_a_name_the_longer_is_taken_back(catalog: Catalog) -> None:
    found = places(catalog, "bedroom ceiling lamp, no, desk lamp")
    assert ("bedroom_light", "desk_lamp") in found
    assert ("bedroom", "desk_lamp") not in found


def test_a_sort_is_an_area_or_a_device(catalog: Catalog) -> None:
    kitchen, hall = find_home_mentions(catalog, "kitchen hall", "en")
    desk, floor = find_home_mentions(catalog, "desk lamp and floor lamp", "en")
    assert is_same_sort(kitchen, hall)
    assert is_same_sort(desk, floor)
    assert not is_same_sort(kitchen, desk)
    assert not is_same_sort(desk, kitchen)


def test_what_is_taken_back_twice_is_forgiven_for_the_last() -> None:
    one, two, three = ((at, at + 1, Decimal(at)) for at in (1, 2, 3))
    pairs = [(one, two), (two, three)]
    assert find_forgiven(pairs, [three]) == {one, two}
    assert find_forgiven(pairs, [two]) == {one}
    assert find_forgiven(pairs, [one]) == set()


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "turn on the light, never mind"),
        ("en", "turn on the light, oh, forget it, thanks"),
        ("ko", "불 켜 줘, 아니야 됐어"),
        ("de", "mach das Licht an, vergiss es"),
        ("pt-BR", "acende a luz, deixa pra lá"),
        ("pl", "zapal światło, nieważne"),
        ("el", "άναψε το φως, ξέχνα το"),
    ],
)
def test_words_at_the_end_take_everything_back(catalog: Catalog, lang: str, text: str) -> None:
    assert is_taken_back(text, lang, catalog)


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "cancel the alarm"),
        ("en", "never mind"),
        ("en", "never mind the noise, turn on the light"),
        ("en", "turn on the light"),
        ("en", ""),
        ("ko", "알람 취소"),
        ("ko", "빨래 다 됐어"),
        ("xx", "turn on the light"),
    ],
)
def test_what_only_speaks_of_it_takes_nothing_back(catalog: Catalog, lang: str, text: str) -> None:
    assert not is_taken_back(text, lang, catalog)
