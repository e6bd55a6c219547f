"""The link against a real Mosquitto."""

from __future__ import annotations

import queue
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from edged.act.broker import VersionRefusedError
from edged.act.delivery import Waiting
from edged.act.link import Link, check_broker, make_endpoint
from edged.act.messages import Report
from edged.act.outbox import NOT_REACHED, UNCONFIRMED
from edged.config import MqttConfig
from edged.errors import BrokerError
from edged.types import Command, Rejected
from tests.peer.broker import WAIT_S, Mosquitto, expiry_of, free_port, watching

pytestmark = pytest.mark.peer

AVAILABILITY = "edged/hall/availability"
LAMP = "zigbee2mqtt/lamp/set"


def _command(seconds: float = 20.5, payload: bytes = b'{"state":"ON"}', *, is_repeatable: bool = True) -> Command:
    expires_ns = time.monotonic_ns() + round(seconds * 1e9)
    return Command(LAMP, payload, 1, False, expires_ns, "u1", is_repeatable)


def _config(broker: Mosquitto, **more: object) -> MqttConfig:
    return MqttConfig.model_validate(
        {"host": broker.host, "port": broker.port, "node": "hall", "connect_timeout_s": 5, **more}
    )


Settled: TypeAlias = "queue.Queue[tuple[Command, Rejected | None]]"


class Received:
    """What the link's `on_message` was given."""

    def __init__(self) -> None:
        self.messages: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()

    def __call__(self, topic: str, payload: bytes, retained: bool) -> None:
        self.messages.put((topic, payload, retained))


@pytest.fixture
def received() -> Received:
    return Received()


@pytest.fixture
def settled() -> Settled:
    """What the link said of commands that had to wait."""
    return queue.Queue()


@pytest.fixture
def link(mosquitto: Mosquitto, received: Received, settled: Settled) -> Iterator[Link]:
    endpoint = make_endpoint(_config(mosquitto), topics=("edged/hall/in/text",), on_message=received)
    link = Link(endpoint, on_settled=lambda *what: settled.put(what), first_delay_s=0.05)
    link.connect()
    yield link
    link.close()


def _wait_connected(link: Link) -> None:
    deadline = time.monotonic() + WAIT_S
    while not link.connected:
        assert time.monotonic() < deadline


def _wait_lost(link: Link) -> None:
    deadline = time.monotonic() + WAIT_S
    while link.connected:
        assert time.monotonic() < deadline


def test_a_command_arrives_unretained_with_its_expiry(mosquitto: Mosquitto, link: Link) -> None:
    with watching(mosquitto, LAMP) as watcher:
        assert link.publish(_command()) is None
        message = watcher.next()
    assert (message.topic, bytes(message.payload), message.qos) == (LAMP, b'{"state":"ON"}', 1)
    assert expiry_of(message) in (20, 21)
    assert getattr(message.properties, "UserProperty", None) == [("id", "u1/0")]
    with watching(mosquitto, LAMP, AVAILABILITY) as late:
        assert late.next().topic == AVAILABILITY


def test_a_report_arrives(mosquitto: Mosquitto, link: Link) -> None:
    with watching(mosquitto, "edged/hall/#") as watcher:
        assert link.report(Report("edged/hall/rejected", b"{}"))
        assert bytes(watcher.next("edged/hall/rejected").payload) == b"{}"


def test_many_reports_at_once_are_bounded_and_the_link_goes_on(mosquitto: Mosquitto, link: Link) -> None:
    with watching(mosquitto, "edged/hall/rejected") as watcher:
        sent = sum(link.report(Report("edged/hall/rejected", b"%d" % number)) for number in range(500))
        assert 16 <= sent <= 500
        assert link.publish(_command()) is None
        for _ in range(sent):
            watcher.next()


def test_availability_is_retained_from_connect_to_close(mosquitto: Mosquitto, link: Link) -> None:
    with watching(mosquitto, AVAILABILITY) as watcher:
        message = watcher.next()
        assert (bytes(message.payload), message.retain) == (b"online", True)
        link.close()
        assert watcher.payloads_until(AVAILABILITY, b"offline") == [b"offline"]
    with watching(mosquitto, AVAILABILITY) as late:
        message = late.next()
        assert (bytes(message.payload), message.retain) == (b"offline", True)


def test_the_last_will_speaks_for_a_process_that_was_killed(mosquitto: Mosquitto) -> None:
    script = (
        "import sys; from edged.act.link import Link, make_endpoint; from edged.config import MqttConfig;"
        f"link = Link(make_endpoint(MqttConfig(port={mosquitto.port}, node='hall'))); link.connect();"
        "print('up', flush=True); sys.stdin.read()"
    )
    with watching(mosquitto, AVAILABILITY) as watcher:
        process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        assert watcher.payloads_until(AVAILABILITY, b"online") == [b"online"]
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=WAIT_S)
        message = watcher.next(AVAILABILITY)
        assert bytes(message.payload) == b"offline"
    with watching(mosquitto, AVAILABILITY) as late:
        assert late.next().retain


def test_text_comes_in_and_a_retained_one_is_marked(mosquitto: Mosquitto, link: Link, received: Received) -> None:
    with watching(mosquitto, AVAILABILITY) as watcher:
        watcher.publish("edged/hall/in/text", b"live", retain=True)
        assert received.messages.get(timeout=WAIT_S) == ("edged/hall/in/text", b"live", False)
        link.close()
    again = Link(make_endpoint(_config(mosquitto), topics=("edged/hall/in/text",), on_message=received))
    again.connect()
    assert received.messages.get(timeout=WAIT_S) == ("edged/hall/in/text", b"live", True)
    again.close()


def test_after_a_restart_of_the_broker_everything_works_again(
    mosquitto: Mosquitto, link: Link, received: Received
) -> None:
    mosquitto.stop()
    mosquitto.start()
    with watching(mosquitto, AVAILABILITY, LAMP) as watcher:
        assert watcher.payloads_until(AVAILABILITY, b"online") == [b"online"]
        watcher.publish("edged/hall/in/text", b"hello")
        assert received.messages.get(timeout=WAIT_S) == ("edged/hall/in/text", b"hello", False)
        _wait_connected(link)
        assert link.publish(_command()) is None
        assert bytes(watcher.next(LAMP).payload) == b'{"state":"ON"}'


def test_commands_wait_for_a_broker_that_is_away(mosquitto: Mosquitto, link: Link, settled: Settled) -> None:
    mosquitto.stop()
    _wait_lost(link)
    commands = [_command(payload=b"%d" % number, is_repeatable=number % 2 == 0) for number in range(4)]
    assert link.publish_all(commands) == (Waiting(),) * 4
    mosquitto.start()
    assert [settled.get(timeout=WAIT_S) for _ in commands] == [(command, None) for command in commands]


def test_commands_that_waited_come_once_and_in_order(mosquitto: Mosquitto) -> None:
    link = Link(make_endpoint(_config(mosquitto)))
    link.publish_all([_command(payload=b"%d" % number) for number in range(40)])
    with watching(mosquitto, LAMP) as watcher:
        link.connect()
        assert watcher.payloads_until(LAMP, b"39") == [b"%d" % number for number in range(40)]
        assert link.publish(_command(payload=b"end")) is None
        assert watcher.payloads_until(LAMP, b"end") == [b"end"]
    link.close()


def test_a_command_that_expires_while_the_broker_is_away_is_told_and_never_sent(
    mosquitto: Mosquitto, link: Link, settled: Settled
) -> None:
    mosquitto.stop()
    _wait_lost(link)
    command = _command(0.2)
    assert link.publish(command) == Waiting()
    assert settled.get(timeout=WAIT_S) == (command, Rejected("u1", "mqtt", NOT_REACHED))
    mosquitto.start()
    with watching(mosquitto, AVAILABILITY, LAMP) as watcher:
        watcher.payloads_until(AVAILABILITY, b"online")
        _wait_connected(link)
        assert link.publish(_command(payload=b"new")) is None
        assert bytes(watcher.next(LAMP).payload) == b"new"


def test_a_broker_that_hangs_gets_a_repeatable_command_again(
    mosquitto: Mosquitto, link: Link, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edged.act.delivery.CONFIRM_TIMEOUT_S", 0.2)
    mosquitto.hang()
    command = _command()
    assert link.publish(command) == Waiting()
    _wait_lost(link)
    mosquitto.go_on()
    assert settled.get(timeout=WAIT_S) == (command, None)


def test_a_step_without_an_answer_is_unconfirmed_and_not_sent_again(
    mosquitto: Mosquitto, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edged.act.delivery.CONFIRM_TIMEOUT_S", 0.2)
    with watching(mosquitto, LAMP) as watcher:
        mosquitto.hang()
        assert link.publish(_command(is_repeatable=False)) in (Waiting(), Rejected("u1", "mqtt", UNCONFIRMED))
        _wait_lost(link)
        mosquitto.go_on()
        _wait_connected(link)
        assert link.publish(_command(payload=b"end")) is None
        assert watcher.payloads_until(LAMP, b"end").count(b'{"state":"ON"}') <= 1


def test_an_expired_command_never_reaches_the_broker(mosquitto: Mosquitto, link: Link) -> None:
    with watching(mosquitto, LAMP) as watcher:
        assert isinstance(link.publish(_command(0)), Rejected)
        final = Command(LAMP, b"new", 1, retain=False, expires_ns=time.monotonic_ns() + 10**10, intent_id="u2")
        assert link.publish(final) is None
        assert bytes(watcher.next().payload) == b"new"


def test_mqtt_3_1_1_carries_the_same_without_an_expiry(mosquitto: Mosquitto) -> None:
    link = Link(make_endpoint(_config(mosquitto, protocol="3.1.1")))
    link.connect()
    with watching(mosquitto, LAMP) as watcher:
        assert link.publish(_command()) is None
        assert expiry_of(watcher.next()) is None
    link.close()


def test_a_callback_that_fails_says_so_and_the_thread_lives(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    failures: queue.Queue[bool] = queue.Queue()

    def fail(_topic: str, _payload: bytes, _retained: bool) -> None:
        raise RuntimeError("broken")

    endpoint = make_endpoint(
        _config(mosquitto), topics=("in",), on_message=fail, on_failure=lambda: failures.put(item=True)
    )
    link = Link(endpoint)
    link.connect()
    with watching(mosquitto, LAMP) as watcher:
        watcher.publish("in", b"x")
        assert failures.get(timeout=WAIT_S)
        assert link.publish(_command()) is None
    link.close()
    assert "could not be handled" in caplog.text


def test_checking_the_broker_disturbs_nobody(mosquitto: Mosquitto, link: Link) -> None:
    with watching(mosquitto, AVAILABILITY) as watcher:
        watcher.next()
        assert check_broker(_config(mosquitto)) == "5"
        assert link.connected
        link.close()
        assert watcher.payloads_until(AVAILABILITY, b"offline") == [b"offline"]


def test_a_port_where_nothing_listens_is_told() -> None:
    with pytest.raises(BrokerError, match="nothing listens there") as caught:
        check_broker(MqttConfig(port=free_port()))
    assert caught.value.exit_code == 3
    assert "systemctl start mosquitto" in caught.value.remedy


def test_a_name_that_cannot_be_resolved_is_told() -> None:
    with pytest.raises(BrokerError, match="cannot be resolved"):
        check_broker(MqttConfig(host="no-such-host.invalid"))


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that wants a password, and lets the user subscribe to nothing but the node's own topics."""
    password_file, acl_file = tmp_path / "passwords", tmp_path / "acl"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(password_file), "edged", "right"], check=True)
    acl_file.write_text("user edged\ntopic readwrite edged/#\n")
    broker = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {password_file}", f"acl_file {acl_file}")
    broker.start()
    yield broker
    broker.stop()


def _password(folder: Path, word: str) -> Path:
    path = folder / f"{word}.txt"
    path.write_text(f"{word}\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("protocol", ["auto", "5", "3.1.1"])
def test_the_right_password_is_taken_and_a_wrong_one_is_told(locked: Mosquitto, tmp_path: Path, protocol: str) -> None:
    right = _config(locked, username="edged", password_file=_password(tmp_path, "right"), protocol=protocol)
    check_broker(right)
    wrong = _config(locked, username="edged", password_file=_password(tmp_path, "wrong"), protocol=protocol)
    with pytest.raises(BrokerError, match="refuses the user name or the password") as caught:
        check_broker(wrong)
    assert not isinstance(caught.value, VersionRefusedError)
    assert "right" not in str(caught.value)


def test_no_password_where_one_is_wanted_is_told(locked: Mosquitto) -> None:
    with pytest.raises(BrokerError, match="refuses the user name or the password"):
        check_broker(_config(locked))


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate for localhost that is its own authority, with its key."""
    folder = tmp_path / "tls"
    folder.mkdir()
    assert shutil.which("openssl"), "openssl is not installed"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*request, *names, *files], check=True, capture_output=True)
    return folder


@pytest.fixture
def encrypted(tmp_path: Path, authority: Path) -> Iterator[Mosquitto]:
    lines = (f"certfile {authority}/cert.pem", f"keyfile {authority}/key.pem", "allow_anonymous true")
    broker = Mosquitto(tmp_path, *lines)
    broker.start()
    yield broker
    broker.stop()


def test_tls_with_the_right_authority_connects(encrypted: Mosquitto, authority: Path) -> None:
    assert check_broker(_config(encrypted, tls=True, ca_file=authority / "cert.pem")) == "5"


def test_a_broker_that_hangs_is_given_up_under_tls_too(
    encrypted: Mosquitto, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edged.act.delivery.CONFIRM_TIMEOUT_S", 0.2)
    endpoint = make_endpoint(_config(encrypted, tls=True, ca_file=authority / "cert.pem"))
    link = Link(endpoint, first_delay_s=0.05)
    link.connect()
    encrypted.hang()
    assert link.publish(_command()) == Waiting()
    _wait_lost(link)
    encrypted.go_on()
    _wait_connected(link)
    link.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho forgets the socket of a failed handshake
def test_tls_with_an_unknown_authority_is_told(encrypted: Mosquitto) -> None:
    with pytest.raises(BrokerError, match="certificate is not trusted") as caught:
        check_broker(_config(encrypted, tls=True))
    assert "mqtt.ca_file" in caught.value.remedy


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_tls_to_a_port_without_it_is_told(mosquitto: Mosquitto) -> None:
    with pytest.raises(BrokerError):
        check_broker(_config(mosquitto, tls=True))


def test_no_tls_to_a_port_that_wants_it_is_told(encrypted: Mosquitto) -> None:
    with pytest.raises(BrokerError, match=r"speaks no MQTT 3\.1\.1") as caught:
        check_broker(_config(encrypted, connect_timeout_s=1))
    assert "mqtt.tls" in caught.value.remedy


def test_topics_can_change_and_stay_changed_after_a_restart_of_the_broker(
    mosquitto: Mosquitto, link: Link, received: Received
) -> None:
    with watching(mosquitto, "zigbee2mqtt/#") as watcher:
        watcher.publish("zigbee2mqtt/new", b"before", retain=True)
        link.set_topics(("zigbee2mqtt/new", "zigbee2mqtt/end"))
        assert received.messages.get(timeout=WAIT_S) == ("zigbee2mqtt/new", b"before", True)
        watcher.publish("edged/hall/in/text", b"no longer")
        watcher.publish("zigbee2mqtt/end", b"1")
        assert received.messages.get(timeout=WAIT_S) == ("zigbee2mqtt/end", b"1", False)
    mosquitto.stop()
    mosquitto.start()
    with watching(mosquitto, AVAILABILITY) as watcher:
        watcher.payloads_until(AVAILABILITY, b"online")
        watcher.publish("edged/hall/in/text", b"no longer")
        watcher.publish("zigbee2mqtt/end", b"2")
        assert received.messages.get(timeout=WAIT_S) == ("zigbee2mqtt/end", b"2", False)


def test_a_retained_report_reaches_who_comes_later_and_a_broker_that_forgot_it(
    mosquitto: Mosquitto, link: Link
) -> None:
    with watching(mosquitto, "edged/hall/catalog") as watcher:
        assert link.report(Report("edged/hall/catalog", b"1", retain=True))
        watcher.next()
    with watching(mosquitto, "edged/hall/catalog") as late:
        assert late.next().retain
    mosquitto.stop()
    mosquitto.start()
    with watching(mosquitto, "edged/hall/catalog") as watcher:
        assert bytes(watcher.next().payload) == b"1"
