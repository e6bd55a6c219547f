"""Runs a measurement in a process of its own, that may take long, crash, or eat memory without harm to the others."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final, Generic, TypeVar

MEMORY_LIMIT_BYTES: Final = 6 << 30
"""Address space of a child, with the mapped model: a peer's index of 40 intents alone would take more than a Pi has."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """No result came back."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    value: T


def run_limited(work: Callable[[], T], limit_s: float) -> T | Unfinished:
    """What `work` gives in a forked child, which sees everything that is loaded here and may print nothing.

    The caller must have no other thread. A result has to be picklable.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_work, args=(work, sender))
    child.start()
    sender.close()
    try:
        if not receiver.poll(limit_s):
            return Unfinished(f"not done in {limit_s:g} s")
        outcome: _Done[T] | Unfinished = receiver.recv()
    except EOFError:
        child.join()
        return Unfinished(_describe_exit(child.exitcode or 0))
    finally:
        child.kill()
        child.join()
        receiver.close()
    return outcome.value if isinstance(outcome, _Done) else outcome


def _work(work: Callable[[], T], sender: Connection) -> None:
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    warnings.simplefilter("ignore")  # of peers, about their own use of others
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sender.send(_Done(work()))
    except (Exception, MemoryError) as error:  # noqa: BLE001 - whatever a peer raises is why it has no row
        sender.send(Unfinished(f"{type(error).__name__}: {str(error)[:200]}"))


def _describe_exit(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code} and no result"
