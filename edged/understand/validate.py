"""What was decoded -> intents, checked once more by libraries that had no part in the decoding."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edged.core import Matcher
from edged.errors import CoreError
from edged.intents.accept import intent_validator, takes, text_matcher
from edged.intents.catalog import Catalog
from edged.intents.compile import compile_catalog
from edged.intents.lower import json_text
from edged.intents.memo import per_catalog
from edged.intents.short import Written
from edged.types import Intent
from edged.understand.answers import read_objects
from edged.understand.decode import Choice


def validate(
    written: Sequence[Written], choices: Sequence[Choice], catalog: Catalog, utterance_id: str
) -> tuple[Intent, ...]:
    """The intents of an answer, with their confidences and margins.

    What the utterance itself decided is not held against the LM: which name of the house stands in a slot and which
    value was said count by what the LM made of the alternatives, everything else by what it would have written freely.

    Raises:
        CoreError: the answer is not valid under the schemas, which the grammar should have made impossible.
    """
    text = f"[{','.join(json_text(dict(part.fields)) for part in written)}]".encode()
    if not takes(_answer_matcher(catalog), text):
        raise CoreError(f"the grammar let through what the automaton of the schemas does not take: {text!r}")
    intents = []
    for fields, part in zip(read_objects(text), written, strict=True):
        name = str(fields["intent"])
        if not intent_validator(catalog, name).is_valid(fields):
            raise CoreError(f"the grammar let through what {name!r} does not allow: {text!r}")
        slots = {slot: value for slot, value in fields.items() if slot != "intent"}
        own = [choice for choice in choices if choice.start in part.span]
        confidence = min((_certainty(choice, part) for choice in own), default=1.0)
        margin = min((choice.margin for choice in own), default=math.inf)
        intents.append(Intent(utterance_id, name, slots, confidence, margin))
    return tuple(intents)


def _certainty(choice: Choice, part: Written) -> float:
    return choice.share if any(choice.start in said for said in part.said) else choice.probability


@per_catalog
def _answer_matcher(catalog: Catalog) -> Matcher:
    """What takes answers in full, whatever was said."""
    return text_matcher(compile_catalog(catalog))
