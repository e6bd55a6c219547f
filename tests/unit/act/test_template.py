from __future__ import annotations

from typing import Any

import pytest

from edged.act.template import TemplateDriver
from edged.errors import ConfigError
from edged.intents.capabilities import CAPABILITIES
from edged.intents.home import Device, Message
from edged.types import Rejected, SlotValue
from tests.unit.act.conftest import change_of, device_of

DRIVER = TemplateDriver()
POWER = Message("cmnd/{{ address }}/POWER", "{{ value | upper }}")
DIMMER = Message("cmnd/{{ address }}/Dimmer", "{{ value }}")


def _device(**template: Message) -> Device:
    return device_of("porch", driver="template", address="porch", template=template)


def _render(device: Device, **change: SlotValue) -> list[tuple[str, bytes]] | str:
    commands = DRIVER.render(change_of(device, **change), {}, now_ns=0, expires_s=30, intent_id="u1")
    if isinstance(commands, Rejected):
        return commands.reason
    assert all(command.qos == 1 and not command.retain for command in commands)
    assert all(command.expires_ns == 30_000_000_000 for command in commands)
    assert not any(command.is_repeatable for command in commands)
    return [(command.topic, command.payload) for command in commands]


def test_each_capability_is_a_message_of_its_own() -> None:
    messages = _render(_device(state=POWER, brightness=DIMMER), state="on", brightness=40)
    assert messages == [("cmnd/porch/POWER", b"ON"), ("cmnd/porch/Dimmer", b"40")]


@pytest.mark.parametrize(("percent", "payload"), [(0, b"0"), (100, b"100"), (12.5, b"12.5")])
def test_numbers_are_written_as_they_are(percent: float, payload: bytes) -> None:
    assert _render(_device(brightness=DIMMER), brightness=percent) == [("cmnd/porch/Dimmer", payload)]


def test_a_template_sees_the_whole_change() -> None:
    fade = Message("t", "{{ value }}{% if change.transition is defined %} in {{ change.transition }}{% endif %}")
    device = _device(state=fade, transition=Message("t/fade", "{{ value * 2 }}"))
    assert _render(device, state="on", transition=3) == [("t", b"on in 3"), ("t/fade", b"6")]
    assert _render(device, state="on") == [("t", b"on")]


def test_json_payloads_keep_their_last_newline_and_are_not_escaped_as_html() -> None:
    assert _render(_device(state=Message("t", '{"v": {{ value | tojson }}, "<": 1}\n')), state="on") == [
        ("t", b'{"v": "on", "<": 1}\n')
    ]


def test_a_capability_without_a_template_is_rejected_by_name() -> None:
    assert _render(_device(state=POWER), state="on", color="red") == "porch has no message for its color"


def test_a_template_that_fails_at_the_time_is_rejected() -> None:
    reason = _render(_device(state=Message("t", "{{ change.color }}")), state="on")
    assert isinstance(reason, str)
    assert reason.startswith("the message for state of porch fails")


def test_good_templates_pass_the_check() -> None:
    DRIVER.check(_device(state=POWER, brightness=DIMMER))


@pytest.mark.parametrize(
    "topic",
    ["", "{{ '' }}", "cmnd/#", "cmnd/+/x", "a\nb", "a\u0085b", "a{{ '\\u0000' }}", "x" * 999 + "é", "{{ nothing }}"],
)
def test_a_topic_that_no_message_may_have_is_refused_at_start(topic: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DRIVER.check(_device(state=Message(topic, "x")))
    assert caught.value.where == "devices.porch.template.state"


def test_a_topic_of_a_thousand_bytes_is_taken() -> None:
    DRIVER.check(_device(state=Message("x" * 1000, "x")))


@pytest.mark.parametrize(
    "payload",
    [
        "{{ value",
        "{{ unknown }}",
        "{% for x in value %}{{ x }}{% endfor %}",
        "{{ value.upper() }}",
        "{{ range(10) }}",
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% raw %}{% endraw %}{% filter upper %}x{% endfilter %}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ 'x' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ value | replace('o', 'oooooooooo') }}",
        "{{ value | center(1000000000) }}",
        "{{ value" + " | tojson" * 9 + " }}",
        "{{ value.__class__ }}",
        "{{ value.__class__.__mro__ }}",
        "{{ 1 / 0 }}",
        "{{ value | nofilter }}",
    ],
)
def test_a_template_that_is_broken_or_could_run_away_is_refused_at_start(payload: str) -> None:
    with pytest.raises(ConfigError, match="cannot be rendered"):
        DRIVER.check(_device(state=Message("t", payload)))


def test_a_payload_that_is_too_long_is_refused_at_start() -> None:
    doubled = "{{ '" + "\\\\" * 1900 + "'" + " | tojson" * 4 + " }}"
    with pytest.raises(ConfigError, match="longer than 16384 bytes"):
        DRIVER.check(_device(state=Message("t", doubled)))


def test_a_template_that_fails_only_for_one_value_is_refused_at_start() -> None:
    only_on = Message("t", "{% if value == 'toggle' %}{{ change.color }}{% endif %}")
    with pytest.raises(ConfigError, match="toggle"):
        DRIVER.check(_device(state=only_on))


@pytest.mark.parametrize(
    "key", [{"base": "z"}, {"properties": {"state": "x"}}, {"speeds": 3}, {"scene": 0}, {"settings": {"a": "b"}}]
)
def test_a_key_of_another_driver_is_refused_at_start(key: dict[str, Any]) -> None:
    device = device_of("porch", driver="template", template={"state": POWER}, **key)
    with pytest.raises(ConfigError, match="is not for the driver template") as caught:
        DRIVER.check(device)
    assert caught.value.where == f"devices.porch.{next(iter(key))}"


def test_every_capability_can_have_a_template() -> None:
    device = _device(**dict.fromkeys(CAPABILITIES, DIMMER))
    DRIVER.check(device)
    for capability, known in CAPABILITIES.items():
        for value in known.choices or (known.least, known.greatest):
            assert _render(device, **{capability: value}) == [("cmnd/porch/Dimmer", str(value).encode())]


def test_a_shutter_is_opened_by_its_topic_and_a_fan_counts_its_speeds() -> None:
    device = _device(
        cover=Message("cmnd/{{ address }}/Shutter{{ value | capitalize }}", ""),
        speed=Message("cmnd/{{ address }}/FanSpeed", "{{ (value * 3 / 100) | round(0, 'ceil') | int }}"),
    )
    DRIVER.check(device)
    assert _render(device, cover="stop") == [("cmnd/porch/ShutterStop", b"")]
    speeds = [_render(device, speed=percent) for percent in (0, 1, 33, 34, 100)]
    assert speeds == [[("cmnd/porch/FanSpeed", payload)] for payload in (b"0", b"1", b"1", b"2", b"3")]


def test_a_device_without_templates_is_refused_at_start() -> None:
    with pytest.raises(ConfigError, match="at least one template"):
        DRIVER.check(_device())


def test_a_template_device_says_no_state() -> None:
    device = _device(state=POWER)
    assert DRIVER.state_topics(device) == ()
    assert DRIVER.read_state(device, "a", b"{}") is None
    assert DRIVER.interpret(device, {"state": "ON"}) == {}
    commands = DRIVER.render(change_of(device, state="on"), {}, now_ns=0, expires_s=1, intent_id="u")
    assert not isinstance(commands, Rejected)
    assert DRIVER.assume(device, commands[0]) == {}
