"""The options that all commands share, and the configuration that comes of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from edged.config import Config, load_config


def add_common(parser: argparse.ArgumentParser, *, log_level: str = "warning") -> None:
    """Adds --config, --schemas, --home, --lang and --log-level."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="edged.toml (default: ./ or /etc/edged/)")
    parser.add_argument("--schemas", type=Path, metavar="DIR", help="the folder of intent files")
    parser.add_argument("--home", type=Path, metavar="FILE", help="home.toml, the house")
    parser.add_argument("--lang", metavar="L", help="the language that is spoken: en, ko, ...")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default=log_level)


def read_config(arguments: argparse.Namespace) -> Config:
    """The configuration file, with what the command line says otherwise.

    Raises:
        ConfigError: the file or a value is wrong.
    """
    return load_config(arguments.config, schemas=arguments.schemas, home=arguments.home, lang=arguments.lang)
