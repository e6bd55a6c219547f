"""The command line: one file a command, each with `add_parser` and `run`. Its words and exit codes are a contract."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import Final

from edged import __version__
from edged.cli import bench, demo, doctor, home, models, parse, review, run, schema, train, transcribe, worker
from edged.cli import eval as evaluate
from edged.errors import EdgedError

_COMMANDS: Final = (demo, run, worker, parse, transcribe, schema, home, review, models, evaluate, train, bench, doctor)

_INTERRUPTED: Final = 130
"""128 + SIGINT, as shells count."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. 0 done, 1 the answer is no, 2 wrong use, 3 something is missing (the remedy is on stderr)."""
    arguments = _make_parser().parse_args(argv)
    logging.basicConfig(
        stream=sys.stderr,
        level=arguments.log_level.upper(),
        format="%(levelname)s %(name)s: %(message)s",
        force=True,
    )
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except EdgedError as error:
        print(f"edged: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="edged", description="Speech to MQTT on small devices, without any cloud.")
    parser.add_argument("--version", action="version", version=f"edged {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
