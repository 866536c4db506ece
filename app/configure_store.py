# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``python3 -m app.configure store …``: copies of the database, and one that was put back."""

import argparse
from typing import Any

from app.command_line import BY, Streams, database, opened_store, utc_now
from app.message import Message
from app.store.copies import copies
from app.store.marks import mark_files
from app.store.migrate import MIGRATIONS, newest_schema
from app.store.put_back import confirm, distrust
from app.store.restoring import put_copy_back, start_anew
from app.store.times import to_text

PUT_BACK = (
    "The app is disarmed, open runs need a decision, and trigger tokens are invalid: look through"
    " them, then run: python3 -m app.configure store confirm"
)


def add_commands(commands: Any) -> None:
    """Add them to the parser's ``commands``, whose type argparse keeps to itself."""
    store = commands.add_parser("store", help="copies of the database, and one that was put back")
    stores = store.add_subparsers(metavar="ACTION", required=True)
    for name, run, text in (
        ("list", _list_copies, "print the copies that can be put back, with time and schema"),
        ("restore", _restore_copy, "put a copy back; the app comes up disarmed"),
        ("restored", _note_restored, "say that the app's volume was put back from a backup"),
        ("confirm", _confirm_tokens, "make trigger tokens valid again after that"),
        ("start-anew", _start_anew, "begin without a history where the database was lost"),
    ):
        action = stores.add_parser(name, help=text)
        if name == "restore":
            action.add_argument("copy", metavar="COPY")
        action.set_defaults(run=run)


def _list_copies(_: argparse.Namespace, streams: Streams) -> None:
    for one in copies(database(), newest_schema=newest_schema(MIGRATIONS)):
        streams.give(f"{one.file.name}\t{to_text(one.made_at)}\tschema {one.schema}")


def _restore_copy(given: argparse.Namespace, streams: Streams) -> None:
    streams.tell(put_copy_back(database(), given.copy, by=BY, now=utc_now()))
    streams.tell(PUT_BACK)


def _note_restored(_: argparse.Namespace, streams: Streams) -> None:
    path = database()
    with opened_store() as store:
        why = Message("An administrator says that the database was put back from a backup.")
        distrust(store, why, now=utc_now(), above=0, files=mark_files(path))
    streams.tell(PUT_BACK)


def _confirm_tokens(_: argparse.Namespace, streams: Streams) -> None:
    with opened_store() as store:
        changed = confirm(store, by=BY, now=utc_now())
    streams.tell("trigger tokens are valid again" if changed else "nothing waits to be confirmed")


def _start_anew(_: argparse.Namespace, streams: Streams) -> None:
    start_anew(database())
    streams.tell("the app begins with an empty database within a minute")
