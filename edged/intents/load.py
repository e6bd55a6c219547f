"""Intent files and the house -> an immutable `Catalog`. Every file stands alone: a bad one is left out and reported."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from edged.config import SHIPPED, Config
from edged.errors import SchemaError
from edged.intents.catalog import (
    PLACEHOLDER,
    AnswerRule,
    AnswerRules,
    Catalog,
    CommandRules,
    Condition,
    Confirmation,
    Example,
    Fault,
    Finding,
    IntentFile,
    Json,
    Pointer,
    Rule,
    Schema,
    SlotQuestion,
    SlotTerm,
    TimerRule,
    TimerRules,
)
from edged.intents.folder import read_folder, read_text, source_faults
from edged.intents.home import Home, load_home
from edged.intents.lint.check import check_intent
from edged.intents.lint.clashes import Clashes, Sentence, list_sentences
from edged.intents.lint.draft import Draft, measure_references, prune
from edged.intents.lint.form import MAX_FOUND, Check, compile_form
from edged.intents.lint.keywords import find_unknown_keywords
from edged.intents.lower import LoweringError, find_refusals, takes_numbers
from edged.intents.references import home_source, resolve_references
from edged.intents.source import SourceError, find_place, parse_source, printable_path
from edged.intents.suggest import list_words, shorten
from edged.types import SlotValue

log = logging.getLogger(__name__)

MAX_FAULTS: Final = 50
"""Faults of one file that are told: whoever mends these sees the rest at the next look."""
DEFAULT_EXPIRES_S: Final = 10.0
"""A command that names no validity is dropped after this time: longer than any answer, shorter than a memory."""


def load_catalog(config: Config) -> Catalog:
    """The catalog that `config` names.

    Raises:
        ConfigError: the house or the folder of intents cannot be used at all.
    """
    return read_catalog(config.intents.directory, load_home(config.home.file))


def require_intents(catalog: Catalog) -> Catalog:
    """`catalog` itself, where it holds any intent.

    Raises:
        SchemaError: every file was refused or none is there.
    """
    if not catalog.intents:
        reasons = "\n  ".join(str(fault) for fault in catalog.faults) or "the folder holds no *.json file"
        raise SchemaError("no intent could be loaded", remedy=reasons)
    return catalog


def read_catalog(directory: Path, home: Home, also: Sequence[Path] = ()) -> Catalog:
    """All intents of `directory` and of the files and folders `also` for this house, and what is wrong with the files.

    Raises:
        ConfigError: `directory` or one of `also` is no folder that can be read.
    """
    faults: list[Fault] = []
    files: dict[Path, str | tuple[Fault, ...]] = {}
    for path in (directory, *also):
        if path.is_file() and path != directory:
            read, found = read_text(path)
            files[path] = tuple(found) if read is None else read
        else:
            folder = read_folder(path)
            faults += folder.faults
            files |= {path / name: text for name, text in folder.files.items()}
    catalog = make_catalog({path: text for path, text in files.items() if isinstance(text, str)}, home)
    faults += [fault for found in files.values() if not isinstance(found, str) for fault in found]
    faults = sorted((*faults, *catalog.faults), key=lambda fault: (fault.file, fault.severity))
    for fault in faults:
        if fault.severity == "error":
            log.warning("left out: %s", fault)
        else:
            log.info("%s", fault)
    return replace(catalog, faults=tuple(faults))


def make_catalog(texts: Mapping[Path, str], home: Home) -> Catalog:
    """All that these texts of intent files hold for this house, and what is wrong with them."""
    intents: dict[str, IntentFile] = {}
    faults: list[Fault] = []
    clashes = Clashes()
    for path, text in texts.items():
        version = check_text(text, printable_path(path), home)
        clashing = version.take(clashes)
        faults += [*version.faults, *clashing]
        if version.intent is not None and not clashing:
            intents[version.intent.name] = version.intent
    return Catalog(intents, home, tuple(faults))


def read_intent(path: Path, home: Home) -> tuple[IntentFile | None, list[Fault]]:
    """One intent file, and what is wrong with it; None where it cannot be in force."""
    text, faults = read_text(path)
    if text is None:
        return None, faults
    version = check_text(text, printable_path(path), home)
    return version.intent, list(version.faults)


@dataclass(frozen=True, slots=True)
class Version:
    """One text of an intent file, checked under one house."""

    file: str
    text: str
    home: Home
    intent: IntentFile | None
    """None where it cannot be in force."""
    sentences: tuple[Sentence, ...]
    faults: tuple[Fault, ...]

    def take(self, clashes: Clashes) -> list[Fault]:
        """Has the intent take its name and its sentences; why it cannot be in force beside those before it."""
        if self.intent is None:
            return []
        return place_findings(clashes.take(self.intent, self.sentences), self.text, self.file)


def check_text(text: str, file: str, home: Home) -> Version:
    """What a text is worth as an intent file; one over which we fail is one fault, so that no other file suffers."""
    try:
        intent, faults = load_intent(text, file, home)
        sentences = list_sentences(intent) if intent is not None else ()
    except Exception as error:
        log.exception("%s cannot be checked", file)
        what = f"cannot be checked: {type(error).__name__}: {shorten(str(error))}"
        fault = Fault(file, "", 0, 0, what, "this is a bug of edged: report it with the file")
        return Version(file, text, home, None, (), (fault,))
    return Version(file, text, home, intent, sentences, tuple(faults))


def load_intent(text: str, file: str, home: Home) -> tuple[IntentFile | None, list[Fault]]:
    """The intent in an intent file's text, and all that is wrong with it; None where it cannot be in force."""
    try:
        parsed = parse_source(text)
    except SourceError as error:
        return None, source_faults(error, file)
    findings = list(_check_form(parsed))
    draft = _make_draft(parsed, findings, home)
    if draft is not None:
        findings += itertools.islice(check_intent(draft), MAX_FOUND)
    faults = place_findings(findings, text, file)
    if draft is None or any(finding.severity == "error" for finding in findings):
        return None, faults
    return replace(_to_intent(draft.schema, parsed), file=file), faults


def place_findings(findings: Sequence[Finding], text: str, file: str) -> list[Fault]:
    """The faults of a file, errors first, then in the order of its lines; of very many, the first are told."""
    faults = [
        Fault(
            file,
            "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in finding.pointer),
            *find_place(text, finding.pointer, at_key=finding.at_key),
            finding.what,
            finding.remedy,
            finding.severity,
        )
        for finding in sorted(findings, key=lambda finding: finding.severity)[:MAX_FAULTS]
    ]
    faults.sort(key=lambda fault: (fault.severity, fault.line, fault.column))
    if len(findings) > MAX_FAULTS:
        more = f"{len(findings) - MAX_FAULTS} more faults are not shown"
        faults.append(replace(faults[-1], what=more, remedy="mend these first"))
    return faults


def _check_form(parsed: Json) -> list[Finding]:
    found: list[Finding] = []
    _form_check()(parsed, (), found)
    return found


@cache
def _form_check() -> Check:
    path = SHIPPED / "schemas" / "meta" / "intent.json"
    return compile_form(json.loads(path.read_text(encoding="utf-8")))


def _make_draft(parsed: Json, findings: list[Finding], home: Home) -> Draft | None:
    """What can be looked at further, with what the schema itself has wrong added to the findings."""
    rest = _well_formed(parsed, findings) if len(findings) < MAX_FOUND else None
    if not isinstance(rest, dict) or not isinstance(rest.get("properties"), dict):
        return None
    declared = tuple(slot for slot in parsed["properties"] if slot != "intent")
    body = {key: value for key, value in rest.items() if key != "x-edged"}
    lost = parsed["properties"].keys() - rest["properties"].keys()
    body["required"] = [key for key in body.get("required", ()) if key is not None and key not in lost]
    body |= {"type": "object", "additionalProperties": False}
    grown = measure_references(body)
    if grown is not None:
        findings.append(grown)
        return None
    schema, refused = _resolve_all(body, home)
    missing = [slot for slot in schema["required"] if _is_empty_place(slot, schema, body)]
    if missing:
        what = f"the house has nothing for {list_words(missing)}, without which nothing of this can be said"
        remedy = "add such a device to home.toml, or leave it"
        findings.append(Finding(("properties", missing[0]), what, remedy, "warning", at_key=True))
        return None
    refused += find_refusals(schema)
    body = {key: value for key, value in rest.items() if key != "x-edged"}
    unknown = list(itertools.islice(find_unknown_keywords(body), MAX_FOUND))
    told = {pointer for finding in unknown for pointer in (finding.pointer, finding.pointer[:-1])}
    findings += unknown
    findings += [found for found in (_to_finding(refusal, rest) for refusal in refused) if found.pointer not in told]
    pointers = [error.pointer for error in refused]
    broken = {str(pointer[1]) for pointer in pointers if pointer[:1] == ("properties",) and len(pointer) > 1}
    is_whole = all(pointer[:1] in (("properties",), ("required",)) for pointer in pointers)
    if refused:
        properties = {slot: {} if slot in broken else value for slot, value in schema["properties"].items()}
        required = [key for key in schema["required"] if key in properties]
        schema = {**schema, "properties": properties, "required": required}
    return Draft(rest, declared, schema, frozenset(broken | lost), home, is_whole)


def _is_empty_place(slot: str, schema: Schema, body: Schema) -> bool:
    """Whether a slot refers to things of which the house has none."""
    is_empty = schema["properties"].get(slot, {}).get("enum") == []
    return is_empty and home_source(body["properties"][slot], body.get("$defs", {})) is not None


def _well_formed(parsed: Json, findings: Sequence[Finding]) -> Json:
    """What is left of a file without what has not the right form, and without what is incomplete then."""
    rest = parsed
    while findings:
        before, rest = rest, prune(rest, findings)
        if rest == before:
            break
        findings = _check_form(rest)
    return rest


def _resolve_all(body: dict[str, Json], home: Home) -> tuple[Schema, list[LoweringError]]:
    """The schema with every reference replaced, and every one that leads nowhere, its slot taken out."""
    refused: list[LoweringError] = []
    while True:
        try:
            return resolve_references(body, home), refused
        except LoweringError as error:
            refused.append(error)
            top, *rest = error.pointer
            if top == "properties" and rest:
                body = {**body, top: {**body[top], rest[0]: {"const": None}}}
            else:
                body = {key: value for key, value in body.items() if key != top}


def _to_finding(error: LoweringError, parsed: Json) -> Finding:
    """The refusal of a resolved schema, at the place in the file that the reference leads to."""
    pointer: Pointer = ()
    node = parsed
    for part in error.pointer:
        target = node.get("$ref", "") if isinstance(node, dict) and part not in node else ""
        name = target.removeprefix("#/$defs/") if isinstance(target, str) else ""
        if name and name in parsed.get("$defs", {}):
            pointer, node = ("$defs", name), parsed["$defs"][name]
        pointer = (*pointer, part)
        is_inside = (isinstance(node, dict) and part in node) or (isinstance(node, list) and part in range(len(node)))
        node = node[part] if is_inside else None
    return Finding(pointer, str(error), error.remedy)


def _to_intent(schema: Schema, parsed: Mapping[str, Any]) -> IntentFile:
    extension = parsed["x-edged"]
    homes = {
        slot: source
        for slot, value in parsed["properties"].items()
        if (source := home_source(value, parsed.get("$defs", {}))) is not None
    }
    return IntentFile(
        name=schema["properties"]["intent"]["const"],
        schema=schema,
        slots=tuple(key for key in schema["properties"] if key != "intent"),
        homes=homes,
        examples=_to_examples(extension["examples"]),
        refused=_tuples(extension.get("refused", {})),
        spoken={
            slot: {value: _tuples(words) for value, words in values.items()}
            for slot, values in extension.get("spoken", {}).items()
        },
        said=((_measured(schema, homes) | _left_open(schema, extension)) - frozenset(extension.get("implied", ())))
        | frozenset(extension.get("said", ())),
        expires_s=float(extension.get("expires_s", DEFAULT_EXPIRES_S)),
        asks=bool(extension.get("asks", False)),
        command=_to_command(extension["command"]) if "command" in extension else None,
        answer=_to_answer(extension["asks"]) if isinstance(extension.get("asks"), Mapping) else None,
        timers=_to_timers(extension["timers"]) if "timers" in extension else None,
        examples_only=extension.get("examples_only", False),
        confirm=_to_confirmation(extension["confirm"]) if "confirm" in extension else None,
        questions=tuple(
            SlotQuestion(
                tuple(item["slots"]),
                _to_conditions(item),
                _tuples(item.get("ask", {})),
                _to_examples(item.get("examples", {})),
            )
            for item in extension.get("questions", ())
        ),
    )


def _measured(schema: Schema, homes: Mapping[str, str]) -> frozenset[str]:
    """The slots whose value nobody may make up: places, devices and numbers."""
    return frozenset(slot for slot, value in schema["properties"].items() if slot in homes or takes_numbers(value))


def _left_open(schema: Schema, extension: Mapping[str, Any]) -> frozenset[str]:
    """The slots with listed values whose value no example implies: all that have it say it."""
    items = [item for items in extension["examples"].values() for item in items]
    open_slots = {slot for item in items for slot in PLACEHOLDER.findall(item["text"])}
    listed = {slot for slot, value in schema["properties"].items() if isinstance(value, dict) and "enum" in value}
    return frozenset((open_slots & listed).difference(*(item["slots"] for item in items)))


def _tuples(words: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {lang: tuple(forms) for lang, forms in words.items()}


def _to_examples(examples: Mapping[str, Any]) -> dict[str, tuple[Example, ...]]:
    return {lang: tuple(Example(item["text"], item["slots"]) for item in items) for lang, items in examples.items()}


def _to_command(command: Mapping[str, Any]) -> CommandRules:
    return CommandRules(
        kind=command["kind"],
        area=command.get("area"),
        device=command.get("device"),
        rules=tuple(
            Rule(
                when=_to_conditions(rule),
                change={capability: _to_change(value) for capability, value in rule["change"].items()},
            )
            for rule in command["rules"]
        ),
    )


def _to_answer(asks: Mapping[str, Any]) -> AnswerRules:
    return AnswerRules(
        area=asks.get("area"),
        rules=tuple(
            AnswerRule(
                when=_to_conditions(rule),
                kind=rule["kind"],
                device=rule.get("device"),
                tell=tuple(rule["tell"]),
            )
            for rule in asks["rules"]
        ),
    )


def _to_timers(timers: Mapping[str, Any]) -> TimerRules:
    rules = (TimerRule(_to_conditions(rule), rule["do"]) for rule in timers["rules"])
    return TimerRules(timers.get("area"), timers.get("device"), tuple(rules))


def _to_confirmation(confirm: str | Mapping[str, Any]) -> Confirmation:
    if isinstance(confirm, str):
        confirm = {"scope": confirm}
    return Confirmation(confirm.get("scope", "always"), _to_conditions(confirm))


def _to_conditions(part: Mapping[str, Any]) -> dict[str, Condition]:
    return {slot: _to_condition(value) for slot, value in part.get("when", {}).items()}


def _to_condition(value: Json) -> Condition:
    if isinstance(value, bool):
        return value
    return tuple(value) if isinstance(value, list) else (value,)


def _to_change(value: Json) -> SlotValue | SlotTerm:
    if isinstance(value, Mapping):
        return SlotTerm(value["slot"], value.get("factor", 1), value.get("unit"))
    plain: SlotValue = value
    return plain
