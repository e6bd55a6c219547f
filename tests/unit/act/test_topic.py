from __future__ import annotations

import pytest

from edged.act.topic import MAX_SLASHES, MAX_TOPIC_BYTES, describe_bad_topic


@pytest.mark.parametrize("topic", ["a", "zigbee2mqtt/Küche/set", "/", "a b", "x" * MAX_TOPIC_BYTES, "/" * MAX_SLASHES])
def test_a_topic_that_a_broker_takes(topic: str) -> None:
    assert describe_bad_topic(topic) is None


@pytest.mark.parametrize(
    "topic",
    ["", "a/#", "a/+", "a\nb", "a\x00", "a\x85", "\ud800", "ü" * MAX_TOPIC_BYTES],
)
def test_what_no_topic_may_be(topic: str) -> None:
    assert describe_bad_topic(topic)


@pytest.mark.parametrize("topic", ["\ufffe", "a/\uffff", "\ufdd0", "\U0010ffff", "/" * (MAX_SLASHES + 1)])
def test_what_makes_a_broker_break_the_connection_off_is_refused(topic: str) -> None:
    reason = describe_bad_topic(topic)
    assert reason
    assert reason.isprintable()
