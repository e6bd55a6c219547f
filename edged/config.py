"""The configuration: one TOML file, read once into a frozen `Config` and passed in.

Every key has a default, unknown keys are errors, and relative paths are relative to the file that names them. This
module and `ops/notify.py` are the only ones that read the environment.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edged.errors import ConfigError

SHIPPED = Path(__file__).resolve().parent.parent
"""The folder that the project came in: its schemas and its example house serve where no other is configured."""

MAX_SECRET_BYTES: Final = 4096
"""Of a password's file; brokers take no longer ones."""

_SEARCHED = (Path("edged.toml"), Path("/etc/edged/edged.toml"))

MAX_SATELLITES: Final = 16
"""Each has a thread of its own, of which the service may have 64, and a recogniser, which takes 2 MB (the Korean model
and the shipped intents, November 2026)."""

Port = Annotated[int, Field(ge=1, le=65535)]
Lang = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
TopicLevel = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class MqttConfig(_Section):
    """[mqtt]: the broker and this daemon's place on it."""

    host: str = "127.0.0.1"
    """Name or address of the broker."""
    port: Port = 1883
    node: TopicLevel = "edged"
    """This daemon's name: its topics are edged/<node>/..."""
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    """auto tries MQTT 5 and falls back to 3.1.1."""
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    connect_timeout_s: Annotated[int, Field(ge=1, le=120)] = 10
    """How long the start waits for the broker before it gives up."""
    username: str | None = None
    """Without it, systemd's credential `mqtt-username` counts, if there is one."""
    password_file: Path | None = None
    """Holds the password on its first line. Without it, systemd's credential `mqtt-password` does, if there is one."""
    tls: bool = False
    """Speak TLS; the system's authorities are trusted unless ca_file names others."""
    ca_file: Path | None = None
    cert_file: Path | None = None
    """The certificate of this daemon, for brokers that ask for one."""
    key_file: Path | None = None
    """Its key, where it is not in cert_file; a password of it is systemd's credential `mqtt-key-password`."""
    alpn: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")] | None = None
    """The protocol that TLS asks for ("mqtt"), where the broker shares its port with other services."""
    websocket_path: Annotated[str, Field(pattern=r"^/[!-~]{0,199}$")] | None = None
    """Speak MQTT over WebSockets at this path ("/mqtt")."""
    text_input: bool = False
    """Take {"text", "lang", "id", "area"} on edged/<node>/in/text."""
    listen_input: bool = False
    """Take {"listen": "once"}, "on" and "off" on edged/<node>/in/listen: it switches the microphone."""
    confirm_input: bool = False
    """Take {"id", "answer", "lang"} on edged/<node>/in/confirm: answers to questions that were asked back."""
    ask_s: Annotated[float, Field(ge=0, le=300)] = 15.0
    """How long a question that was asked back on edged/<node>/ask waits for its answer, in seconds; 0 asks nothing, and
    what would be asked about is rejected."""
    discovery: Literal["off", "on", "remove"] = "off"
    """on: describe this daemon to Home Assistant; remove: take that back; off: say nothing to it."""
    discovery_prefix: TopicLevel = "homeassistant"
    """Where Home Assistant looks for devices."""
    hermes_site: TopicLevel | None = None
    """Publish intents as Rhasspy and Snips do too, on hermes/intent/<name>, with this siteId; "default" is usual."""
    confirm_s: Annotated[float, Field(ge=0.5, le=60)] = 3.0
    """How long a device's state may take to show what a command has brought about, before the command counts as
    unconfirmed; a `transition` comes on top, and a minute and a half for what moves: covers and gates."""
    queue: Annotated[int, Field(ge=1, le=1000)] = 16
    """Utterances that may wait; one more is refused."""
    outbox: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    """Commands that may wait for the broker, each until it expires; one more is refused."""
    outbox_bytes: Annotated[int, Field(ge=65_536, le=256 << 20)] = 8 << 20
    """Of their topics and payloads, kept in memory and on the disk."""

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        """What only TLS would use must not be set in vain: the rest would go out in clear text."""
        given = [key for key in ("ca_file", "cert_file", "key_file", "alpn") if getattr(self, key) is not None]
        if given and not self.tls:
            raise ValueError(f"{', '.join(given)} without tls = true")
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file without cert_file")
        return self


class SatelliteConfig(_Section):
    """[hear.satellites.<name>]: a Wyoming satellite, which sends what it hears."""

    uri: Annotated[str, Field(pattern=r"^tcp://([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}$")]
    """Where it waits for connections, as in tcp://kitchen.local:10700."""
    area: str | None = None
    """The area that it stands in: a command that names no place means it. Without it, home.area counts."""

    @property
    def host(self) -> str:
        """The name or address of the satellite."""
        return urlsplit(self.uri).hostname or ""

    @property
    def port(self) -> int:
        """Its port."""
        return urlsplit(self.uri).port or 0

    @model_validator(mode="after")
    def _check_address(self) -> Self:
        """What the pattern lets pass and is no address, urlsplit refuses with a ValueError."""
        if not self.host or not self.port:
            raise ValueError("uri needs a host and a port of 1 to 65535")
        return self


class HearConfig(_Section):
    """[hear]: where speech comes from and who transcribes it."""

    source: Literal["none", "mic", "stdin", "wav", "wyoming"] = "none"
    lang: Lang = "en"
    file: Path | None = None
    """The recording that `source = "wav"` plays."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.75
    """Speech that the recogniser is less sure of is rejected: held to its vocabulary, it makes commands of any sound.
    Recorded commands came out at 0.96 and above, other speech at 0.67 to 0.90 (nine recordings, November 2026)."""
    device: str | None = None
    """Part of the microphone's name; the system's default where it is not set."""
    listening: bool = True
    """Listen from the start; otherwise what is heard is thrown away until mqtt.listen_input is told to listen."""
    satellites: Annotated[dict[TopicLevel, SatelliteConfig], Field(max_length=MAX_SATELLITES)] = {}
    """What `source = "wyoming"` connects to, each by a name of its own."""

    @model_validator(mode="after")
    def _check_satellites(self) -> Self:
        """What is written and not used, or used and not written, is a mistake."""
        if self.source == "wyoming" and not self.satellites:
            raise ValueError('source = "wyoming" without a table satellites.<name>')
        if self.satellites and self.source != "wyoming":
            raise ValueError('satellites without source = "wyoming"')
        return self


class HomeConfig(_Section):
    """[home]: the house."""

    file: Path = Path("home.toml")
    area: str | None = None
    """The area that this daemon stands in: a command that names no place means it. Without it, the whole house."""


class IntentsConfig(_Section):
    """[intents]: what can be said."""

    directory: Path = Path("schemas")


class UnderstandConfig(_Section):
    """[understand]: the small language model."""

    by: Literal["self", "workers"] = "self"
    """workers: no model is loaded here; `edged worker`s on the same broker are asked, which needs MQTT 5. What is said
    then leaves this device as text."""
    answer_s: Annotated[float, Field(ge=0.1, le=10)] = 2.0
    """How long a worker may take before the utterance is published again."""
    give_up_s: Annotated[float, Field(ge=0.1, le=30)] = 8.0
    """After this time without an answer the utterance is rejected. A command is worth nothing after ten seconds."""
    model: str = "smollm2-135m"
    """A name in the catalogue of models, or the path of a GGUF file."""
    adapter: Path | None = None
    """A LoRA adapter in GGUF, applied as the model is loaded. Catalogue models bring their own, merged into them."""
    threads: Annotated[int, Field(ge=0, le=64)] = 0
    """Threads of the LM; 0 takes what `edged models tune` has measured, else one a core, four at most."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.65
    """The least probability of the doubtful part of an answer. Of 1,058 commands in six languages 0.5 gives 958 exactly
    and does 33 otherwise, 0.65 gives 915 and 17, 0.75 gives 869 and 10 (`docs/model-card.md`)."""


class WorkerConfig(_Section):
    """[worker]: how `edged worker` serves other nodes."""

    group: TopicLevel = "edged"
    """Workers of one group share the utterances: each goes to one of them."""
    queue: Annotated[int, Field(ge=1, le=100)] = 4
    """Utterances that the broker may have handed over and that are not answered yet; the others go to other workers."""
    houses: Path | None = None
    """A folder with <node>/home.toml for every node that is served. Without it, all nodes share home.file."""
    houses_kept: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Of them in memory, those that were used last; one takes about 7 MB with 40 devices."""


class MetricsConfig(_Section):
    """[metrics]: what was counted, for Prometheus; numbers alone, and nothing that was said."""

    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where GET /metrics is answered; 0 for nowhere."""
    host: str = "127.0.0.1"
    """The address to listen at; everybody who can reach it may read."""


class FeedbackConfig(_Section):
    """[feedback]: what is kept of what people say, for `edged review`; never sound, and on this device alone."""

    keep: Literal["none", "refused", "all"] = "none"
    """none: nothing; refused: what was refused, or said again otherwise within seconds; all: every utterance."""


class StateConfig(_Section):
    """[state]: what the daemon keeps."""

    directory: Path | None = None
    """Models and everything else that outlives a restart. By default systemd's state directory, else /var/lib/edged
    where that can be written, else the user's own data folder."""


class Config(_Section):
    """All of edged.toml."""

    mqtt: MqttConfig = MqttConfig()
    hear: HearConfig = HearConfig()
    home: HomeConfig = HomeConfig()
    intents: IntentsConfig = IntentsConfig()
    understand: UnderstandConfig = UnderstandConfig()
    worker: WorkerConfig = WorkerConfig()
    metrics: MetricsConfig = MetricsConfig()
    feedback: FeedbackConfig = FeedbackConfig()
    state: StateConfig = StateConfig()

    @property
    def state_directory(self) -> Path:
        """Where models and state lie; it need not exist yet."""
        return self.state.directory or _default_state_directory()

    @property
    def models_directory(self) -> Path:
        """Where the model files lie; it need not exist yet."""
        return self.state_directory / "models"

    @property
    def commands_file(self) -> Path:
        """Where commands that wait and timers lie; it need not exist yet."""
        return self.state_directory / "commands.sqlite3"

    @property
    def feedback_directory(self) -> Path:
        """Where utterances are kept and labelled; it is there once one was."""
        return self.state_directory / "feedback"


def load_config(
    path: Path | None = None, *, schemas: Path | None = None, home: Path | None = None, lang: str | None = None
) -> Config:
    """Reads `path`, else the first of ./edged.toml and /etc/edged/edged.toml that exists, else takes every default.

    What is given beside it wins over the file.

    Raises:
        ConfigError: the file is missing, is no TOML, or a value is unknown or impossible.
    """
    found = path or next((candidate for candidate in _SEARCHED if candidate.is_file()), None)
    config = _with_absolute_paths(Config(), SHIPPED) if found is None else _read(found)
    sections: dict[str, _Section] = {}
    if schemas is not None:
        sections["intents"] = config.intents.model_copy(update={"directory": schemas.absolute()})
    if home is not None:
        sections["home"] = config.home.model_copy(update={"file": home.absolute()})
    if lang is not None:
        try:
            sections["hear"] = HearConfig.model_validate(config.hear.model_dump() | {"lang": lang})
        except ValidationError as error:
            raise ConfigError(f'"{lang}" is no language', remedy="give a code such as en, ko or pt-BR") from error
    return config.model_copy(update=sections)


def _read(path: Path) -> Config:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="give an existing file with --config"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"is not valid TOML: {error}", where=str(path), remedy="mend the line it names") from error
    try:
        config = Config.model_validate(tables)
    except ValidationError as error:
        raise ConfigError(_faults(error), where=str(path), remedy="see the README for every key") from error
    return _with_absolute_paths(config, path.resolve().parent, given=tables)


def read_username(config: MqttConfig) -> str | None:
    """The user name at the broker: `username`, else systemd's credential `mqtt-username`, else None.

    Raises:
        ConfigError: the credential cannot be read, or others than its owner and group may read it.
    """
    return config.username or _read_credential("mqtt-username") or None


def read_password(config: MqttConfig) -> str | None:
    """The broker's password from `password_file`, else from systemd's credential `mqtt-password`, else None.

    Raises:
        ConfigError: the file cannot be read, or others than its owner and group may read it.
    """
    if config.password_file is not None:
        return _read_secret(config.password_file, "mend mqtt.password_file")
    return _read_credential("mqtt-password")


def read_key_password(config: MqttConfig) -> str:
    """The password of the TLS key from systemd's credential `mqtt-key-password`; empty where there is none.

    Raises:
        ConfigError: the key or the credential cannot be read, or others than its owner and group may read it.
    """
    key = config.key_file or config.cert_file
    if key is not None:
        _check_secret(key, "mend mqtt.key_file and mqtt.cert_file")
    return _read_credential("mqtt-key-password") or ""


def _read_credential(name: str) -> str | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder, name) if folder else None
    if path is None or not path.is_file():
        return None
    return _read_secret(path, f"mend the credential {name} of the service")


def _read_secret(path: Path, remedy: str) -> str:
    """The first line."""
    _check_secret(path, remedy)
    try:
        with path.open("rb") as file:
            return file.read(MAX_SECRET_BYTES).decode().split("\n", 1)[0]
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error
    except UnicodeDecodeError:
        raise ConfigError("is no UTF-8 text", where=str(path), remedy=remedy) from None  # the cause would show it


def _check_secret(path: Path, remedy: str) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error
    if not stat.S_ISREG(mode):
        raise ConfigError("is no file", where=str(path), remedy=remedy)
    if mode & stat.S_IRWXO:
        raise ConfigError("may be read by everybody", where=str(path), remedy=f"chmod 600 {path}")


def openmp_wait_policy() -> str:
    """What the person who started this process wants of waiting OpenMP threads; empty where nothing was said."""
    return os.environ.get("OMP_WAIT_POLICY", "")


def _default_state_directory() -> Path:
    given = os.environ.get("STATE_DIRECTORY")
    if given:
        return Path(given.split(":", 1)[0])
    system = Path("/var/lib/edged")
    if os.access(system, os.W_OK):
        return system
    data = os.environ.get("XDG_DATA_HOME")
    return Path(data) / "edged" if data else Path.home() / ".local" / "share" / "edged"


def _with_absolute_paths(
    config: Config, folder: Path, given: Mapping[str, Mapping[str, object]] | None = None
) -> Config:
    """Paths that the file gave start at its folder, all others at the shipped ones."""
    sections = {}
    for name in Config.model_fields:
        section = getattr(config, name)
        paths = {
            key: (folder if given is None or key in given.get(name, {}) else SHIPPED) / value
            for key in type(section).model_fields
            if isinstance(value := getattr(section, key), Path)
        }
        sections[name] = section.model_copy(update=paths)
    return config.model_copy(update=sections)


def _faults(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_url=False):
        place = ".".join(str(part) for part in fault["loc"])
        lines.append(f"{place}: {'unknown key' if fault['type'] == 'extra_forbidden' else fault['msg']}")
    return "; ".join(lines)
