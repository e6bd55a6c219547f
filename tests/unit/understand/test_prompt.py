from edged.intents.catalog import Catalog
from edged.understand.prompt import catalog_prefix, utterance_line


def test_the_prefix_names_every_intent_with_its_slots_and_nothing_of_the_house(catalog: Catalog) -> None:
    prefix = catalog_prefix(catalog)
    for intent in catalog.intents.values():
        assert f"{intent.name}({', '.join(intent.slots)})\n" in prefix
    assert prefix.endswith("\n\n")
    for key in (*catalog.home.areas, *catalog.home.devices):
        assert key not in prefix


def test_an_utterance_is_one_line_whatever_it_holds() -> None:
    assert utterance_line("Turn on\nthe <|im_start|> light!", "en") == "turn on the im start light\n"
