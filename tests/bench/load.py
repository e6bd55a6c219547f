"""How long a folder of intent files takes to load and what it holds in memory: python -m tests.bench.load [FILES]."""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from edged.config import load_config
from edged.intents import load
from edged.intents.folder import MAX_FILES
from edged.intents.home import load_home

SLOTS = 10
EXAMPLES = 20
REPEATS = 5


def make_intent(number: int) -> dict[str, Any]:
    """An intent of ten slots and twenty examples, like the shipped ones, whose words are its own."""
    properties: dict[str, Any] = {
        "intent": {"const": f"thing_{number}"},
        "action": {"enum": ["on", "off", "toggle", "set", "more", "less"]},
        "area": {"$ref": "urn:edged:home#/areas"},
        "device": {"$ref": "urn:edged:home#/devices/light"},
        "level": {"type": "integer", "minimum": 0, "maximum": 100},
        "step": {"type": "integer", "minimum": 1, "maximum": 100},
        "color": {"enum": ["white", "red", "orange", "yellow", "green", "blue"]},
        "warmth": {"type": "integer", "minimum": 1500, "maximum": 9000},
        "degrees": {"type": "number", "minimum": 5, "maximum": 35, "multipleOf": 0.5},
        "quick": {"type": "boolean"},
        "seconds": {"type": "integer", "minimum": 0, "maximum": 300},
    }
    actions = properties["action"]["enum"]
    tails = ("", " to {level} percent", " to {color}", " by {step}", " to {warmth} kelvin", " for {seconds} seconds",
             " at {degrees} degrees")  # fmt: skip
    examples = []
    for index in range(EXAMPLES):
        slots: dict[str, Any] = {"action": actions[index % 6]}
        if index % 5 == 0:
            slots["quick"] = True
        place = ("the {area}", "the {device}", "everything")[index % 3]
        text = f"{actions[index % 6]} thing {number} of {place}{tails[index % 7]} {'quickly' if index % 5 == 0 else ''}"
        examples.append({"text": f"{text} {index}", "slots": slots})
    return {
        "type": "object",
        "properties": properties,
        "required": ["intent", "action"],
        "additionalProperties": False,
        "x-edged": {
            "examples": {"en": examples},
            "refused": {"en": [f"is thing {number} on"]},
            "spoken": {
                "color": {color: {"en": [color, f"{color} colour"]} for color in properties["color"]["enum"]},
                "level": {"100": {"en": ["full"]}, "50": {"en": ["half"]}},
            },
            "command": {
                "kind": "light",
                "area": "area",
                "device": "device",
                "rules": [
                    {"when": {"action": "on"}, "change": {"state": "on"}},
                    {"when": {"action": ["off"]}, "change": {"state": "off"}},
                    {"when": {"level": True}, "change": {"brightness": {"slot": "level"}}},
                    {"when": {"color": True}, "change": {"color": {"slot": "color"}}},
                    {"when": {"step": True}, "change": {"brightness_step": {"slot": "step", "factor": -1}}},
                ],
            },
        },
    }


def main() -> None:
    """Prints the times of several loads, the memory of one, and where the time goes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", type=int, nargs="?", default=MAX_FILES)
    files = parser.parse_args().files
    home = load_home(load_config().home.file)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(files):
            path = Path(folder) / f"thing_{number:03}.json"
            path.write_text(json.dumps(make_intent(number), indent=2), encoding="utf-8")
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        print(f"{files} intents, {SLOTS} slots and {EXAMPLES} examples each, {size / 1e6:.1f} MB of JSON")
        seconds = []
        for _ in range(REPEATS):
            gc.collect()
            begin, begin_cpu = time.perf_counter(), time.process_time()
            catalog = load.read_catalog(Path(folder), home)
            seconds.append((time.perf_counter() - begin, time.process_time() - begin_cpu))
            if len(catalog.intents) != files or catalog.faults:
                sys.exit(f"{len(catalog.intents)} in force; {catalog.faults[:1]}")
        print("wall s (cpu s):", ", ".join(f"{wall:.3f} ({cpu:.3f})" for wall, cpu in seconds))
        del catalog
        tracemalloc.start()
        catalog = load.read_catalog(Path(folder), home)
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"memory: {held / 1e6:.1f} MB held by the catalog of {len(catalog.intents)}, {peak / 1e6:.1f} MB at most")
        profile = cProfile.Profile()
        profile.runcall(load.read_catalog, Path(folder), home)
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
