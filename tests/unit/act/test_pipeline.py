from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from edged.act.confirmation import Confirmations
from edged.act.delivery import Fate
from edged.act.drivers import state_topics
from edged.act.inbound import Reply
from edged.act.pipeline import Pipeline
from edged.act.state import DeviceStates
from edged.intents.catalog import Catalog, Confirmation
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.types import Command, Intent, Rejected, Stage, Utterance
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
    hermes_site: str | None = None,
) -> Pipeline:
    return Pipeline(
        understand=lambda _utterance: understood,
        catalog=house,
        states=states,
        sender=sender,
        node="hall",
        hermes_site=hermes_site,
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
    assert [command.id for command in outcome.sent] == ["u1/0", "u1/1"]
    assert outcome.rejected == ()


def test_commands_of_two_utterances_whose_sender_uses_one_id_have_ids_of_their_own(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    pipeline = _pipeline((intent_of(action="on", device="lamp"),), house, states, sender)
    for instance in ("first", "second"):
        pipeline.handle(replace(UTTERANCE, instance=instance))
    assert [command.id for command in sender.commands] == ["u1/first/0", "u1/second/0"]


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


def test_a_command_that_waits_is_reported_once_it_is_settled(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    metrics = RecordingMetrics()
    sender.holds = True
    pipeline = _pipeline((intent_of("thermostat", temperature=20),), house, states, sender, metrics)
    outcome = pipeline.handle(UTTERANCE)
    assert (outcome.sent, outcome.rejected) == ((), ())
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 20}
    pipeline.settle(outcome.waiting[0], Rejected("u1", "mqtt", "expired"))
    assert states.state_of("radiator") == {}
    assert json.loads(sender.reports[-1].payload)["reason"] == "expired"
    assert sender.reports[-1].may_wait
    pipeline.settle(outcome.waiting[0], None)
    assert metrics.counted == [0.005, "failed", "mqtt", "sent"]


def test_warmer_said_twice_counts_twice(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    states.update("zigbee2mqtt/trv_1", b'{"occupied_heating_setpoint": 20}')
    pipeline = _pipeline((intent_of("thermostat", step=1),), house, states, sender)
    pipeline.handle(UTTERANCE)
    pipeline.handle(UTTERANCE)
    assert [json.loads(command.payload)["occupied_heating_setpoint"] for command in sender.commands] == [21, 22]


def test_warmer_counts_twice_while_both_wait_for_the_broker(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    states.update("zigbee2mqtt/trv_1", b'{"occupied_heating_setpoint": 20}')
    sender.holds = True
    pipeline = _pipeline((intent_of("thermostat", step=1),), house, states, sender)
    first, second = (pipeline.handle(replace(UTTERANCE, id=id_)).waiting[0] for id_ in ("u1", "u2"))
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 22}
    pipeline.settle(first, None)
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 22}
    pipeline.settle(second, Rejected("u2", "mqtt", "expired"))
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 20}


def test_a_device_that_answers_before_the_broker_is_believed(house: Catalog, states: DeviceStates) -> None:
    class QuickDevice(FakeSender):
        def publish_all(self, commands: Sequence[Command], **more: Any) -> tuple[Fate, ...]:
            states.update("zigbee2mqtt/trv_1", b'{"occupied_heating_setpoint": 19.5}')
            return super().publish_all(commands, **more)

    _pipeline((intent_of("thermostat", temperature=19),), house, states, QuickDevice()).handle(UTTERANCE)
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 19.5}


def test_a_setpoint_that_was_not_sent_is_not_assumed(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    states.update("zigbee2mqtt/trv_1", b'{"occupied_heating_setpoint": 20}')
    sender.answer = "no confirmation came"
    _pipeline((intent_of("thermostat", step=1),), house, states, sender).handle(UTTERANCE)
    assert states.state_of("radiator") == {"occupied_heating_setpoint": 20}


def test_with_a_site_intents_go_out_as_hermes_does_too(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    _pipeline((intent_of("note"),), house, states, sender, hermes_site="kitchen").handle(UTTERANCE)
    refused = Rejected("u1", "understand", "no command in this")
    _pipeline(refused, house, states, sender, hermes_site="kitchen").handle(UTTERANCE)
    assert [report.topic for report in sender.reports] == [
        "edged/hall/intent/note",
        "hermes/intent/note",
        "edged/hall/rejected",
        "hermes/nlu/intentNotRecognized",
    ]
    assert json.loads(sender.reports[1].payload)["siteId"] == "kitchen"


def test_what_was_understood_but_not_done_is_not_called_unrecognized(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    intents = (intent_of(action="on", area="bathroom"),)
    _pipeline(intents, house, states, sender, hermes_site="kitchen").handle(UTTERANCE)
    assert [report.topic for report in sender.reports][-2:] == ["hermes/intent/light", "edged/hall/rejected"]


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


def test_a_device_that_says_it_is_offline_is_refused_and_the_others_are_commanded(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    pipeline = Pipeline(
        understand=lambda _utterance: (intent_of(action="on"),),
        catalog=house,
        states=states,
        sender=sender,
        node="hall",
        is_offline=lambda device: device == "lamp",
        clock=lambda: 100,
    )
    outcome = pipeline.handle(UTTERANCE)
    assert [command.topic for command in outcome.sent] == ["zigbee2mqtt/lamp_2/set"]
    assert outcome.rejected == (Rejected("u1", "act", "lamp is offline"),)


def test_a_command_that_waited_is_followed_from_when_the_broker_has_it(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    sender.holds = True
    confirmations = Confirmations(states, node="hall", confirm_s=3, report=sender.report, clock=lambda: 100)
    pipeline = Pipeline(
        understand=lambda _utterance: (intent_of(action="on", area="kitchen"),),
        catalog=house,
        states=states,
        sender=sender,
        node="hall",
        confirmations=confirmations,
        clock=lambda: 100,
    )
    (command,) = pipeline.handle(UTTERANCE).waiting
    assert confirmations.pending == 0
    pipeline.settle(command, None)
    assert confirmations.pending == 1
    confirmations.look(states.update("zigbee2mqtt/lamp_1", b'{"state": "ON"}'))
    assert json.loads(sender.reports[-1].payload)["status"] == "confirmed"


def test_a_command_that_waited_and_expired_is_not_followed(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    sender.holds = True
    pipeline = _pipeline((intent_of(action="on", area="kitchen"),), house, states, sender)
    (command,) = pipeline.handle(UTTERANCE).waiting
    pipeline.settle(command, Rejected("u1", "mqtt", "expired"))
    assert [report.topic for report in sender.reports] == ["edged/hall/intent/light", "edged/hall/rejected"]
    assert states.state_of("lamp") == {}


def test_what_names_no_place_means_the_area_where_it_was_said(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    pipeline = _pipeline((intent_of(action="on"),), house, states, sender)
    for area in ("living_room", "kitchen"):
        pipeline.handle(replace(UTTERANCE, area=area))
    assert [command.topic for command in sender.commands] == ["zigbee2mqtt/lamp_2/set", "zigbee2mqtt/lamp_1/set"]


def test_what_was_said_in_an_area_that_is_not_there_is_not_done_elsewhere(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    outcome = _pipeline((intent_of(action="on"),), house, states, sender).handle(replace(UTTERANCE, area="cellar"))
    assert sender.commands == []
    assert [(rejected.stage, rejected.reason) for rejected in outcome.rejected] == [
        ("act", 'it was said in "cellar", and there is no such area')
    ]


# Questions back


def _asking(house: Catalog, states: DeviceStates, sender: FakeSender, hermes_site: str | None = None) -> Pipeline:
    """To turn on all the lamps has to be confirmed."""
    light = replace(house.intents["light"], confirm=Confirmation("house", {"action": ("on",)}))
    asking = replace(house, intents={**house.intents, "light": light})
    return Pipeline(
        understand=lambda one: (
            (intent_of(action="on"),) if one.text == "lights" else Rejected(one.id, "understand", "no command in this")
        ),
        catalog=asking,
        states=states,
        sender=sender,
        node="hall",
        hermes_site=hermes_site,
        ask_s=15,
        clock=lambda: 100,
    )


def test_a_question_goes_out_and_nothing_else(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    outcome = _asking(house, states, sender).handle(replace(UTTERANCE, text="lights"))
    assert (outcome.asks, outcome.intents, outcome.rejected, sender.commands) == (True, (), (), [])
    (report,) = sender.reports
    message = json.loads(report.payload)
    assert (report.topic, report.retain, report.may_wait) == ("edged/hall/ask", False, False)
    assert message.pop("time")
    assert message == {
        "id": "u1", "node": "hall", "text": "lights", "lang": "en", "question": "In the whole house: lights?",
        "options": ["yes", "no"], "expires_s": 15.0,
    }  # fmt: skip


def test_what_is_confirmed_is_carried_out_with_a_fresh_expiry(
    house: Catalog, states: DeviceStates, sender: FakeSender
) -> None:
    pipeline = _asking(house, states, sender)
    pipeline.handle(replace(UTTERANCE, text="lights"))
    outcome = pipeline.handle(Utterance("u2", "yes", "en", 1.0, 5_000, 5_000, "mqtt"))
    assert [command.id for command in outcome.sent] == ["u1/0", "u1/1"]
    assert [report.topic for report in sender.reports[1:]] == ["edged/hall/intent/light"]
    pipeline.handle_reply(Reply("u1", "yes", "en", 5_000))
    assert json.loads(sender.reports[-1].payload)["reason"] == "in/confirm: no question about this utterance is open"
    assert len(sender.commands) == 2


def test_a_reply_by_id_is_carried_out(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    pipeline = _asking(house, states, sender)
    pipeline.handle(replace(UTTERANCE, text="lights"))
    pipeline.handle_reply(Reply("u1", "yes", "en", 5_000))
    assert len(sender.commands) == 2


def test_questions_that_are_dropped_are_reported(house: Catalog, states: DeviceStates, sender: FakeSender) -> None:
    pipeline = _asking(house, states, sender)
    pipeline.handle(replace(UTTERANCE, text="lights"))
    pipeline.tick()
    assert len(sender.reports) == 1
    pipeline.set_catalog(house)
    pipeline.drop_questions("the end")
    message = json.loads(sender.reports[-1].payload)
    assert (message["id"], message["text"], message["reason"]) == (
        "u1",
        "lights",
        "what can be said changed before the answer",
    )
    assert len(sender.reports) == 2


@pytest.mark.parametrize(("source", "asked"), [("mqtt", True), ("mic", False)])
def test_a_session_of_somebody_else_is_continued(
    house: Catalog, states: DeviceStates, sender: FakeSender, source: str, asked: bool
) -> None:
    _asking(house, states, sender, "default").handle(replace(UTTERANCE, text="lights", source=source))
    told = [json.loads(report.payload) for report in sender.reports if report.topic.startswith("hermes/")]
    assert [(one["sessionId"], one["text"]) for one in told] == [("u1", "In the whole house: lights?")] * asked
