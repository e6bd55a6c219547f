"""`edged worker`: a share of a fleet's load; understands what other nodes have heard."""

from __future__ import annotations

import argparse
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from edged.act.link import require_version_5
from edged.act.messages import is_level
from edged.cli.options import add_common, read_config
from edged.cli.run import leave, open_files, open_metrics, open_understanding, parse
from edged.config import Config
from edged.errors import ConfigError, EdgedError
from edged.intents.houses import Houses
from edged.intents.live import LiveFiles, Snapshot
from edged.ops.metrics import Metrics
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.ops.watch import Target, Watcher
from edged.reload import Live
from edged.types import Intent, Rejected, Utterance
from edged.worker import Worker, WorkerParts

if TYPE_CHECKING:
    from edged.understand.parser import Parser

logger = logging.getLogger(__name__)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers `edged worker`."""
    parser = commands.add_parser("worker", help="a share of a fleet's load: understands what other nodes heard")
    parser.add_argument(
        "--node", metavar="NAME", help="this worker's own name (default: mqtt.node); no two may share one"
    )
    add_common(parser, log_level="info")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs until SIGTERM or SIGINT; 0 after an orderly end."""
    config = _take_name(read_config(arguments), arguments.node)
    files = open_files(config, config.state_directory / "workers" / config.mqtt.node)
    snapshot = files.start()
    with Wake() as wake, Notifier() as notifier:
        wake.on_signals(signal.SIGTERM, signal.SIGINT)
        notifier.status("looking for the broker")
        config = config.model_copy(update={"mqtt": require_version_5(config.mqtt)})
        notifier.status("loading the model")
        with open_metrics(config) as metrics, open_work(config, files, snapshot, metrics) as parts:
            worker = Worker(config, parts, wake=wake, notifier=notifier)
            code = worker.run()
            leave(code, worker.abandoned)
    return code


def _take_name(config: Config, node: str | None) -> Config:
    if node is None:
        return config
    if not is_level(node):
        raise ConfigError(
            f"{node!r} is no name of a node", where="--node", remedy="use up to 64 letters, digits, - and _"
        )
    return config.model_copy(update={"mqtt": config.mqtt.model_copy(update={"node": node})})


@contextmanager
def open_work(config: Config, files: LiveFiles, snapshot: Snapshot, metrics: Metrics) -> Iterator[WorkerParts]:
    """The parser with the house of all nodes, or with one for each.

    Raises:
        ModelError: a model file is missing, damaged or cannot be used, or no catalog can.
    """
    lang = config.hear.lang
    # Each utterance says where it was said: the worker's own place means nothing.
    config = config.model_copy(update={"home": config.home.model_copy(update={"area": None})})
    with open_understanding(config, files, snapshot, metrics) as (parser, usable):
        parser.warm_up(lang)
        houses = _open_houses(config, parser, usable)

        def prepare(changed: Snapshot) -> Callable[[], None]:
            use_house = parser.prepare_catalog(changed.catalog, lang=lang)

            def use() -> None:
                use_house()
                if houses is not None:
                    houses.set_texts(_texts_of(changed))

            return use

        def understand(node: str, utterance: Utterance) -> tuple[Intent, ...] | Rejected:
            return _understand(parser, houses, node, utterance)

        target = Target(config.intents.directory, config.home.file)
        yield WorkerParts(understand, Live(files, usable, lambda: Watcher(target), prepare), metrics=metrics)


def _open_houses(config: Config, parser: Parser, snapshot: Snapshot) -> Houses | None:
    if config.worker.houses is None:
        return None
    return Houses(
        config.worker.houses,
        most=config.worker.houses_kept,
        texts=_texts_of(snapshot),
        prepare=lambda catalog: parser.prepare_catalog(catalog, lang=config.hear.lang, threads=parser.lm.threads),
    )


def _texts_of(snapshot: Snapshot) -> Mapping[str, str]:
    return {name: version.text for name, version in snapshot.versions.items()}


def _understand(
    parser: Parser, houses: Houses | None, node: str, utterance: Utterance
) -> tuple[Intent, ...] | Rejected:
    if houses is not None:
        try:
            houses.enter(node)
        except EdgedError as error:
            logger.warning("node %s: %s", node, error)
            reason = f"the workers cannot use a house of this node: mend {node}/home.toml in their worker.houses"
            return Rejected(utterance.id, "understand", reason)
    known = utterance.area in parser.readable.home.areas
    return parse(parser, utterance if known else replace(utterance, area=None))
