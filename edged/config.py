"""The configuration: one TOML file, read once into a frozen `Config` and passed in.

Every key has a default, unknown keys are errors, and relative paths are relative to the file that names them. This
module and `ops/notify.py` are the only ones that read the environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edged.errors import ConfigError

SHIPPED = Path(__file__).resolve().parent.parent
"""The folder that the project came in: its schemas and its example house serve where no other is configured."""

_SEARCHED = (Path("edged.toml"), Path("/etc/edged/edged.toml"))

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
    password_file: Path | None = None
    """Holds the password on its first line. Without it, systemd's credential `mqtt-password` is, if there is one."""
    tls: bool = False
    """Speak TLS; the system's authorities are trusted unless ca_file names others."""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    text_input: bool = False
    """Take {"text", "lang"} on edged/<node>/in/text."""
    queue: Annotated[int, Field(ge=1, le=1000)] = 16
    """Utterances that may wait; one more is refused."""


class HearConfig(_Section):
    """[hear]: where speech comes from and who transcribes it."""

    source: Literal["none", "mic", "stdin", "wav"] = "none"
    lang: Lang = "en"
    file: Path | None = None
    """The recording that `source = "wav"` plays."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.75
    """Speech that the recogniser is less sure of is rejected: held to its vocabulary, it makes commands of any sound.
    Recorded commands came out at 0.96 and above, other speech at 0.67 to 0.90 (nine recordings, November 2026)."""
    device: str | None = None
    """Part of the microphone's name; the system's default where it is not set."""


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

    model: str = "smollm2-135m"
    """A name in the catalogue of models, or the path of a GGUF file."""
    adapter: Path | None = None
    """A LoRA adapter in GGUF, applied as the model is loaded. Catalogue models bring their own, merged into them."""
    threads: Annotated[int, Field(ge=0, le=64)] = 0
    """Threads of the LM; 0 takes what `edged models tune` has measured, else one a core, four at most."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.65
    """The least probability of the doubtful part of an answer. Of 1,058 commands in six languages 0.5 gives 958 exactly
    and does 33 otherwise, 0.65 gives 915 and 17, 0.75 gives 869 and 10 (`docs/model-card.md`)."""


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


def read_password(config: MqttConfig) -> str | None:
    """The broker's password from `password_file`, else from systemd's credential `mqtt-password`, else None.

    Raises:
        ConfigError: the file cannot be read, or others than its owner and group may read it.
    """
    path = config.password_file
    if path is None:
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        path = Path(credentials, "mqtt-password") if credentials else None
        if path is None or not path.is_file():
            return None
    try:
        if path.stat().st_mode & 0o007:
            raise ConfigError("may be read by everybody", where=str(path), remedy=f"chmod 600 {path}")
        return path.read_text(encoding="utf-8").split("\n", 1)[0]
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="mend mqtt.password_file"
        ) from error


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
