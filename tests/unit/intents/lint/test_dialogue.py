"""`confirm` and `questions` in an intent file: what they name is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edged.intents.catalog import Catalog, Confirmation, Example
from edged.intents.load import load_intent

OVEN: dict[str, Any] = {
    "type": "object",
    "properties": {"intent": {"const": "oven"}, "action": {"enum": ["on", "off"]}, "heat": {"type": "integer", "minimum": 0, "maximum": 300}},
    "required": ["intent", "action"],
    "additionalProperties": False,
    "x-edged": {"examples": {"en": [{"text": "oven on", "slots": {"action": "on"}}, {"text": "oven off", "slots": {"action": "off"}}, {"text": "oven on at {heat} degrees", "slots": {"action": "on"}}]}},
}  # fmt: skip


def _load(catalog: Catalog, **more: Any) -> tuple[Any, list[tuple[str, str]]]:
    text = json.dumps(OVEN | {"x-edged": OVEN["x-edged"] | more})
    intent, faults = load_intent(text, "oven.json", catalog.home)
    return intent, [(fault.pointer, fault.what) for fault in faults if fault.severity == "error"]


@pytest.mark.parametrize(
    ("confirm", "meant"),
    [
        ("always", Confirmation("always", {})),
        ("house", Confirmation("house", {})),
        ({"when": {"action": ["on"]}}, Confirmation("always", {"action": ("on",)})),
        ({"scope": "house", "when": {"heat": True}}, Confirmation("house", {"heat": True})),
    ],
)
def test_a_confirmation_is_read(catalog: Catalog, confirm: object, meant: Confirmation) -> None:
    intent, faults = _load(catalog, confirm=confirm)
    assert faults == []
    assert intent.confirm == meant


def test_a_question_is_read(catalog: Catalog) -> None:
    sentence = {"text": "heat the oven", "slots": {"action": "on"}}
    question = {
        "slots": ["heat"],
        "when": {"action": "on"},
        "ask": {"en": ["How hot?"]},
        "examples": {"en": [sentence]},
    }
    intent, faults = _load(catalog, questions=[question])
    assert faults == []
    (read,) = intent.questions
    assert (read.slots, read.when, read.text) == (("heat",), {"action": ("on",)}, {"en": ("How hot?",)})
    assert read.examples == {"en": (Example("heat the oven", {"action": "on"}),)}


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"confirm": "sometimes"}, "/x-edged/confirm"),
        ({"confirm": {"scope": "street"}}, "/x-edged/confirm/scope"),
        ({"confirm": {"when": {"door": True}}}, "/x-edged/confirm/when/door"),
        ({"confirm": {"when": {"action": "open"}}}, "/x-edged/confirm/when/action"),
        ({"questions": [{"slots": []}]}, "/x-edged/questions/0/slots"),
        ({"questions": [{}]}, "/x-edged/questions/0"),
        ({"questions": [{"slots": ["door"]}]}, "/x-edged/questions/0/slots/0"),
        ({"questions": [{"slots": ["heat"], "when": {"action": "open"}}]}, "/x-edged/questions/0/when/action"),
        (
            {"questions": [{"slots": ["heat"], "examples": {"en": [{"text": "heat to {heat}", "slots": {}}]}}]},
            "/x-edged/questions/0/examples/en/0/text",
        ),
        (
            {"questions": [{"slots": ["heat"], "examples": {"en": [{"text": "heat", "slots": {"action": "up"}}]}}]},
            "/x-edged/questions/0/examples/en/0/slots/action",
        ),
    ],
)
def test_what_is_not_there_is_told_at_its_place(catalog: Catalog, more: dict[str, Any], pointer: str) -> None:
    intent, faults = _load(catalog, **more)
    assert intent is None
    assert [place for place, _ in faults] == [pointer]
