"""Damaged copies of the shipped intent files: none breaks the loader, each refused one is told with its place.

`python -m tests.fuzz.test_damaged_files [COUNT]` prints how long the slowest take.
"""

from __future__ import annotations

import copy
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edged.config import Config, load_config
from edged.intents.catalog import Catalog, Fault
from edged.intents.home import load_home
from edged.intents.load import MAX_FAULTS, read_catalog, read_intent
from edged.intents.source import MAX_FILE_BYTES

VARIANTS = 1000
SHARDS = 10
KEPT_EXAMPLES = 5

Place = tuple[Any, Any]
"""An object or a list, and a key or an index of it."""
Damage = Callable[[random.Random, str], bytes]

BOMBS = (
    "(a+)+$",
    "(a|a)*b",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(.*)*x",
    "a{1,1000}{1,1000}",
    "(?:(?:a{9}){9}){9}",
    "[",
    "(?=a)",
    "\\d+\\1",
)
HUGE_NUMBERS = ("1e400", "-1e400", "1" + "0" * 5000, "1e-400", "NaN", "-Infinity", "9" * 20, "0." + "3" * 300)
WRONG_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**14, "", " ", "x" * 500, "\u0000", "\ud800", "\u202e", "{", "{}", "{{a}}", [], [[]],
    {}, {"": ""}, ["a", 1, None], {"type": "array"}, {"$ref": "#"}, {"$ref": 1}, {"const": {}}, {"enum": 5}, {"enum": []},
    {"type": ["integer"]}, {"type": "integer", "minimum": "1"}, {"type": "integer", "minimum": 5, "maximum": 1},
    {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0}, {"type": "string", "maxLength": 10**14},
    {"type": "string", "pattern": 5}, {"anyOf": {}}, {"anyOf": []}, {"oneOf": [True, False]}, {"not": {}}, {"if": 1},
    {"type": "object", "properties": []}, {"type": "array", "items": False, "maxItems": 1e9},
)  # fmt: skip


def cut(rng: random.Random, text: str) -> bytes:
    data = text.encode()
    return data[: rng.randrange(len(data))]


def flip_bits(rng: random.Random, text: str) -> bytes:
    data = bytearray(text.encode())
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def remove_bytes(rng: random.Random, text: str) -> bytes:
    data = text.encode()
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 1, 2, 20, 500)) :]


def insert_marks(rng: random.Random, text: str) -> bytes:
    marks = (
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\\",
        b'"',
        b",",
        b"//x\n",
        b"'",
        b"{",
        b"]",
        b"\xed\xa0\x80",
        b"\n",
        b"\\u0000",
    )
    data = text.encode()
    start = rng.randrange(len(data))
    return data[:start] + rng.choice(marks) * rng.choice((1, 1, 3)) + data[start:]


def change_number(rng: random.Random, text: str) -> bytes:
    places = [index for index, letter in enumerate(text) if letter.isdigit() and text[index - 1] in " :"]
    start = rng.choice(places or [index for index, letter in enumerate(text) if letter == '"'])
    return (text[:start] + rng.choice(HUGE_NUMBERS) + text[start + 1 :]).encode()


def duplicate_key(rng: random.Random, text: str) -> bytes:
    lines = text.split("\n")
    keyed = [index for index, line in enumerate(lines) if line.rstrip().endswith(",") and '": ' in line]
    index = rng.choice(keyed)
    return "\n".join([*lines[: index + 1], lines[index], *lines[index + 1 :]]).encode()


def nest(rng: random.Random, text: str) -> bytes:
    depth = rng.choice((10, 33, 200, 20_000))
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}"), ('{"anyOf":[', "]}"), ('{"not":', "}")))
    deep = opening * depth + "1" + closing * depth
    if rng.random() < 0.3:
        return deep.encode()
    return text.replace('"properties": {', f'"properties": {{ "deep": {deep}, ', 1).encode()


def on_parsed(damage: Callable[[random.Random, dict[str, Any]], None]) -> Damage:
    def apply(rng: random.Random, text: str) -> bytes:
        parsed = json.loads(text)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            damage(rng, parsed)
        return json.dumps(parsed, indent=1, ensure_ascii=True).encode()

    return apply


def all_places(node: Any) -> Iterator[Place]:
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield node, key
            yield from all_places(value)


def any_place(rng: random.Random, parsed: Any, kind: type = object) -> Place | None:
    """A place, those near the root as often as those deep inside."""
    places = [place for place in all_places(parsed) if isinstance(place[0], kind)]
    roots = (parsed, parsed.get("properties"), parsed.get("x-edged"))
    top = [place for place in places if any(place[0] is root for root in roots)]
    chosen = top if top and rng.random() < 0.3 else places
    return rng.choice(chosen) if chosen else None


def put_wrong_value(rng: random.Random, parsed: dict[str, Any]) -> None:
    place = any_place(rng, parsed)
    if place:
        place[0][place[1]] = copy.deepcopy(rng.choice(WRONG_VALUES))


def delete(rng: random.Random, parsed: dict[str, Any]) -> None:
    place = any_place(rng, parsed)
    if place:
        del place[0][place[1]]


def rename(rng: random.Random, parsed: dict[str, Any]) -> None:
    place = any_place(rng, parsed, dict)
    if place:
        table, key = place
        table[rng.choice((key[::-1], key + "s", key.upper(), "x" * 300, "", "$ref", "\u0007", key[:-1]))] = table.pop(
            key
        )


def move(rng: random.Random, parsed: dict[str, Any]) -> None:
    first, second = any_place(rng, parsed), any_place(rng, parsed)
    if first and second:
        second[0][second[1]] = copy.deepcopy(first[0][first[1]])


def grow(rng: random.Random, parsed: dict[str, Any]) -> None:
    place = any_place(rng, parsed)
    if place:
        size = rng.choice((100, 3000, 20_000))
        place[0][place[1]] = rng.choice(
            ("x" * size, ["on"] * size, list(range(size)), {f"k{n}": n for n in range(size)})
        )


def add_examples(rng: random.Random, parsed: dict[str, Any]) -> None:
    examples = parsed.get("x-edged", {}).get("examples") if isinstance(parsed.get("x-edged"), dict) else None
    if isinstance(examples, dict):
        examples["en"] = [{"text": f"{{area}} {n} " * 5, "slots": {}} for n in range(rng.choice((100, 500, 501, 2000)))]


def add_bomb(rng: random.Random, parsed: dict[str, Any]) -> None:
    if isinstance(parsed.get("properties"), dict):
        parsed["properties"]["bomb"] = {"type": "string", "pattern": rng.choice(BOMBS), "maxLength": 200}
        put = {"text": "bomb", "slots": {"action": "on", "bomb": "a" * 60 + "!"}}
        extension = parsed.get("x-edged")
        if isinstance(extension, dict) and isinstance(extension.get("examples"), dict):
            extension["examples"]["en"] = [put]


def add_laughs(rng: random.Random, parsed: dict[str, Any]) -> None:
    """Definitions that refer to each other more than once: the whole is exponentially large."""
    width, depth = rng.choice((2, 10, 50)), rng.choice((3, 6, 12, 60))
    parsed["$defs"] = {
        f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{(level + 1) % (depth + 1)}"} for _ in range(width)]}
        for level in range(depth)
    }
    parsed["$defs"][f"d{depth}"] = {"type": "boolean"} if rng.random() < 0.8 else {"$ref": "#/$defs/d0"}
    if isinstance(parsed.get("properties"), dict):
        parsed["properties"]["laugh"] = {"$ref": "#/$defs/d0"}


DAMAGES: tuple[Damage, ...] = (
    cut, flip_bits, flip_bits, remove_bytes, insert_marks, change_number, duplicate_key, nest,
    *(on_parsed(damage) for damage in (put_wrong_value, put_wrong_value, delete, rename, rename, move, grow, add_examples, add_bomb, add_laughs)),
)  # fmt: skip


def damaged(seed: int, texts: dict[str, str]) -> tuple[str, bytes]:
    """The file of one variant and what stands in it."""
    rng = random.Random(seed)
    name = rng.choice(sorted(texts))
    return name, rng.choice(DAMAGES)(rng, texts[name])


def load_variant(seed: int, folder: Path, texts: dict[str, str], home: Any) -> tuple[str, bytes, Catalog]:
    name, data = damaged(seed, texts)
    (folder / name).write_bytes(data)
    try:
        return name, data, read_catalog(folder, home)
    finally:
        (folder / name).write_text(texts[name], encoding="utf-8")


def errors_of(faults: tuple[Fault, ...], file: Path) -> list[Fault]:
    errors = [fault for fault in faults if fault.severity == "error"]
    assert {fault.file for fault in errors} <= {str(file)}, "a good file was left out"
    return errors


def short(text: str) -> str:
    """An intent file with the first examples of each language alone: a thousand whole ones take eight minutes."""
    parsed = json.loads(text)
    examples = parsed["x-edged"]["examples"]
    parsed["x-edged"]["examples"] = {lang: sentences[:KEPT_EXAMPLES] for lang, sentences in examples.items()}
    return json.dumps(parsed, ensure_ascii=False, indent=1)


@pytest.fixture
def folder(tmp_path: Path, config: Config) -> tuple[Path, dict[str, str]]:
    texts = {path.name: short(path.read_text(encoding="utf-8")) for path in config.intents.directory.glob("*.json")}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path, texts


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_damage_breaks_the_loader_or_another_file(
    shard: int, folder: tuple[Path, dict[str, str]], catalog: Catalog
) -> None:
    directory, texts = folder
    for seed in range(shard, VARIANTS, SHARDS):
        name, data, loaded = load_variant(seed, directory, texts, catalog.home)
        file = directory / name
        errors = errors_of(loaded.faults, file)
        in_force = {intent.file for intent in loaded.intents.values()}
        expected = {str(directory / other) for other in texts} - ({str(file)} if errors else set())
        assert in_force == expected, f"seed {seed}"
        assert len(errors) <= MAX_FAULTS + 1, f"seed {seed}"
        for fault in errors:
            assert fault.what, f"seed {seed}: {fault}"
            assert fault.remedy, f"seed {seed}: {fault}"
            assert len(str(fault)) < len(fault.file) + 2000, f"seed {seed}: {fault}"
            assert str(fault).replace("\n", "").isprintable(), f"seed {seed}: {fault!r}"
            assert fault.line > 0 or len(data) > MAX_FILE_BYTES, f"seed {seed}: {fault}"


def test_most_of_the_damage_is_noticed(folder: tuple[Path, dict[str, str]], catalog: Catalog) -> None:
    directory, texts = folder
    seeds = range(0, VARIANTS, SHARDS)
    refused = sum(len(load_variant(seed, directory, texts, catalog.home)[2].intents) < len(texts) for seed in seeds)
    assert refused > len(seeds) / 2


def main() -> None:
    """Prints the slowest variants."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else VARIANTS
    config = load_config()
    home = load_home(config.home.file)
    texts = {path.name: path.read_text(encoding="utf-8") for path in config.intents.directory.glob("*.json")}
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            begin = time.perf_counter()
            name, data = damaged(seed, texts)
            path = Path(folder) / name
            path.write_bytes(data)
            faults = [fault for fault in read_intent(path, home)[1] if fault.severity == "error"]
            times.append((time.perf_counter() - begin, seed, len(data), str(faults[0]) if faults else "in force"))
    times.sort(reverse=True)
    print(
        f"{count} variants, {sum(what != 'in force' for *_, what in times)} refused, {sum(t for t, *_ in times):.1f} s"
    )
    for seconds, seed, size, what in times[:5]:
        print(f"{seconds * 1000:.0f} ms: seed {seed}, {size} bytes: {what}")


if __name__ == "__main__":
    main()
