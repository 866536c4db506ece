# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The rules for manifest.json, from qradar §1.2 and §1.3, with QRadar's error codes.

One problem per broken rule. A key that the fact page does not name is a problem too, although
QRadar would take it.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ENTRIES = (
    "load_flask",
    "areas",
    "dashboard_items",
    "rest_methods",
    "configuration_pages",
    "gui_actions",
    "page_scripts",
    "metadata_providers",
    "fragments",
    "custom_columns",
    "services",
)
CAPABILITIES = ("ADMIN", "SEM")  # the only names that every supported release knows (qradar §1.2)
LOCATIONS = (
    "system_configuration",
    "user_management",
    "forensics",
    "assets",
    "data_sources_events",
    "data_sources_flows",
    "data_sources_custom_actions",
    "data_sources_vulnerability",
    "try_it_out",
    "dynamic_search",
    "remote_networks_and_services_configuration",
    "apps",
)
# The schema's spelling; the documentation's table prints another (qradar §1.2).
APP_NAMES = (
    *("assetprofile", "Assets", "EventViewer", "Forensics", "QRadar", "QVM", "Reports"),
    *("SEM", "SRM", "Surveillance"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH")
SIGNALS = ("TERM", "HUP", "INT", "QUIT", "KILL", "USR1", "USR2")


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken rule: QRadar's error code, where in the manifest, and what is wrong."""

    code: int
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {self.message}"


Check = Callable[[Any], str | None]


def _string(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return "must be a string of at least one character"
    return _string_or_empty(value)


def _string_or_empty(value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a string"
    return "must not contain < or >" if re.search(r"[<>]", value) else None


def _boolean(value: Any) -> str | None:
    return None if value in ("true", "false") else 'must be the string "true" or "false"'


def _integer(low: int, high: int | None = None) -> Check:
    def check(value: Any) -> str | None:
        if type(value) is not int or value < low or (high is not None and value > high):
            return f"must be a whole number from {low}" + (f" to {high}" if high else "")
        return None

    return check


def _matching(pattern: str, said: str) -> Check:
    return lambda value: (
        None if isinstance(value, str) and re.fullmatch(pattern, value) else f"must be {said}"
    )


def _one_of(words: Iterable[str]) -> Check:
    allowed = tuple(words)
    return lambda value: None if value in allowed else f"must be one of {', '.join(allowed)}"


def _list_of(check: Check) -> Check:
    def check_all(value: Any) -> str | None:
        if not isinstance(value, list):
            return "must be a list"
        return next((problem for item in value if (problem := check(item))), None)

    return check_all


def _string_or_null(value: Any) -> str | None:
    return None if value is None or isinstance(value, str) else "must be a string or null"


_capabilities = _list_of(_matching(r"[a-zA-Z.]+", "a capability name (letters and dots)"))
_shared: dict[str, Check] = {"named_service": _string, "required_capabilities": _capabilities}
_output: dict[str, Check] = {
    f"{stream}_{key}": check
    for stream in ("stdout", "stderr")
    for key, check in {
        "logfile": _string_or_empty,
        "logfile_maxbytes": _string_or_empty,
        "logfile_backups": _integer(0),
        "capture_maxbytes": _string_or_empty,
        "events_enabled": _boolean,
    }.items()
}

# Kind of entry → (required keys, all keys). Only the kinds that this app has or may come to have;
# another one is reported as unknown, so that nobody adds it without writing down its rules here.
ENTRY_RULES: dict[str, tuple[tuple[str, ...], dict[str, Check]]] = {
    "areas": (
        ("id", "text", "url"),
        {"id": _string, "text": _string_or_empty, "url": _string, "description": _string_or_empty}
        | _shared,
    ),
    "configuration_pages": (
        ("text", "description", "url"),
        {"text": _string, "description": _string, "url": _string, "icon": _string_or_null}
        | {"location": _one_of(LOCATIONS)}
        | _shared,
    ),
    "rest_methods": (
        ("name", "method", "url"),
        {"name": _string, "method": _one_of(METHODS)}
        | {"url": _matching(r"/.+", "a path that begins with /")}
        | {"argument_names": _list_of(_string_or_empty)}
        | _shared,
    ),
    "gui_actions": (
        ("id", "text", "groups"),
        {"id": _string, "text": _string, "groups": _list_of(_string), "rest_method": _string}
        | {"javascript": _string_or_null, "description": _string_or_empty, "icon": _string_or_null}
        | _shared,
    ),
    "dashboard_items": (
        ("text", "description", "rest_method"),
        {"text": _string, "description": _string, "rest_method": _string}
        | {"required_capabilities": _capabilities},
    ),
    "page_scripts": (
        ("app_name", "page_id", "scripts"),
        {"app_name": _one_of(APP_NAMES), "page_id": _string, "scripts": _list_of(_string)}
        | {"named_service": _string},
    ),
    "fragments": (
        ("app_name", "page_id", "rest_endpoint"),
        {"app_name": _one_of(APP_NAMES), "page_id": _string, "rest_endpoint": _string}
        | {"location": _one_of(("header", "footer"))}
        | _shared,
    ),
    "services": (
        ("name", "version"),
        {"name": _matching(r"[^\s;/?@&=+$,'():{}\[\]^<>|]+", "a name without blanks or URL signs")}
        | {"version": _string, "port": _integer(0, 65536), "command": _string}
        | {"endpoints": _list_of(lambda item: None if isinstance(item, dict) else "no object")}
        | {"autorestart": _one_of(("true", "false", "unexpected")), "stopsignal": _one_of(SIGNALS)}
        | {"autostart": _boolean, "redirect_stderr": _boolean, "priority": _integer(1)}
        | dict.fromkeys(("startsecs", "startretries", "stopwaitsecs", "numprocs"), _integer(0))
        | dict.fromkeys(("process_name", "directory", "umask", "exitcodes"), _string_or_empty)
        | dict.fromkeys(("user", "environment", "serverurl"), _string_or_empty)
        | _output,
    ),
    "environment_variables": (
        ("name", "value"),
        {"name": _matching(r"[a-zA-Z_][a-zA-Z0-9_]*", "a variable name"), "value": _string},
    ),
    "uninstall_hooks": (
        ("description", "rest_method"),
        {"description": _string, "rest_method": _string, "last_instance_only": _boolean}
        | {"documentation_url": _string},
    ),
}

TOP_RULES: dict[str, Check] = {
    "name": _string,
    "description": _string,
    "version": _matching(r"\d+\.\d+\.\d+", "MAJOR.MINOR.PATCH"),
    "uuid": _string,
    "image": _matching(r"qradar-app-base:4(\.\d+)*", "an image of major version 4"),
    **dict.fromkeys(
        (
            "load_flask",
            "node_only",
            "use_qradar_csrf",
            "single_instance_only",
            "multitenancy_safe",
            "add_app_capability",
        ),
        _boolean,
    ),
    "log_level": _one_of(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    "resources": lambda value: (
        _integer(1)(value.get("memory")) if isinstance(value, dict) else "must be an object"
    ),
}


def check(text: str) -> list[Problem]:
    """Everything wrong with the text of a manifest.json; an empty list for a good one."""
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in items]
        duplicates.extend(key for key in set(keys) if keys.count(key) > 1)
        return dict(items)

    try:
        manifest = json.loads(text, object_pairs_hook=pairs)
    except ValueError as error:
        return [Problem(33106, "manifest.json", f"is not JSON: {error}")]
    if duplicates:
        return [Problem(33105, key, "appears twice in one object") for key in sorted(duplicates)]
    if not isinstance(manifest, dict):
        return [Problem(33104, "manifest.json", "must be an object")]
    return [*_top(manifest), *_entries(manifest), *_across(manifest)]


def _top(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("name", "description", "version", "uuid"):
        if key not in manifest:
            yield Problem(33104, key, "is missing")
    if not any(key in manifest for key in ENTRIES):
        yield Problem(33104, "manifest.json", f"needs one of {', '.join(ENTRIES)}")
    for key, value in manifest.items():
        if key in ENTRY_RULES:
            continue
        rule = TOP_RULES.get(key)
        message = rule(value) if rule else "is not a key of qradar §1.2 that we use"
        if message:
            yield Problem(33403 if key == "image" else 33104, key, message)
    try:
        uuid.UUID(str(manifest.get("uuid")))
    except ValueError:
        yield Problem(33104, "uuid", "must be a UUID")


def _entries(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    for kind, (required, rules) in ENTRY_RULES.items():
        items = manifest.get(kind, [])
        if not isinstance(items, list):
            yield Problem(33104, kind, "must be a list")
            continue
        for number, item in enumerate(items):
            where = f"{kind}[{number}]"
            if not isinstance(item, dict):
                yield Problem(33104, where, "must be an object")
                continue
            for key in required:
                if key not in item:
                    yield Problem(33104, f"{where}.{key}", "is missing")
            for key, value in item.items():
                message = rules[key](value) if key in rules else "is not a key of qradar §1.2"
                if message:
                    yield Problem(33104, f"{where}.{key}", message)


def _across(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    """The rules that look at more than one place."""
    items = [
        (kind, item)
        for kind in ENTRY_RULES
        if isinstance(manifest.get(kind), list)
        for item in manifest[kind]
        if isinstance(item, dict)
    ]
    methods = {
        item.get("name"): item.get("method") for kind, item in items if kind == "rest_methods"
    }
    for kind, item in items:
        if "rest_method" in item and item["rest_method"] not in methods:
            yield Problem(33308, kind, f"rest_method {item['rest_method']} is not defined")
        if kind == "gui_actions" and methods.get(item.get("rest_method"), "GET") != "GET":
            yield Problem(33104, kind, "its rest_method must be a GET (qradar §8)")
        if kind == "gui_actions" and not item.keys() & {"javascript", "rest_method"}:
            yield Problem(33104, kind, "needs javascript or rest_method")
        for capability in item.get("required_capabilities") or []:
            if capability not in CAPABILITIES:
                yield Problem(33307, kind, f"capability {capability} is not on every release")
    services = [item for kind, item in items if kind == "services"]
    for key in ("name", "port"):
        values = [item[key] for item in services if key in item]
        if len(set(values)) < len(values):
            yield Problem(33104, "services", f"two services have the same {key}")
    flask = manifest.get("load_flask", "true") == "true"
    if not flask and 5000 not in [item.get("port") for item in services]:
        yield Problem(33104, "services", "one must have port 5000, where /debug is asked for")
