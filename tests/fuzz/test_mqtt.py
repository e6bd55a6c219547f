"""Strange payloads, topics, names and files for whatever reads or writes MQTT; what must hold is in `mqtt_targets.py`.

    python -m tests.fuzz.test_mqtt [SECONDS] [TARGET...]

runs the named targets, or all of them, each for SECONDS (600 if not given), with a new seed every time, and says how
many examples each has taken. The first that breaks something is made small, printed, and ends the run with 1.
"""

from __future__ import annotations

import random
import sys
import time

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.mqtt_targets import TARGETS

EXAMPLES = 150
"""Of each target under pytest."""
BATCH = 500
SECONDS = 600.0

_CHECKS = list(HealthCheck)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_strange_breaks_what_reads_or_writes_mqtt(name: str) -> None:
    run(name, EXAMPLES)


def run(name: str, examples: int, number: int | None = None) -> None:
    """One batch; raises what the target raises, with the smallest example that does."""
    strategy, check = TARGETS[name]

    def target(drawn: object) -> None:
        check(drawn)

    phases = (Phase.generate, Phase.shrink)
    options = settings(
        max_examples=examples, deadline=None, database=None, phases=phases, suppress_health_check=_CHECKS
    )
    test = options(given(strategy)(target))
    (test if number is None else seed(number)(test))()


def main() -> int:
    """The exit code."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    unknown = set(sys.argv[2:]) - set(TARGETS)
    if unknown:
        print(f"no such target: {', '.join(sorted(unknown))}; these are: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    for name in sys.argv[2:] or TARGETS:
        count, end = 0, time.monotonic() + seconds
        print(f"{name}: fuzzing for {seconds:g} s", flush=True)
        while time.monotonic() < end:
            number = random.randrange(2**32)
            try:
                run(name, BATCH, number)
            except BaseException:
                print(f"{name}: seed {number} breaks it, after {count} examples that did not", flush=True)
                raise
            count += BATCH
        print(f"{name}: {count} examples", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
