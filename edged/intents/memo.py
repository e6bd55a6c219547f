"""Results that are kept as long as the catalog that they were made from is in use, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

from edged.intents.catalog import Catalog

Args = TypeVarTuple("Args")
R = TypeVar("R")


def per_catalog(function: Callable[[Catalog, *Args], R]) -> Callable[[Catalog, *Args], R]:
    """Keeps each result of a function of a catalog and hashable arguments; a replaced catalog takes its own along.

    Two threads may work out the same result at the same time; both get one that is right.
    """
    kept: WeakKeyDictionary[Catalog, dict[tuple[*Args], R]] = WeakKeyDictionary()

    def keeping(catalog: Catalog, *args: *Args) -> R:
        results = kept.setdefault(catalog, {})
        if args not in results:
            results[args] = function(catalog, *args)
        return results[args]

    update_wrapper(keeping, function)
    return keeping
