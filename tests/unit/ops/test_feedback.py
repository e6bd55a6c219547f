"""What is kept of what people say: nothing by default, little otherwise, and never more than it may cost."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from edged.config import Config, FeedbackConfig, StateConfig
from edged.errors import UsageError
from edged.ops import feedback as feedback_module
from edged.ops.feedback import CORRECTION_S, KEPT_NAME, Recorder, delete_kept, forget, open_feedback, read_kept
from edged.ops.labels import Label, read_labels, store_label
from edged.ops.lines import Bounds, locked
from edged.types import Intent, Rejected, Utterance

NO_COMMAND = Rejected("", "understand", "no command in this")


class Room:
    """People who speak, one utterance after the other, and the recorder that is told."""

    def __init__(self, folder: Path, *, keeps_all: bool = False) -> None:
        self.folder = folder
        self.recorder = Recorder(folder, keeps_all=keeps_all)
        self._now_ns = 0
        self._count = 0

    def say(
        self, text: str, *outcome: Intent | Rejected, after_s: float = 1.0, source: str = "mic", lang: str = "en"
    ) -> str:
        """The id of what was said, `after_s` after the end of what was said before."""
        self._now_ns += round(after_s * 1e9)
        self._count += 1
        utterance = Utterance(f"u{self._count}", text, lang, 1.0, self._now_ns, self._now_ns + 10**9, source)
        self._now_ns += 10**9
        intents = tuple(one for one in outcome if isinstance(one, Intent))
        self.recorder.keep(utterance, intents, tuple(one for one in outcome if isinstance(one, Rejected)))
        return utterance.id

    def kept(self) -> list[tuple[str, str | None]]:
        return [(row.text, row.follows) for row in read_kept(self.folder)]


def light(**slots: str | int) -> Intent:
    return Intent("", "lamp", slots, 0.9, 1.0)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "feedback")


def config(folder: Path, keep: str) -> Config:
    return Config(state=StateConfig(directory=folder), feedback=FeedbackConfig.model_validate({"keep": keep}))


def test_by_default_nothing_is_written(tmp_path: Path) -> None:
    keep = open_feedback(Config(state=StateConfig(directory=tmp_path)))
    keep(Utterance("u1", "what", "en", 1.0, 0, 0, "mic"), (), (NO_COMMAND,))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("keep", "kept"), [("none", []), ("refused", ["refused"]), ("all", ["refused", "done"])])
def test_the_configuration_says_what_is_kept(tmp_path: Path, keep: str, kept: list[str]) -> None:
    told = open_feedback(config(tmp_path, keep))
    told(Utterance("u1", "refused", "en", 1.0, 0, 0, "mic"), (), (NO_COMMAND,))
    told(Utterance("u2", "done", "en", 1.0, 10**12, 10**12, "mic"), (light(action="on"),), ())
    assert [row.text for row in read_kept(config(tmp_path, keep).feedback_directory)] == kept


def test_a_row_says_what_was_understood_how_surely_and_why_it_was_refused(room: Room) -> None:
    room.say(
        "lamp on",
        Rejected(
            "", "understand", "not sure enough", (replace(light(action="on"), confidence=0.31), light(action="off"))
        ),
    )
    (row,) = read_kept(room.folder)
    assert row.intents == ({"intent": "lamp", "action": "on"}, {"intent": "lamp", "action": "off"})
    assert row.rejected is not None
    assert (row.rejected.stage, row.rejected.reason, row.confidence) == ("understand", "not sure enough", 0.31)
    assert (row.id, row.text, row.lang, row.time[-1]) == ("u1", "lamp on", "en", "Z")


def test_what_was_understood_and_cannot_be_done_is_refused_too(room: Room) -> None:
    room.say("lamp on in the bath", light(action="on", area="bath"), Rejected("", "act", "there is no lamp there"))
    (row,) = read_kept(room.folder)
    assert row.intents == ({"intent": "lamp", "action": "on", "area": "bath"},)


def test_a_broker_that_is_away_is_no_refusal(room: Room) -> None:
    room.say("lamp on", light(action="on"), Rejected("", "mqtt", "no confirmation came"))
    assert room.kept() == []


def test_the_folder_and_the_file_are_closed_to_others(room: Room) -> None:
    room.say("what", NO_COMMAND)
    assert room.folder.stat().st_mode & 0o777 == 0o700
    assert (room.folder / KEPT_NAME).stat().st_mode & 0o777 == 0o600


# Corrections


def test_what_is_understood_soon_after_a_refusal_corrects_it(room: Room) -> None:
    first = room.say("ramp on", NO_COMMAND)
    room.say("turn the lamp on", light(action="on"), after_s=CORRECTION_S)
    assert room.kept() == [("ramp on", None), ("turn the lamp on", first)]


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("the lamp in the den on", {"action": "on", "area": "den"}),  # one slot has another value
        ("all lamps on", {"action": "on"}),  # one slot less
        ("hall lamp off", {"action": "off", "area": "kitchen"}),  # one word is another one
        ("lamp on", {"action": "on", "area": "den", "level": 3}),  # one word less
        ("the hall lamp on", {"action": "off", "level": 3}),  # one word more
    ],
)
def test_what_differs_little_from_what_was_done_corrects_it_and_both_are_kept(
    room: Room, text: str, slots: dict[str, str | int]
) -> None:
    first = room.say("hall lamp on", light(action="on", area="hall"))
    room.say(text, light(**slots))
    assert room.kept() == [("hall lamp on", None), (text, first)]


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("hall lamp on", {"action": "on", "area": "hall"}),  # the same again
        ("switch it on in the hall please", {"action": "on", "area": "hall"}),  # the same in other words
        ("dim the one in the den", {"action": "dim", "area": "den"}),
    ],
)
def test_what_means_the_same_or_something_else_corrects_nothing(
    room: Room, text: str, slots: dict[str, str | int]
) -> None:
    room.say("hall lamp on", light(action="on", area="hall"))
    room.say(text, light(**slots))
    assert room.kept() == []


def test_another_intent_by_one_word_is_a_correction(room: Room) -> None:
    room.say("turn on the lamp", light(action="on"))
    room.say("turn on the camp", Intent("", "camp", {"action": "on"}, 1.0, 1.0))
    assert [follows for _, follows in room.kept()] == [None, "u1"]


@pytest.mark.parametrize(
    "later",
    [{"after_s": CORRECTION_S + 0.1}, {"source": "mqtt"}, {"lang": "de"}],
    ids=["late", "elsewhere", "language"],
)
def test_nothing_corrects_what_somebody_else_or_some_time_ago_said(room: Room, later: dict[str, float]) -> None:
    room.say("ramp on", NO_COMMAND)
    room.say("lamp on", light(action="on"), **later)  # type: ignore[arg-type]
    assert room.kept() == [("ramp on", None)]


def test_a_refusal_corrects_nothing(room: Room) -> None:
    room.say("ramp on", NO_COMMAND)
    room.say("lamb on", NO_COMMAND)
    assert room.kept() == [("ramp on", None), ("lamb on", None)]


# What it may cost


@pytest.mark.parametrize("text", ["", "x" * 501, "\ud800"])
def test_what_no_file_should_hold_is_not_kept(room: Room, text: str) -> None:
    room.say(text, NO_COMMAND)
    assert not room.folder.exists()


def test_the_oldest_go(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_module, "BOUNDS", Bounds(rows=8, size_bytes=10_000))
    for number in range(9):
        room.say(f"number {number}", NO_COMMAND)
    assert [text for text, _ in room.kept()] == [f"number {number}" for number in range(2, 9)]


def test_a_full_disk_costs_the_record_alone_and_is_told_once(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(feedback_module, "append_lines", full)
        for _ in range(3):
            room.say("what", NO_COMMAND)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "No space left" in caplog.text
    assert "what" not in caplog.text
    room.say("and now", NO_COMMAND)
    assert room.kept() == [("and now", None)]


def test_the_recorder_never_waits_for_a_person_who_deletes(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.say("first", NO_COMMAND)
    with locked(room.folder, waits=True):
        room.say("second", NO_COMMAND)
    assert room.kept() == [("first", None)]
    assert "cannot be kept" in caplog.text


# Reading and deleting


def test_a_torn_last_line_is_left_out(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.say("first", NO_COMMAND)
    with (room.folder / KEPT_NAME).open("ab") as file:
        file.write(b'{"id": "u2", "text": "tor')
    assert room.kept() == [("first", None)]
    assert f"{KEPT_NAME}:2" in caplog.text
    room.say("third", NO_COMMAND)
    assert [text for text, _ in room.kept()] == ["first", "third"]


@pytest.mark.parametrize("line", [b"[]", b'{"id": 1}', b"\xff", b"[" * 9000, b'{"text": "x", "lang": "en"}'])
def test_lines_that_are_no_rows_are_told_and_left_out(
    room: Room, caplog: pytest.LogCaptureFixture, line: bytes
) -> None:
    room.folder.mkdir()
    (room.folder / KEPT_NAME).write_bytes(line + b"\n")
    assert room.kept() == []
    assert f"{KEPT_NAME}:1" in caplog.text


def test_only_what_is_named_is_deleted(room: Room) -> None:
    first = room.say("first", NO_COMMAND)
    room.say("second", NO_COMMAND)
    delete_kept(room.folder, {first})
    assert room.kept() == [("second", None)]


def test_to_forget_deletes_what_was_kept_the_labels_and_what_a_crash_left(room: Room) -> None:
    room.say("first", NO_COMMAND)
    store_label(room.folder, Label(text="first", lang="en", expect=()))
    (room.folder / f"{KEPT_NAME}.new").write_bytes(b"x")
    assert forget(room.folder)
    assert list(room.folder.iterdir()) == []
    assert not forget(room.folder)
    assert list(read_labels(room.folder)) == []


def test_without_a_folder_there_is_nothing_to_forget(tmp_path: Path) -> None:
    assert not forget(tmp_path / "feedback")


def test_a_file_that_cannot_be_read_is_told_with_the_remedy(room: Room) -> None:
    (room.folder / KEPT_NAME).mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be used"):
        read_kept(room.folder)
