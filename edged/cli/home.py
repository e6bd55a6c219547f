"""`edged home`: the house, home.toml."""

from __future__ import annotations

import argparse
import json
import math
import sys

from edged.act.inventory import MAX_ADDRESS_CHARACTERS, inventory_topics, read_inventory
from edged.act.proposal import Proposal, describe_entry, propose, section_of, write_entry
from edged.act.retained import fetch_retained
from edged.act.topic import describe_bad_topic
from edged.act.zigbee2mqtt import BASE_TOPIC
from edged.cli.options import add_common, read_config
from edged.config import Config
from edged.errors import BrokerError, UsageError
from edged.intents.home import Home, load_home

DEFAULT_TIMEOUT_S = 5.0
"""For what the broker has at hand: a slow device on a slow network."""
LONGEST_TIMEOUT_S = 600.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers `edged home`."""
    parser = commands.add_parser("home", help="what the house has")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    action = actions.add_parser("import", help="print entries for home.toml from what Zigbee2MQTT has; writes no file")
    action.add_argument("--json", action="store_true", help="print the entries as JSON")
    action.add_argument("--base", default=BASE_TOPIC, metavar="TOPIC", help="Zigbee2MQTT's base topic (%(default)s)")
    action.add_argument(
        "--timeout", type=_seconds, default=DEFAULT_TIMEOUT_S, metavar="S", help="how long to wait (%(default)g)"
    )
    add_common(action)
    action.set_defaults(run=_import)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not math.isfinite(seconds) or not 0 < seconds <= LONGEST_TIMEOUT_S:
        raise argparse.ArgumentTypeError(f"give more than 0 and at most {LONGEST_TIMEOUT_S:g} seconds")
    return seconds


def _import(arguments: argparse.Namespace) -> int:
    """Prints what home.toml does not have yet: a person looks at it and appends it."""
    fault = describe_bad_topic(arguments.base)
    if fault or len(arguments.base) > MAX_ADDRESS_CHARACTERS:
        raise UsageError(
            fault or "is too long", where="--base", remedy="give the base topic of Zigbee2MQTT's configuration"
        )
    config = read_config(arguments)
    home = _read_home(config)
    topics = inventory_topics(arguments.base)
    payloads = fetch_retained(config.mqtt, topics, timeout_s=arguments.timeout)
    if topics[0] not in payloads:
        raise BrokerError(
            f"nothing is retained on {topics[0]}",
            where=f"{config.mqtt.host}:{config.mqtt.port}",
            remedy="start Zigbee2MQTT, or give its base topic with --base and more time with --timeout",
        )
    if topics[1] not in payloads:
        print(f"nothing is retained on {topics[1]}: no groups", file=sys.stderr)
    inventory = read_inventory(payloads[topics[0]], payloads.get(topics[1], b"[]"), base=arguments.base)
    proposal = propose(inventory, home)
    if arguments.json:
        print(_to_json(proposal))
    else:
        _print_toml(proposal)
    counts = f"{len(proposal.new)} new, {proposal.known} known, {len(proposal.skipped)} skipped"
    print(f"{counts}; nothing was written to {config.home.file}", file=sys.stderr)
    return 0


def _read_home(config: Config) -> Home:
    """The house, empty where nobody has written it down yet."""
    if config.home.file.exists():
        return load_home(config.home.file)
    print(f"{config.home.file} does not exist yet", file=sys.stderr)
    return Home({}, {})


def _print_toml(proposal: Proposal) -> None:
    for device in proposal.new:
        print(write_entry(device))
    for skipped in proposal.skipped:
        print(f"# skipped: {skipped.name}: {skipped.reason}")


def _to_json(proposal: Proposal) -> str:
    new = [{"section": section_of(device), "key": device.key, **describe_entry(device)} for device in proposal.new]
    skipped = [{"name": skipped.name, "reason": skipped.reason} for skipped in proposal.skipped]
    return json.dumps({"new": new, "known": proposal.known, "skipped": skipped}, ensure_ascii=False)
