"""Compiles llama-cpp-python for the CPU that it will run on, and proves that the result runs there.

Left to itself, llama.cpp is compiled for every instruction that the CPU lists. Some virtual machines list instructions
(AMX) that they do not allow, and the first decode dies with SIGILL. So on x86_64 the instructions are chosen one by
one; a child process tries the result, and where it dies with SIGILL the next safer choice is built. On aarch64 the
CPU's own list is right, and its dot product instructions are worth much.

`scripts/setup.sh` calls it with the python of `.venv`; it uses the standard library alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

PACKAGE = "llama-cpp-python"
RECORD = Path(sys.prefix, "edged-build.json")
LOG = Path(sys.prefix, "build.log")
_HERE = Path(__file__).resolve().parent
HEARTBEAT_S = 30
BYTES_A_JOB = 1 << 30
"""llama.cpp's largest files take up to about 0.7 GB each to compile (g++ 12, -O3)."""

_LEFT_OUT = {
    "LLAVA_BUILD": "OFF",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_EXAMPLES": "OFF",
    "LLAMA_BUILD_TOOLS": "OFF",
}
_SSE42 = {"SSE42": "sse4_2"}
_AVX2 = _SSE42 | {"AVX": "avx", "AVX2": "avx2", "FMA": "fma", "F16C": "f16c", "BMI2": "bmi2"}
_X86_VARIANTS = {
    "avx512": _AVX2 | {"AVX512": "avx512f avx512cd avx512bw avx512dq avx512vl", "AVX512_VNNI": "avx512_vnni"},
    "avx-vnni": _AVX2 | {"AVX_VNNI": "avx_vnni"},
    "avx2": _AVX2,
    "sse4.2": _SSE42,
    "plain": {},
}
"""llama.cpp's names of what it can use, and the kernel's names of what they need, fastest first. SmolLM2-135M, 300
tokens, one thread of a Xeon (Sapphire Rapids), November 2026: Q4_0 1430 ms (avx2), 1120 (avx-vnni), 890 (avx512); Q8_0
1520, 1410, 1130. One token takes the same. AVX512_VBMI and AVX512_BF16 add nothing to that, and AMX is what kills
virtual machines."""


class BuildError(Exception):
    """The build cannot go on; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """What the kernel says of the first core."""

    arch: str
    model: str
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to compile."""

    name: str
    defines: dict[str, str]


@dataclass(slots=True)
class Record:
    """What `.venv/edged-build.json` keeps, for set-up itself and for `edged doctor`."""

    package: str = ""
    arch: str = ""
    cpu: str = ""
    variant: str = ""
    defines: dict[str, str] | None = None
    cmake_args: str = ""
    compiler: str = ""
    key: str = ""
    proved: str = ""
    """"" (nothing yet), "kernels" (matrix products of every common quantisation ran) or "decode" (a real model did)."""
    refused: tuple[str, ...] = ()
    """Variants that died with SIGILL on this CPU."""


def _say(text: str) -> None:
    print(f"llama.cpp: {text}", flush=True)


def parse_cpuinfo(text: str, arch: str) -> Cpu:
    """Model and flags out of /proc/cpuinfo; a Raspberry Pi has its name under `Model`."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    model = fields.get("model name") or fields.get("Model") or fields.get("CPU part") or "unknown"
    return Cpu(arch, model, frozenset((fields.get("flags") or fields.get("Features") or "").split()))


def choose_variants(cpu: Cpu) -> list[Variant]:
    """The ways to compile for this CPU, fastest first, each next one safer."""
    if cpu.arch != "x86_64":
        portable = Variant("portable", {"GGML_NATIVE": "OFF"})
        return [Variant("native", {"GGML_NATIVE": "ON"}), portable]
    every = {name for uses in _X86_VARIANTS.values() for name in uses}
    return [
        Variant(name, {"GGML_NATIVE": "OFF"} | {f"GGML_{use}": "ON" if use in uses else "OFF" for use in sorted(every)})
        for name, uses in _X86_VARIANTS.items()
        if cpu.flags.issuperset(" ".join(uses.values()).split())
    ]


def read_pin(lock: str) -> str:
    """The lines of the lock file that pin llama-cpp-python."""
    found = re.search(rf"^{PACKAGE}==(?:.*\\\n)*.*", lock, re.MULTILINE)
    if not found:
        raise BuildError(f"requirements.lock does not pin {PACKAGE}: run 'make lock'")
    return found.group(0) + "\n"


def make_key(pin: str, variant: Variant, cpu: Cpu, compiler: str, cmake_args: str) -> str:
    """Two builds of the same key are the same; a native build is only good on its own CPU."""
    own = sorted([cpu.model, *cpu.flags]) if variant.name == "native" else []
    parts = [pin, json.dumps(variant.defines), cpu.arch, compiler, cmake_args, *platform.libc_ver(), *own]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def count_jobs(cores: int, available_bytes: int) -> int:
    """Compilers to run at a time: all cores, as far as the memory goes."""
    return max(1, min(cores, available_bytes // BYTES_A_JOB))


def _read_available_bytes() -> int:
    found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else BYTES_A_JOB


def _read_compiler() -> str:
    command = [*shlex.split(os.environ.get("CXX", "c++")), "--version"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError(f"no C++ compiler ({command[0]}): install build-essential") from error


def _load_record() -> Record:
    try:
        stored = json.loads(RECORD.read_text(encoding="utf-8"))
        return Record(**{**stored, "refused": tuple(stored.get("refused", ()))})
    except (OSError, ValueError, TypeError):
        return Record()


def _store_record(record: Record) -> None:
    temporary = RECORD.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    temporary.replace(RECORD)


def ensure_build(lock: Path, model: Path | None) -> None:
    """Builds and installs unless that is done; returns once what is installed has been seen to run.

    Raises:
        BuildError: the compiler failed, or no variant runs here.
    """
    cpu = parse_cpuinfo(Path("/proc/cpuinfo").read_text(encoding="utf-8"), platform.machine())
    pin, compiler, cmake_args = (
        read_pin(lock.read_text(encoding="utf-8")),
        _read_compiler(),
        os.environ.get("CMAKE_ARGS", ""),
    )
    record = _load_record()
    refused = record.refused if record.cpu == cpu.model else ()
    for variant in choose_variants(cpu):
        if variant.name in refused:
            continue
        key = make_key(pin, variant, cpu, compiler, cmake_args)
        if record.key != key:
            package = pin.split()[0]
            record = Record(package, cpu.arch, cpu.model, variant.name, variant.defines, cmake_args, compiler, key)
            RECORD.unlink(missing_ok=True)
            _install(_get_wheel(pin, variant, cmake_args, key))
        if _is_proved(record, model, refused):
            return
        refused = (*refused, variant.name)
        _say(f"the {variant.name} build died with SIGILL on this CPU; building the next safer one")
    raise BuildError(f"no build of llama.cpp runs on this CPU ({cpu.model}); the log is {LOG}")


def _is_proved(record: Record, model: Path | None, refused: tuple[str, ...]) -> bool:
    """Tries the installed build in a child process, unless it was tried before; False when it died with SIGILL."""
    wanted = "decode" if model else "kernels"
    record.refused = refused
    if record.proved not in {wanted, "decode"}:
        command = [sys.executable, str(_HERE / "try_llama.py"), *([str(model)] if model else [])]
        tried = subprocess.run(command, check=False, capture_output=True, text=True)
        if tried.returncode == -signal.SIGILL:
            return False
        if tried.returncode:
            raise BuildError(f"llama.cpp was built but does not run:\n{tried.stderr[-2000:]}")
        _say(f"the {record.variant} build runs on this CPU ({wanted})")
        record.proved = wanted
    _store_record(record)
    return True


def _wheel_folder(key: str) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("EDGED_WHEELS") or Path(cache, "edged", "wheels"), key)


def _get_wheel(pin: str, variant: Variant, cmake_args: str, key: str) -> Path:
    """The wheel of an earlier build of the same key, else a new one."""
    folder = _wheel_folder(key)
    kept = next(folder.glob("*.whl"), None)
    if kept:
        _say(f"the {variant.name} build of an earlier set-up fits")
        return kept
    wheel = _compile(pin, variant, cmake_args)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / "partial"
        shutil.copyfile(wheel, partial)
        partial.rename(folder / wheel.name)
    except OSError as error:
        _say(f"the build is not kept for another set-up: {error}")
    return wheel


def _compile(pin: str, variant: Variant, cmake_args: str) -> Path:
    """Fetches the pinned source and builds it, in a folder that is on the disk: /tmp may be memory."""
    work = Path(sys.prefix, "tmp")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    requirement = work / "pin.txt"
    requirement.write_text(pin, encoding="utf-8")
    jobs = count_jobs(len(os.sched_getaffinity(0)), _read_available_bytes())
    defines = _LEFT_OUT | variant.defines | {"CMAKE_PROJECT_llama_cpp_INCLUDE": str(_HERE / "llama_only.cmake")}
    environment = {
        **os.environ,
        "TMPDIR": str(work),
        "PIP_NO_CACHE_DIR": "1",
        "CMAKE_BUILD_PARALLEL_LEVEL": str(jobs),
        "CMAKE_ARGS": " ".join([*(shlex.quote(f"-D{name}={value}") for name, value in defines.items()), cmake_args]),
    }
    _say(f"fetching its source (77 MB) and compiling it ({variant.name}, {jobs} at a time); the log is {LOG}")
    _say("this takes about 3 minutes on two PC cores, 10 on a Raspberry Pi 4")
    _run_pip(
        [
            "wheel",
            "-v",
            "--no-deps",
            "--no-binary",
            PACKAGE,
            "--no-build-isolation",
            "--require-hashes",
            "-w",
            str(work / "wheel"),
            "-r",
            str(requirement),
        ],
        environment,
    )
    return next((work / "wheel").glob("*.whl"))


def _run_pip(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Runs pip with its output in the log, and a line on the terminal now and then."""
    begin = time.monotonic()
    with LOG.open("w", encoding="utf-8") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "pip", *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
        while True:
            try:
                status = child.wait(timeout=HEARTBEAT_S)
                break
            except subprocess.TimeoutExpired:
                _say(_describe_progress(LOG.read_text(errors="replace"), time.monotonic() - begin))
    if status:
        tail = "".join(LOG.read_text(errors="replace").splitlines(keepends=True)[-20:])
        raise BuildError(f"{tail}building llama.cpp failed; the whole log is {LOG}")


def _describe_progress(log: str, seconds: float) -> str:
    steps = re.findall(r"\[(\d+)/(\d+)\]", log[-200_000:])
    return f"{int(seconds // 60)} min {int(seconds % 60)} s" + (
        f", step {steps[-1][0]} of {steps[-1][1]}" if steps else ""
    )


def _install(wheel: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--force-reinstall", str(wheel)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    shutil.rmtree(Path(sys.prefix, "tmp"), ignore_errors=True)


def main() -> int:
    """Gives 0 when the installed llama-cpp-python runs on this CPU, 3 with the remedy when none could be had."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"))
    parser.add_argument("--model", type=Path, help="also decode with this GGUF file")
    options = parser.parse_args()
    try:
        ensure_build(options.lock, options.model)
    except BuildError as error:
        print(f"edged: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
