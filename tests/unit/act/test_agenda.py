"""Timers through the pipeline: set, listed, cancelled, carried out, too late and no longer possible."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edged.act.agenda import Agenda, as_at_once
from edged.act.delivery import Fate
from edged.act.outbox import Outbox
from edged.act.pipeline import Pipeline
from edged.act.state import DeviceStates
from edged.act.store import Store
from edged.act.timers import GRACE_S, Timers
from edged.intents.catalog import Catalog, TimerRule, TimerRules
from edged.types import Command, Intent, Utterance
from tests.unit.act.conftest import intent_file, intent_of
from tests.unit.act.fakes import FakeClock, FakeSender

UTTERANCE = Utterance("u1", "kitchen light off in ten minutes", "en", 1.0, 90, 100, "mqtt")
RULES = TimerRules(
    "area",
    "device",
    tuple(TimerRule({"action": (act,)}, act) for act in ("list", "cancel", "cancel_all")),
)


@pytest.fixture
def clocks() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def catalog(house: Catalog) -> Catalog:
    about_timers = replace(intent_file("agenda", None), timers=RULES)
    return replace(house, intents={**house.intents, "agenda": about_timers})


class Desk:
    """A pipeline over timers whose clock is moved by hand."""

    def __init__(self, catalog: Catalog, sender: Any, clocks: FakeClock, store: Store | None = None) -> None:
        self.sender = sender
        self.clocks = clocks
        self.meant: tuple[Intent, ...] = ()
        self.timers = Timers(store or Store(), clock=clocks.clock)
        self.pipeline = Pipeline(
            understand=lambda utterance: tuple(replace(intent, utterance_id=utterance.id) for intent in self.meant),
            catalog=catalog,
            states=DeviceStates({}),
            sender=sender,
            node="hall",
            hermes_site="default",
            timers=self.timers,
            clock=lambda: clocks.monotonic_ns,
        )
        self.pipeline._agenda._clock = clocks.clock

    def say(self, *meant: Intent, id_: str = "u1", text: str = UTTERANCE.text) -> list[str]:
        """Why something of it was not done."""
        self.meant = meant
        return [one.reason for one in self.pipeline.handle(replace(UTTERANCE, id=id_, text=text)).rejected]

    def pass_s(self, seconds: float) -> None:
        self.clocks.pass_s(seconds)
        self.pipeline.carry_out_due()

    def told(self, topic: str) -> list[Any]:
        return [json.loads(report.payload) for report in self.sender.reports if report.topic == f"edged/hall/{topic}"]

    def running(self) -> list[str]:
        """The ids in the last list that was told."""
        return [timer["id"] for timer in self.told("timers")[-1]["timers"]]


@pytest.fixture
def desk(catalog: Catalog, sender: FakeSender, clocks: FakeClock) -> Desk:
    return Desk(catalog, sender, clocks)


def off(area: str = "kitchen", delay_s: float = 600.0, **slots: Any) -> Intent:
    return replace(intent_of(action="off", area=area, **slots), delay_s=delay_s)


def about(action: str, **slots: str) -> Intent:
    return intent_of("agenda", action=action, **slots)


def test_an_intent_with_a_delay_is_told_as_a_timer_and_nothing_else_happens(desk: Desk) -> None:
    assert desk.say(off()) == []
    assert desk.sender.commands == []
    assert [report.topic for report in desk.sender.reports] == ["edged/hall/timers"]
    assert desk.sender.reports[0].retain
    assert desk.told("timers")[0]["timers"] == [
        {
            "id": "u1+1",
            "text": UTTERANCE.text,
            "lang": "en",
            "intent": "light",
            "slots": {"action": "off", "area": "kitchen"},
            "due": "2023-11-14T22:23:21Z",
        }
    ]


def test_when_it_is_due_it_is_carried_out_and_reported_as_if_said_then(desk: Desk) -> None:
    desk.say(off())
    desk.pass_s(599)
    assert desk.sender.commands == []
    desk.pass_s(1)
    (command,) = desk.sender.commands
    assert (command.topic, command.id) == ("zigbee2mqtt/lamp_1/set", "u1+1/0")
    assert command.expires_ns == desk.clocks.monotonic_ns + 30 * 10**9
    assert [message["id"] for message in desk.told("intent/light")] == ["u1+1"]
    assert "hermes/intent/light" in [report.topic for report in desk.sender.reports]
    assert desk.running() == []
    desk.pass_s(1)
    assert len(desk.sender.commands) == 1


def test_what_is_done_at_once_and_later_has_ids_of_its_own(desk: Desk) -> None:
    desk.say(intent_of(action="on", area="kitchen"), off(), off("living_room"))
    desk.pass_s(600)
    ids = [command.id for command in desk.sender.commands]
    assert len(set(ids)) == len(ids) == 3


def test_an_intent_without_commands_is_told_when_it_is_due(desk: Desk) -> None:
    desk.say(replace(intent_of("note"), delay_s=60.0))
    assert desk.told("intent/note") == []
    desk.pass_s(60)
    assert len(desk.told("intent/note")) == 1
    assert desk.running() == []


def test_one_timer_too_many_is_rejected(desk: Desk) -> None:
    desk.timers._max_timers = 1
    assert desk.say(off()) == []
    assert desk.say(off(), id_="u2") == ["1 timers run already"]
    assert [message["id"] for message in desk.told("rejected")] == ["u2"]


def test_what_is_due_too_long_ago_is_rejected_and_gone(desk: Desk) -> None:
    desk.say(off())
    desk.pass_s(600 + GRACE_S + 1)
    assert desk.sender.commands == []
    assert [(one["id"], one["text"]) for one in desk.told("rejected")] == [("u1+1", UTTERANCE.text)]
    assert desk.running() == []


def test_what_is_no_longer_in_the_catalog_is_rejected_and_gone(desk: Desk, catalog: Catalog) -> None:
    desk.say(off())
    desk.pipeline.set_catalog(replace(catalog, intents={}))
    desk.pass_s(600)
    assert [one["reason"] for one in desk.told("rejected")] == ["there is no intent light any more"]
    assert desk.running() == []


def test_slots_that_the_intent_no_longer_takes_are_rejected(desk: Desk, catalog: Catalog) -> None:
    desk.say(off())
    schema = {"type": "object", "properties": {"area": {"enum": ["attic"]}}}
    light = replace(catalog.intents["light"], schema=schema)
    desk.pipeline.set_catalog(replace(catalog, intents={"light": light}))
    desk.pass_s(600)
    assert desk.sender.commands == []
    assert [one["stage"] for one in desk.told("rejected")] == ["act"]
    assert desk.running() == []


def test_a_device_that_is_gone_is_rejected_and_so_is_the_timer(desk: Desk, catalog: Catalog) -> None:
    desk.say(off())
    desk.pipeline.set_catalog(replace(catalog, home=replace(catalog.home, devices={})))
    desk.pass_s(600)
    assert len(desk.told("rejected")) == 1
    assert desk.running() == []


def test_the_list_is_told_again_when_the_clock_was_set(desk: Desk) -> None:
    desk.say(off())
    desk.pass_s(1)
    assert len(desk.told("timers")) == 1
    desk.clocks.jump_s(3600)
    desk.pass_s(1)
    assert [message["timers"][0]["due"] for message in desk.told("timers")] == [
        "2023-11-14T22:23:21Z",
        "2023-11-14T23:23:21Z",
    ]
    assert desk.sender.commands == []


def test_a_list_is_answered_with_the_timers_and_a_reply_in_words(desk: Desk) -> None:
    desk.say(off())
    desk.pass_s(300)
    desk.say(about("list"), id_="u2", text="which timers run")
    (answer,) = desk.told("answer")
    assert {key: answer[key] for key in ("id", "node", "text", "lang", "intent", "reply")} == {
        "id": "u2",
        "node": "hall",
        "text": "which timers run",
        "lang": "en",
        "intent": "agenda",
        "reply": "in 5 minutes: kitchen light off",
    }
    assert [timer["id"] for timer in answer["timers"]] == ["u1+1"]


def test_where_no_timer_runs_a_list_says_so(desk: Desk) -> None:
    desk.say(about("list"))
    assert [(answer["timers"], answer["reply"]) for answer in desk.told("answer")] == [([], "no timer is set")]


def test_the_last_timer_is_cancelled(desk: Desk) -> None:
    for id_, delay_s in (("a", 600.0), ("b", 300.0), ("c", 900.0)):
        desk.say(off(delay_s=delay_s), id_=id_)
    assert desk.say(about("cancel"), id_="u2") == []
    assert desk.running() == ["b+1", "a+1"]


@pytest.mark.parametrize(
    ("slots", "left"),
    [
        ({"area": "kitchen"}, ["b+1"]),
        ({"area": "living_room"}, ["a+1"]),
        ({"device": "floor_lamp"}, ["a+1"]),
        ({"area": "ground"}, ["a+1"]),
        ({"area": "living_room", "device": "floor_lamp"}, ["a+1"]),
    ],
)
def test_the_timer_about_a_place_or_device_is_cancelled(desk: Desk, slots: dict[str, str], left: list[str]) -> None:
    desk.say(off(), id_="a")
    desk.say(replace(intent_of(action="off", device="floor_lamp"), delay_s=600.0), id_="b")
    assert desk.say(about("cancel", **slots), id_="u2") == []
    assert desk.running() == left


def test_all_timers_are_cancelled(desk: Desk) -> None:
    for id_ in "abc":
        desk.say(off(), id_=id_)
    assert desk.say(about("cancel_all"), id_="u2") == []
    assert desk.running() == []
    desk.pass_s(600)
    assert desk.sender.commands == []


def test_all_timers_of_a_place_are_cancelled_and_no_other(desk: Desk) -> None:
    for id_, area in (("a", "kitchen"), ("b", "living_room"), ("c", "kitchen")):
        desk.say(off(area), id_=id_)
    assert desk.say(about("cancel_all", area="kitchen"), id_="u2") == []
    assert desk.running() == ["b+1"]


def test_cancelling_nothing_is_rejected(desk: Desk) -> None:
    assert desk.say(about("cancel")) == ["no timer is set"]
    desk.say(off(), id_="a")
    assert desk.say(about("cancel", area="living_room"), id_="u2") == ["no timer is about this"]
    assert desk.running() == ["a+1"]


def test_an_intent_without_a_rule_that_holds_does_nothing(desk: Desk) -> None:
    assert desk.say(about("wind")) == ["says nothing to do with the timers"]


def test_a_timer_outlives_a_restart_under_its_id(tmp_path: Path, catalog: Catalog, clocks: FakeClock) -> None:
    first = Store(tmp_path / "commands.sqlite3")
    before = Desk(catalog, FakeSender(), clocks, first)
    first.open()
    before.say(off(), id_="a")
    before.say(off("living_room", 60.0), id_="b")
    before.pass_s(60)
    first.close()
    second = Store(tmp_path / "commands.sqlite3")
    after = Desk(catalog, FakeSender(), clocks, second)
    second.open()
    after.pipeline.tell_timers()
    assert after.running() == ["a+1"]
    after.pass_s(540)
    assert [command.id for command in after.sender.commands] == ["a+1/0"]
    second.close()


def test_the_timer_goes_with_the_transaction_that_writes_its_commands(catalog: Catalog, clocks: FakeClock) -> None:
    class Transaction(FakeSender):
        def publish_all(
            self, commands: Sequence[Command], *, instead_of: Callable[[], None] | None = None
        ) -> tuple[Fate, ...]:
            assert instead_of is not None
            before = len(desk.timers.list())
            fates = super().publish_all(commands, instead_of=instead_of)
            counts.append((before, len(desk.timers.list())))
            return fates

    counts: list[tuple[int, int]] = []
    desk = Desk(catalog, Transaction(), clocks)
    desk.say(off())
    desk.pass_s(600)
    assert counts == [(1, 0)]


def test_a_full_outbox_is_told_and_the_timer_is_gone(catalog: Catalog, clocks: FakeClock) -> None:
    sender = FakeSender()
    sender.answer = "the outbox is full"
    desk = Desk(catalog, sender, clocks)
    desk.say(off())
    desk.pass_s(600)
    assert [one["reason"] for one in desk.told("rejected")] == ["the outbox is full"]
    assert desk.running() == []


def test_what_is_kept_for_learning_has_no_delay() -> None:
    assert as_at_once(UTTERANCE, [off()]).text == "kitchen light off"
    assert as_at_once(UTTERANCE, [intent_of(action="off")]) == UTTERANCE


def test_after_a_reboot_without_the_time_the_list_has_no_time(tmp_path: Path, clocks: FakeClock) -> None:
    store = Store(tmp_path / "commands.sqlite3")
    timers = Timers(store, clock=clocks.clock)
    store.open()
    timers.add(off(), text="x", lang="en", delay_s=600)
    store.close()
    later = clocks.reboot(60)
    later.is_synchronized = False
    again = Store(tmp_path / "commands.sqlite3")
    agenda_timers, sender = Timers(again, clock=later.clock), FakeSender()
    Outbox(again)
    again.open()
    Agenda(agenda_timers, node="hall", report=sender.report, clock=later.clock).tell()
    assert [timer["due"] for timer in json.loads(sender.reports[0].payload)["timers"]] == [None]
    again.close()


def test_a_timer_means_the_area_where_it_was_set(desk: Desk) -> None:
    desk.meant = (replace(intent_of(action="off"), delay_s=600.0),)
    desk.pipeline.handle(replace(UTTERANCE, area="kitchen"))
    desk.pass_s(600)
    assert [command.topic for command in desk.sender.commands] == ["zigbee2mqtt/lamp_1/set"]


def test_a_timer_that_was_set_in_an_area_that_is_gone_is_told_and_not_done_elsewhere(
    desk: Desk, catalog: Catalog
) -> None:
    desk.meant = (replace(intent_of(action="off"), delay_s=600.0),)
    desk.pipeline.handle(replace(UTTERANCE, area="kitchen"))
    home = replace(catalog.home, areas={key: area for key, area in catalog.home.areas.items() if key != "kitchen"})
    desk.pipeline.set_catalog(replace(catalog, home=home))
    desk.pass_s(600)
    assert desk.sender.commands == []
    assert "the area where the timer was set" in desk.told("rejected")[-1]["reason"]


def test_timers_of_one_id_that_its_sender_used_twice_have_ids_of_their_own(desk: Desk) -> None:
    desk.meant = (off(),)
    for instance in ("a", "b"):
        desk.pipeline.handle(replace(UTTERANCE, instance=instance))
    assert desk.running() == ["u1+a+1", "u1+b+1"]
