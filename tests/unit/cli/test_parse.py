"""The command line as a person or a script meets it: the real program, the real model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from edged.intents.catalog import Catalog

pytestmark = pytest.mark.model


def edged(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "edged", *arguments], input=stdin, capture_output=True, check=False)


def test_each_line_of_stdin_gives_a_json_line(catalog: Catalog) -> None:
    lines = ["turn on the kitchen light", "", "hello there", "\udcff\udcfe", "Please could you dim the hall lights"]
    done = edged("parse", "--json", "-", stdin="\n".join(lines).encode(errors="surrogateescape") + b"\n")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == len(lines)
    for row in rows:
        assert list(row) == [
            "text", "lang", "intents", "rejected", "confidence", "latency_ms", "lm_tokens", "lm_calls",
        ]  # fmt: skip
        assert (row["rejected"] is None) == bool(row["intents"])
        for intent in row["intents"]:
            jsonschema.validate(intent, dict(catalog.intents[intent["intent"]].schema))
    assert rows[0]["intents"] == [{"intent": "light", "action": "on", "area": "kitchen"}]
    assert rows[4]["intents"] == [{"intent": "light", "action": "dim", "area": "hall"}]
    assert rows[1]["rejected"] == {"stage": "understand", "reason": "nothing was said"}


def test_words_without_quotes_are_one_sentence() -> None:
    done = edged("parse", "turn", "on", "the", "kitchen", "light")
    assert done.returncode == 0, done.stderr
    assert b"turn on the kitchen light\n  light action=on area=kitchen" in done.stdout


def test_sentences_in_quotes_are_each_their_own() -> None:
    done = edged("parse", "--json", "--lang", "ko", "거실 불을 켜 줘", "안녕하세요 여러분")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["lang"] for row in rows] == ["ko", "ko"]
    assert [len(row["intents"]) for row in rows] == [1, 0]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["parse"], 2, b"required"),
        (["frobnicate"], 2, b"invalid choice"),
        (["parse", "--lang", "Klingon", "x"], 2, b"is no language"),
        (["parse", "--config", "{tmp}/none.toml", "x"], 2, b"cannot be read"),
        (["parse", "--config", "{tmp}/bad.toml", "x"], 2, b"mqtt.hots: unknown key"),
        (["parse", "--schemas", "{tmp}/none", "x"], 2, b"is no folder"),
        (["parse", "--schemas", "{tmp}/empty", "x"], 1, b"no intent could be loaded"),
        (["parse", "--schemas", "{tmp}/broken", "x"], 1, b"broken.json:1"),
        (["parse", "--home", "{tmp}/none.toml", "x"], 2, b"cannot be read"),
        (["parse", "--config", "{tmp}/nomodel.toml", "x"], 3, b"edged models fetch smollm2-135m"),
        (["parse", "--config", "{tmp}/badmodel.toml", "x"], 3, b"llama.cpp cannot load it"),
        (["schema", "check", "{tmp}/broken"], 1, b""),
        (["schema", "show", "nothing"], 1, b""),
        (["transcribe", "{tmp}/none.wav"], 2, b"none.wav"),
    ],
)
def test_what_is_wrong_is_said_in_words_with_the_exit_code(
    tmp_path: Path, arguments: list[str], code: int, told: bytes
) -> None:
    (tmp_path / "bad.toml").write_text("[mqtt]\nhots = 'x'\n")
    (tmp_path / "nomodel.toml").write_text(f"[state]\ndirectory = '{tmp_path}/state'\n")
    (tmp_path / "bad.gguf").write_bytes(b"GGUFnothing")
    (tmp_path / "badmodel.toml").write_text(f"[understand]\nmodel = '{tmp_path}/bad.gguf'\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "broken.json").write_text("{")
    done = edged(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_broken_file_beside_good_ones_is_said_and_left_out(tmp_path: Path, config_schemas: Path) -> None:
    for path in config_schemas.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.json").write_text("{")
    done = edged("parse", "--json", "--schemas", str(tmp_path), "turn on the kitchen light")
    assert done.returncode == 0
    assert json.loads(done.stdout)["intents"]
    assert b"broken.json:1" in done.stderr


def test_the_shipped_intents_pass_the_check() -> None:
    done = edged("schema", "check")
    assert done.returncode == 0, done.stdout
    assert b"light" in done.stdout


def test_show_prints_how_each_slot_is_said() -> None:
    done = edged("schema", "show", "light")
    assert done.returncode == 0
    text = done.stdout.decode()
    for said in ("living room, lounge, sitting room", "거실", "turn on the kitchen light", "warm white"):
        assert said in text
    assert "thermostat" not in text


def test_delays_stand_beside_the_intents_and_only_where_there_is_one() -> None:
    done = edged("parse", "--json", "turn off the kitchen light in ten minutes", "turn off the kitchen light")
    later, at_once = (json.loads(line) for line in done.stdout.splitlines())
    assert at_once["intents"] == later["intents"] == [{"intent": "light", "action": "off", "area": "kitchen"}]
    assert (later["delays_s"], "delays_s" in at_once) == ([600.0], False)
    said = edged("parse", "turn off the kitchen light in ten minutes").stdout
    assert b"light action=off area=kitchen in 600 s" in said
