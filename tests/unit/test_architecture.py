"""Rules of the code that no linter knows."""

import ast
from pathlib import Path

from edged.intents.catalog import Catalog

EDGED = Path(__file__).resolve().parent.parent.parent / "edged"
ENVIRONMENT_READERS = {"config.py", "notify.py"}
DEVICE_KINDS = EDGED / "act"
"""Drivers may know kinds of devices, some of which are called as intents are."""
VOCABULARY = {EDGED / "intents" / "capabilities.py", EDGED / "intents" / "home_tables.py"}
"""So are some capabilities, and keys of home.toml."""


def python_files() -> list[Path]:
    return [path for path in EDGED.rglob("*.py") if "train" not in path.relative_to(EDGED).parts]


def test_no_code_asks_for_an_intent_by_its_name(catalog: Catalog) -> None:
    for path in python_files():
        if DEVICE_KINDS in path.parents or path in VOCABULARY:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in catalog.intents, f"{path}:{node.lineno}"


def test_only_the_configuration_reads_the_environment() -> None:
    for path in python_files():
        if path.name in ENVIRONMENT_READERS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                line = path.read_text(encoding="utf-8").splitlines()[node.lineno - 1]
                assert "setdefault" in line, f"{path}:{node.lineno}"
