"""Intents as Rhasspy and Snips publish them, so that skills written for these work as they are.

Topics and keys: https://rhasspy.readthedocs.io/en/latest/reference/#mqtt-api
"""

from __future__ import annotations

import json
import re
from typing import Final

from pydantic import TypeAdapter

from edged.act.messages import Report
from edged.config import TopicLevel
from edged.types import Intent, Rejected, SlotValue, Utterance

MAX_INPUT_CHARACTERS: Final = 500
"""Of what was said, in a message about it: as in edged's own messages."""

_LEVEL: Final[TypeAdapter[str]] = TypeAdapter(TopicLevel)


def report_hermes_intent(site: str, utterance: Utterance, intent: Intent) -> Report:
    """`hermes/intent/<name>` with the slots that were given; the session is the utterance.

    Raises:
        ValueError: the intent's name is no topic level.
    """
    said = utterance.text[:MAX_INPUT_CHARACTERS]
    message = _about(site, utterance.id, said) | {
        "intent": {"intentName": intent.name, "confidenceScore": intent.confidence},
        "slots": [_slot(said, name, value, intent) for name, value in intent.slots.items() if _can_be_told(value)],
        "customData": None,
        "asrConfidence": utterance.asr_confidence,
    }
    return Report(f"hermes/intent/{_LEVEL.validate_python(intent.name)}", _write(message))


def report_hermes_not_recognized(site: str, rejected: Rejected, *, text: str) -> Report:
    """`hermes/nlu/intentNotRecognized`."""
    message = _about(site, rejected.utterance_id, text[:MAX_INPUT_CHARACTERS])
    return Report("hermes/nlu/intentNotRecognized", _write(message))


def report_hermes_say(site: str, utterance: Utterance, reply: str) -> Report:
    """`hermes/tts/say`: an utterance is no session of a dialogue manager, so there is none to end with the reply."""
    message: dict[str, object] = {
        "text": reply,
        "lang": utterance.lang,
        "id": utterance.id,
        "siteId": site,
        "sessionId": utterance.id,
    }
    return Report("hermes/tts/say", _write(message))


def report_hermes_question(session: str, text: str) -> Report:
    """`hermes/dialogueManager/continueSession`: the manager says the text, and listens on in a session of its own."""
    message: dict[str, object] = {
        "sessionId": session,
        "text": text,
        "customData": None,
        "intentFilter": None,
        "sendIntentNotRecognized": True,
    }
    return Report("hermes/dialogueManager/continueSession", _write(message))


def _about(site: str, utterance_id: str, said: str) -> dict[str, object]:
    return {"input": said, "id": utterance_id, "siteId": site, "sessionId": utterance_id}


def _can_be_told(value: SlotValue) -> bool:
    """Whether there is one, and JSON can hold it: it has no infinite numbers."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return value is not None


def _slot(said: str, name: str, value: SlotValue, intent: Intent) -> dict[str, object]:
    """Where the value stands in the text as it is, that place, else the whole text: edged does not note the place."""
    raw = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    found = re.search(re.escape(raw.replace("_", " ")), said, re.IGNORECASE) if raw else None
    start, end = found.span() if found else (0, len(said))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "entity": name,
        "slotName": name,
        "confidence": intent.confidence,
        "rawValue": found.group() if found else raw,
        "value": {"kind": "Number", "value": value} if is_number else {"kind": "Custom", "value": raw},
        "range": {"start": start, "end": end},
    }


def _write(message: dict[str, object]) -> bytes:
    """ASCII: any text is in it that a transcript can hold."""
    return json.dumps(message, separators=(",", ":")).encode()
