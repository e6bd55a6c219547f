"""What can be wrong, said so that a person can mend it.

Expected outcomes of an utterance are values (`edged.types.Rejected`), never exceptions. These errors are for what is
broken or missing around it. Each carries what happened, where, and the remedy, and knows the exit code it ends in.
"""

from __future__ import annotations

from typing import ClassVar


class EdgedError(Exception):
    """Something a person has to mend: `what` went wrong, `where`, and the `remedy`."""

    exit_code: ClassVar[int] = 1
    """0 done, 1 the answer is no, 2 wrong use, 3 something is missing."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n  {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{remedy}"


class UsageError(EdgedError):
    """The command line or an input file is not what the command takes."""

    exit_code = 2


class ConfigError(UsageError):
    """edged.toml or home.toml holds something that cannot be used."""


class AudioError(UsageError):
    """An audio source cannot be read as 16 kHz mono 16-bit PCM."""


class SchemaError(EdgedError):
    """An intent file is refused; `where` names the file and the JSON pointer."""


class ModelError(EdgedError):
    """A model file is missing, damaged, or not the one that the catalogue names."""

    exit_code = 3


class BrokerError(EdgedError):
    """The MQTT broker cannot be reached or refuses the connection."""

    exit_code = 3


class CoreError(EdgedError):
    """The sampling core refused its input: a cap was met, or the caller broke its contract."""
