# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Configure the app from the command line, inside its container (architecture §5).

    python3 -m app.configure export
    python3 -m app.configure import FILE [--dry-run]
    python3 -m app.configure trigger-token new NAME | list | revoke NAME
    python3 -m app.configure script [--parameters]
    python3 -m app.configure store list | restore COPY | restored | confirm | start-anew

What was asked for goes to standard output and nothing else does. Exit codes: 0 done, 1 it could not
be done (one sentence on standard error says why, and nothing was changed), 2 wrong arguments.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from app.command_line import (
    BY,
    DONE,
    FAILED,
    WRONG_USAGE,
    Stop,
    Streams,
    database,
    opened_store,
    utc_now,
)
from app.configuration import checks
from app.configuration.checks import InvalidField
from app.configuration.document import export_document, import_document
from app.configuration.fields import refuse_unknown
from app.configure_store import add_commands
from app.framework import paths
from app.framework.console_peers import ConsoleAddresses
from app.framework.secrets import SecretNotStored, Secrets
from app.message import Message
from app.qradar.custom_action import NoIssuers, find_issuers, generate_script, parameters
from app.remote.guard import Guard
from app.remote.trust import fetch_certificate
from app.restore.model import CopyManagerError
from app.store.copies import CopyFailed
from app.store.database import StoreBroken, StoreBusy
from app.store.migrate import MigrationFailed, told
from app.store.times import to_text, to_text_or_none

MAX_INPUT = 4 * 1024 * 1024


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Stop(WRONG_USAGE, f"{message} (--help shows the usage)")


def main(arguments: Sequence[str] | None = None, streams: Streams | None = None) -> int:
    """Run with command-line arguments and give the exit code."""
    streams = streams or Streams()
    try:
        given = _parser().parse_args(arguments)
        given.run(given, streams)
    except Stop as stop:
        code, sentence = stop.code, str(stop)
    except (InvalidField, NoIssuers, MigrationFailed, CopyFailed, SecretNotStored) as error:
        code, sentence = FAILED, str(error)
    except StoreBroken as error:
        code, sentence = FAILED, f"{told(database(), error)} Nothing was changed."
    except StoreBusy as error:
        code, sentence = FAILED, f"the store can't be written just now, try again: {error}"
    except OSError as error:
        code, sentence = FAILED, f"the store can't be used: {error}"
    except KeyboardInterrupt:
        code, sentence = FAILED, "interrupted."
    except Exception as error:  # the rim: whoever runs this in a script gets a sentence, no trace
        code, sentence = FAILED, f"unexpected error: {type(error).__name__}: {error}"
    else:
        return DONE
    streams.tell(f"configure: {' '.join(sentence.split())}")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="configure", description="Configure Safeguarded Restore.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    export = commands.add_parser("export", help="print the configuration, without secrets")
    export.set_defaults(run=_export)
    importing = commands.add_parser("import", help="bring the app to what a document says")
    importing.add_argument("file", metavar="FILE", help="JSON document; - is standard input")
    importing.add_argument("--dry-run", action="store_true", help="tell the changes, make none")
    importing.set_defaults(run=_import)
    token = commands.add_parser("trigger-token", help="what the custom action shows to the app")
    tokens = token.add_subparsers(metavar="ACTION", required=True)
    for name, run, text in (
        ("new", _new_token, "make a token and print it, this once"),
        ("list", _list_tokens, "print names, and when each was made and last used"),
        ("revoke", _revoke_token, "make a token invalid at once"),
    ):
        action = tokens.add_parser(name, help=text)
        if name != "list":
            action.add_argument("name", metavar="NAME")
        action.set_defaults(run=run)
    add_commands(commands)
    script = commands.add_parser("script", help="print the custom action's script")
    script.add_argument(
        "--parameters",
        action="store_true",
        help='read {"token": ..., "sec": ...} from standard input, print the action\'s parameters'
        " as QRadar's POST /actions takes them",
    )
    script.set_defaults(run=_script)
    return parser


# --- commands -------------------------------------------------------------------------------------


def _export(_: argparse.Namespace, streams: Streams) -> None:
    with opened_store() as store:
        streams.give(json.dumps(export_document(store), indent=2))


def _import(given: argparse.Namespace, streams: Streams) -> None:
    document = _read_document(given.file, streams)  # before root's rights are given up
    _check_names(document)
    with opened_store() as store:
        changes = import_document(
            store,
            Secrets(),
            document,
            by=BY,
            now=utc_now(),
            dry_run=given.dry_run,
            allow_loopback=paths.is_demo(),
        )
    for change in changes or ["nothing to change"]:
        streams.tell(f"would change {change}" if given.dry_run and changes else change)


def _check_names(document: object) -> None:
    """Refuse a connection whose name leads to where no CDM is; its other mistakes come later."""
    entries = document.get("connections") if isinstance(document, dict) else None
    if paths.is_demo() or not isinstance(entries, list):
        return
    guard = Guard(ConsoleAddresses())
    for place, entry in enumerate(entries):
        if isinstance(entry, dict) and (found := guard.problem(entry)) is not None:
            raise InvalidField(*found).under(f"connections[{place}]")


def _new_token(given: argparse.Namespace, streams: Streams) -> None:
    name = checks.check_name(given.name)
    with opened_store() as store:
        try:
            token = store.tokens.new(name, by=BY, now=utc_now())
        except ValueError as error:
            raise Stop(FAILED, f"name: {error} Revoke it first, or take another name.") from error
    streams.give(token)


def _list_tokens(_: argparse.Namespace, streams: Streams) -> None:
    with opened_store() as store:
        for token in store.tokens.list():
            used = to_text_or_none(token.last_used_at) or "never used"
            streams.give(f"{token.name}\t{to_text(token.created_at)}\t{used}")


def _revoke_token(given: argparse.Namespace, streams: Streams) -> None:
    with opened_store() as store:
        try:
            store.tokens.revoke(given.name, by=BY, now=utc_now())
        except LookupError as error:
            raise Stop(FAILED, f"name: {error}.") from error
    streams.tell(f"trigger token {given.name} is revoked")


def _script(given: argparse.Namespace, streams: Streams) -> None:
    try:
        console = paths.console_fqdn()
    except KeyError as error:
        raise Stop(FAILED, "QRADAR_CONSOLE_FQDN is not set: run this in the container.") from error
    if given.parameters:
        values = _read_values(streams)
        streams.give(
            json.dumps(
                parameters(
                    console, values["sec"], token=values["token"], mapping=values.get("mapping", "")
                ),
                indent=2,
            )
        )
        return
    try:
        address = paths.console_address()
    except KeyError:
        address = ""
    try:
        script = generate_script(
            console, address, issuers_pem=_issuers(console), version=paths.app_version()
        )
    except ValueError as error:
        raise Stop(FAILED, f"the console's address can't be used: {error}") from error
    streams.stdout.write(script)
    streams.stdout.flush()


def _issuers(console: str) -> str:
    """The console's issuers: its leaf as it shows it, the rest from the platform's CA file."""
    where = urlsplit(f"https://{console}")
    try:
        leaf = fetch_certificate(where.hostname or "", where.port or 443).pem
    except CopyManagerError as error:  # worded for CDM: only the cause helps here
        raise Stop(FAILED, f"no certificate can be had from {console}. {error.cause}") from error
    ca_file = paths.system_ca_file()
    if ca_file is None:
        raise Stop(FAILED, "REQUESTS_CA_BUNDLE is not set: run this in the app's container.")
    try:
        bundle = Path(ca_file).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Stop(FAILED, f"REQUESTS_CA_BUNDLE can't be read: {error}") from error
    return find_issuers(leaf, bundle)


# --- input ----------------------------------------------------------------------------------------


def _read_document(file: str, streams: Streams) -> object:
    try:
        if file == "-":
            text = streams.stdin.read(MAX_INPUT + 1)
        else:
            with Path(file).open(encoding="utf-8") as opened:
                text = opened.read(MAX_INPUT + 1)
    except OSError as error:
        raise Stop(WRONG_USAGE, f"FILE can't be read: {error.strerror}: {file}") from error
    except UnicodeDecodeError as error:
        raise InvalidField("document", Message("is not UTF-8 text.")) from error
    return _parsed(text.removeprefix("\ufeff"), "document")


def _read_values(streams: Streams) -> dict[str, str]:
    values = _parsed(streams.stdin.read(MAX_INPUT), "standard input")
    if not isinstance(values, dict):
        raise InvalidField("standard input", Message('must be {"token": ..., "sec": ...}.'))
    refuse_unknown(values, {"token", "sec", "mapping"})
    read = {
        name: checks.check_text(values.get(name), name, longest=512) for name in ("token", "sec")
    }
    if mapping := checks.check_optional_text(values.get("mapping"), "mapping", longest=100):
        read["mapping"] = mapping
    return read


def _parsed(text: str, what: str) -> object:
    if len(text) > MAX_INPUT:
        raise InvalidField(what, Message("is larger than 4 MB."))
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:  # its own message may repeat what stands there
        where = {"line": error.lineno, "column": error.colno}
        raise InvalidField(
            what, Message("is not JSON at line {line} column {column}.", **where)
        ) from None
    except RecursionError:
        raise InvalidField(what, Message("is nested too deeply.")) from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidField(twice, Message("stands there twice."))
    return found


if __name__ == "__main__":
    sys.exit(main())
