"""Ways to connect to a real Mosquitto: WebSockets, client certificates, ALPN, credentials."""

from __future__ import annotations

import queue
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edged.act.link import Link, check_broker, make_endpoint
from edged.act.mqtt import OnMessage
from edged.config import MqttConfig
from edged.errors import BrokerError, ConfigError
from edged.types import Command
from tests.peer.broker import WAIT_S, Mosquitto, free_port, wait_for_port, watching

pytestmark = pytest.mark.peer

LAMP = "zigbee2mqtt/lamp/set"
TEXT = "edged/hall/in/text"


def _config(broker: Mosquitto, **more: object) -> MqttConfig:
    return MqttConfig.model_validate(
        {"host": broker.host, "port": broker.port, "node": "hall", "connect_timeout_s": 5, **more}
    )


def _command(payload: bytes) -> Command:
    expires_ns = time.monotonic_ns() + 20_000_000_000
    return Command(LAMP, payload, 1, retain=False, expires_ns=expires_ns, intent_id="u1")


def _link(config: MqttConfig, on_message: OnMessage = lambda _topic, _payload, _retained: None) -> Link:
    link = Link(make_endpoint(config, topics=(TEXT,), on_message=on_message), first_delay_s=0.05)
    link.connect()
    return link


# WebSockets, which amqtt has and Debian's Mosquitto has not

_SERVE = """
import asyncio, sys
from amqtt.broker import Broker
async def serve():
    plugin = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    tcp = {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}
    web = {"type": "ws", "bind": f"127.0.0.1:{sys.argv[2]}"}
    broker = Broker({"listeners": {"default": tcp, "web": web}, "plugins": plugin})
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(serve())
"""


@dataclass(frozen=True)
class Web:
    """A broker that speaks MQTT on one port and MQTT over WebSockets on another."""

    process: subprocess.Popen[bytes]
    port: int
    web_port: int

    def config(self, node: str = "hall") -> MqttConfig:
        return MqttConfig(
            port=self.web_port, node=node, protocol="3.1.1", websocket_path="/mqtt", connect_timeout_s=WAIT_S
        )


@pytest.fixture
def web() -> Iterator[Web]:
    port, web_port = free_port(), free_port()
    arguments = [sys.executable, "-c", _SERVE, str(port), str(web_port)]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for_port("127.0.0.1", port, process)
    wait_for_port("127.0.0.1", web_port, process)
    yield Web(process, port, web_port)
    process.kill()
    process.communicate(timeout=WAIT_S)


def test_websockets_carry_commands_out_and_texts_in(web: Web) -> None:
    texts: queue.Queue[bytes] = queue.Queue()
    link = _link(web.config(), lambda _topic, payload, _retained: texts.put(payload))
    other = _link(MqttConfig(port=web.port, node="other", protocol="3.1.1"))
    assert other.publish(replace(_command(b"in"), topic=TEXT)) is None
    assert texts.get(timeout=WAIT_S) == b"in"
    assert link.publish(replace(_command(b"out"), topic=TEXT)) is None
    assert texts.get(timeout=WAIT_S) == b"out"
    link.close()
    other.close()


def test_a_broker_that_hangs_is_given_up_over_websockets_too(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    link = _link(web.config())
    monkeypatch.setattr("edged.act.delivery.CONFIRM_TIMEOUT_S", 0.2)
    web.process.send_signal(signal.SIGSTOP)
    assert link.publish(_command(b"first")) is not None
    deadline = time.monotonic() + WAIT_S
    while link.connected:
        assert time.monotonic() < deadline
    web.process.send_signal(signal.SIGCONT)
    while not link.connected:
        assert time.monotonic() < deadline + WAIT_S
    link.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho forgets the socket of a failed handshake
def test_websockets_to_a_port_without_them_are_told(mosquitto: Mosquitto) -> None:
    with pytest.raises(BrokerError, match="WebSocket"):
        check_broker(_config(mosquitto, websocket_path="/mqtt"))


# TLS


def _openssl(*arguments: str) -> None:
    assert shutil.which("openssl"), "openssl is not installed"
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """An authority (ca.pem), the broker's certificate and the daemon's, the latter's key also under a password."""
    folder = tmp_path / "tls"
    folder.mkdir()
    names = folder / "names"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl(
        "req", "-x509", *key, "-subj", "/CN=ca", "-days", "2", "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem"
    )
    for who in ("broker", "hall"):
        request, certificate = f"{folder}/{who}.csr", f"{folder}/{who}.pem"
        _openssl("req", "-new", *key, "-subj", f"/CN={who}", "-keyout", f"{folder}/{who}.key", "-out", request)
        signed_by = ("-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-CAcreateserial", "-days", "2")
        _openssl("x509", "-req", "-in", request, *signed_by, "-extfile", str(names), "-out", certificate)
    _openssl("ec", "-in", f"{folder}/hall.key", "-aes256", "-passout", "pass:secret", "-out", f"{folder}/locked.key")
    return folder


@pytest.fixture
def certified(tmp_path: Path, authority: Path) -> Iterator[Mosquitto]:
    """A broker that asks for a certificate."""
    files = [f"cafile {authority}/ca.pem", f"certfile {authority}/broker.pem", f"keyfile {authority}/broker.key"]
    broker = Mosquitto(tmp_path, *files, "require_certificate true", "use_identity_as_username true")
    broker.start()
    yield broker
    broker.stop()


def _with_certificate(broker: Mosquitto, authority: Path, key: str) -> MqttConfig:
    files = {"ca_file": authority / "ca.pem", "cert_file": authority / "hall.pem", "key_file": authority / key}
    return _config(broker, tls=True, **files)


def test_a_certificate_is_shown_to_a_broker_that_asks_for_one(certified: Mosquitto, authority: Path) -> None:
    assert check_broker(_with_certificate(certified, authority, "hall.key")) == "5"


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho forgets the socket of a failed handshake
def test_without_a_certificate_such_a_broker_is_closed(certified: Mosquitto, authority: Path) -> None:
    with pytest.raises(BrokerError):
        check_broker(_config(certified, tls=True, ca_file=authority / "ca.pem", connect_timeout_s=1))


def test_the_password_of_a_key_is_a_credential_and_is_never_asked_for(
    certified: Mosquitto, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _with_certificate(certified, authority, "locked.key")
    with pytest.raises(ConfigError, match="cannot be used"):
        check_broker(config)
    credential = authority / "mqtt-key-password"
    credential.write_text("secret\n")
    credential.chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(authority))
    assert check_broker(config) == "5"


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_tls_asks_for_the_configured_protocol(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "broker.pem", authority / "broker.key")
    context.set_alpn_protocols(["http/1.1", "mqtt"])
    asked: list[str | None] = []

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as connection:
            asked.append(connection.selected_alpn_protocol())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        config = MqttConfig(
            port=listener.getsockname()[1],
            protocol="5",
            connect_timeout_s=5,
            tls=True,
            ca_file=authority / "ca.pem",
            alpn="mqtt",
        )
        with pytest.raises(BrokerError):
            check_broker(config)
        server.join(WAIT_S)
    assert asked == ["mqtt"]


def test_a_text_that_comes_while_the_link_is_away_is_not_kept(mosquitto: Mosquitto) -> None:
    texts: queue.Queue[bytes] = queue.Queue()
    _link(_config(mosquitto)).close()
    with watching(mosquitto, "edged/none") as watcher:
        watcher.publish(TEXT, b"meanwhile")
        link = _link(_config(mosquitto), lambda _topic, payload, _retained: texts.put(payload))
        watcher.publish(TEXT, b"afterwards")
    assert texts.get(timeout=WAIT_S) == b"afterwards"
    link.close()


# Credentials


def test_user_name_and_password_come_from_credentials_and_no_log_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    passwords, folder = tmp_path / "passwords", tmp_path / "credentials"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "ada", "secret"], check=True)
    folder.mkdir()
    for name, text in (("mqtt-username", "ada\n"), ("mqtt-password", "secret\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    caplog.set_level("DEBUG")
    broker = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}")
    broker.start()
    try:
        check_broker(_config(broker))
    finally:
        broker.stop()
    assert "secret" not in caplog.text
    assert "secret" not in repr(make_endpoint(_config(broker)))
