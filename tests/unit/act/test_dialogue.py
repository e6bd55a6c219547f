"""Questions back, in the example house: who may answer what, and when."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from edged.act.dialogue import MAX_OPEN, RECOGNIZED_S, REMEMBERED_S, Dialogue, Step
from edged.act.inbound import Reply
from edged.intents.catalog import Catalog
from edged.types import Intent, Question, Rejected, SlotValue, Utterance

S = 1_000_000_000
ASK_S = 15


def intent(name: str, **slots: SlotValue) -> Intent:
    return Intent("u1", name, slots, 0.9, math.inf)


OPEN_GATE = intent("gate", action="open", device="garage_door")
LIGHTS_ON = intent("light", action="on")
KITCHEN_ON = intent("light", action="on", area="kitchen")
SET_HEAT = intent("thermostat", action="set", area="bedroom")
WHICH = Rejected(
    "u1",
    "understand",
    "which one",
    asks=Question(
        (intent("light", action="on", device="bedside_lamp"),), 0, ("device",), ("bedside_lamp", "desk_lamp")
    ),
)
NOTHING = Rejected("u", "understand", "no command in this")


class Talk:
    """One dialogue with a clock that is moved by hand."""

    def __init__(self, catalog: Catalog, *, ask_s: float = ASK_S, area: str | None = None) -> None:
        self.now_s = 100.0
        self.understood: list[str] = []
        self.dialogue = Dialogue(
            catalog, ask_s=ask_s, default_area=area, min_asr_confidence=0.7, clock=lambda: round(self.now_s * S)
        )

    def utterance(self, text: str, source: str = "mic", *, lang: str = "en", clear: float = 1.0) -> Utterance:
        now_ns = round(self.now_s * S)
        return Utterance(f"u{len(self.understood)}", text, lang, clear, now_ns, now_ns, source)

    def say(
        self,
        text: str,
        *meant: Intent | Rejected,
        source: str = "mic",
        lang: str = "en",
        clear: float = 1.0,
    ) -> Step:
        """What comes of an utterance that would be understood as `meant`, had no question been open."""

        def understand(utterance: Utterance) -> tuple[Intent, ...] | Rejected:
            self.understood.append(utterance.text)
            if not meant:
                return NOTHING
            return meant[0] if isinstance(meant[0], Rejected) else tuple(i for i in meant if isinstance(i, Intent))

        self.now_s += 1
        return self.dialogue.hear(self.utterance(text, source, lang=lang, clear=clear), understand)

    def reply(self, question_id: str, text: str, lang: str = "en") -> Step | Rejected:
        return self.dialogue.take_reply(Reply(question_id, text, lang, round(self.now_s * S)))


@pytest.fixture
def talk(catalog: Catalog) -> Talk:
    return Talk(catalog)


def reasons(step: Step) -> list[str]:
    return [rejected.reason for rejected in step.rejected]


# What is asked


def test_opening_a_gate_is_asked_about(talk: Talk) -> None:
    step = talk.say("open the garage door", OPEN_GATE)
    assert (step.intents, step.rejected) == ((), ())
    assert step.asked is not None
    assert step.asked.text == "Shall I really do this: open the garage door?"
    assert step.asked.options == ("yes", "no")


def test_closing_a_gate_is_not(talk: Talk) -> None:
    closing = intent("gate", action="close", device="garage_door")
    assert talk.say("close the garage door", closing).intents == (closing,)


def test_the_lights_of_the_whole_house_are_asked_about(talk: Talk) -> None:
    step = talk.say("turn on all the lights", LIGHTS_ON)
    assert step.asked is not None
    assert step.asked.text == "In the whole house: turn on all the lights?"


@pytest.mark.parametrize(
    "meant",
    [
        intent("light", action="off"),
        intent("light", action="set", color="blue"),
        KITCHEN_ON,
        intent("light", action="on", area="upstairs"),
        intent("light", action="on", device="floor_lamp"),
    ],
)
def test_less_than_that_is_not_asked_about(talk: Talk, meant: Intent) -> None:
    assert talk.say("x", meant).intents == (meant,)


def test_where_the_daemon_stands_is_a_place(catalog: Catalog) -> None:
    assert Talk(catalog, area="kitchen").say("turn on the light", LIGHTS_ON).intents == (LIGHTS_ON,)
    assert Talk(catalog, area="garden").say("turn on the light", LIGHTS_ON).intents == (LIGHTS_ON,)


def test_a_house_whose_lights_are_in_one_area_is_not_asked_about(catalog: Catalog) -> None:
    devices = {
        key: device
        for key, device in catalog.home.devices.items()
        if device.kind != "light" or device.area == "bedroom"
    }
    small = replace(catalog, home=replace(catalog.home, devices=devices))
    assert Talk(small).say("turn on the lights", LIGHTS_ON).intents == (LIGHTS_ON,)


def test_a_value_that_is_missing_is_asked_for_with_the_words_of_the_file(talk: Talk) -> None:
    step = talk.say("stell die Temperatur im Schlafzimmer ein", SET_HEAT, lang="de")
    assert step.asked is not None
    assert (step.asked.text, step.asked.options) == ("Auf welche Temperatur?", ())


def test_listed_values_are_shown(talk: Talk) -> None:
    step = talk.say("change the mode", intent("thermostat", action="mode"))
    assert step.asked is not None
    assert "auto" in " ".join(step.asked.options)


def test_two_missing_values_are_not_asked_for(talk: Talk) -> None:
    meant = (SET_HEAT, intent("cover", action="set"))
    assert talk.say("x", *meant).intents == meant


@pytest.mark.parametrize(
    ("lang", "text", "options"),
    [
        ("en", "Which one: bedroom or office?", ("bedroom", "office")),
        ("de", "Was ist gemeint: Schlafzimmer oder Büro?", ("Schlafzimmer", "Büro")),
        ("ko", "어느 것인가요: 침실 또는 서재?", ("침실", "서재")),
        ("fr", "Which one: bedroom or office?", ("bedroom", "office")),
    ],
)
def test_devices_of_one_name_are_told_apart_by_their_areas(
    talk: Talk, lang: str, text: str, options: tuple[str, ...]
) -> None:
    step = talk.say("x", WHICH, lang=lang)
    assert step.asked is not None
    assert step.asked.text == text
    if lang != "fr":
        assert step.asked.options == options


def test_devices_of_one_name_in_one_area_are_told_apart_by_their_keys(catalog: Catalog) -> None:
    devices = dict(catalog.home.devices)
    devices["desk_lamp"] = replace(devices["desk_lamp"], area="bedroom")
    talk = Talk(replace(catalog, home=replace(catalog.home, devices=devices)))
    step = talk.say("turn on the lamp", WHICH)
    assert step.asked is not None
    assert step.asked.options == ("bedside lamp", "desk lamp")
    assert talk.say("the desk lamp").intents == (intent("light", action="on", device="desk_lamp"),)


def test_where_nothing_may_be_asked_it_is_rejected_as_it_was(catalog: Catalog) -> None:
    talk = Talk(catalog, ask_s=0)
    assert talk.say("turn on the lamp", WHICH).rejected == (WHICH,)
    assert reasons(talk.say("open the garage door", OPEN_GATE)) == [
        "this is to be confirmed, and no question can be asked"
    ]
    assert talk.say("set the temperature", SET_HEAT).intents == (SET_HEAT,)
    assert talk.dialogue.expire() == ()


def test_more_devices_than_anybody_keeps_in_mind_are_not_asked_about(talk: Talk) -> None:
    assert WHICH.asks
    many = tuple(f"lamp_{n}" for n in range(6))
    rejected = replace(WHICH, asks=replace(WHICH.asks, choices=many))
    assert talk.say("turn on the lamp", rejected).rejected == (rejected,)


def test_there_are_not_more_questions_than_the_cap(talk: Talk) -> None:
    for number in range(MAX_OPEN):
        assert talk.say("open", OPEN_GATE, source=f"mic{number}").asked
    assert talk.say("open", OPEN_GATE, source="one more").rejected
    assert talk.say("open", OPEN_GATE, source="mic0").asked


# What answers


def test_a_yes_does_what_was_asked_about_as_if_it_had_been_said_now(talk: Talk) -> None:
    first = talk.say("open the garage door", OPEN_GATE)
    step = talk.say("yes please")
    assert step.intents == (OPEN_GATE,)
    assert (step.utterance.id, step.utterance.text) == (first.utterance.id, "open the garage door")
    assert step.utterance.end_ns == round(talk.now_s * S)
    assert talk.understood == ["open the garage door"]


@pytest.mark.parametrize("text", ["no", "no thanks", "never mind", "cancel", "stop", "okay, never mind"])
def test_a_no_drops_it(talk: Talk, text: str) -> None:
    talk.say("open the garage door", OPEN_GATE)
    step = talk.say(text)
    assert (step.intents, reasons(step)) == ((), ["the answer was no"])
    assert step.rejected[0].meant == (OPEN_GATE,)


def test_the_answer_keeps_everything_else_of_all_intents(talk: Talk) -> None:
    talk.say("x", KITCHEN_ON, SET_HEAT)
    (first, second) = talk.say("twenty degrees").intents
    assert first == KITCHEN_ON
    assert second == replace(SET_HEAT, slots={"action": "set", "area": "bedroom", "temperature": 20})


def test_both_are_done_where_both_are_meant(talk: Talk) -> None:
    talk.say("turn on the lamp", WHICH)
    assert [one.slots["device"] for one in talk.say("both of them").intents] == ["bedside_lamp", "desk_lamp"]


def test_an_answer_that_leaves_it_unclear_is_the_last_word(talk: Talk) -> None:
    talk.say("turn on the lamp", WHICH)
    assert reasons(talk.say("the one in the kitchen")) == ["the answer leaves it unclear"]
    assert talk.say("the first one").intents == ()


def test_what_is_no_answer_leaves_the_question_open(talk: Talk) -> None:
    talk.say("open the garage door", OPEN_GATE)
    assert reasons(talk.say("what a lovely day")) == ["no command in this"]
    assert talk.say("yes").intents == (OPEN_GATE,)


def test_a_new_command_takes_the_place_of_the_question(talk: Talk) -> None:
    talk.say("open the garage door", OPEN_GATE)
    step = talk.say("turn on the kitchen light", KITCHEN_ON)
    assert step.intents == (KITCHEN_ON,)
    assert [(one.rejected.reason, one.utterance.text) for one in step.closed] == [("no answer", "open the garage door")]
    assert talk.say("yes").intents == ()


def test_a_new_question_takes_the_place_of_the_question(talk: Talk) -> None:
    talk.say("open the garage door", OPEN_GATE)
    step = talk.say("turn on all the lights", LIGHTS_ON)
    assert step.asked
    assert [one.rejected.meant for one in step.closed] == [(OPEN_GATE,)]
    assert talk.say("yes").intents == (LIGHTS_ON,)


# Time


def test_without_an_answer_it_is_given_up(talk: Talk) -> None:
    talk.say("open the garage door", OPEN_GATE)
    talk.now_s += ASK_S + RECOGNIZED_S
    assert talk.dialogue.expire() == ()
    talk.now_s += 0.1
    (closed,) = talk.dialogue.expire()
    assert (closed.rejected.reason, closed.rejected.meant) == ("no answer within 15 s", (OPEN_GATE,))
    assert talk.dialogue.expire() == ()


@pytest.mark.parametrize("ticks", [False, True])
def test_a_late_yes_does_nothing_and_says_so(talk: Talk, ticks: bool) -> None:
    talk.say("open the garage door", OPEN_GATE)
    talk.now_s += ASK_S + RECOGNIZED_S + 1
    closed = talk.dialogue.expire() if ticks else ()
    step = talk.say("yes")
    assert [one.rejected.reason for one in (*closed, *step.closed)] == ["no answer within 15 s"]
    assert (step.intents, reasons(step)) == ((), ["the question is not open any more"])


def test_an_answer_within_the_time_counts_though_it_is_handled_later(talk: Talk) -> None:
    talk.say("open the garage door", OPEN_GATE)
    talk.now_s += 1
    spoken = talk.utterance("yes")
    talk.now_s += ASK_S + 1
    assert talk.dialogue.expire() == ()
    assert talk.dialogue.hear(spoken, lambda _utterance: NOTHING).intents == (OPEN_GATE,)


def test_what_was_said_before_the_question_does_not_answer_it(talk: Talk) -> None:
    early = talk.utterance("yes")
    talk.say("open the garage door", OPEN_GATE)
    assert talk.dialogue.hear(early, lambda _utterance: NOTHING).intents == ()
    assert talk.say("yes").intents == (OPEN_GATE,)


def test_a_second_yes_does_nothing_and_says_so(talk: Talk) -> None:
    talk.say("open the garage door", OPEN_GATE)
    assert talk.say("yes").intents
    assert reasons(talk.say("yes")) == ["the question was answered already"]
    talk.now_s += REMEMBERED_S + 1
    assert reasons(talk.say("yes")) == ["no command in this"]


def test_a_value_that_is_said_again_is_no_command_for_the_whole_house(talk: Talk) -> None:
    talk.say("set the temperature in the bedroom", SET_HEAT)
    assert talk.say("twenty degrees").intents
    assert talk.say("twenty two degrees", intent("thermostat", action="set", temperature=22)).intents == ()


# Who


def test_another_source_does_not_answer(talk: Talk) -> None:
    talk.say("open the garage door", OPEN_GATE)
    assert reasons(talk.say("yes", source="mqtt")) == ["no command in this"]
    assert talk.say("yes").intents == (OPEN_GATE,)


def test_each_source_has_a_question_of_its_own(talk: Talk) -> None:
    talk.say("open the garage door", OPEN_GATE)
    assert talk.say("turn on all the lights", LIGHTS_ON, source="mqtt").closed == ()
    assert talk.say("yes", source="mqtt").intents == (LIGHTS_ON,)
    assert talk.say("yes").intents == (OPEN_GATE,)


def test_what_was_heard_unclearly_does_not_answer(talk: Talk) -> None:
    talk.say("open the garage door", OPEN_GATE)
    assert talk.say("yes", clear=0.5).intents == ()
    assert talk.say("yes", clear=0.7).intents == (OPEN_GATE,)


def test_a_reply_by_the_questions_id_answers_it_once(talk: Talk) -> None:
    asked = talk.say("open the garage door", OPEN_GATE).utterance.id
    step = talk.reply(asked, "yes")
    assert isinstance(step, Step)
    assert step.intents == (OPEN_GATE,)
    again = talk.reply(asked, "yes")
    assert again == Rejected(asked, "mqtt", "in/confirm: no question about this utterance is open")


def test_a_reply_may_be_in_the_language_of_the_question(talk: Talk) -> None:
    asked = talk.say("차고 문 열어 줘", OPEN_GATE, lang="ko").utterance.id
    step = talk.reply(asked, "네", lang="en")
    assert isinstance(step, Step)
    assert step.intents == (OPEN_GATE,)


@pytest.mark.parametrize("after_s", [-0.5, ASK_S + 0.5])
def test_a_reply_from_outside_the_time_is_refused(talk: Talk, after_s: float) -> None:
    asked = talk.say("open the garage door", OPEN_GATE).utterance.id
    talk.now_s += after_s
    refused = talk.reply(asked, "yes")
    assert isinstance(refused, Rejected)
    assert "no question" in refused.reason


def test_a_reply_with_another_id_is_refused_and_changes_nothing(talk: Talk) -> None:
    asked = talk.say("open the garage door", OPEN_GATE).utterance.id
    assert isinstance(talk.reply("other", "yes"), Rejected)
    step = talk.reply(asked, "yes")
    assert isinstance(step, Step)


@pytest.mark.parametrize("text", ["turn on the kitchen light", "maybe", "yes open it and the window", "x" * 500])
def test_a_reply_that_is_no_answer_is_refused_and_leaves_the_question_open(talk: Talk, text: str) -> None:
    asked = talk.say("open the garage door", OPEN_GATE).utterance.id
    refused = talk.reply(asked, text)
    assert refused == Rejected(asked, "mqtt", "in/confirm: this is no answer to the question")
    assert talk.say("yes").intents == (OPEN_GATE,)


def test_a_new_catalog_drops_the_questions(talk: Talk, catalog: Catalog) -> None:
    talk.say("open the garage door", OPEN_GATE)
    (closed,) = talk.dialogue.set_catalog(catalog)
    assert closed.rejected.reason == "what can be said changed before the answer"
    assert talk.say("yes").intents == ()
