"""Whether the rules of `timers` can hold, and what only examples say has examples alone."""

from __future__ import annotations

from collections.abc import Iterator

from edged.intents.catalog import Finding, Pointer
from edged.intents.lint.check_command import check_condition
from edged.intents.lint.draft import Draft, check_slot
from edged.intents.references import home_source
from edged.intents.suggest import quote


def check_timers(draft: Draft) -> Iterator[Finding]:
    """Every rule that never holds, roles of slots that are none, and commands beside."""
    timers = draft.extension.get("timers")
    if timers is None:
        return
    place: Pointer = ("x-edged", "timers")
    if "command" in draft.extension:
        what = "an intent either commands devices or does something with timers"
        yield Finding(place, what, 'leave out "command" or "timers"', at_key=True)
    for role in ("area", "device"):
        if role in timers:
            yield from _check_role(draft, role, timers[role], (*place, role))
    for index, rule in enumerate(timers["rules"]):
        for slot, condition in rule.get("when", {}).items() if rule is not None else ():
            yield from check_condition(draft, slot, condition, (*place, "rules", index, "when", slot))


def _check_role(draft: Draft, role: str, slot: str, pointer: Pointer) -> Iterator[Finding]:
    if slot not in draft.declared:
        yield from check_slot(slot, draft, pointer)
    elif slot not in draft.refused:
        source = home_source(draft.parsed["properties"][slot], draft.parsed.get("$defs", {}))
        if source != f"{role}s":
            yield Finding(pointer, f"{quote(slot)} names no {role} of the house", f"name a slot of {role}s")
