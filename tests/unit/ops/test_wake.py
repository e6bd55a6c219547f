from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from edged.ops.wake import Wake


@pytest.fixture
def wake() -> Iterator[Wake]:
    before = signal.getsignal(signal.SIGUSR1)
    with Wake() as wake:
        yield wake
    signal.signal(signal.SIGUSR1, before)


def test_nothing_wakes_it_by_itself(wake: Wake) -> None:
    assert not wake.wait(0)


def test_a_request_from_before_still_counts(wake: Wake) -> None:
    wake.request()
    assert wake.wait(0)
    assert wake.wait(0)


def test_another_thread_wakes_it(wake: Wake) -> None:
    thread = threading.Thread(target=wake.request)
    thread.start()
    assert wake.wait(10)
    thread.join()


def test_a_signal_wakes_it(wake: Wake) -> None:
    wake.on_signals(signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert wake.wait(10)


def test_any_number_of_requests_do_not_block(wake: Wake) -> None:
    for _ in range(100_000):
        wake.request()
    assert wake.wait(0)


def test_a_request_after_the_end_is_harmless() -> None:
    with Wake() as wake:
        pass
    wake.request()
