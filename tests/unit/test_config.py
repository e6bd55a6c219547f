from pathlib import Path

import pytest

from edged.config import SHIPPED, Config, MqttConfig, load_config, read_password
from edged.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    path = folder / "edged.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_has_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config()
    assert config.mqtt.port == 1883
    assert config.intents.directory == SHIPPED / "schemas"
    assert config.home.file == SHIPPED / "home.toml"


def test_a_file_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, '[mqtt]\nnode = "attic"\n')
    assert load_config().mqtt.node == "attic"


def test_paths_of_the_file_start_at_its_folder_and_defaults_at_the_shipped_ones(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, '[intents]\ndirectory = "mine"\n[state]\ndirectory = "/var/x"\n'))
    assert config.intents.directory == tmp_path / "mine"
    assert config.home.file == SHIPPED / "home.toml"
    assert config.models_directory == Path("/var/x/models")


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, '[intents]\ndirectory = "mine"\n[hear]\nlang = "en"\n')
    config = load_config(path, schemas=Path("/other"), home=Path("/house.toml"), lang="pt-BR")
    assert (config.intents.directory, config.home.file, config.hear.lang) == (
        Path("/other"),
        Path("/house.toml"),
        "pt-BR",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[mqtt]\nhots = 1\n", "mqtt.hots: unknown key"),
        ("[mtqq]\n", "mtqq: unknown key"),
        ("[mqtt]\nport = 70000\n", "mqtt.port"),
        ('[mqtt]\nnode = "a/#"\n', "mqtt.node"),
        ('[mqtt]\nprotocol = "4"\n', "mqtt.protocol"),
        ('[hear]\nlang = "Klingon"\n', "hear.lang"),
        ("[understand]\nmin_confidence = 2\n", "understand.min_confidence"),
        ("[mqtt\n", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_state_lies_where_systemd_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}:/elsewhere")
    assert Config().models_directory == tmp_path / "models"


def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("secret\nrest\n")
    path.chmod(0o600)
    assert read_password(MqttConfig(password_file=path)) == "secret"


def test_the_password_comes_from_the_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_password(MqttConfig()) is None
    (tmp_path / "mqtt-password").write_text("secret")
    (tmp_path / "mqtt-password").chmod(0o400)
    assert read_password(MqttConfig()) == "secret"


def test_a_password_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("secret")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_password(MqttConfig(password_file=path))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_password(MqttConfig(password_file=tmp_path / "none"))


def test_no_secret_is_in_what_the_configuration_shows() -> None:
    assert "password" not in repr(Config()).replace("password_file", "")
