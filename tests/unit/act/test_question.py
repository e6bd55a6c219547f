"""Questions, answered from what simulated devices have said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from edged.act.answers import MAX_ANSWERED, MAX_READ_OUT, Answer, answer_question
from edged.act.drivers import state_topics
from edged.act.hermes import report_hermes_say
from edged.act.pipeline import Pipeline
from edged.act.state import DeviceStates
from edged.intents.catalog import AnswerRule, AnswerRules, Catalog
from edged.intents.home import Device
from edged.intents.spoken.language import LANGUAGES, TOLD
from edged.types import Intent, Rejected, SlotValue, Utterance
from tests.unit.act.conftest import device_of, home_of, intent_file, intent_of
from tests.unit.act.fakes import FakeSender

RULES = AnswerRules(
    "area",
    (
        AnswerRule({"about": ("light",)}, "light", "light", ("state", "brightness")),
        AnswerRule({"about": ("warmth",)}, "thermostat", None, ("local_temperature",)),
        AnswerRule({"about": ("heating",)}, "thermostat", None, ("action", "mode")),
        AnswerRule({"about": ("cover",)}, "cover", None, ("cover", "position")),
    ),
)
DEVICES = (
    device_of("lamp", address="lamp_1"),
    device_of("floor_lamp", address="lamp_2", area="living_room"),
    device_of("radiator", kind="thermostat", address="trv"),
    device_of("blind", kind="cover", address="blind"),
)


def ask(
    slots: Mapping[str, SlotValue],
    told: Mapping[str, Mapping[str, object]],
    *,
    lang: str = "en",
    devices: tuple[Device, ...] = DEVICES,
    offline: str = "",
    default_area: str | None = None,
) -> Answer | Rejected:
    home = home_of(*devices)
    states = DeviceStates(state_topics(home))
    for address, state in told.items():
        states.update(f"zigbee2mqtt/{address}", json.dumps(state).encode())
    return answer_question(
        intent_of("question", **slots), RULES, home, lang=lang, default_area=default_area, told_by=states.told_by,
        is_offline=lambda key: key == offline,
    )  # fmt: skip


def reply(slots: Mapping[str, SlotValue], told: Mapping[str, Mapping[str, object]], **more: Any) -> str:
    answer = ask(slots, told, **more)
    assert isinstance(answer, Answer)
    return answer.reply


@pytest.mark.parametrize(
    ("slots", "told", "expected"),
    [
        ({"about": "light", "light": "lamp"}, {"lamp_1": {"state": "ON", "brightness": 127}}, "lamp: on, 50 %"),
        ({"about": "light", "light": "lamp"}, {"lamp_1": {"state": "OFF", "brightness": 127}}, "lamp: off"),
        ({"about": "light", "light": "lamp"}, {}, "lamp: unknown"),
        ({"about": "light"}, {"lamp_2": {"state": "ON"}}, "lamp: unknown; floor lamp: on"),
        ({"about": "light", "area": "living_room"}, {"lamp_2": {"state": "ON"}}, "floor lamp: on"),
        ({"about": "warmth"}, {"trv": {"local_temperature": 19.46}}, "radiator: 19.5 °C"),
        ({"about": "warmth"}, {"trv": {"local_temperature": -0.0}}, "radiator: 0 °C"),
        ({"about": "heating"}, {"trv": {"running_state": "heat", "system_mode": "auto"}}, "radiator: heating, auto"),
        ({"about": "cover"}, {"blind": {"state": "OPEN", "position": 40}}, "blind: open, 40 %"),
        ({"about": "cover"}, {"blind": {"state": "CLOSE", "position": 0}}, "blind: closed"),
    ],
)
def test_what_is_asked_is_told_in_one_line(
    slots: Mapping[str, SlotValue], told: Mapping[str, Mapping[str, object]], expected: str
) -> None:
    assert reply(slots, told) == expected


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("de", "radiator: 19,5 °C"), ("en-GB", "radiator: 19.5 °C"), ("ko", "radiator: 19.5 °C"),
        ("el", "radiator: 19,5 °C"), ("xx", "radiator: 19.5 °C"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_the_language_writes_them(lang: str, expected: str) -> None:
    assert reply({"about": "warmth"}, {"trv": {"local_temperature": 19.5}}, lang=lang) == expected


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_a_word_of_its_own_for_what_devices_tell(lang: str) -> None:
    words = LANGUAGES[lang].told
    assert tuple(words) == TOLD
    assert len(set(words.values())) == len(TOLD)
    assert reply({"about": "light", "light": "lamp"}, {"lamp_1": {"state": "ON"}}, lang=lang) == f"lamp: {words['on']}"


def test_the_name_is_that_of_the_language() -> None:
    lamp = Device("lamp", "light", None, {"en": ("lamp",), "de": ("Leuchte",)}, "zigbee2mqtt", "lamp_1", {}, {})
    assert reply({"about": "light"}, {"lamp_1": {"state": "OFF"}}, devices=(lamp,), lang="de") == "Leuchte: aus"


def test_every_value_that_is_asked_stands_beside_its_device() -> None:
    answer = ask({"about": "light"}, {"lamp_1": {"state": "OFF", "brightness": 254, "color_temp": 370}})
    assert isinstance(answer, Answer)
    assert [device.model_dump() for device in answer.devices] == [
        {"device": "lamp", "name": "lamp", "area": "kitchen", "known": True, "offline": False, "state": "off",
         "brightness": 100},
        {"device": "floor_lamp", "name": "floor lamp", "area": "living_room", "known": False, "offline": False},
    ]  # fmt: skip


def test_a_device_that_is_offline_is_said_to_be() -> None:
    answer = ask({"about": "light", "light": "lamp"}, {"lamp_1": {"state": "ON"}}, offline="lamp")
    assert isinstance(answer, Answer)
    assert answer.reply == "lamp: offline"
    assert answer.devices[0].offline


def test_the_own_area_is_meant_where_no_place_is_named() -> None:
    assert reply({"about": "light"}, {"lamp_1": {"state": "ON"}}, default_area="kitchen") == "lamp: on"


@pytest.mark.parametrize(
    ("slots", "reason"),
    [
        ({"about": "weather"}, "asks for nothing"),
        ({"about": "warmth", "area": "living_room"}, "there is no thermostat in the living room"),
        ({"about": "light", "light": "radiator"}, "is no light"),
        ({"about": "light", "light": "gone"}, "there is no device gone"),
    ],
)
def test_what_nothing_can_answer_is_refused(slots: Mapping[str, SlotValue], reason: str) -> None:
    answer = ask(slots, {})
    assert isinstance(answer, Rejected)
    assert answer.stage == "act"
    assert reason in answer.reason


def test_a_large_house_is_told_in_part_and_counted() -> None:
    count = MAX_ANSWERED + 20
    devices = tuple(device_of(f"d{number}", address=f"d{number}") for number in range(count))
    answer = ask({"about": "light"}, {}, devices=devices)
    assert isinstance(answer, Answer)
    assert (len(answer.devices), answer.more_devices) == (MAX_ANSWERED, 20)
    assert answer.reply.count("unknown") == MAX_READ_OUT
    assert answer.reply.endswith(f"; +{count - MAX_READ_OUT}")


UTTERANCE = Utterance("u1", "is the lamp on", "en", 1.0, 90, 100, "mqtt")


def _asked(house: Catalog, intents: tuple[Intent, ...], hermes_site: str | None = None) -> FakeSender:
    file = intent_file("question", None, asks=True)
    object.__setattr__(file, "answer", RULES)
    catalog = Catalog({**house.intents, "question": file}, house.home, ())
    states, sender = DeviceStates(state_topics(house.home)), FakeSender()
    states.update("zigbee2mqtt/lamp_1", b'{"state": "OFF"}')
    states.assume("lamp", {"state": "ON"})
    pipeline = Pipeline(
        understand=lambda _utterance: intents, catalog=catalog, states=states, sender=sender, node="hall",
        hermes_site=hermes_site, clock=lambda: 100,
    )  # fmt: skip
    pipeline.handle(UTTERANCE)
    return sender


def test_a_question_is_answered_by_what_the_device_said_not_by_what_it_was_told_to_do(house: Catalog) -> None:
    sender = _asked(house, (intent_of("question", about="light", light="lamp"),))
    assert sender.commands == []
    assert [report.topic for report in sender.reports] == ["edged/hall/intent/question", "edged/hall/answer"]
    message = json.loads(sender.reports[1].payload)
    assert message.pop("time").endswith("Z")
    assert message == {
        "id": "u1", "node": "hall", "text": "is the lamp on", "lang": "en", "intent": "question", "more_devices": 0,
        "reply": "lamp: off",
        "devices": [{"device": "lamp", "name": "lamp", "area": "kitchen", "known": True, "offline": False,
                     "state": "off"}],
    }  # fmt: skip


def test_a_question_that_nothing_answers_is_rejected(house: Catalog) -> None:
    sender = _asked(house, (intent_of("question", about="weather"),))
    assert [report.topic for report in sender.reports] == ["edged/hall/intent/question", "edged/hall/rejected"]


def test_rhasspy_is_given_the_reply_to_say(house: Catalog) -> None:
    sender = _asked(house, (intent_of("question", about="light", light="lamp"),), hermes_site="kitchen")
    assert sender.reports[-1] == report_hermes_say("kitchen", UTTERANCE, "lamp: off")
    assert sender.reports[-1].topic == "hermes/tts/say"
    assert json.loads(sender.reports[-1].payload) == {
        "text": "lamp: off", "lang": "en", "id": "u1", "siteId": "kitchen", "sessionId": "u1",
    }  # fmt: skip
