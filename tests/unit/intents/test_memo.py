import gc
import weakref
from dataclasses import replace

from edged.intents.catalog import Catalog
from edged.intents.memo import per_catalog


def test_a_result_is_worked_out_once_for_each_catalog_and_argument(catalog: Catalog) -> None:
    asked = []

    @per_catalog
    def look_up(_catalog: Catalog, word: str) -> str:
        asked.append(word)
        return word.upper()

    other = replace(catalog)
    assert [look_up(catalog, "a"), look_up(catalog, "a"), look_up(catalog, "b"), look_up(other, "a")] == list("AABA")
    assert asked == ["a", "b", "a"]


def test_a_replaced_catalog_goes_with_all_that_was_kept_for_it(catalog: Catalog) -> None:
    class Kept:
        pass

    @per_catalog
    def make(_catalog: Catalog) -> Kept:
        return Kept()

    replaced = replace(catalog)
    kept = weakref.ref(make(replaced))
    assert kept() is not None
    del replaced
    gc.collect()
    assert kept() is None
