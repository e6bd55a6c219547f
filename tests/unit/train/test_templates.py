"""The templates of English and Korean: none of them, and no room, stands for two things."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from edged.train.sentences import FOLDER

LANGS = ("en", "ko")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("lang", LANGS)
def test_a_room_that_no_house_has_is_a_room_of_none(lang: str) -> None:
    elsewhere = set(_read(f"{lang}-nothing")["words"]["elsewhere"])
    assert elsewhere
    assert not elsewhere & set(_read(lang)["names"]["area"])


@pytest.mark.parametrize("lang", LANGS)
def test_a_template_of_a_command_has_one_meaning(lang: str) -> None:
    means: dict[str, Any] = {}
    for group in _read(lang)["command"]:
        for template in group["say"]:
            assert means.setdefault(template, group["means"]) == group["means"], template


@pytest.mark.parametrize("lang", LANGS)
def test_no_template_is_both_a_command_and_none(lang: str) -> None:
    commands = {template for group in _read(lang)["command"] for template in group["say"]}
    nothing = {template for group in _read(f"{lang}-nothing")["nothing"] for template in group["say"]}
    assert not commands & nothing
