"""Whatever is said to a dialogue, and however late, nothing is done that was neither said nor confirmed."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edged.act.dialogue import Dialogue, Step
from edged.act.inbound import Reply
from edged.config import load_config
from edged.intents.catalog import Catalog
from edged.intents.load import load_catalog
from edged.types import Intent, Question, Rejected, SlotValue, Utterance

S = 1_000_000_000
ASK_S = 15
LAMPS = ("bedside_lamp", "desk_lamp")


@cache
def shipped() -> Catalog:
    """No fixture: Hypothesis would print it with every example that fails."""
    return load_catalog(load_config())


def intent(name: str, **slots: SlotValue) -> Intent:
    return Intent("", name, slots, 1.0, math.inf)


def which(*intents: Intent) -> Rejected:
    return Rejected("", "understand", "which one", asks=Question(intents, 0, ("device",), LAMPS))


MEANT: dict[str, tuple[Intent, ...] | Rejected] = {
    "open the garage door": (intent("gate", action="open", device="garage_door"),),
    "turn on all the lights": (intent("light", action="on"),),
    "turn on the desk lamp": which(intent("light", action="on", device="desk_lamp")),
    "set the temperature in the bedroom": (intent("thermostat", action="set", area="bedroom"),),
    "close the garage door": (intent("gate", action="close", device="garage_door"),),
}
"""What each command is understood as; everything else is no command."""
NEEDS_YES = ("open the garage door", "turn on all the lights")
ANSWERS = {
    "yes": NEEDS_YES,
    "sure, go ahead": NEEDS_YES,
    "office": ("turn on the desk lamp",),
    "the first one": ("turn on the desk lamp",),
    "both": ("turn on the desk lamp",),
    "twenty degrees": ("set the temperature in the bedroom",),
}
"""What each answer can lead to."""
DONE: dict[str, list[dict[str, Any]]] = {
    "yes": [],
    "office": [{"action": "on", "device": "desk_lamp"}],
    "the first one": [{"action": "on", "device": "bedside_lamp"}],
    "both": [{"action": "on", "device": "bedside_lamp"}, {"action": "on", "device": "desk_lamp"}],
    "twenty degrees": [{"action": "set", "area": "bedroom", "temperature": 20}],
}
"""And with which slots, where it was not said before."""
OTHERS = (
    "no",
    "never mind",
    "what a lovely day",
    "the one in the kitchen",
    "yes no",
    "",
    "okay",
    "please",
    "four hundred",
)

WORDLESS = st.characters(exclude_categories=("N", "Cs"))
"""No digits: a number may be the answer to a question."""

# What can go wrong begins with a question and one of its answers, so these are drawn most.
texts = st.sampled_from((*NEEDS_YES * 3, *["yes"] * 6, *MEANT, *ANSWERS, *OTHERS)) | st.text(WORDLESS, max_size=20)
turns = st.tuples(
    st.one_of(st.sampled_from((*NEEDS_YES, "yes")), texts),
    st.sampled_from(["mic", "mic", "mic", "mqtt"]),
    st.sampled_from([0.0, 0.1, 5.0, 14.0, 16.0, 30.0]),
    st.sampled_from(["say", "say", "say", "early", "reply", "wrong id", "tick"]),
    st.sampled_from([1.0, 1.0, 1.0, 0.3]),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(turns, min_size=6, max_size=16))
def test_nothing_is_done_that_was_neither_said_nor_confirmed(said: list[tuple[str, str, float, str, float]]) -> None:
    catalog = shipped()
    now_ns = 1000 * S
    dialogue = Dialogue(catalog, ask_s=ASK_S, min_asr_confidence=0.7, clock=lambda: now_ns)
    asked: dict[str, tuple[str, int, str]] = {}
    """Utterance id -> what was said, when it was asked about, and where; gone once anything came of it."""
    for number, (text, source, later_s, how, clear) in enumerate(said):
        now_ns += round(later_s * S)
        if how == "tick":
            for closed in dialogue.expire():
                assert now_ns > asked.pop(closed.utterance.id)[1] + ASK_S * S
            continue
        start_ns = now_ns - 60 * S if how == "early" else now_ns
        ids = [key for key, (_, _, where) in asked.items() if where == source]
        if how in ("reply", "wrong id"):
            wanted = ids[-1] if ids and how == "reply" else "none"
            step = dialogue.take_reply(Reply(wanted, text, "en", now_ns))
            clear = 1.0
        else:
            utterance = Utterance(f"u{number}", text, "en", clear, start_ns, start_ns, source)
            step = dialogue.hear(
                utterance, lambda one: MEANT.get(one.text) or Rejected(one.id, "understand", "nothing")
            )
        if isinstance(step, Rejected):
            continue
        _check(step, text, source, how, clear, start_ns, f"u{number}", asked)


def _check(
    step: Step, text: str, source: str, how: str, clear: float, start_ns: int, own_id: str, asked: dict[str, Any]
) -> None:
    for closed in step.closed:
        del asked[closed.utterance.id]
    if step.asked is not None:
        assert step.utterance.id == own_id
        assert (step.intents, step.rejected) == ((), ())
        asked[own_id] = (text, step.asked.asked_ns, source)
        return
    if step.utterance.id == own_id and how in ("say", "early"):
        if step.intents:
            assert text == "close the garage door"
            assert step.intents == MEANT[text]
        return
    command, asked_ns, where = asked.pop(step.utterance.id)
    assert where == source
    assert how != "wrong id"
    assert clear == 1.0
    assert asked_ns <= start_ns <= asked_ns + ASK_S * S
    if step.intents:
        assert command in ANSWERS[text]
        slots = [dict(one.slots) for one in step.intents]
        if command in NEEDS_YES:
            assert step.intents == MEANT[command]
        else:
            assert slots == DONE[text]
    else:
        assert step.rejected
