# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The root logger, which all tests of a process share."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_log_handlers() -> Iterator[logging.Logger]:
    """Give the root logger; what is put on it meanwhile is taken off again at the end."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield root
    finally:
        for handler in [each for each in root.handlers if each not in handlers]:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
