"""What a topic may be that a message is sent to."""

from __future__ import annotations

import re

MAX_TOPIC_BYTES = 1000
"""MQTT allows 65,535; brokers and bridges commonly stop far below, and no house needs more."""
MAX_SLASHES = 200
"""Beyond them Mosquitto breaks the connection off (its TOPIC_HIERARCHY_LIMIT), with each repeat again."""

_NO_CHARACTERS = "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
"""MQTT 5.0, 1.5.4: a broker may break off a connection for these, and Mosquitto does."""
_FORBIDDEN = re.compile(rf"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NO_CHARACTERS}+#]")


def describe_bad_topic(topic: str) -> str | None:
    """Why nothing can be sent to this topic, None where all is well."""
    if not topic:
        return "the topic is empty"
    found = _FORBIDDEN.search(topic)
    if found:
        return f"the topic holds {found.group()!r}, which no topic may"
    if len(topic.encode()) > MAX_TOPIC_BYTES:
        return f"the topic is longer than {MAX_TOPIC_BYTES} bytes"
    if topic.count("/") > MAX_SLASHES:
        return f"the topic has more than {MAX_SLASHES} slashes"
    return None
