from __future__ import annotations

from pathlib import Path

import pytest

from edged.ops.doctor import (
    Status,
    check_cores,
    check_cpu,
    check_disk,
    check_llama,
    check_machine,
    check_memory,
    check_openmp,
    check_python,
    check_unit,
)

PI_4 = "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
PI_5 = "processor\t: 0\nFeatures\t: fp asimd asimddp\n\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"
X86 = "model name\t: Some Processor\nflags\t\t: fpu avx2 avx_vnni\n"


@pytest.mark.parametrize(("version", "status"), [((3, 10, 9), "wrong"), ((3, 11, 0), "ok"), ((3, 14, 2), "ok")])
def test_python(version: tuple[int, ...], status: Status) -> None:
    assert check_python(version).status == status


@pytest.mark.parametrize(
    ("cpuinfo", "status", "words"),
    [
        (PI_5, "ok", "Raspberry Pi 5 Model B Rev 1.0 (arm), with asimddp"),
        (PI_4, "warning", "Raspberry Pi 4 Model B Rev 1.4 (arm), without dot-product instructions"),
        (X86, "ok", "Some Processor (arm), with avx_vnni, avx2"),
        ("", "warning", "unknown processor (arm), without dot-product instructions"),
    ],
)
def test_processor(cpuinfo: str, status: Status, words: str) -> None:
    finding = check_cpu(cpuinfo, "arm")
    assert (finding.status, finding.what) == (status, words)


@pytest.mark.parametrize(("count", "status"), [(1, "warning"), (2, "ok"), (4, "ok")])
def test_cores(count: int, status: Status) -> None:
    assert check_cores(count).status == status


@pytest.mark.parametrize(
    ("meminfo", "status"),
    [("MemAvailable:  100000 kB\n", "warning"), ("MemAvailable: 3000000 kB\n", "ok"), ("", "warning")],
)
def test_memory(meminfo: str, status: Status) -> None:
    assert check_memory(meminfo).status == status


def test_a_state_folder_that_does_not_exist_yet_is_fine(tmp_path: Path) -> None:
    finding = check_disk(tmp_path / "a" / "b")
    assert finding.status == "ok"
    assert finding.what.startswith(str(tmp_path / "a" / "b"))


def test_a_file_in_the_place_of_the_state_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    assert check_disk(tmp_path / "a" / "b").status == "warning"


@pytest.mark.parametrize(
    ("system_info", "cpuinfo", "status"),
    [
        ("CPU : AVX2 = 1 | FMA = 1 | ", X86, "ok"),
        ("CPU : SSE3 = 1 | ", X86, "warning"),
        ("CPU : NEON = 1 | DOTPROD = 1 | ", PI_5, "ok"),
        ("CPU : NEON = 1 | ", PI_5, "warning"),
        ("CPU : NEON = 1 | ", PI_4, "ok"),
        ("CPU : AVX2 = 0 | ", X86, "warning"),
    ],
)
def test_how_llama_cpp_was_built(system_info: str, cpuinfo: str, status: Status) -> None:
    assert check_llama(system_info, cpuinfo).status == status


@pytest.mark.parametrize(("policy", "status"), [("", "ok"), ("passive", "ok"), ("ACTIVE", "wrong")])
def test_openmp(policy: str, status: Status) -> None:
    assert check_openmp(policy).status == status


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        (None, "ok"),
        ("LoadState=not-found\nActiveState=inactive\n", "ok"),
        ("LoadState=loaded\nActiveState=active\nSubState=running\n", "ok"),
        ("LoadState=loaded\nActiveState=inactive\nSubState=dead\n", "warning"),
        ("LoadState=loaded\nActiveState=failed\nSubState=failed\n", "wrong"),
    ],
)
def test_unit(properties: str | None, status: Status) -> None:
    assert check_unit(properties).status == status


def test_whatever_is_not_ok_has_a_remedy_or_says_that_it_cannot_know() -> None:
    findings = [check_python((3, 8)), check_cpu("", "x"), check_cores(1), check_openmp("active")]
    assert all(finding.remedy for finding in findings)


def test_this_machine_can_be_examined(tmp_path: Path) -> None:
    subjects = [finding.subject for finding in check_machine(tmp_path)]
    assert subjects == ["python", "processor", "cores", "memory", "state", "service"]
