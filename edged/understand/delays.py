"""What is to be done later: a sentence with a delay means what the rest of it means, so much later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from edged.intents.catalog import Catalog
from edged.intents.spoken.delays import MAX_DELAY_S, Delayed
from edged.types import Intent, Rejected, Utterance
from edged.understand.ask import Judged, rejected


def put_off(
    judged: Judged, utterance: Utterance, delayed: Delayed, catalog: Catalog, refused: Collection[str]
) -> Judged:
    """What the rest of a sentence means, with the delay; rejected where that cannot be done later.

    Args:
        judged: what the rest means at once.
        utterance: the whole sentence.
        delayed: the delay in it.
        catalog: what can be said.
        refused: the intents whose files list the whole sentence as no command.
    """
    outcome = judged.outcome
    asks = outcome.asks if isinstance(outcome, Rejected) else None
    orders = asks.intents if asks else () if isinstance(outcome, Rejected) else outcome
    reason = _why_not_later(orders, delayed, catalog, refused)
    if orders and reason is not None:
        return replace(judged, outcome=rejected(utterance, reason))
    if isinstance(outcome, Rejected):
        asks = replace(asks, intents=_later(asks.intents, delayed)) if asks else None
        return replace(judged, outcome=replace(outcome, meant=_later(outcome.meant, delayed), asks=asks))
    return replace(judged, outcome=_later(outcome, delayed))


def _later(intents: Sequence[Intent], delayed: Delayed) -> tuple[Intent, ...]:
    return tuple(replace(intent, delay_s=delayed.delay_s) for intent in intents)


def _why_not_later(
    intents: Sequence[Intent], delayed: Delayed, catalog: Catalog, refused: Collection[str]
) -> str | None:
    for intent in intents:
        file = catalog.intents[intent.name]
        if intent.name in refused:
            return f"the file of {intent.name} lists this as no command"
        if file.asks:
            return "a question is answered at once: it takes no delay"
        if file.timers is not None:
            return "what is done with timers is done at once: it takes no delay"
    if delayed.delay_s > MAX_DELAY_S:
        return f"a delay is {MAX_DELAY_S / 86_400:g} days at most"
    if not delayed.is_first and len({_act(intent, catalog) for intent in intents}) > 1:
        return "unclear which of several orders is to be done later"
    return None


def _act(intent: Intent, catalog: Catalog) -> str:
    """An intent without its places: what is done in two rooms alike is one order."""
    homes = catalog.intents[intent.name].homes
    return str((intent.name, sorted((slot, value) for slot, value in intent.slots.items() if slot not in homes)))
