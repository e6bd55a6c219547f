"""Counts the instructions of the core's hot calls with valgrind, and compares them with those that were written down.

`count.py [--write] CC BUILD_FOLDER FLAG...`; tests/core/run.sh calls it. Counts do not depend on how busy the machine is.
They do depend on the compiler, so those of another one are printed and not compared. Exit codes: 0, or 1 where a count has
grown by more than GROWTH.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORE = HERE.parents[2] / "edged" / "core"
WRITTEN = HERE / "instructions.json"

GROWTH = 0.03
"""What may go unnoticed: memcpy and memset of the C library alone, which are chosen by processor, came to 1.4 %."""

VOCABULARIES = (4096, 262_144)
"""A small one, and the largest in use."""

PREFIX = "counted_"

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")


def run(*command: str | Path) -> str:
    """What a command prints; ends this program where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"count: {' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def build(cc: str, folder: Path, flags: list[str]) -> Path:
    """The scenarios, linked with the core as the extension has it.

    The scenarios keep their calls as calls: one that became a jump would not be counted as part of its caller. All
    symbols are bound when the program starts, as binding one on first use would be counted.
    """
    units = sorted(CORE.glob("edc_*.c"))
    objects = [folder / f"{unit.stem}.o" for unit in units]
    for unit, made in zip(units, objects, strict=True):
        run(cc, *flags, f"-I{CORE}", "-c", unit, "-o", made)
    scenarios, program = folder / "scenarios.o", folder / "scenarios"
    run(
        cc,
        *STRICT,
        "-O1",
        "-fno-optimize-sibling-calls",
        f"-I{CORE}",
        "-c",
        HERE / "scenarios.c",
        "-o",
        scenarios,
    )
    run(cc, scenarios, *objects, "-Wl,-z,now", "-o", program, "-lm")
    return program


def count(program: Path, n_tokens: int) -> dict[str, int]:
    """Instructions of each counted call, its callees included."""
    profile = program.with_name(f"{program.name}.{n_tokens}.out")
    run("valgrind", "-q", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no",
        f"--callgrind-out-file={profile}", program, str(n_tokens))  # fmt: skip
    return {f"{name}/{n_tokens}": cost for name, cost in read_calls(profile.read_text(encoding="utf-8"))}


def read_calls(profile: str) -> list[tuple[str, int]]:
    """Name and cost of the calls of counted functions: a line `cfn=`, one `calls=`, then `<line of the call> <cost>`."""
    calls = []
    lines = iter(profile.splitlines())
    for line in lines:
        if line.startswith(f"cfn={PREFIX}"):
            name = line.removeprefix(f"cfn={PREFIX}").split(".")[0]
            times = next(lines)
            if not times.startswith("calls=1 "):
                sys.exit(f"count: {name} is called more than once: {times}")
            calls.append((name, int(next(lines).split()[1])))
    return calls


def compare(counts: dict[str, int], written: dict[str, int]) -> bool:
    """Prints every count beside what was written down; whether none has grown too far and none is missing."""
    fine = True
    for name, n in counts.items():
        before = written.get(name)
        if before is None:
            print(f"{n:>12,}  {name}  (not written down yet)")
            continue
        grown = n > before * (1 + GROWTH)
        fine = fine and not grown
        print(f"{n:>12,}  {name}  {n / before - 1:+.1%}{'  TOO MANY' if grown else ''}")
    for name in written.keys() - counts.keys():
        print(f"count: {name} is written down and was not counted")
        fine = False
    return fine


def main(arguments: list[str]) -> int:
    """Counts, then compares or writes."""
    write = arguments[:1] == ["--write"]
    cc, folder, *flags = arguments[write:]
    made_by = {
        "compiler": run(cc, "--version").splitlines()[0],
        "machine": run(cc, "-dumpmachine").strip(),
        "flags": " ".join(flags),
    }
    program = build(cc, Path(folder), flags)
    counts = {name: n for n_tokens in VOCABULARIES for name, n in count(program, n_tokens).items()}
    if write:
        WRITTEN.write_text(json.dumps({**made_by, "counts": counts}, indent=2) + "\n", encoding="utf-8")
    written = json.loads(WRITTEN.read_text(encoding="utf-8"))
    if any(written[key] != value for key, value in made_by.items()):
        print(f"count: written down for {', '.join(written[key] for key in made_by)}; these are not compared:")
        print(*(f"{n:>12,}  {name}" for name, n in counts.items()), sep="\n")
        return 0
    if compare(counts, written["counts"]):
        return 0
    print("count: if the growth is wanted, `tests/core/run.sh baseline` writes the counts anew", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
