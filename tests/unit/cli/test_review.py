"""`edged review`: what it prints, its dialogue with answers that are given in advance, and what reaches the terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edged.cli import main
from edged.cli.review_dialogue import HELP, Dialogue, gather
from edged.config import load_config
from edged.intents.catalog import Catalog
from edged.ops.feedback import KEPT_NAME, LABELS_NAME, Recorder, read_kept
from edged.ops.labels import Label, read_labels, store_label
from edged.types import Intent, Rejected, SlotValue, Utterance

ON = {"intent": "light", "action": "on", "area": "kitchen"}
OFF = {"intent": "light", "action": "off"}
EVIL = "lamp \x1b]0;owned\x07\x1b[2J\x9b31m\u202eon"


def intent(fields: dict[str, str]) -> Intent:
    return Intent("", fields["intent"], {key: value for key, value in fields.items() if key != "intent"}, 0.75, 1.0)


def refusal(*meant: dict[str, str], reason: str = "no command in this") -> Rejected:
    return Rejected("", "understand", reason, tuple(map(intent, meant)))


def understand(words: str, _lang: str) -> tuple[Intent, ...] | Rejected:
    """Reads two sentences."""
    known: dict[str, tuple[Intent, ...] | Rejected] = {
        "kitchen light on": (intent(ON),),
        "nonsense": refusal(reason="unclear \x1b[2J"),
    }
    return known.get(words, (intent({"intent": "light", "action": "explode"}),))


class Kitchen:
    """A person who talks, and later answers."""

    def __init__(self, state: Path) -> None:
        self.folder = state / "feedback"
        self._recorder = Recorder(self.folder, keeps_all=False)
        self._count = 0

    def say(self, text: str, outcome: Rejected | dict[str, str], *, later: bool = True) -> None:
        """Says something a minute later, or at once."""
        self._count += 60 if later else 1
        at_ns = self._count * 10**9
        utterance = Utterance(f"u{self._count}", text, "en", 1.0, at_ns, at_ns, "mic")
        if isinstance(outcome, Rejected):
            self._recorder.keep(utterance, (), (outcome,))
        else:
            self._recorder.keep(utterance, (intent(outcome),), ())

    def answer(self, catalog: Catalog, *answers: str) -> str:
        """What the person sees while answering so, and then leaving."""
        typed, seen = iter(answers), []

        def ask(prompt: str) -> str:
            seen.append(prompt)
            for answer in typed:
                return f"{answer}\n"
            raise EOFError

        dialogue = Dialogue(self.folder, catalog, understand=understand, ask=ask, say=seen.append)
        dialogue.run(gather(read_kept(self.folder)))
        assert next(typed, None) is None, "not all answers were asked for"
        self.tally = dialogue.tally
        return "\n".join(seen)

    def labels(self) -> list[tuple[str, list[dict[str, SlotValue]]]]:
        return [(label.text, list(label.expect)) for label in read_labels(self.folder)]


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path)


# The dialogue


def test_a_number_labels_with_what_was_understood(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say("kitchen lied on", refusal(ON, reason="not sure enough: 0.31 of 0.50"))
    seen = kitchen.answer(catalog, "1")
    assert kitchen.labels() == [("kitchen lied on", [ON])]
    assert "refused by understand: not sure enough: 0.31 of 0.50" in seen
    assert "1  light action=on area=kitchen    understood (75%)" in seen


def test_the_meaning_of_the_correction_is_proposed(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say("chicken light on", refusal())
    kitchen.say("kitchen light on", ON, later=False)
    seen = kitchen.answer(catalog, "1", "q")
    assert kitchen.labels() == [("chicken light on", [ON])]
    assert '1  light action=on area=kitchen    then said: "kitchen light on"' in seen


def test_the_same_meaning_is_proposed_once_and_the_same_words_are_asked_about_once(
    kitchen: Kitchen, catalog: Catalog
) -> None:
    kitchen.say("lied on", refusal(ON))
    kitchen.say("lied on", refusal(ON))
    kitchen.say("lied on", refusal(OFF))
    kitchen.say("light on please", ON, later=False)
    seen = kitchen.answer(catalog, "2", "s")
    assert "3 times" in seen
    assert seen.count("1 of 2") == 1
    assert kitchen.labels() == [("lied on", [ON])]


def test_other_words_add_what_they_mean_to_the_choices(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say("kit chin lied on", refusal())
    seen = kitchen.answer(catalog, "kitchen light on", "1")
    assert kitchen.labels() == [("kit chin lied on", [ON])]
    assert '1  light action=on area=kitchen    typed: "kitchen light on"' in seen


def test_other_words_that_mean_nothing_add_nothing(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say("what", refusal())
    seen = kitchen.answer(catalog, "nonsense", "1", "s")
    assert "nothing to do: unclear \\x1b[2J" in seen
    assert "there is no 1" in seen
    assert kitchen.labels() == []


def test_n_says_that_it_is_no_command(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say("is it on the table", refusal(ON))
    kitchen.answer(catalog, "n")
    assert kitchen.labels() == [("is it on the table", [])]


def test_s_leaves_it_for_the_next_time(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say("first", refusal())
    kitchen.say("second", refusal())
    kitchen.answer(catalog, "s", "n")
    assert kitchen.labels() == [("second", [])]
    assert len(read_kept(kitchen.folder)) == 2


def test_d_deletes_every_time_that_it_was_said(kitchen: Kitchen, catalog: Catalog) -> None:
    for text in ("first", "second", "first"):
        kitchen.say(text, refusal())
    kitchen.answer(catalog, "d", "q")
    assert [row.text for row in read_kept(kitchen.folder)] == ["second"]
    assert (kitchen.tally.labelled, kitchen.tally.deleted) == (0, 1)


@pytest.mark.parametrize("answers", [("n", "q"), ("n",)], ids=["quits", "closes the terminal"])
def test_what_was_answered_stays_when_the_person_leaves(
    kitchen: Kitchen, catalog: Catalog, answers: tuple[str, ...]
) -> None:
    kitchen.say("first", refusal())
    kitchen.say("second", refusal())
    kitchen.answer(catalog, *answers)
    assert kitchen.labels() == [("first", [])]


def test_an_empty_answer_shows_the_choices_again(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say("first", refusal())
    assert kitchen.answer(catalog, "", "s").count(HELP) == 2


@pytest.mark.parametrize("answer", ["2", "0", "9" * 5000, "٣"])
def test_a_number_that_was_not_offered_chooses_nothing(kitchen: Kitchen, catalog: Catalog, answer: str) -> None:
    kitchen.say("first", refusal(ON))
    assert "there is no" in kitchen.answer(catalog, answer, "s")
    assert kitchen.labels() == []


def test_what_the_intent_files_do_not_allow_any_more_is_not_proposed(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say("stable light on", refusal({"intent": "light", "action": "on", "area": "stable"}))
    kitchen.say("brew it", refusal({"intent": "teapot", "action": "on"}))
    seen = kitchen.answer(catalog, "s", "s")
    assert "  1  " not in seen


def test_no_label_is_written_that_the_intent_files_do_not_allow(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say("bang", refusal())
    assert "the intent files do not allow this" in kitchen.answer(catalog, "explode", "1", "s")
    assert kitchen.labels() == []


def test_no_escape_sequence_reaches_the_terminal(kitchen: Kitchen, catalog: Catalog) -> None:
    kitchen.say(EVIL, refusal({"intent": EVIL, EVIL: EVIL}, reason=EVIL))
    kitchen.say(EVIL + EVIL, ON, later=False)
    seen = kitchen.answer(catalog, "s", "s")
    assert seen.replace("\n", "").isprintable()
    assert "lamp \\x1b]0;owned" in seen


# The command


@pytest.fixture
def edged(tmp_path: Path) -> Callable[..., int]:
    (tmp_path / "edged.toml").write_text(f'[state]\ndirectory = "{tmp_path}"\n')
    return lambda *arguments: main(["review", "--config", str(tmp_path / "edged.toml"), *arguments])


def test_the_list_shows_each_with_its_label(
    kitchen: Kitchen, edged: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    kitchen.say("chicken light on", refusal(OFF))
    kitchen.say("kitchen light on", ON, later=False)
    store_label(kitchen.folder, Label(text="kitchen light on", lang="en", expect=(ON,)))
    assert edged("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('"chicken light on"  (en, ')
    assert lines[1:5] == [
        "  refused by understand: no command in this",
        "  light action=off    understood (75%)",
        '  light action=on area=kitchen    then said: "kitchen light on"',
        "  label: none",
    ]
    assert lines[-1] == "  label: light action=on area=kitchen"


def test_the_list_as_json_is_a_line_each_and_harmless(
    kitchen: Kitchen, edged: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    kitchen.say(EVIL, refusal())
    kitchen.say("kitchen light on", ON, later=False)
    store_label(kitchen.folder, Label(text=EVIL, lang="en", expect=()))
    assert edged("--json") == 0
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    first, second = map(json.loads, printed.splitlines())
    assert (first["text"], first["times"], first["label"]) == (EVIL, 1, [])
    assert first["rejected"] == {"stage": "understand", "reason": "no command in this"}
    assert first["corrections"] == [{"text": "kitchen light on", "intents": [ON]}]
    assert (second["intents"], second["confidence"], second["label"]) == ([ON], 0.75, None)


def test_nothing_kept_is_told_with_the_reason(edged: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert edged("--list") == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert '[feedback] keep is "none"' in printed.err


def test_forget_deletes_everything(
    kitchen: Kitchen, edged: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    kitchen.say("first", refusal())
    store_label(kitchen.folder, Label(text="first", lang="en", expect=()))
    assert edged("--forget") == 0
    assert edged("--forget") == 0
    assert list(kitchen.folder.iterdir()) == []
    told = capsys.readouterr().out.splitlines()
    assert [line.split(" in ")[0] for line in told] == ["all is deleted", "nothing was kept"]


def test_to_forget_and_to_list_at_once_is_refused(kitchen: Kitchen, edged: Callable[..., int]) -> None:
    kitchen.say("first", refusal())
    assert edged("--forget", "--list") == 2
    assert len(read_kept(kitchen.folder)) == 1


def test_without_a_terminal_nothing_is_asked(
    kitchen: Kitchen,
    edged: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kitchen.say("first", refusal())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"n\n")))
    assert edged() == 2
    assert "stdin is no terminal\n  edged review --list" in capsys.readouterr().err
    assert kitchen.labels() == []


@contextmanager
def terminal(answers: bytes) -> Iterator[int]:
    """A terminal at which this is typed."""
    person, theirs = pty.openpty()
    try:
        os.write(person, answers)
        yield theirs
    finally:
        os.close(person)
        os.close(theirs)


def review_at_terminal(folder: Path, answers: bytes) -> subprocess.CompletedProcess[bytes]:
    with terminal(answers) as stdin:
        return subprocess.run(
            [sys.executable, "-m", "edged", "review", "--config", str(folder / "edged.toml")],
            stdin=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )


@pytest.mark.usefixtures("edged")
def test_at_a_terminal_the_whole_command_labels_once(kitchen: Kitchen, tmp_path: Path) -> None:
    kitchen.say("lied on", refusal(ON))
    kitchen.say("what \xff", refusal())
    done = review_at_terminal(tmp_path, b"1\nn\n")
    assert done.returncode == 0, done.stderr
    assert b"2 labelled, 0 deleted, 0 left" in done.stdout
    assert kitchen.labels() == [("lied on", [ON]), ("what \xff", [])]
    again = review_at_terminal(tmp_path, b"")
    assert b"has a label" in again.stdout


@pytest.mark.model
@pytest.mark.usefixtures("edged")
def test_at_a_terminal_other_words_are_understood_by_the_real_parser(kitchen: Kitchen, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(load_config().models_directory)
    kitchen.say("kit chin lied on", refusal())
    done = review_at_terminal(tmp_path, b"\xff\xfe\nTurn on the kitchen light.\n1\n")
    assert done.returncode == 0, done.stderr
    assert kitchen.labels() == [("kit chin lied on", [ON])]


@pytest.mark.usefixtures("edged")
def test_a_model_that_is_missing_is_told_and_the_labels_stay(kitchen: Kitchen, tmp_path: Path) -> None:
    kitchen.say("first", refusal())
    kitchen.say("second", refusal())
    done = review_at_terminal(tmp_path, b"n\nkitchen light on\n")
    assert done.returncode == 3
    assert b"edged models fetch" in done.stderr
    assert b"1 labelled, 0 deleted, 1 left" in done.stdout
    assert kitchen.labels() == [("first", [])]


def test_a_folder_that_belongs_to_somebody_else_is_told_with_the_remedy(
    kitchen: Kitchen, edged: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kitchen.say("first", refusal())

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("edged.ops.feedback.read_lines", refuse)
    assert edged("--list") == 2
    assert f"{kitchen.folder / KEPT_NAME}: cannot be used: Permission denied" in capsys.readouterr().err


def test_a_broken_label_is_named_and_the_rest_is_served(
    kitchen: Kitchen, edged: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    kitchen.say("first", refusal())
    store_label(kitchen.folder, Label(text="first", lang="en", expect=()))
    with (kitchen.folder / LABELS_NAME).open("a") as file:
        file.write("nonsense\n")
    assert edged("--list") == 0
    printed = capsys.readouterr()
    assert f"{LABELS_NAME}:2 is no label" in printed.err
    assert "label: no command" in printed.out
