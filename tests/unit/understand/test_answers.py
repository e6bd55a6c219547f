from __future__ import annotations

from typing import Any

import pytest

from edged.errors import CoreError
from edged.intents.accept import takes, text_matcher
from edged.intents.catalog import Catalog
from edged.intents.grounding import ground
from edged.understand.answers import FORMS, FormName, read_objects

TEXT = "set the kitchen light to thirty and the hall light to forty"
MEANT: list[dict[str, Any]] = [
    {"intent": "light", "action": "set", "area": "kitchen", "brightness": 30},
    {"intent": "light", "action": "set", "area": "hall", "brightness": 40},
]
ANSWERS: dict[FormName, bytes] = {
    "short": b" light set area first brightness first, light set area second brightness second\n",
    "json": b'[{"intent":"light","action":"set","area":"kitchen","brightness":30},'
    b'{"intent":"light","action":"set","area":"hall","brightness":40}]',
}


@pytest.mark.parametrize("form", ["short", "json"])
def test_both_forms_take_and_read_the_same_meaning(catalog: Catalog, form: FormName) -> None:
    said, answer = ground(catalog, TEXT, "en"), ANSWERS[form]
    assert takes(text_matcher(FORMS[form].compile(catalog, said, ())), answer)
    written = FORMS[form].read(answer, catalog, said)
    assert [part.fields for part in written] == MEANT
    assert written[0].span.start == 0
    assert written[0].span.stop == written[1].span.start
    assert written[1].span.stop == len(answer)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("short", [[b" area first ", b" first,"], [b" area second ", b" second\n"]]),
        ("json", [[b'area":"kitchen"', b"30"], [b'area":"hall"', b"40"]]),
    ],
)
def test_both_forms_tell_what_the_utterance_decided(catalog: Catalog, form: FormName, said: list[list[bytes]]) -> None:
    answer = ANSWERS[form]
    written = FORMS[form].read(answer, catalog, ground(catalog, TEXT, "en"))
    assert [[answer[place.start : place.stop] for place in part.said] for part in written] == said


def test_only_the_short_form_writes_a_draft(catalog: Catalog) -> None:
    said = ground(catalog, TEXT, "en")
    assert FORMS["short"].write(MEANT[1], catalog, said) == " light set area second brightness second\n"
    assert FORMS["json"].write(MEANT[1], catalog, said) == ""


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"[{}", b"[" + b"{}," * 3 + b"{}]", b"\xff"])
def test_what_is_no_list_of_objects_is_refused(text: bytes) -> None:
    with pytest.raises(CoreError, match="the grammar let through"):
        read_objects(text)
