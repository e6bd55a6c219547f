"""How the LM answers: in the short form where it was trained for it, else with JSON in full."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Annotated, Final, Literal, Protocol, TypeAlias

from pydantic import ConfigDict, Field, JsonValue, RootModel, ValidationError

from edged.core import Program
from edged.errors import CoreError
from edged.intents.catalog import Catalog, IntentFile
from edged.intents.compile import MAX_INTENTS, compile_catalog
from edged.intents.grounding import Grounding
from edged.intents.short import Fields, Written, compile_short, read_short, write_short

FormName: TypeAlias = Literal["json", "short"]


class AnswerForm(Protocol):
    """One way to ask and to answer."""

    def compile(self, catalog: Catalog, said: Grounding, needed: Collection[str]) -> Program:
        """All answers to an utterance that says `said`; `needed` slots are in every intent."""

    def write(self, fields: Fields, catalog: Catalog, said: Grounding) -> str:
        """The answer of one intent, for a draft; empty where a draft is not worth its tokens."""

    def read(self, text: bytes, catalog: Catalog, said: Grounding, needed: Collection[str] = ()) -> tuple[Written, ...]:
        """What an answer stands for; CoreError where it is none. `needed` slots had to be written."""


class ShortForm:
    """Only what the utterance does not decide by itself: `edged.intents.short`."""

    def compile(self, catalog: Catalog, said: Grounding, needed: Collection[str]) -> Program:
        """All short answers."""
        return compile_short(catalog, said, needed)

    def write(self, fields: Fields, catalog: Catalog, said: Grounding) -> str:
        """The short answer."""
        return write_short([fields], catalog, said)

    def read(self, text: bytes, catalog: Catalog, said: Grounding, needed: Collection[str] = ()) -> tuple[Written, ...]:
        """The intents of a short answer."""
        return read_short(text, catalog, said, needed)


class JsonForm:
    """The JSON array of intents."""

    def __init__(self, *, blank: bool = False) -> None:
        """`blank`: one stands in front of each answer, where the model's tokenizer writes it."""
        self._blank = blank

    def compile(self, catalog: Catalog, said: Grounding, needed: Collection[str]) -> Program:
        """All arrays of intents."""
        return compile_catalog(catalog, said, needed, blank=self._blank)

    def write(self, fields: Fields, catalog: Catalog, said: Grounding) -> str:  # noqa: ARG002
        """Nothing: 18 tokens that may be wrong cost more than the five calls that they could save."""
        return ""

    def read(
        self,
        text: bytes,
        catalog: Catalog,
        said: Grounding,  # noqa: ARG002 - it is in the text
        needed: Collection[str] = (),  # noqa: ARG002 - keys of JSON are never free
    ) -> tuple[Written, ...]:
        """The objects of an array, with the places of what was said."""
        return tuple(_read_json(text, catalog))


FORMS: Final[dict[FormName, AnswerForm]] = {"json": JsonForm(), "short": ShortForm()}


class DecodedIntents(RootModel[list[dict[str, JsonValue]]]):
    """The form of every answer in full: a short list of objects."""

    model_config = ConfigDict(strict=True)
    root: Annotated[list[dict[str, JsonValue]], Field(max_length=MAX_INTENTS)]


def read_objects(text: bytes) -> list[dict[str, JsonValue]]:
    """The objects of a JSON array.

    Raises:
        CoreError: it is none, or they are too many.
    """
    try:
        return DecodedIntents.model_validate_json(text).root
    except ValidationError as error:
        raise CoreError(f"the grammar let through what is no list of intents: {text!r}") from error


def _read_json(text: bytes, catalog: Catalog) -> Iterator[Written]:
    objects = read_objects(text)
    for fields, span in zip(objects, _spans(text.decode(), len(objects)), strict=True):
        intent = catalog.intents.get(str(fields.get("intent")))
        yield Written(fields, span, tuple(_said_spans(text, span, intent)) if intent else ())


_DECODER: Final = json.JSONDecoder()
_MEMBER: Final = re.compile(rb'"([a-z0-9_]+)":("(?:[^"\\]|\\.)*"|[^,}\]]*)')


def _spans(text: str, count: int) -> Iterator[range]:
    """Which bytes belong to each object; those between two to the one before, those before the first to the first."""
    starts, position = [], text.index("[") + 1
    for _ in range(count):
        starts.append(len(text[:position].encode()))
        position = _DECODER.raw_decode(text, position)[1] + 1
    for index, start in enumerate(starts):
        yield range(start if index else 0, starts[index + 1] if index + 1 < count else len(text.encode()))


def _said_spans(text: bytes, span: range, intent: IntentFile) -> Iterator[range]:
    for member in _MEMBER.finditer(text, span.start, span.stop):
        slot = member[1].decode()
        if slot in intent.homes:
            yield range(member.start(1), member.end())
        elif slot in intent.said:
            yield range(member.start(2), member.end())
