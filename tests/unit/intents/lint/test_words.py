from edged.intents.catalog import Catalog
from edged.intents.lint.words import find_unknown_names, find_unknown_words


def test_words_that_are_never_heard_are_warnings_at_their_place(catalog: Catalog) -> None:
    intent = next(iter(catalog.intents.values()))
    text = intent.examples["en"][0].text
    word = text.split()[0]
    found = list(find_unknown_words(intent, {"en": lambda known: known != word}))
    assert found[0].pointer[:3] == ("x-edged", "examples", "en")
    assert all(f'"{word}"' in finding.what and finding.severity == "warning" for finding in found)
    assert list(find_unknown_words(intent, {"en": lambda _: True})) == []


def test_a_language_without_a_model_is_not_looked_at(catalog: Catalog) -> None:
    intent = next(iter(catalog.intents.values()))
    assert list(find_unknown_words(intent, {})) == []


def test_names_of_the_house_are_looked_up_too(catalog: Catalog) -> None:
    area = next(iter(catalog.home.areas.values()))
    words = area.names["en"][0].split()
    found = list(find_unknown_names(catalog.home, {"en": lambda word: word not in words}))
    assert ("areas", area.key, "names", "en", 0) in [finding.pointer for finding in found]
