"""`edged run` as a process of its own, against a real Mosquitto."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edged.config import Config
from tests.conftest import ROOT
from tests.peer.broker import WAIT_S, Mosquitto, free_port, watching

pytestmark = pytest.mark.peer

START_S = 120.0
"""Loading the model and reading its prefix takes some seconds, on a busy machine many."""
AVAILABILITY = "edged/hall/availability"
KITCHEN = "zigbee2mqtt/kitchen_ceiling/set"
TEXT = "edged/hall/in/text"


def _write_config(folder: Path, port: int, *lines: str, text_input: bool = True) -> Path:
    path = folder / "edged.toml"
    mqtt = f'[mqtt]\nport = {port}\nnode = "hall"\ntext_input = {str(text_input).lower()}\nconnect_timeout_s = 5\n'
    path.write_text(mqtt + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def _state(folder: Path, config: Config) -> str:
    """A state directory of its own, with the models of this machine."""
    state = folder / "state"
    state.mkdir()
    (state / "models").symlink_to(config.models_directory)
    return f'[state]\ndirectory = "{state}"'


def _command(config: Path, name: str = "run") -> list[str]:
    return [sys.executable, "-m", "edged", name, "--config", str(config)]


def _run(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(config), cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False)


class Running:
    """A daemon, or a worker, that tells systemd, which is us, when it is ready."""

    def __init__(self, folder: Path, config: Path, name: str = "run") -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listener.bind(str(folder / "notify"))
        self._listener.settimeout(0.2)
        self._words: queue.Queue[str] = queue.Queue()
        self._ended = threading.Event()
        self._notified = threading.Thread(target=self._listen)
        self._notified.start()
        environment = os.environ | {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "30000000"}
        environment.pop("WATCHDOG_PID", None)
        self._process = subprocess.Popen(
            _command(config, name), cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        self._log: list[str] = []
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()

    def _read_log(self) -> None:
        assert self._process.stderr
        self._log += [line.decode() for line in self._process.stderr]

    def _listen(self) -> None:
        """Takes everything in: a daemon whose words nobody takes has to wait."""
        while not self._ended.is_set():
            with suppress(TimeoutError):
                self._words.put(self._listener.recv(1000).decode())

    def wait_for(self, word: str) -> list[str]:
        """Everything that it tells systemd up to `word`."""
        heard: list[str] = []
        while word not in heard:
            heard.append(self._words.get(timeout=START_S))
        return heard

    def cpu_s(self) -> float:
        """The CPU time that all of its threads have taken so far."""
        tasks = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit status and its log."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            code = self._process.wait(START_S)
        finally:
            self._process.kill()
            self._reader.join(WAIT_S)
            self._ended.set()
            self._notified.join(WAIT_S)
            self._listener.close()
        assert self._process.stderr
        self._process.stderr.close()
        return code, "".join(self._log)


@pytest.fixture
def running(mosquitto: Mosquitto, tmp_path: Path, config: Config) -> Iterator[Running]:
    """A daemon that takes text, with the real language model."""
    state = _state(tmp_path, config)
    running = Running(tmp_path, _write_config(tmp_path, mosquitto.port, state))
    yield running
    running.end(signal.SIGKILL)


@pytest.mark.model
def test_text_in_becomes_the_devices_command_and_sigterm_ends_in_order(mosquitto: Mosquitto, running: Running) -> None:
    running.wait_for("READY=1")
    with watching(mosquitto, AVAILABILITY, "edged/hall/#", "zigbee2mqtt/#") as watcher:
        watcher.publish(TEXT, json.dumps({"text": "turn on the kitchen light", "lang": "en"}))
        command = watcher.next(KITCHEN)
        assert json.loads(command.payload)["state"] == "ON"
        assert not command.retain
    running.wait_for("WATCHDOG=1")
    code, log = running.end()
    assert code == 0, log
    assert "kitchen light" not in log
    assert "Traceback" not in log
    with watching(mosquitto, AVAILABILITY) as late:
        message = late.next()
        assert (bytes(message.payload), message.retain) == (b"offline", True)


@pytest.mark.model
def test_what_was_done_is_counted(mosquitto: Mosquitto, tmp_path: Path, config: Config) -> None:
    port = free_port()
    lines = (_state(tmp_path, config), f"[metrics]\nport = {port}")
    running = Running(tmp_path, _write_config(tmp_path, mosquitto.port, *lines))
    try:
        running.wait_for("READY=1")
        with watching(mosquitto, KITCHEN, "edged/hall/rejected") as watcher:
            watcher.publish(TEXT, json.dumps({"text": "turn on the kitchen light", "lang": "en"}))
            watcher.next(KITCHEN)
            watcher.publish(TEXT, json.dumps({"text": "what a lovely red dress", "lang": "en"}))
            watcher.next("edged/hall/rejected")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=WAIT_S) as answer:
            counted = answer.read().decode()
        code, log = running.end()
        assert code == 0, log
    finally:
        running.end(signal.SIGKILL)
    assert 'edged_commands_total{result="sent"} 1.0' in counted
    assert 'edged_rejected_total{stage="understand"} 1.0' in counted
    assert "kitchen" not in counted


@pytest.mark.model
def test_what_was_refused_is_kept_for_the_review_where_it_is_configured(
    mosquitto: Mosquitto, tmp_path: Path, config: Config
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "models").symlink_to(config.models_directory)
    path = _write_config(tmp_path, mosquitto.port, f'[state]\ndirectory = "{state}"', '[feedback]\nkeep = "refused"')
    running = Running(tmp_path, path)
    try:
        running.wait_for("READY=1")
        with watching(mosquitto, "edged/hall/rejected") as watcher:
            watcher.publish(TEXT, json.dumps({"text": "what a lovely red dress", "lang": "en"}))
            watcher.next()
        code, log = running.end()
        assert code == 0, log
    finally:
        running.end(signal.SIGKILL)
    command = [sys.executable, "-m", "edged", "review", "--json", "--config", str(path)]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False)
    (row,) = map(json.loads, printed.stdout.splitlines())
    assert (row["text"], row["rejected"]["stage"], row["label"]) == ("what a lovely red dress", "understand", None)
    assert "dress" not in log


@pytest.mark.model
def test_what_is_no_command_is_reported_with_its_id(mosquitto: Mosquitto, running: Running) -> None:
    running.wait_for("READY=1")
    with watching(mosquitto, "edged/hall/rejected") as watcher:
        watcher.publish(TEXT, json.dumps({"text": "what a lovely red dress", "lang": "en"}))
        message = json.loads(watcher.next().payload)
        assert message["stage"] == "understand"
        assert message["text"] == "what a lovely red dress"
        watcher.publish(TEXT, b"no json")
        assert json.loads(watcher.next().payload)["stage"] == "mqtt"
    code, log = running.end(signal.SIGINT)
    assert code == 0, log
    assert message["id"] in log


@pytest.mark.model
def test_an_idle_daemon_takes_less_than_a_hundredth_of_a_core(mosquitto: Mosquitto, running: Running) -> None:
    running.wait_for("READY=1")
    with watching(mosquitto, "edged/hall/rejected") as watcher:
        watcher.publish(TEXT, json.dumps({"text": "what a lovely red dress", "lang": "en"}))  # a matter for the model
        watcher.next()
    shares = []
    for _ in range(3):  # the least: what ends late after the start is not idle yet
        running.wait_for("WATCHDOG=1")
        started_s, cpu_s = time.monotonic(), running.cpu_s()
        for _ in range(4):  # of 0.5 s each
            running.wait_for("WATCHDOG=1")
        shares.append((running.cpu_s() - cpu_s) / (time.monotonic() - started_s))
    assert min(shares) < 0.01, shares


@pytest.mark.model
def test_after_a_restart_of_the_broker_text_is_taken_again(mosquitto: Mosquitto, running: Running) -> None:
    running.wait_for("READY=1")
    mosquitto.stop()
    mosquitto.start()
    with watching(mosquitto, AVAILABILITY, KITCHEN) as watcher:
        watcher.payloads_until(AVAILABILITY, b"online")
        watcher.publish(TEXT, json.dumps({"text": "turn on the kitchen light"}))
        assert json.loads(watcher.next(KITCHEN).payload)["state"] == "ON"
    code, log = running.end()
    assert code == 0, log
    assert "is lost" in log


@pytest.mark.model
def test_the_last_will_speaks_for_a_daemon_that_was_killed(mosquitto: Mosquitto, running: Running) -> None:
    running.wait_for("READY=1")
    with watching(mosquitto, AVAILABILITY) as watcher:
        watcher.payloads_until(AVAILABILITY, b"online")
        running.end(signal.SIGKILL)
        assert watcher.payloads_until(AVAILABILITY, b"offline") == [b"offline"]


def test_an_unreachable_broker_ends_it_with_3_and_the_remedy(tmp_path: Path) -> None:
    port = free_port()
    ended = _run(_write_config(tmp_path, port))
    assert ended.returncode == 3
    assert f"edged: 127.0.0.1:{port}: nothing listens there" in ended.stderr
    assert "systemctl start mosquitto" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_missing_model_ends_it_with_3_and_the_remedy(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ended = _run(_write_config(tmp_path, mosquitto.port, "[state]", f'directory = "{tmp_path}"'))
    assert ended.returncode == 3, ended.stderr
    assert "edged models fetch" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nothing_to_listen_to_ends_it_with_2(tmp_path: Path) -> None:
    ended = _run(_write_config(tmp_path, 1883, text_input=False))
    assert ended.returncode == 2
    assert "there is nothing to listen to" in ended.stderr


def test_an_area_that_the_house_does_not_have_ends_it_with_2(tmp_path: Path) -> None:
    ended = _run(_write_config(tmp_path, 1883, "[home]", 'area = "cellar"'))
    assert ended.returncode == 2
    assert 'there is no area "cellar"' in ended.stderr


@pytest.mark.parametrize("key", ["colour = 1", "port = 0", 'node = "a/b"'])
def test_a_wrong_configuration_ends_it_with_2(tmp_path: Path, key: str) -> None:
    path = tmp_path / "edged.toml"
    path.write_text(f"[mqtt]\n{key}\n")
    ended = _run(path)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_doctor_names_what_is_wrong_and_goes_on(mosquitto: Mosquitto, tmp_path: Path) -> None:
    config = _write_config(tmp_path, mosquitto.port, "[state]", f'directory = "{tmp_path}"')
    command = [sys.executable, "-m", "edged", "doctor", "--json", "--config", str(config)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False)
    assert ended.returncode == 1, ended.stderr
    findings = {finding["subject"]: finding for finding in json.loads(ended.stdout)["findings"]}
    assert findings["broker"]["status"] == "ok"
    assert findings["language model"]["status"] == "wrong"
    assert findings["language model"]["remedy"].startswith("edged models fetch")


def test_doctor_speaks_of_a_broken_configuration_and_of_the_machine(tmp_path: Path) -> None:
    config = tmp_path / "edged.toml"
    config.write_text("[mqtt\n")
    command = [sys.executable, "-m", "edged", "doctor", "--config", str(config)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False)
    assert ended.returncode == 1
    assert "WRONG   configuration" in ended.stdout
    assert "processor" in ended.stdout
    assert "1 wrong" in ended.stdout
