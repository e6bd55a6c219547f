"""A node that asks workers, which may be slow, dead, several, old or hostile."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from edged.act.exchange import write_outcome
from edged.act.fleet import MAX_UNREAD, Fleet
from edged.act.mqtt import Exchange
from edged.config import Config, HomeConfig, MqttConfig, UnderstandConfig
from edged.intents.catalog import Catalog
from edged.types import Intent, Question, Rejected, Utterance

HEARD = Utterance("u1", "turn on the kitchen light", "en", 0.9, 0, 0, "mic")
LIGHT = Intent("u1", "light", {"action": "on", "area": "kitchen"}, 0.9, 1.0)


def _config(answer_s: float = 0.1, give_up_s: float = 0.5) -> Config:
    return Config(
        mqtt=MqttConfig(node="hall"),
        home=HomeConfig(area="kitchen"),
        understand=UnderstandConfig(by="workers", answer_s=answer_s, give_up_s=give_up_s),
    )


def _asked(question: Question) -> bytes:
    return write_outcome("w1", "u1", Rejected("u1", "understand", "unclear", asks=question))


class Broker:
    """Hands each copy of a question to `answer`, which gives what comes back."""

    def __init__(self, fleet: Fleet, answer: Callable[[int], list[bytes]]) -> None:
        self.asked: list[tuple[str, dict[str, Any], Exchange]] = []
        self._fleet = fleet
        self._answer = answer
        fleet.use(self)

    def __call__(self, topic: str, payload: bytes, exchange: Exchange, *, timeout_s: float = 0.0) -> bool:
        assert timeout_s == 0
        self.asked.append((topic, json.loads(payload), exchange))
        for answer in self._answer(len(self.asked)):
            self._fleet.take(answer, retained=False)
        return True


def _answer(*intents: Intent, of: str = "u1") -> bytes:
    return write_outcome("w1", of, intents)


def test_the_first_answer_is_taken_and_no_copy_of_it(catalog: Catalog) -> None:
    fleet = Fleet(_config(), catalog)
    off = Intent("u1", "light", {"action": "off"}, 1.0, 1.0)
    broker = Broker(fleet, lambda _: [_answer(LIGHT), _answer(off)])
    assert fleet.understand(HEARD) == (LIGHT,)
    (topic, message, exchange) = broker.asked[0]
    assert (topic, exchange) == ("edged/hall/utterance", Exchange(1, "edged/hall/understood", b"u1"))
    assert (message["text"], message["area"]) == (HEARD.text, "kitchen")
    assert len(broker.asked) == 1


def test_what_was_left_of_the_utterance_before_answers_no_other(catalog: Catalog) -> None:
    fleet = Fleet(_config(), catalog)
    other = Intent("u2", "light", {"action": "off"}, 1.0, 1.0)
    Broker(fleet, lambda _: [_answer(LIGHT), _answer(LIGHT), _answer(other, of="u2")])
    fleet.understand(HEARD)
    heard = Utterance("u2", "turn it off", "en", 1.0, 0, 0, "mic")
    assert fleet.understand(heard) == (other,)


def test_without_an_answer_the_same_question_is_asked_again(catalog: Catalog) -> None:
    fleet = Fleet(_config(give_up_s=30), catalog)
    broker = Broker(fleet, lambda copy: [_answer(LIGHT)] if copy == 3 else [])
    assert fleet.understand(HEARD) == (LIGHT,)
    assert broker.asked[0] == broker.asked[1] == broker.asked[2]


def test_it_gives_up_and_says_what_to_do(catalog: Catalog) -> None:
    fleet = Fleet(_config(), catalog)
    broker = Broker(fleet, lambda _: [])
    outcome = fleet.understand(HEARD)
    assert isinstance(outcome, Rejected)
    assert "no worker has answered within 0.5 s: start more (edged worker)" in outcome.reason
    assert len(broker.asked) > 1
    fleet.take(_answer(LIGHT), retained=False)  # too late: nobody waits
    assert not fleet._unread


def test_where_nothing_can_be_sent_the_broker_is_named(catalog: Catalog) -> None:
    outcome = Fleet(_config(), catalog).understand(HEARD)
    assert isinstance(outcome, Rejected)
    assert "the broker cannot be reached" in outcome.reason


@pytest.mark.parametrize(
    "bad",
    [
        b"no json",
        _answer(Intent("u1", "missiles", {}, 1.0, 1.0)),
        _answer(Intent("u1", "light", {"action": "explode"}, 1.0, 1.0)),
        _answer(Intent("u1", "light", {"action": "on", "area": "neighbour"}, 1.0, 1.0)),
        _answer(Intent("u1", "light", {"action": "on", "intent": "lock"}, 1.0, 1.0)),
        _answer(LIGHT, Intent("u1", "thermostat", {"action": "set", "temperature": 900}, 1.0, 1.0)),
        write_outcome("w1", "u1", Rejected("u1", "understand", "no", (Intent("u1", "missiles", {}, 1, 1),))),
        _asked(Question((Intent("u1", "missiles", {}, 1, 1),))),
        _asked(Question((LIGHT, Intent("u1", "missiles", {}, 1, 1)))),
        _asked(Question((LIGHT,), slots=("missiles",))),
        _asked(Question((LIGHT,), slots=("device",), choices=("neighbour",))),
        _asked(Question((Intent("u1", "light", {"missiles": 1}, 1, 1),))),
    ],
)
def test_an_answer_that_this_house_does_not_allow_is_none(catalog: Catalog, bad: bytes) -> None:
    fleet = Fleet(_config(), catalog)
    Broker(fleet, lambda _: [bad, _answer(LIGHT)])
    assert fleet.understand(HEARD) == (LIGHT,)
    Broker(fleet, lambda _: [bad])
    outcome = fleet.understand(HEARD)
    assert isinstance(outcome, Rejected)
    assert "no worker's answer can be used" in outcome.reason


def test_a_rejection_is_an_answer(catalog: Catalog) -> None:
    fleet = Fleet(_config(), catalog)
    rejected = Rejected("u1", "understand", "not sure enough", (LIGHT,))
    Broker(fleet, lambda _: [write_outcome("w1", "u1", rejected)])
    assert fleet.understand(HEARD) == rejected


def test_a_question_that_a_worker_asks_is_asked_here(catalog: Catalog) -> None:
    fleet = Fleet(_config(), catalog)
    heater = Intent("u1", "thermostat", {"action": "set"}, 1.0, 1.0)
    asks = Question((LIGHT, heater), 1, ("temperature",), text="To what temperature?")
    Broker(fleet, lambda _: [_asked(asks)])
    assert fleet.understand(HEARD) == Rejected("u1", "understand", "unclear", asks=asks)


def test_the_nodes_own_threshold_holds(catalog: Catalog) -> None:
    fleet = Fleet(_config(), catalog)
    doubtful = Intent("u1", "light", {"action": "on"}, 0.5, 1.0)
    Broker(fleet, lambda _: [_answer(doubtful)])
    outcome = fleet.understand(HEARD)
    assert isinstance(outcome, Rejected)
    assert outcome.meant == (doubtful,)


def test_what_was_heard_unclearly_does_not_leave_the_house(catalog: Catalog) -> None:
    fleet = Fleet(_config(), catalog)
    broker = Broker(fleet, lambda _: [_answer(LIGHT)])
    outcome = fleet.understand(Utterance("u1", "turn on", "en", 0.5, 0, 0, "mic"))
    assert isinstance(outcome, Rejected)
    assert outcome.stage == "hear"
    assert not broker.asked


def test_a_retained_answer_and_a_flood_are_not_kept(catalog: Catalog) -> None:
    fleet = Fleet(_config(), catalog)

    def flood(_copy: int) -> list[bytes]:
        fleet.take(_answer(LIGHT), retained=True)
        assert not fleet._unread
        return [b"x" * 100_000, *[_answer(LIGHT, of="other")] * 50]

    Broker(fleet, flood)
    assert isinstance(fleet.understand(HEARD), Rejected)
    assert len(fleet._unread) <= MAX_UNREAD


def test_a_new_catalog_judges_the_answers(catalog: Catalog) -> None:
    fleet = Fleet(_config(), catalog)
    Broker(fleet, lambda _: [_answer(LIGHT)])
    fleet.set_catalog(Catalog({}, catalog.home, ()))
    assert isinstance(fleet.understand(HEARD), Rejected)


def test_at_the_end_nothing_is_asked_any_more(catalog: Catalog) -> None:
    fleet = Fleet(_config(give_up_s=30), catalog)
    asked = threading.Event()
    broker = Broker(fleet, lambda _: asked.set() or [])  # type: ignore[func-returns-value]
    outcomes: list[object] = []
    thread = threading.Thread(target=lambda: outcomes.append(fleet.understand(HEARD)))
    thread.start()
    assert asked.wait(10)
    fleet.stop()
    thread.join(10)
    copies = len(broker.asked)
    assert outcomes == [Rejected("u1", "understand", "the daemon is shutting down")]
    fleet.understand(HEARD)
    assert len(broker.asked) == copies
