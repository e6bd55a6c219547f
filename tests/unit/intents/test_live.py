"""Which version of a file is in force, with files of their own in a folder of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.errors import ConfigError, ModelError, SchemaError
from edged.intents import copies as copies_module
from edged.intents import folder as folder_module
from edged.intents import live as live_module
from edged.intents import load as load_module
from edged.intents.catalog import Finding
from edged.intents.home import Home, parse_home
from edged.intents.live import LiveFiles, Snapshot, describe_changes, describe_state
from edged.intents.load import Version, check_text

HOME = '[areas.kitchen]\nnames.en = ["kitchen"]\n'
HALL = '[areas.hall]\nnames.en = ["hall"]\n'


def intent_text(name: str, word: str = "on") -> str:
    return json.dumps(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": name,
            "description": name,
            "type": "object",
            "properties": {
                "intent": {"const": name},
                "action": {"enum": [word]},
                "area": {"$ref": "urn:edged:home#/areas"},
            },
            "required": ["intent", "action"],
            "additionalProperties": False,
            "x-edged": {"examples": {"en": [{"text": f"{name} {word} {{area}}", "slots": {"action": word}}]}},
        }
    )


class Folder:
    """A folder of intents, a house and a state directory; `accept` is what the daemon does with what is read."""

    def __init__(self, root: Path) -> None:
        self.schemas = root / "schemas"
        self.home = root / "home.toml"
        self.state = root / "state" / "catalog"
        self.schemas.mkdir()
        self.home.write_text(HOME)
        self.files = self.open()

    def open(self) -> LiveFiles:
        def check(home: Home) -> None:
            if "cellar" in home.areas:
                raise ConfigError("no driver reaches the cellar", where="devices.lamp", remedy="move it")

        return LiveFiles(self.schemas, self.home, self.state, check_home=check)

    def put(self, name: str, text: str) -> None:
        (self.schemas / name).write_text(text)

    def start(self, files: LiveFiles | None = None) -> Snapshot:
        self.files = files or self.files
        snapshot = self.files.start()
        self.files.accept(snapshot)
        return snapshot

    def restart(self) -> Snapshot:
        return self.start(self.open())

    def read(self) -> Snapshot:
        snapshot = self.files.read()
        assert snapshot is not None
        self.files.accept(snapshot)
        return snapshot


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.put("a.json", intent_text("alpha"))
    folder.put("b.json", intent_text("beta"))
    return folder


@pytest.fixture
def running(folder: Folder) -> Folder:
    folder.start()
    return folder


def in_force(snapshot: Snapshot) -> list[str]:
    """Each intent with the word of its action."""
    return [
        f"{intent.name}:{intent.schema['properties']['action']['enum'][0]}"
        for intent in snapshot.catalog.intents.values()
    ]


def reasons(snapshot: Snapshot) -> list[str]:
    return [fault.what for fault in snapshot.faults]


def test_at_the_start_every_file_is_in_force(folder: Folder) -> None:
    snapshot = folder.start()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert (snapshot.faults, snapshot.last_good) == ((), ())


def test_files_as_they_were_are_no_change_even_where_they_were_written_again(running: Folder) -> None:
    running.put("a.json", intent_text("alpha"))
    assert running.files.read() is None


def test_a_new_file_a_changed_and_a_removed_one_are_named(running: Folder) -> None:
    running.put("a.json", intent_text("alpha", "off"))
    running.put("c.json", intent_text("gamma"))
    (running.schemas / "b.json").unlink()
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:off", "gamma:on"]
    assert (snapshot.added, snapshot.changed, snapshot.removed) == (("c.json",), ("a.json",), ("b.json",))


def test_only_files_that_have_changed_are_checked_again(running: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def check(text: str, file: str, home: Home) -> Version:
        checked.append(file)
        return check_text(text, file, home)

    monkeypatch.setattr(live_module, "check_text", check)
    running.put("a.json", intent_text("alpha", "off"))
    running.read()
    assert checked == ["a.json"]
    running.home.write_text(HALL)
    running.read()
    assert checked == ["a.json", "a.json", "b.json"]
    checked.clear()
    running.put("a.json", "{")
    running.read()
    running.put("b.json", intent_text("alpha"))  # its name is taken
    running.read()
    assert checked == ["a.json", "b.json"]
    running.put("c.json", intent_text("gamma"))
    running.read()
    assert checked == ["a.json", "b.json", "c.json"]


@pytest.mark.parametrize("broken", ["", "{", intent_text("alpha", "off")[:-40], '{"type": "object"}', "\x00"])
def test_a_file_that_becomes_bad_stays_as_it_last_was(running: Folder, broken: str) -> None:
    running.put("a.json", broken)
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert snapshot.last_good == ("a.json",)
    assert {fault.file for fault in snapshot.faults} == {"a.json"}


def test_a_bad_file_changes_nothing_of_the_catalog(running: Folder) -> None:
    running.put("a.json", intent_text("alpha", "off"))
    catalog = running.read().catalog
    running.put("a.json", "{")
    assert running.read().catalog is catalog


def test_a_mended_file_is_in_force_again(running: Folder) -> None:
    running.put("a.json", "{")
    running.read()
    running.put("a.json", intent_text("alpha", "off"))
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:off", "beta:on"]
    assert (snapshot.faults, snapshot.last_good) == ((), ())


def test_a_file_that_was_never_good_is_left_out(running: Folder) -> None:
    running.put("c.json", "{")
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert (snapshot.last_good, len(snapshot.faults)) == ((), 1)


def test_a_last_good_version_counts_under_its_own_name_alone(running: Folder) -> None:
    (running.schemas / "a.json").unlink()
    running.put("z.json", "{")
    assert in_force(running.read()) == ["beta:on"]


def test_a_deleted_file_is_gone_with_its_last_good_version(running: Folder) -> None:
    (running.schemas / "a.json").unlink()
    assert in_force(running.read()) == ["beta:on"]
    running.put("a.json", "{")
    assert in_force(running.read()) == ["beta:on"]
    assert in_force(running.restart()) == ["beta:on"]


def test_a_renamed_file_is_in_force_under_its_new_name(running: Folder) -> None:
    (running.schemas / "a.json").rename(running.schemas / "c.json")
    snapshot = running.read()
    assert sorted(in_force(snapshot)) == ["alpha:on", "beta:on"]
    assert (snapshot.added, snapshot.removed) == (("c.json",), ("a.json",))


def test_the_second_file_of_one_intent_is_left_out_and_its_last_good_version_stays(running: Folder) -> None:
    running.put("b.json", intent_text("alpha", "off"))
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert reasons(snapshot) == ['there is an intent "alpha" already, in a.json']
    assert (snapshot.faults[0].file, snapshot.faults[0].line) == ("b.json", 1)
    assert snapshot.last_good == ("b.json",)


def test_a_version_with_another_intents_sentence_is_not_in_force_and_its_last_good_one_stays(running: Folder) -> None:
    running.put("b.json", intent_text("beta").replace("beta on {area}", "Alpha, on {area}"))
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert reasons(snapshot) == ['this sentence means "alpha" already, in a.json']
    assert snapshot.faults[0].pointer == "/x-edged/examples/en/0/text"
    assert snapshot.last_good == ("b.json",)
    (running.schemas / "a.json").unlink()
    snapshot = running.read()
    assert (in_force(snapshot), snapshot.faults, snapshot.last_good) == (["beta:on"], (), ())


def test_a_last_good_version_whose_intent_is_taken_is_left_out(running: Folder) -> None:
    running.put("0.json", intent_text("beta", "off"))
    running.put("b.json", "{")
    assert in_force(running.read()) == ["beta:off", "alpha:on"]


@pytest.mark.parametrize(
    "name", [".a.json.swp", "a.json~", "#a.json#", "4913", "a.json.tmp", ".#c.json", ".hidden.json"]
)
def test_editors_temporary_files_do_not_matter(running: Folder, name: str) -> None:
    running.put(name, "{")
    assert running.files.read() is None


def test_a_swapped_link_to_a_file_and_to_the_folder_are_followed(running: Folder, tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text(intent_text("alpha", "off"))
    (tmp_path / "link").symlink_to(tmp_path / "new.json")
    (tmp_path / "link").rename(running.schemas / "a.json")
    assert in_force(running.read()) == ["alpha:off", "beta:on"]


def test_what_is_no_regular_file_is_reported_and_never_waited_for(running: Folder) -> None:
    os.mkfifo(running.schemas / "c.json")
    (running.schemas / "d.json").mkdir()
    (running.schemas / "e.json").symlink_to("nowhere")
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert [fault.file for fault in snapshot.faults] == ["c.json", "d.json", "e.json"]


def test_a_name_of_any_bytes_can_be_shown(running: Folder) -> None:
    name = os.fsdecode(b"\xff\n.json")
    (running.schemas / name).write_text("{")
    assert [fault.file for fault in running.read().faults] == ["\\udcff\\n.json"]


def test_a_folder_that_vanishes_changes_nothing_and_may_come_back(running: Folder, tmp_path: Path) -> None:
    running.schemas.rename(tmp_path / "away")
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert reasons(snapshot) == ["is no folder"]
    assert snapshot.last_good == ("a.json", "b.json")
    (tmp_path / "away").rename(running.schemas)
    snapshot = running.read()
    assert (in_force(snapshot), snapshot.faults) == (["alpha:on", "beta:on"], ())


def test_a_folder_that_is_gone_at_the_start_is_served_from_its_last_good_version(
    running: Folder, tmp_path: Path
) -> None:
    running.schemas.rename(tmp_path / "away")
    assert in_force(running.restart()) == ["alpha:on", "beta:on"]


def test_files_beyond_the_limit_are_left_out_and_told(running: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "MAX_FILES", 2)
    running.put("c.json", intent_text("gamma"))
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert reasons(snapshot) == ["holds 3 intent files: those after b.json are left out"]
    assert snapshot.faults[0].file == "schemas"


def test_a_warning_keeps_no_file_out(running: Folder) -> None:
    running.put("a.json", intent_text("alpha").replace(" {area}", ""))
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert [(fault.file, fault.severity) for fault in snapshot.faults] == [("a.json", "warning")]
    assert (snapshot.changed, snapshot.last_good) == (("a.json",), ())
    assert describe_state(snapshot) == "2 intents"


def test_a_file_over_which_the_check_fails_is_left_out_alone_also_at_the_start(
    running: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_draft: object) -> Iterator[Finding]:
        raise ZeroDivisionError("division by\nzero")

    monkeypatch.setattr(load_module, "check_intent", fail)
    running.put("a.json", intent_text("alpha", "off"))
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert reasons(snapshot) == ["cannot be checked: ZeroDivisionError: division by\\nzero"]
    assert snapshot.last_good == ("a.json",)
    assert "Traceback" in caplog.text
    monkeypatch.undo()
    running.put("c.json", intent_text("gamma"))
    monkeypatch.setattr(load_module, "list_sentences", lambda intent: fail(intent) if intent.name == "gamma" else ())
    assert in_force(running.restart()) == ["alpha:off", "beta:on"]


def test_where_no_intent_is_left_the_last_ones_stay_also_after_a_restart(running: Folder) -> None:
    for path in running.schemas.iterdir():
        path.unlink()
    snapshot = running.read()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert reasons(snapshot) == ["no intent is left"]
    assert in_force(running.restart()) == ["alpha:on", "beta:on"]


# The house


def test_a_changed_house_is_in_force(running: Folder) -> None:
    running.home.write_text(HALL)
    snapshot = running.read()
    assert list(snapshot.catalog.home.areas) == ["hall"]
    assert snapshot.changed == ("home.toml",)
    assert snapshot.catalog.intents["alpha"].schema["properties"]["area"] == {"enum": ["hall"]}


@pytest.mark.parametrize("broken", ["[areas", "[areas.cellar]\n", '[devices.x]\nkind = "light"\n'])
def test_a_broken_house_stays_as_it_last_was_also_after_a_restart(running: Folder, broken: str) -> None:
    running.home.write_text(broken)
    for snapshot in (running.read(), running.restart()):
        assert list(snapshot.catalog.home.areas) == ["kitchen"]
        assert snapshot.last_good == ("home.toml",)
        assert {fault.file for fault in snapshot.faults} == {"home.toml"}


def test_a_house_that_is_gone_stays_as_it_last_was(running: Folder) -> None:
    running.home.unlink()
    assert list(running.read().catalog.home.areas) == ["kitchen"]
    os.mkfifo(running.home)
    assert list(running.read().catalog.home.areas) == ["kitchen"]


def test_the_intents_change_beside_a_broken_house(running: Folder) -> None:
    running.home.write_text("[areas")
    running.put("a.json", intent_text("alpha", "off"))
    assert in_force(running.read()) == ["alpha:off", "beta:on"]


def test_a_fault_of_a_check_of_the_house_names_the_place(running: Folder) -> None:
    running.home.write_text("[areas.cellar]\n")
    assert reasons(running.read()) == ["devices.lamp: no driver reaches the cellar"]


def test_each_fault_of_the_house_is_told_with_its_place(running: Folder) -> None:
    running.home.write_text('[devices.x]\nkind = "light"\n')
    assert [fault.pointer for fault in running.read().faults] == ["/devices/x/driver", "/devices/x/address"]


def test_a_house_over_which_the_check_fails_is_refused_also_at_the_start(
    running: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def parse(text: str, where: str) -> Home:
        if "hall" in text:
            raise KeyError("hall")
        return parse_home(text, where)

    monkeypatch.setattr(live_module, "parse_home", parse)
    running.home.write_text(HALL)
    for snapshot in (running.read(), running.restart()):
        assert list(snapshot.catalog.home.areas) == ["kitchen"]
        assert reasons(snapshot) == ["cannot be checked: KeyError: 'hall'"]
    assert "Traceback" in caplog.text


# What the daemon cannot use


def test_a_refused_snapshot_leaves_everything_as_it_was(running: Folder) -> None:
    running.put("a.json", intent_text("alpha", "off"))
    running.put("c.json", intent_text("gamma"))
    read = running.files.read()
    assert read is not None
    snapshot = running.files.refuse(read, ModelError("the catalog takes 9000 of 2048 tokens", remedy="load fewer"))
    running.files.accept(snapshot)
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert reasons(snapshot) == ["the catalog takes 9000 of 2048 tokens"]
    assert snapshot.last_good == ("a.json",)
    assert running.files.read() is None
    (running.schemas / "c.json").unlink()
    assert in_force(running.read()) == ["alpha:off", "beta:on"]


def test_a_snapshot_that_is_refused_at_the_start_falls_back_to_the_last_good_set(running: Folder) -> None:
    running.put("c.json", intent_text("gamma"))
    files = running.open()
    snapshot = files.refuse(files.start(), ModelError("too large"))
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    with pytest.raises(ModelError, match="too large"):
        files.refuse(snapshot, ModelError("too large"))


# The first start


def test_without_any_last_good_version_nothing_usable_is_an_error(folder: Folder, tmp_path: Path) -> None:
    for path in folder.schemas.iterdir():
        path.write_text("{")
    with pytest.raises(SchemaError, match="no intent could be loaded"):
        folder.start()
    folder.schemas.rename(tmp_path / "away")
    with pytest.raises(ConfigError, match="is no folder"):
        folder.start()
    (tmp_path / "away").rename(folder.schemas)
    folder.home.write_text("[areas")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        folder.start()


# Copies on disk


def test_a_bad_file_is_served_from_its_last_good_version_after_a_restart(running: Folder) -> None:
    running.put("a.json", "{")
    snapshot = running.restart()
    assert in_force(snapshot) == ["alpha:on", "beta:on"]
    assert snapshot.last_good == ("a.json",)


def test_copies_of_another_folder_are_not_used(running: Folder, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.json").write_text("{")
    (other / "c.json").write_text(intent_text("gamma"))
    snapshot = LiveFiles(other, running.home, running.state).start()
    assert in_force(snapshot) == ["gamma:on"]


def _copies(folder: Folder) -> Iterator[Path]:
    return folder.state.iterdir()


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "garbage", "renamed", "folder"])
def test_damaged_copies_are_told_and_ignored(running: Folder, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    for path in list(_copies(running)):
        data = bytearray(path.read_bytes())
        if damage == "renamed":
            path.rename(path.with_name("0" * 31 + format(data[-3] % 16, "x")))
            continue
        data[-2] ^= 1
        path.unlink()
        if damage == "folder":
            path.mkdir()
        else:
            path.write_bytes(
                {"cut": bytes(data[:-5]), "flip": bytes(data), "empty": b"", "garbage": b"[" * 9999}[damage]
            )
    running.put("a.json", "{")
    snapshot = running.restart()
    assert in_force(snapshot) == ["beta:on"]
    assert ("is damaged" in caplog.text) or damage == "folder"


def test_after_damage_the_copies_are_whole_again(running: Folder) -> None:
    for path in _copies(running):
        path.write_bytes(b"x")
    (running.state / ("0" * 32 + ".new")).write_bytes(b"half")
    running.restart()
    assert len(list(_copies(running))) == 3
    running.put("a.json", "{")
    assert in_force(running.restart()) == ["alpha:on", "beta:on"]


def test_a_state_directory_that_cannot_be_written_is_told_once(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.state.parent.write_text("a file in the way")
    folder.start()
    folder.put("a.json", intent_text("alpha", "off"))
    assert in_force(folder.read()) == ["alpha:off", "beta:on"]
    folder.put("a.json", "{")
    assert in_force(folder.read()) == ["alpha:off", "beta:on"]
    assert caplog.text.count("cannot be kept") == 1


def test_copies_have_a_bounded_size(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(copies_module, "MAX_BYTES", 300)
    folder.start()
    assert sum(path.stat().st_size for path in _copies(folder)) <= 300
    assert "has no last good version" in caplog.text


def test_a_copy_is_replaced_in_one_step(running: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    running.put("a.json", intent_text("alpha", "off"))
    running.read()
    monkeypatch.undo()
    running.put("a.json", "{")
    assert in_force(running.restart()) == ["alpha:on", "beta:on"]


# In one line


def test_the_log_names_what_changed(running: Folder) -> None:
    running.put("a.json", "{")
    running.put("c.json", intent_text("gamma"))
    assert (
        describe_changes(running.read()) == "added c.json; served from its last good version a.json; 3 intents in force"
    )
    running.put("d.json", "{")
    assert "3 intents in force" in describe_changes(running.read())


def test_the_status_names_what_is_refused(running: Folder) -> None:
    running.put("a.json", "{")
    for number in range(7):
        running.put(f"x{number}.json", "{")
    assert describe_state(running.read()) == (
        "2 intents; a.json refused, last good version in force; x0.json, x1.json, x2.json, x3.json, x4.json and 2 more refused"
    )
