"""`edged doctor`: what is wrong and how to mend it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Final

from edged.act.link import check_broker, require_version_5
from edged.act.store import damaged_copy
from edged.cli.options import add_common, read_config
from edged.cli.run import check_house, check_inputs
from edged.config import Config, openmp_wait_policy
from edged.errors import EdgedError, ModelError
from edged.intents.load import load_catalog, require_intents
from edged.models import find_configured_model, find_model, speech_model_name
from edged.ops.doctor import REBUILD, Finding, check_llama, check_machine, check_openmp, read_cpuinfo
from edged.understand.threads import choose_threads

_MARKS: Final = {"ok": "ok     ", "warning": "warning", "wrong": "WRONG  "}
_PROBE: Final = "from edged.understand.lm import system_info; print(system_info())"
_PROBE_TIMEOUT_S: Final = 60
_NO_MODEL: Final = 'not needed: understand.by is "workers"'


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers `edged doctor`."""
    parser = commands.add_parser("doctor", help="what is wrong and how to mend it; 1 if anything is")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    add_common(parser, log_level="error")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints a line for everything that was looked at; 1 where something is wrong, else 0."""
    findings = []
    for finding in examine(arguments):
        findings.append(finding)
        if not arguments.json:
            print(describe(finding), flush=True)
    wrong = sum(finding.status == "wrong" for finding in findings)
    if arguments.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings], "wrong": wrong}, ensure_ascii=False))
    else:
        print(f"{wrong} wrong" if wrong else "nothing is wrong")
    return 1 if wrong else 0


def describe(finding: Finding) -> str:
    """A line, and one more for the remedy."""
    remedy = f"\n        -> {finding.remedy}" if finding.remedy else ""
    return f"{_MARKS[finding.status]} {finding.subject}: {finding.what}{remedy}"


def examine(arguments: argparse.Namespace) -> Iterator[Finding]:
    """Looks at one thing after the other; without a configuration, at the machine alone."""
    try:
        config = read_config(arguments)
    except EdgedError as error:
        yield _wrong("configuration", error)
        yield from _examine_machine(Config())
        return
    yield Finding("configuration", "ok", f"node {config.mqtt.node}, broker {config.mqtt.host}:{config.mqtt.port}")
    yield from _examine_machine(config)
    yield from _examine_catalog(config)
    for subject, look in _CHECKS:
        yield _try(subject, look, config)
    for name in config.hear.satellites:
        yield _try(f"satellite {name}", partial(_look_at_satellite, name), config)


def _examine_machine(config: Config) -> Iterator[Finding]:
    yield from check_machine(config.state_directory)
    yield _examine_llama()
    yield check_openmp(openmp_wait_policy())


def _examine_llama() -> Finding:
    """In a process of its own: a library that was built for another processor ends it."""
    try:
        probe = subprocess.run(  # noqa: S603 -- our own interpreter
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding(
            "llama.cpp", "wrong", f"does not load within {_PROBE_TIMEOUT_S} s", "see whether the disk is ill"
        )
    if probe.returncode < 0:
        return Finding("llama.cpp", "wrong", f"ended by signal {-probe.returncode} while it was loaded", REBUILD)
    if probe.returncode > 0:
        last_line = (probe.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return Finding("llama.cpp", "wrong", f"cannot be loaded: {last_line}", "run make again")
    return check_llama(probe.stdout, read_cpuinfo())


def _examine_catalog(config: Config) -> Iterator[Finding]:
    try:
        catalog = load_catalog(config)
        for fault in catalog.faults:
            yield Finding(
                "intents", "wrong", f"{fault.file}{fault.pointer and ' at '}{fault.pointer}: {fault.what}", fault.remedy
            )
        require_intents(catalog)
    except EdgedError as error:
        yield _wrong("intents", error)
        return
    yield Finding("intents", "ok", f"{', '.join(catalog.intents)}, from {config.intents.directory}")
    try:
        check_house(config, catalog.home)
    except EdgedError as error:
        yield _wrong("house", error)
        return
    home = catalog.home
    yield Finding("house", "ok", f"{len(home.devices)} devices in {len(home.areas)} areas, from {config.home.file}")


def _look_at_inputs(config: Config) -> Finding:
    check_inputs(config)
    text = "and text over MQTT" if config.mqtt.text_input else "and no text over MQTT"
    return Finding("input", "ok", f"sound from {config.hear.source} {text}")


def _look_at_language_model(config: Config) -> Finding:
    if config.understand.by == "workers":
        return Finding("language model", "ok", _NO_MODEL)
    path, _ = find_configured_model(config)
    if not path.is_file():
        raise ModelError("there is no such file", where=str(path), remedy="mend understand.model")
    return Finding("language model", "ok", str(path))


def _look_at_threads(config: Config) -> Finding:
    if config.understand.by == "workers":
        return Finding("threads", "ok", _NO_MODEL)
    try:
        threads = choose_threads(config, find_configured_model(config)[0])
    except ModelError:
        return Finding("threads", "warning", "there is no language model to measure with", "edged models fetch")
    return Finding("threads", "warning" if threads.remedy else "ok", str(threads), threads.remedy)


def _look_at_speech_model(config: Config) -> Finding:
    name = speech_model_name(config.hear.lang)
    if config.hear.source == "none":
        return Finding("speech model", "ok", "not needed: hear.source is none")
    return Finding("speech model", "ok", str(find_model(name, config.models_directory)))


def _look_at_broker(config: Config) -> Finding:
    version = check_broker(config.mqtt if config.understand.by == "self" else require_version_5(config.mqtt))
    place = f"{config.mqtt.host}:{config.mqtt.port}"
    if version == "5":
        return Finding("broker", "ok", f"{place} speaks MQTT 5")
    remedy = "messages carry no expiry there: a broker that speaks MQTT 5 drops what comes late"
    return Finding("broker", "warning", f"{place} speaks MQTT {version}", remedy)


def _look_at_outbox(config: Config) -> Finding:
    path = config.commands_file
    aside = damaged_copy(path)
    if aside.exists():
        what = f"a damaged file was set aside as {aside}: what waited in it was not sent"
        return Finding("outbox", "warning", what, "delete it once you have looked at it")
    folder = next(parent for parent in path.parents if parent.exists())
    if not os.access(path if path.exists() else folder, os.W_OK):
        what = f"{path} cannot be written: commands that wait, and timers, would not outlive a restart"
        return Finding(
            "outbox", "warning", what, "run edged doctor as the user that runs edged, or set state.directory"
        )
    return Finding("outbox", "ok", f"commands that wait, and timers, are kept in {path}")


def _look_at_metrics(config: Config) -> Finding:
    if not config.metrics.port:
        return Finding("metrics", "ok", "not shown: metrics.port is 0")
    return Finding("metrics", "ok", f"http://{config.metrics.host}:{config.metrics.port}/metrics")


def _look_at_satellite(name: str, config: Config) -> Finding:
    from edged.hear.satellites import check_satellite  # asyncio and wyoming: only where there are satellites

    satellite = config.hear.satellites[name]
    return Finding(f"satellite {name}", "ok", f"{satellite.uri} is {check_satellite(satellite)}")


_CHECKS: Final[tuple[tuple[str, Callable[[Config], Finding]], ...]] = (
    ("input", _look_at_inputs),
    ("language model", _look_at_language_model),
    ("threads", _look_at_threads),
    ("speech model", _look_at_speech_model),
    ("broker", _look_at_broker),
    ("outbox", _look_at_outbox),
    ("metrics", _look_at_metrics),
)


def _try(subject: str, look: Callable[[Config], Finding], config: Config) -> Finding:
    try:
        return look(config)
    except EdgedError as error:
        return _wrong(subject, error)


def _wrong(subject: str, error: EdgedError) -> Finding:
    place = f"{error.where}: " if error.where else ""
    return Finding(subject, "wrong", f"{place}{error.what}", error.remedy)
