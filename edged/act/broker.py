"""What can be wrong with the broker, each in its own words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Literal, TypeAlias

from edged.config import MqttConfig
from edged.errors import BrokerError

Version: TypeAlias = Literal["5", "3.1.1"]
"""Of MQTT."""

_UNSUPPORTED_VERSION = 0x84
_BAD_CREDENTIALS = 0x86
_NOT_AUTHORIZED = 0x87
"""Reason codes of CONNACK: MQTT 5.0, table 3-1; paho gives the same ones for MQTT 3.1.1."""


class VersionRefusedError(BrokerError):
    """The broker does not speak this version of MQTT, or gives no answer to it."""


def place_of(config: MqttConfig) -> str:
    """The broker, as errors name it."""
    return f"{config.host}:{config.port}"


def describe_unreachable(error: OSError | ValueError, config: MqttConfig, timeout_s: float) -> BrokerError:
    """Why no connection came about."""
    what, remedy = _words_for(error, config, timeout_s)
    return BrokerError(what, where=place_of(config), remedy=remedy)


def describe_silence(config: MqttConfig, version: Version, timeout_s: float) -> VersionRefusedError:
    """There is a connection, but no answer to CONNECT."""
    return VersionRefusedError(
        f"speaks no MQTT {version}, or does not answer within {timeout_s:g} s",
        where=place_of(config),
        remedy="check that mqtt.port is the broker's, and that mqtt.tls and mqtt.protocol suit it",
    )


def describe_refusal(code: int, text: str, config: MqttConfig, version: Version) -> BrokerError:
    """The broker's answer to CONNECT is no; `code` and `text` are its reason."""
    where = place_of(config)
    if code == _UNSUPPORTED_VERSION:
        return VersionRefusedError(f"speaks no MQTT {version}", where=where, remedy='set mqtt.protocol to "auto"')
    if code in (_BAD_CREDENTIALS, _NOT_AUTHORIZED):
        return BrokerError(
            f"refuses the user name or the password ({text.lower()})",
            where=where,
            remedy="mend mqtt.username and mqtt.password_file, or systemd's credential mqtt-password",
        )
    return BrokerError(f"refuses the connection: {text.lower()}", where=where, remedy="see the broker's log")


def describe_refused_topics(topics: Sequence[str], config: MqttConfig) -> BrokerError:
    """The broker does not let this user subscribe to `topics`."""
    more = f" and {len(topics) - 3} more" if len(topics) > 3 else ""
    return BrokerError(
        f"refuses the subscription to {', '.join(topics[:3])}{more}",
        where=place_of(config),
        remedy="allow these topics to the user in the broker's access list",
    )


def _words_for(error: OSError | ValueError, config: MqttConfig, timeout_s: float) -> tuple[str, str]:
    if isinstance(error, socket.gaierror):
        return f"the name {config.host} cannot be resolved", "mend mqtt.host, or the network"
    if isinstance(error, ssl.SSLError):
        return _words_for_tls(error)
    if isinstance(error, ConnectionRefusedError):
        remedy = "start the broker (systemctl start mosquitto), or mend mqtt.host and mqtt.port"
        return "nothing listens there", remedy
    if isinstance(error, TimeoutError):
        return f"does not answer within {timeout_s:g} s", "check mqtt.host, the network and the firewall"
    if isinstance(error, OSError):
        return (
            f"cannot be reached: {error.strerror or error}",
            "check mqtt.host, mqtt.port, mqtt.tls and mqtt.websocket_path",
        )
    return f"is no host name: {error}", "mend mqtt.host"


def _words_for_tls(error: ssl.SSLError) -> tuple[str, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the broker's certificate is not trusted: {error.verify_message}",
            "set mqtt.ca_file to the authority that signed it, and mqtt.host to a name that it holds",
        )
    return f"TLS fails: {error.strerror or error}", "check that mqtt.port is the broker's TLS port"
