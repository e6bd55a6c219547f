from __future__ import annotations

import json
import re
from typing import Any

import pytest

from edged import __version__
from edged.act.messages import (
    availability_topic,
    catalog_topic,
    confirm_topic,
    diagnostics_topic,
    every_intent_topic,
    intent_topic,
    listen_topic,
    listening_topic,
    rejected_topic,
    report_catalog,
    report_diagnostics,
    report_intent,
    report_listening,
    report_rejected,
    text_topic,
)
from edged.intents.catalog import Fault
from edged.types import Rejected, Utterance
from tests.unit.act.conftest import intent_of

UTTERANCE = Utterance("u1", "불 켜 줘", "ko", 1.0, 0, 0, "mqtt")


def test_the_intent_message_has_the_contracts_fields_and_no_nulls() -> None:
    intent = intent_of("light", action="on", area=None)
    report = report_intent("hall", UTTERANCE, intent, latency_ms=12.3456)
    message = json.loads(report.payload)
    assert report.topic == "edged/hall/intent/light"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message.pop("time"))
    assert message == {
        "id": "u1",
        "node": "hall",
        "text": "불 켜 줘",
        "lang": "ko",
        "intent": "light",
        "slots": {"action": "on"},
        "confidence": 0.9,
        "latency_ms": 12.3,
    }


def test_the_rejected_message_has_the_contracts_fields() -> None:
    report = report_rejected("hall", Rejected("u1", "act", "no"), text="x", lang="en")
    message = json.loads(report.payload)
    assert report.topic == "edged/hall/rejected"
    assert message.pop("time").endswith("Z")
    assert message == {"id": "u1", "node": "hall", "text": "x", "lang": "en", "stage": "act", "reason": "no"}


def test_the_nodes_topics() -> None:
    assert availability_topic("hall") == "edged/hall/availability"
    assert text_topic("hall") == "edged/hall/in/text"
    assert listen_topic("hall") == "edged/hall/in/listen"
    assert confirm_topic("hall") == "edged/hall/in/confirm"
    assert listening_topic("hall") == "edged/hall/listening"
    assert intent_topic("hall", "light") == "edged/hall/intent/light"
    assert every_intent_topic("hall") == "edged/hall/intent/+"
    assert rejected_topic("hall") == "edged/hall/rejected"
    assert catalog_topic("hall") == "edged/hall/catalog"
    assert diagnostics_topic("hall") == "edged/hall/diagnostics"


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "a\0", "x" * 65])
def test_a_name_that_is_no_topic_level_never_reaches_a_topic(name: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        report_intent("hall", UTTERANCE, intent_of(name), latency_ms=0)
    for topic_of in (
        availability_topic,
        text_topic,
        listen_topic,
        confirm_topic,
        listening_topic,
        every_intent_topic,
        rejected_topic,
        catalog_topic,
        diagnostics_topic,
    ):
        with pytest.raises(ValueError, match="pattern"):
            topic_of(name)


def _fault(what: str = "is no number", **others: Any) -> Fault:
    return Fault(
        **{"file": "a.json", "pointer": "/x", "line": 3, "column": 5, "what": what, "remedy": "mend it", **others}
    )


def test_the_catalog_message_is_retained_and_has_the_contracts_fields() -> None:
    report = report_catalog("hall", ["alpha"], ["a.json"], [_fault()])
    message = json.loads(report.payload)
    assert (report.topic, report.retain) == ("edged/hall/catalog", True)
    assert message.pop("time").endswith("Z")
    assert message == {
        "node": "hall",
        "intents": ["alpha"],
        "last_good": ["a.json"],
        "faults": [
            {
                "file": "a.json",
                "pointer": "/x",
                "line": 3,
                "column": 5,
                "what": "is no number",
                "remedy": "mend it",
                "severity": "error",
            }
        ],
        "more_faults": 0,
    }


def test_the_catalog_message_is_bounded_and_names_errors_first() -> None:
    faults = [_fault("w" * 10_000, severity="warning")] * 400 + [_fault("error")]
    report = report_catalog("hall", ["i" * 64] * 400, ["f" * 10_000] * 400, faults)
    message = json.loads(report.payload)
    assert message["faults"][0]["what"] == "error"
    assert (len(message["faults"]), message["more_faults"]) == (50, 351)
    assert len(report.payload) < 256 * 1024


def test_the_catalog_message_can_hold_any_text() -> None:
    message = json.loads(report_catalog("hall", [], [], [_fault("\udcff")]).payload)
    assert message["faults"][0]["what"] == "\\udcff"


def test_what_was_understood_is_never_retained() -> None:
    assert not report_intent("hall", UTTERANCE, intent_of("light"), latency_ms=0).retain
    assert not report_rejected("hall", Rejected("u1", "act", "no"), text="x", lang="en").retain


def test_whether_it_listens_is_retained() -> None:
    on, off = report_listening("hall", on=True), report_listening("hall", on=False)
    assert (on.topic, on.payload, on.retain) == ("edged/hall/listening", b"on", True)
    assert (off.topic, off.payload, off.retain) == ("edged/hall/listening", b"off", True)


def test_what_runs_here_is_retained() -> None:
    report = report_diagnostics("hall", model="m" * 1000, lang="ko", source="mic")
    message = json.loads(report.payload)
    assert (report.topic, report.retain) == ("edged/hall/diagnostics", True)
    assert message.pop("time").endswith("Z")
    assert len(message.pop("model")) == 300
    assert message == {"node": "hall", "version": __version__, "lang": "ko", "source": "mic"}
