import json
import shutil
from pathlib import Path

import pytest

from edged.cli import main
from edged.config import Config


@pytest.fixture
def folder(tmp_path: Path, config: Config) -> Path:
    """A copy of the shipped intents."""
    for path in config.intents.directory.glob("*.json"):
        shutil.copy(path, tmp_path)
    return tmp_path


def break_first(folder: Path) -> Path:
    path = min(folder.glob("*.json"))
    parsed = json.loads(path.read_text(encoding="utf-8"))
    slot = list(parsed["properties"])[1]
    parsed["properties"][slot]["enmu"] = parsed["properties"][slot].pop("enum")
    path.write_text(json.dumps(parsed, indent=1), encoding="utf-8")
    return path


def test_files_without_errors_are_in_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "check", str(folder)]) == 0
    assert f"in force: {len(list(folder.glob('*.json')))} intents: " in capsys.readouterr().out


def test_an_error_is_shown_in_its_line_with_a_mark_below(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = break_first(folder)
    assert main(["schema", "check", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{path}:"
    place = next(index for index, line in enumerate(lines) if ": error: " in line)
    assert lines[place + 1].strip().startswith('| "enmu": [')
    assert lines[place + 2].rstrip() == "    | ^"
    assert 'did you mean "enum"?' in lines[place + 3]
    assert "left out: 1 files" in lines[-1]


def test_errors_stand_before_warnings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = break_first(folder)
    parsed = json.loads(path.read_text(encoding="utf-8"))
    parsed["properties"] = {"intent": parsed["properties"].pop("intent"), "unfilled": {"type": "boolean"}} | parsed[
        "properties"
    ]
    path.write_text(json.dumps(parsed, indent=1), encoding="utf-8")
    main(["schema", "check", str(path)])
    out = capsys.readouterr().out
    assert 0 < out.index(": error: ") < out.index(": warning: no example ever fills")


def test_json_gives_every_field(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = break_first(folder)
    assert main(["schema", "check", str(folder), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert len(report["loaded"]) == len(list(folder.glob("*.json"))) - 1
    fault = next(fault for fault in report["faults"] if fault["severity"] == "error")
    assert fault["file"] == str(path)
    assert set(fault) == {"file", "pointer", "line", "column", "what", "remedy", "severity"}


def test_one_file_can_be_checked_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = min(folder.glob("*.json"))
    assert main(["schema", "check", str(path)]) == 0
    assert "in force: 1 intents" in capsys.readouterr().out


def test_a_folder_without_files_is_a_no_and_a_missing_one_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", "check", str(tmp_path)]) == 1
    assert "there is no *.json file" in capsys.readouterr().out
    assert main(["schema", "check", str(tmp_path / "none")]) == 2


def test_show_says_what_can_be_said_and_what_comes_out(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    name = min(path.stem for path in config.intents.directory.glob("*.json"))
    assert main(["schema", "show", name, "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{name}: ")
    assert f'{{"intent": "{name}", ' in out
    assert f"published: edged/{config.mqtt.node}/intent/{name}, valid for " in out
    assert "must be said, never made up: " in out
    assert "say in en" in out
    assert "say in ko" not in out
    assert not any(
        "{" in line
        for line in out.splitlines()
        if line.startswith("    ") and "becomes" not in line and not line.strip().startswith("{")
    )


def test_show_says_how_a_question_is_answered(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in config.intents.directory.glob("*.json")}
    name, asks = next((name, json.loads(text)["x-edged"]["asks"]) for name, text in texts.items() if '"asks"' in text)
    assert main(["schema", "show", name, "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert f"it only asks: answered on edged/{config.mqtt.node}/answer" in out
    for rule in asks["rules"]:
        words = ", ".join(told.replace("_", " ") for told in rule["tell"])
        assert f"{words} of the {rule['kind']} that {rule['device']} names" in out


def test_an_unknown_intent_is_answered_with_the_nearest(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    name = min(path.stem for path in config.intents.directory.glob("*.json"))
    assert main(["schema", "show", f"{name}x"]) == 1
    assert f'did you mean "{name}"?' in capsys.readouterr().out


def test_show_says_what_is_done_with_timers(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    name = next(path.stem for path in config.intents.directory.glob("*.json") if '"timers"' in path.read_text("utf-8"))
    assert main(["schema", "show", name, "--lang", "en"]) == 0
    assert "if action is cancel_all: cancel all the timers" in capsys.readouterr().out
