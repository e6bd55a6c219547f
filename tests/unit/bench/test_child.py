import os
import signal
import threading

from edged.bench.child import Unfinished, run_limited


def test_a_result_comes_back() -> None:
    assert run_limited(lambda: [1, "two"], 60) == [1, "two"]


def test_what_takes_too_long_is_ended() -> None:
    assert run_limited(threading.Event().wait, 0.05) == Unfinished("not done in 0.05 s")


def test_an_error_is_the_reason() -> None:
    assert run_limited(lambda: 1 // 0, 60) == Unfinished("ZeroDivisionError: integer division or modulo by zero")


def test_a_crash_is_the_reason() -> None:
    assert run_limited(lambda: os.kill(os.getpid(), signal.SIGKILL), 60) == Unfinished("ended by SIGKILL")


def test_a_result_larger_than_a_pipe_comes_back() -> None:
    assert run_limited(lambda: b"x" * 1_000_000, 60) == b"x" * 1_000_000
