from pathlib import Path

import pytest

from edged.config import (
    MAX_SATELLITES,
    SHIPPED,
    Config,
    MqttConfig,
    load_config,
    read_key_password,
    read_password,
    read_username,
)
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
        ('[mqtt]\ndiscovery = "yes"\n', "mqtt.discovery"),
        ('[mqtt]\ndiscovery_prefix = "a/#"\n', "mqtt.discovery_prefix"),
        ('[mqtt]\nwebsocket_path = "mqtt"\n', "mqtt.websocket_path"),
        ('[mqtt]\nwebsocket_path = "/mqtt HTTP/1.1\\r\\nX: y"\n', "mqtt.websocket_path"),
        ('[mqtt]\nalpn = ""\n', "mqtt.alpn"),
        ('[mqtt]\nca_file = "ca.pem"\nalpn = "mqtt"\n', "mqtt: Value error, ca_file, alpn without tls = true"),
        ('[mqtt]\ntls = true\nkey_file = "key.pem"\n', "mqtt: Value error, key_file without cert_file"),
        ('[hear]\nsource = "wyoming"\n', 'hear: Value error, source = "wyoming" without a table satellites.<name>'),
        ('[hear.satellites.a]\nuri = "tcp://a:1"\n', 'hear: Value error, satellites without source = "wyoming"'),
        ('[hear.satellites.a]\nuri = "http://a:1"\n', "hear.satellites.a.uri"),
        ('[hear.satellites.a]\nuri = "tcp://a"\n', "hear.satellites.a.uri"),
        ('[hear.satellites.a]\nuri = "tcp://a:65536"\n', "hear.satellites.a: "),
        ('[hear.satellites.a]\nuri = "tcp://a:0"\n', "hear.satellites.a: "),
        ('[hear.satellites.a]\nuri = "tcp://[::::::]:1"\n', "hear.satellites.a: "),
        ('[hear.satellites."a/#"]\nuri = "tcp://a:1"\n', "hear.satellites.a/#"),
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


def _credential(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o400)


def test_the_user_name_is_the_configured_one_else_the_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_username(MqttConfig()) is None
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_username(MqttConfig()) is None
    _credential(tmp_path, "mqtt-username", "ada\n")
    assert read_username(MqttConfig()) == "ada"
    assert read_username(MqttConfig(username="grace")) == "grace"
    (tmp_path / "mqtt-username").unlink()
    _credential(tmp_path, "mqtt-username", "\n")
    assert read_username(MqttConfig()) is None


def test_the_password_of_the_key_is_a_credential_and_the_key_is_not_for_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.touch(mode=0o644)
    key.touch(mode=0o600)
    config = MqttConfig(tls=True, cert_file=certificate, key_file=key)
    assert read_key_password(config) == ""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    _credential(tmp_path, "mqtt-key-password", "secret")
    assert read_key_password(config) == "secret"
    key.chmod(0o644)
    with pytest.raises(ConfigError, match="may be read by everybody"):
        read_key_password(config)
    with pytest.raises(ConfigError, match="may be read by everybody"):
        read_key_password(MqttConfig(tls=True, cert_file=certificate))


def test_a_password_that_is_no_text_is_refused_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(b"secret\xff")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="no UTF-8") as caught:
        read_password(MqttConfig(password_file=path))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    with pytest.raises(ConfigError, match="is no file"):
        read_password(MqttConfig(password_file=tmp_path))


def test_no_secret_is_in_what_the_configuration_shows() -> None:
    assert "password" not in repr(Config()).replace("password_file", "")


def test_more_satellites_than_there_may_be_are_refused(tmp_path: Path) -> None:
    tables = [
        f'[hear.satellites.s{number}]\nuri = "tcp://[::1]:{number + 1}"\n' for number in range(MAX_SATELLITES + 1)
    ]
    most = '[hear]\nsource = "wyoming"\n' + "".join(tables[:-1])
    assert len(load_config(write(tmp_path, most), lang="ko").hear.satellites) == MAX_SATELLITES
    with pytest.raises(ConfigError, match=r"hear\.satellites: "):
        load_config(write(tmp_path, most + tables[-1]))
