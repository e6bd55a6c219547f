"""The demo as a stranger runs it, in a network namespace in which there is nothing but loopback."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from edged.cli.demo import NOT_COMMANDS, TYPED, WANTED

pytestmark = pytest.mark.model

ALONE = """
import fcntl, runpy, socket, struct, sys
with socket.socket() as probe:  # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING
    fcntl.ioctl(probe, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
assert [name for _, name in socket.if_nameindex()] == ["lo"], socket.if_nameindex()
sys.argv = ["edged", "demo"]
runpy.run_module("edged", run_name="__main__")
"""


@pytest.fixture
def isolated() -> list[str]:
    """The command that gives a program a network of its own."""
    command = ["unshare", "--map-root-user", "--net"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this system lets no one make a network namespace")
    return command


def test_the_demo_needs_no_network_and_ends_in_received_messages(isolated: list[str]) -> None:
    done = subprocess.run([*isolated, sys.executable, "-c", ALONE], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for step in ("heard", "understood", "published", "received"):
        assert re.search(rf"^  {step} +\d+ ms", done.stdout, re.MULTILINE), step
    assert re.search(r"received +\d+ ms  zigbee2mqtt/\w+/set \{", done.stdout)
    counts = re.search(r"(\d+) of \d+ recordings and (\d+) of (\d+) typed .* (\d+) of (\d+) sentences", done.stdout)
    assert counts is not None
    spoken, typed, all_typed, wrong, all_wrong = map(int, counts.groups())
    assert spoken >= 1
    assert (all_typed, all_wrong) == (len(TYPED), len(NOT_COMMANDS))
    assert typed >= WANTED
    assert wrong == 0
    assert "Traceback" not in done.stderr
