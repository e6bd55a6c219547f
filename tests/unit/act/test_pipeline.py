from __future__ import annotations

import json
import logging

import pytest

from edged.act.drivers import state_topics
from edged.act.pipeline import Pipeline
from edged.act.state import DeviceStates
from edged.intents.catalog import Catalog
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.types import Intent, Rejected, Stage, Utterance
from tests.unit.act.conftest import device_of, home_of, intent_of
from tests.unit.act.fakes import FakeSender

UTTERANCE = Utterance("u1", "a secret sentence", "en", 1.0, 90, 100, "mqtt")


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def states(house: Catalog) -> DeviceStates:
    return DeviceStates(state_topics(house.home))


def _pipeline(
    understood: tuple[Intent, ...] | Rejected,
    house: Catalog,
    states: DeviceStates,
    sender: FakeSender,
    metrics: Metrics = UNCOUNTED,
) -> Pipeline:
    return Pipeline(
        understand=lambda _utterance: understood,
        catalog=house,
        states=states,
        sender=sender,
        node="hall",
        metrics=metrics,
        clock=lambda: 5_000_100,
    )


def test_an_intent_is_reported_and_its_commands_are_sent(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    outcome = _pipeline((intent_of(action="on"),), house, states, sender).handle(UTTERANCE)
    assert [command.topic for command in sender.commands] == ["zigbee2mqtt/lamp_1/set", "zigbee2mqtt/lamp_2/set"]
    assert [report.topic for report in sender.reports] == ["edged/hall/intent/light"]
    assert json.loads(sender.reports[0].payload)["latency_ms"] == 5
    assert outcome.sent == tuple(sender.commands)
    assert outcome.rejected == ()


def test_a_command_expires_counted_from_the_end_of_the_utterance(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    _pipeline((intent_of(action="on", device="lamp"),), house, states, sender).handle(UTTERANCE)
    assert sender.commands[0].expires_ns == 100 + 30_000_000_000
    assert sender.commands[0].intent_id == "u1"


def test_two_intents_are_both_done(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    intents = (intent_of(action="off", device="lamp"), intent_of("thermostat", temperature=20))
    outcome = _pipeline(intents, house, states, sender).handle(UTTERANCE)
    assert [command.topic for command in outcome.sent] == ["zigbee2mqtt/lamp_1/set", "zigbee2mqtt/trv_1/set"]
    assert [report.topic for report in sender.reports] == ["edged/hall/intent/light", "edged/hall/intent/thermostat"]


def test_one_rejected_intent_does_not_stop_the_other(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    intents = (intent_of(action="on", area="bathroom"), intent_of("thermostat", temperature=20))
    outcome = _pipeline(intents, house, states, sender).handle(UTTERANCE)
    assert [command.topic for command in outcome.sent] == ["zigbee2mqtt/trv_1/set"]
    assert [rejected.reason for rejected in outcome.rejected] == ["there is no light in the bathroom"]
    assert sender.reports[-1].topic == "edged/hall/rejected"


def test_an_intent_without_devices_is_only_reported(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    outcome = _pipeline((intent_of("note"),), house, states, sender).handle(UTTERANCE)
    assert (outcome.sent, outcome.rejected) == ((), ())
    assert [report.topic for report in sender.reports] == ["edged/hall/intent/note"]


def test_what_is_not_understood_is_reported_with_its_text(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    outcome = _pipeline(Rejected("u1", "understand", "no command in this"), house, states, sender).handle(UTTERANCE)
    assert outcome.intents == ()
    message = json.loads(sender.reports[0].payload)
    assert (message["text"], message["stage"], message["reason"]) == (
        "a secret sentence",
        "understand",
        "no command in this",
    )


def test_a_command_that_is_not_sent_is_reported(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    sender.answer = "the broker cannot be reached at present"
    outcome = _pipeline((intent_of(action="on", device="lamp"),), house, states, sender).handle(UTTERANCE)
    assert outcome.sent == ()
    assert json.loads(sender.reports[-1].payload)["stage"] == "mqtt"


def test_warmer_said_twice_counts_twice(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    states.update("zigbee2mqtt/trv_1", b'{"occupied_heating_setpoint": 20}')
    pipeline = _pipeline((intent_of("thermostat", step=1),), house, states, sender)
    pipeline.handle(UTTERANCE)
    pipeline.handle(UTTERANCE)
    assert [json.loads(command.payload)["occupied_heating_setpoint"] for command in sender.commands] == [21, 22]


def test_a_setpoint_that_was_not_sent_is_not_assumed(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    states.update("zigbee2mqtt/trv_1", b'{"occupied_heating_setpoint": 20}')
    sender.answer = "no confirmation came"
    _pipeline((intent_of("thermostat", step=1),), house, states, sender).handle(UTTERANCE)
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 20}


class RecordingMetrics(Metrics):
    """Keeps what is counted, in order."""

    def __init__(self) -> None:
        self.counted: list[object] = []

    def count_rejected(self, stage: Stage) -> None:
        self.counted.append(stage)

    def count_command(self, *, sent: bool) -> None:
        self.counted.append("sent" if sent else "failed")

    def observe_utterance(self, seconds: float) -> None:
        self.counted.append(seconds)


def test_commands_rejections_and_the_time_are_counted(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    metrics = RecordingMetrics()
    pipeline = _pipeline((intent_of(action="on"),), house, states, sender, metrics)
    pipeline.handle(UTTERANCE)
    assert metrics.counted == ["sent", "sent", 0.005]
    metrics.counted.clear()
    sender.answer = "the broker cannot be reached at present"
    pipeline.handle(UTTERANCE)
    assert metrics.counted == ["failed", "failed", "mqtt", "mqtt", 0.005]


def test_what_was_not_even_begun_is_counted_as_rejected(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    metrics = RecordingMetrics()
    _pipeline((), house, states, sender, metrics).refuse(Rejected("u1", "hear", "too unclear"))
    assert metrics.counted == ["hear"]


def test_info_names_the_utterance_and_holds_no_spoken_text(
    house: Catalog, states: DeviceStates, sender: FakeSender, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        _pipeline((intent_of(action="on"),), house, states, sender).handle(UTTERANCE)
    (record,) = caplog.records
    assert "u1" in record.getMessage()
    assert "secret" not in record.getMessage()
    assert "lamp_1" not in record.getMessage()


def test_a_long_text_is_cut_in_the_report(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    pipeline = _pipeline((), house, states, sender)
    pipeline.refuse(Rejected("u1", "understand", "too long"), text="x" * 10_000, lang="en")
    assert len(json.loads(sender.reports[0].payload)["text"]) == 500


def test_another_catalog_counts_from_the_next_utterance_on(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    pipeline = _pipeline((intent_of(action="on"),), house, states, sender)
    pipeline.set_catalog(Catalog(house.intents, home_of(device_of("spot", address="spot_1")), ()))
    pipeline.handle(UTTERANCE)
    assert [command.topic for command in sender.commands] == ["zigbee2mqtt/spot_1/set"]
