"""A process that fills and empties an outbox until it is killed, and says on stdout what it has done.

Each line is written after the step that it tells of, and before the next: `put N`, `sent N`, `gone N`.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

from edged.act.outbox import Entry, Outbox
from edged.act.store import Store
from edged.types import Command


def main(path: str, first: int, max_file_bytes: int) -> None:
    if max_file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
    outbox = Outbox(Store(Path(path)))
    outbox.store.open()
    for entry, reason in outbox.take_expired():
        tell("given-up", entry.command.intent_id, reason.split(":")[0])
        outbox.remove(entry)
    for number in range(first, first + 100_000):
        ends_ns = time.monotonic_ns() + 3600 * 10**9
        topic, repeats = f"t/{number % 7}", number % 2 == 0
        (taken,) = outbox.put([Command(topic, b"x" * 200, 1, False, ends_ns, str(number), repeats)])
        tell("put" if isinstance(taken, Entry) else "refused", str(number))
        if number % 3 and (out := outbox.next()) is not None:
            tell("sent", out.command.intent_id)
            if number % 5:
                outbox.remove(out)
                tell("gone", out.command.intent_id)
            elif out.command.is_repeatable:
                outbox.give_back(out)
        if not outbox.store.is_durable:
            tell("memory", str(number))


def tell(*words: str) -> None:
    os.write(1, (" ".join(words) + "\n").encode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
