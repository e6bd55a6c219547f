"""How set-up chooses what llama.cpp is compiled for."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from scripts import build_llama
from scripts.build_llama import BuildError, Cpu, choose_variants, count_jobs, make_key, parse_cpuinfo, read_pin

AVX2 = "sse4_2 avx avx2 fma f16c bmi2"
AVX512 = f"{AVX2} avx_vnni avx512f avx512cd avx512bw avx512dq avx512vl avx512_vnni amx_tile amx_int8"
LOCK = "jinja2==3.1\nllama-cpp-python==0.3.36 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nnumpy==2\n"


def x86(flags: str) -> Cpu:
    return Cpu("x86_64", "Some CPU", frozenset(flags.split()))


def names(cpu: Cpu) -> list[str]:
    return [variant.name for variant in choose_variants(cpu)]


def test_cpuinfo_of_a_pc_gives_model_and_flags() -> None:
    cpu = parse_cpuinfo("processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: sse4_2 avx\n", "x86_64")
    assert cpu == x86("sse4_2 avx")


def test_cpuinfo_of_a_raspberry_pi_gives_the_board() -> None:
    cpu = parse_cpuinfo("Features\t: fp asimd asimddp\nModel\t\t: Raspberry Pi 5 Model B\n", "aarch64")
    assert (cpu.model, "asimddp" in cpu.flags) == ("Raspberry Pi 5 Model B", True)


def test_every_x86_variant_is_offered_fastest_first_where_the_cpu_lists_all() -> None:
    assert names(x86(AVX512)) == ["avx512", "avx-vnni", "avx2", "sse4.2", "plain"]


@pytest.mark.parametrize(("flags", "expected"), [(AVX2, "avx2"), ("sse4_2 avx f16c", "sse4.2"), ("", "plain")])
def test_first_variant_uses_only_what_is_listed(flags: str, expected: str) -> None:
    assert names(x86(flags))[0] == expected


def test_x86_is_never_built_natively_nor_for_amx() -> None:
    for variant in choose_variants(x86(AVX512)):
        assert variant.defines["GGML_NATIVE"] == "OFF"
        assert not any("AMX" in name for name in variant.defines)


def test_every_x86_variant_sets_every_switch() -> None:
    assert len({frozenset(variant.defines) for variant in choose_variants(x86(AVX512))}) == 1


def test_aarch64_is_built_natively_and_portably_where_that_dies() -> None:
    assert names(Cpu("aarch64", "Pi", frozenset())) == ["native", "portable"]


def test_pin_holds_every_hash_and_nothing_else() -> None:
    assert read_pin(LOCK) == "llama-cpp-python==0.3.36 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"


def test_lock_without_the_package_is_refused() -> None:
    with pytest.raises(BuildError, match="make lock"):
        read_pin("numpy==2\n")


@pytest.mark.parametrize(("cores", "gib", "jobs"), [(4, 8, 4), (4, 2, 2), (4, 0, 1)])
def test_jobs_are_bounded_by_cores_and_memory(cores: int, gib: int, jobs: int) -> None:
    assert count_jobs(cores, gib << 30) == jobs


def test_native_build_is_bound_to_its_cpu_and_a_chosen_one_is_not() -> None:
    native, portable = choose_variants(Cpu("aarch64", "", frozenset()))
    pi4, pi5 = Cpu("aarch64", "Pi 4", frozenset()), Cpu("aarch64", "Pi 5", frozenset({"asimddp"}))
    assert make_key("pin", native, pi4, "g++", "") != make_key("pin", native, pi5, "g++", "")
    assert make_key("pin", portable, pi4, "g++", "") == make_key("pin", portable, pi5, "g++", "")


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the variants that get built, with the compiler left out and the record in a folder of its own."""
    order: list[str] = []

    def get_wheel(_pin: str, variant: build_llama.Variant, _cmake_args: str, _key: str) -> Path:
        order.append(variant.name)
        return tmp_path

    monkeypatch.setattr(build_llama, "RECORD", tmp_path / "edged-build.json")
    monkeypatch.setattr(build_llama, "_get_wheel", get_wheel)
    monkeypatch.setattr(build_llama, "_install", lambda _wheel: None)
    monkeypatch.setattr(build_llama, "_read_compiler", lambda: "g++")
    monkeypatch.setattr(build_llama, "parse_cpuinfo", lambda _text, _arch: x86(AVX2))
    (tmp_path / "lock").write_text(LOCK, encoding="utf-8")
    return order


def answer(monkeypatch: pytest.MonkeyPatch, *codes: int) -> None:
    """Has the child process that tries the build end with these codes, one after the other."""
    left = iter(codes)
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], next(left), "", "the reason")
    )


def test_build_that_dies_with_sigill_is_followed_by_the_next_safer_one(
    built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, -signal.SIGILL, 0)
    build_llama.ensure_build(tmp_path / "lock", None)
    assert built == ["avx2", "sse4.2"]


def test_second_run_builds_and_tries_nothing(built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, -signal.SIGILL, 0)
    build_llama.ensure_build(tmp_path / "lock", None)
    build_llama.ensure_build(tmp_path / "lock", None)
    assert built == ["avx2", "sse4.2"]


def test_sigill_at_the_first_real_decode_builds_the_next_safer_one(
    built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, 0, -signal.SIGILL, 0)
    build_llama.ensure_build(tmp_path / "lock", None)
    build_llama.ensure_build(tmp_path / "lock", tmp_path / "model.gguf")
    assert built == ["avx2", "sse4.2"]


def test_other_failure_is_reported_with_its_reason(
    built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, 1)
    with pytest.raises(BuildError, match="the reason"):
        build_llama.ensure_build(tmp_path / "lock", None)
    assert built == ["avx2"]


def test_no_variant_that_runs_is_an_error(built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, *[-signal.SIGILL] * 3)
    with pytest.raises(BuildError, match="no build"):
        build_llama.ensure_build(tmp_path / "lock", None)
    assert built == ["avx2", "sse4.2", "plain"]
