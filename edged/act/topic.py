"""What a topic may be that a message is sent to."""

from __future__ import annotations

import re

MAX_TOPIC_BYTES = 1000
"""MQTT allows 65,535; brokers and bridges commonly stop far below, and no house needs more."""

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff+#]")


def describe_bad_topic(topic: str) -> str | None:
    """Why nothing can be sent to this topic, None where all is well."""
    if not topic:
        return "the topic is empty"
    found = _FORBIDDEN.search(topic)
    if found:
        return f"the topic holds {found.group()!r}, which no topic may"
    if len(topic.encode()) > MAX_TOPIC_BYTES:
        return f"the topic is longer than {MAX_TOPIC_BYTES} bytes"
    return None
