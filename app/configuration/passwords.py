# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Passwords beside the rows that name them.

Passwords are kept elsewhere, by label (`framework.secrets`): a new one is stored under a new label,
then the row that names it is committed, then the old label is dropped. A crash in between leaves a
password nobody names, never a row without its password. Changing where or how a password would be
sent (host, port, username, proxy, trust) without entering it again drops it.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from app.configuration.ports import Secrets

logger = logging.getLogger(__name__)


@contextmanager
def stored(secrets: Secrets, new: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Store passwords for a block that commits the rows that name them; drop them if it fails."""
    done: list[str] = []
    try:
        for label, text in new:
            secrets.put(label, text)
            done.append(label)
        yield
    except BaseException:
        drop(secrets, done)
        raise


def drop(secrets: Secrets, labels: Sequence[str]) -> None:
    for label in labels:
        try:
            secrets.drop(label)
        except OSError as error:  # nobody names it any more: an untidiness, not a failure
            logger.warning("an old stored password could not be removed: %s", error)


def new_label() -> str:
    return f"cdm-{uuid4().hex}"
