"""What was decoded -> intents, checked once more by libraries that had no part in the decoding."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import jsonschema
from pydantic import ConfigDict, Field, JsonValue, RootModel, ValidationError

from edged.errors import CoreError
from edged.intents.accept import exact_validator
from edged.intents.catalog import Catalog, IntentFile
from edged.intents.compile import MAX_INTENTS
from edged.intents.memo import per_catalog
from edged.types import Intent
from edged.understand.decode import Choice, Decoded


class DecodedIntents(RootModel[list[dict[str, JsonValue]]]):
    """The form of every answer: a short list of objects."""

    model_config = ConfigDict(strict=True)
    root: Annotated[list[dict[str, JsonValue]], Field(max_length=MAX_INTENTS)]


def validate(decoded: Decoded, catalog: Catalog, utterance_id: str) -> tuple[Intent, ...]:
    """The intents of an answer, with their confidences and margins.

    What the utterance itself decided is not held against the LM: which name of the house stands in a slot and which
    value was said count by what the LM made of the alternatives, everything else by what it would have written freely.

    Raises:
        CoreError: the answer is not valid under the schemas, which the grammar should have made impossible.
    """
    try:
        objects = DecodedIntents.model_validate_json(decoded.text).root
    except ValidationError as error:
        raise CoreError(f"the grammar let through what is no list of intents: {decoded.text!r}") from error
    intents = []
    for fields, part in zip(objects, _parts(decoded, len(objects)), strict=True):
        name = str(fields.get("intent"))
        if name not in catalog.intents or not intent_validator(catalog, name).is_valid(fields):
            raise CoreError(f"the grammar let through what {name!r} does not allow: {decoded.text!r}")
        slots = {slot: value for slot, value in fields.items() if slot != "intent"}
        choices = [choice for choice in decoded.choices if choice.start in part]
        grounded = list(_grounded_parts(decoded.text, part, catalog.intents[name]))
        confidence = min((_certainty(choice, grounded) for choice in choices), default=1.0)
        margin = min((choice.margin for choice in choices), default=math.inf)
        intents.append(Intent(utterance_id, name, slots, confidence, margin))
    return tuple(intents)


def _certainty(choice: Choice, grounded: Sequence[range]) -> float:
    return choice.share if any(choice.start in part for part in grounded) else choice.probability


_MEMBER: Final = re.compile(rb'"([a-z0-9_]+)":("(?:[^"\\]|\\.)*"|[^,}\]]*)')


def _grounded_parts(text: bytes, part: range, intent: IntentFile) -> Iterator[range]:
    """Where the answer holds what was said: values of said slots, and slots of the house with their keys."""
    for member in _MEMBER.finditer(text, part.start, part.stop):
        slot = member[1].decode()
        if slot in intent.homes:
            yield range(member.start(1), member.end())
        elif slot in intent.said:
            yield range(member.start(2), member.end())


@per_catalog
def intent_validator(catalog: Catalog, name: str) -> jsonschema.protocols.Validator:
    """Says whether an object is valid under the schema of an intent."""
    return exact_validator(catalog.intents[name].schema, is_linear=True)


_DECODER: Final = json.JSONDecoder()


def _parts(decoded: Decoded, count: int) -> Iterator[range]:
    """Which bytes belong to each object; those between two to the one before, those before the first to the first."""
    text = decoded.text.decode()
    starts, position = [], 1
    for _ in range(count):
        starts.append(len(text[:position].encode()))
        position = _DECODER.raw_decode(text, position)[1] + 1
    for index, start in enumerate(starts):
        yield range(start if index else 0, starts[index + 1] if index + 1 < count else len(decoded.text))
