from __future__ import annotations

from edged.act.following import Following
from edged.act.messages import Report
from edged.config import MqttConfig
from tests.unit.act.conftest import device_of, home_of


def _following(*addresses: str) -> tuple[Following, list[Report]]:
    reports: list[Report] = []

    def take(report: Report) -> bool:
        reports.append(report)
        return True

    home = home_of(*(device_of(address, address=address) for address in addresses))
    return Following(home, MqttConfig(node="hall"), report=take), reports


def test_every_topic_is_subscribed_once() -> None:
    following, _ = _following("a", "b")
    assert sorted(following.topics) == [
        "zigbee2mqtt/a", "zigbee2mqtt/a/availability", "zigbee2mqtt/b", "zigbee2mqtt/b/availability",
        "zigbee2mqtt/bridge/state",
    ]  # fmt: skip


def test_a_message_about_availability_is_no_state_and_none_that_is_ignored() -> None:
    following, _ = _following("a")
    following.take("zigbee2mqtt/a/availability", b'{"state": "online"}', retained=False)
    assert following.states.told_by("a") == {}
    assert following.states.ignored == 0
    following.take("zigbee2mqtt/unknown", b"{}", retained=False)
    assert following.states.ignored == 1


def test_a_device_that_speaks_is_not_offline_but_what_was_kept_says_nothing_of_now() -> None:
    following, _ = _following("a")
    following.take("zigbee2mqtt/a/availability", b"offline", retained=True)
    following.take("zigbee2mqtt/a", b'{"state": "ON"}', retained=True)
    assert following.availability.is_offline("a")
    following.take("zigbee2mqtt/a", b'{"state": "ON"}', retained=False)
    assert not following.availability.is_offline("a")


def test_another_house_is_followed_from_then_on() -> None:
    following, _ = _following("a")
    following.set_home(home_of(device_of("b", address="b")))
    following.take("zigbee2mqtt/a", b'{"state": "ON"}', retained=False)
    following.take("zigbee2mqtt/b", b'{"state": "ON"}', retained=False)
    following.take("zigbee2mqtt/b/availability", b"offline", retained=False)
    assert following.states.told_by("a") == {}
    assert following.states.told_by("b") == {"state": "ON"}
    assert following.availability.is_offline("b")
