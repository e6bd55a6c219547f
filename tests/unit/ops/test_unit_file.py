"""What is shipped for systemd, by systemd's own judgement where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edged.config import Config, load_config
from edged.stages import DRAIN_S, STALE_S

FOLDER = Path(__file__).resolve().parents[3] / "systemd"
UNIT = (FOLDER / "edged.service").read_text(encoding="utf-8")
WORKER = (FOLDER / "edged-worker@.service").read_text(encoding="utf-8")
MOST_EXPOSURE = 20
"""In tenths, as systemd-analyze counts its threshold; the unit has 15 (systemd 252)."""


def _value(key: str) -> str:
    (value,) = re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)
    return str(value)


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    binary = shutil.which("systemd-analyze")
    if binary is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=60, check=False)


UNITS = pytest.mark.parametrize(("name", "unit"), [("edged.service", UNIT), ("edged-worker@1.service", WORKER)])


def _copy_for_this_machine(folder: Path, name: str, unit: str) -> Path:
    """The unit with a program that exists here, since verify looks for it."""
    copy = folder / name
    copy.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", unit, flags=re.MULTILINE))
    return copy


@UNITS
def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path, name: str, unit: str) -> None:
    verified = _analyze("verify", "--recursive-errors=no", str(_copy_for_this_machine(tmp_path, name, unit)))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_a_worker_may_do_what_the_daemon_may_but_for_sound() -> None:
    settings = [set(re.findall(r"^\w+=.*$", text, re.MULTILINE)) for text in (UNIT, WORKER)]
    only_daemon, only_worker = settings[0] - settings[1], settings[1] - settings[0]
    keys = {"Description", "After", "ExecStart"}
    assert {line.split("=")[0] for line in only_worker} == keys
    assert {line.split("=")[0] for line in only_daemon} == keys | {"SupplementaryGroups", "DeviceAllow", "Nice"}
    assert "ExecStart=/opt/edged/.venv/bin/edged worker --config /etc/edged/worker.toml --node %i" in only_worker


@UNITS
def test_the_unit_is_exposed_little(tmp_path: Path, name: str, unit: str) -> None:
    copy = _copy_for_this_machine(tmp_path, name, unit)
    judged = _analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager", str(copy))
    assert judged.returncode == 0, judged.stdout[-400:]


def test_the_unit_starts_the_daemon_as_documented() -> None:
    assert _value("Type") == "notify"
    assert _value("ExecStart") == "/opt/edged/.venv/bin/edged run --config /etc/edged/edged.toml"
    assert _value("User") == "edged"


def test_the_drain_fits_into_the_time_that_systemd_leaves() -> None:
    broker_s = 3 * 5
    assert float(_value("TimeoutStopSec")) >= DRAIN_S + broker_s
    assert float(_value("WatchdogSec")) < STALE_S


def test_the_example_configuration_is_valid_and_names_every_key() -> None:
    path = FOLDER / "edged.toml"
    config = load_config(path)
    assert config.mqtt.text_input
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:# )?(\w+)(?:\.\w+)? = ", text, re.MULTILINE))
    known = {key for section in Config.model_fields for key in type(getattr(config, section)).model_fields}
    assert named == known - {"adapter", "password_file"}


def test_the_example_shows_each_default_as_it_is() -> None:
    section = ""
    for line in (FOLDER / "edged.toml").read_text(encoding="utf-8").splitlines():
        if header := re.match(r"\[(\w+)\]$", line):
            section = header.group(1)
        elif shown := re.match(r"# (\w+) = (\S+)", line):
            default = getattr(getattr(Config(), section), shown.group(1))
            assert default in (None, json.loads(shown.group(2))), line


def test_the_user_of_the_unit_is_made_and_may_hear() -> None:
    text = (FOLDER / "edged.sysusers").read_text(encoding="utf-8")
    assert re.search(r"^u edged ", text, re.MULTILINE)
    assert re.search(r"^m edged audio$", text, re.MULTILINE)
