# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The log of each process: a file of its own, one line per record, no secret in it.

Web writes through qpylib to store/log/app.log; every other process has its own file, because
qpylib's rotating file isn't made for several (qradar §2.4). Records come from ordinary
loggers (``logging.getLogger(__name__)``); `set_up` attaches to the root logger only.
"""

import logging
import re
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path

from qpylib import qpylib

from app.framework import masking, paths
from app.framework.whole_lines import is_full, keep_whole

mask = masking.mask

_ROTATE_AT = 2 * 1024 * 1024
_ROTATED_FILES = 5
_LONGEST = 16_000
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_NOISY = ("urllib3", "requests", "charset_normalizer", "werkzeug")
_plain = logging.Formatter()


def set_up(process: str) -> None:
    """Send all records of this process to its log. May be called again; never raises.

    ``process`` is ``web`` for qpylib's app.log, else the file's name without its suffix, such as
    ``worker``. The level is the manifest's ``log_level``, INFO when there is none. If the file
    can't be opened the same lines go to standard error, which supervisord keeps.
    """
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Quiet)]:
        root.removeHandler(old)
        old.close()
    root.setLevel(_level())
    for name in _NOISY:
        # their debug lines hold addresses and headers of every request
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        root.addHandler(_web_handler() if process == "web" else _file_handler(process))
    except Exception as error:  # an app that can't log must still answer /debug
        handler = _StandardError(sys.stderr)
        handler.setFormatter(_OneLine())
        root.addHandler(handler)
        logging.getLogger(__name__).error("the log file can't be opened: %s", error)


def one_line(record: logging.LogRecord) -> str:
    """A record's logger, message and traceback; secrets masked, control characters as they are."""
    try:
        message = record.getMessage()
    except Exception:  # arguments that don't fit must not lose the message
        message = f"{record.msg} (its arguments can't be shown)"
    if record.exc_info and record.exc_info[0]:
        message += "\n" + _plain.formatException(record.exc_info)
    message = masking.masked(f"{record.name}: {message}")
    return message if len(message) <= _LONGEST else message[:_LONGEST] + " … (cut)"


def escaped(text: str) -> str:
    """Everything on one line, as qpylib's log does it: what can't be printed is escaped."""
    return repr(text)[1:-1]


def _level() -> str:
    try:
        level = str(qpylib.get_manifest_field_value("log_level", "INFO")).upper()
    except Exception:  # a manifest that can't be read must not stop the app
        return "INFO"
    return level if level in _LEVELS else "INFO"


class _Quiet(logging.Handler):
    """Never raises, and doesn't print the record's text when writing it failed."""

    def handleError(self, record: logging.LogRecord) -> None:  # logging's name
        _tell_lost(record)


def _tell_lost(record: logging.LogRecord) -> None:
    """Say on standard error that a record was lost; of a full disk the file tells afterwards.

    Standard error ends up on the same disk, where supervisord, with its own log there too, dies of
    what it can't write (qradar §2.3): the whole app would go with it.
    """
    reason, error, _ = sys.exc_info()
    if is_full(error):
        return
    try:
        sys.stderr.write(
            f"a log record of {record.name} line {record.lineno} was lost: "
            f"{reason.__name__ if reason else 'unknown'}\n"
        )
    except (OSError, ValueError, AttributeError):
        return  # there is nowhere left to say it


class _OneLine(logging.Formatter):
    """The line qpylib writes, for the files that qpylib doesn't."""

    def __init__(self) -> None:
        super().__init__()
        self._app_id = _app_id()

    def format(self, record: logging.LogRecord) -> str:
        code = 6000 if record.levelno < logging.WARNING else 4000
        code = 3000 if record.levelno >= logging.ERROR else code
        return (
            f"{self.formatTime(record)} [{record.threadName}] [{record.levelname}] "
            f"[APP_ID:{self._app_id}] [NOT:{code:010d}] {escaped(one_line(record))}"
        )


class _StandardError(_Quiet, logging.StreamHandler):  # type: ignore[type-arg]
    """Where the lines go when there is no file."""


class _File(_Quiet, RotatingFileHandler):
    """One process's own file; the rotated ones are named worker.log.1, so not collected twice."""


class _Qpylib(_Quiet):
    """Hands records to qpylib, which escapes them and writes app.log."""

    def __init__(self) -> None:
        super().__init__()
        self._inside = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        # qpylib's own logger passes its records on to the root, that is to us
        if getattr(self._inside, "here", False):
            return
        self._inside.here = True
        try:
            qpylib.log(one_line(record), _nearest_level(record.levelno))
        except Exception:  # logging never raises into the caller
            self.handleError(record)
        finally:
            self._inside.here = False


def _nearest_level(number: int) -> str:
    fitting = [name for name in _LEVELS if logging.getLevelName(name) <= number]
    return fitting[-1] if fitting else "DEBUG"


def _app_id() -> int:
    try:
        return paths.app_id()
    except ValueError:
        return 0


def _log_file(process: str) -> Path:
    if not re.fullmatch(r"[a-z][a-z-]*", process):
        raise ValueError(f"{process!r} can't name a log file")
    folder = paths.store_dir() / "log"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{process}.log"


def _web_handler() -> logging.Handler:
    _log_file("app")
    qpylib.create_log(False)
    qpylib.set_log_level(_level())
    # after a failure create_log does nothing at all the second time; only log() tells
    qpylib.log("the log is open", "DEBUG")
    for handler in _handlers_of(_log_file("app")):
        keep_whole(handler)
        handler.handleError = _tell_lost  # type: ignore[method-assign]
    return _Qpylib()


def _handlers_of(file: Path) -> list[RotatingFileHandler]:
    """What qpylib has put on a logger of its own, whose name is its secret, to write ``file``."""
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    return [
        handler
        for logger in loggers
        for handler in logger.handlers
        if isinstance(handler, RotatingFileHandler)
        and Path(handler.baseFilename).absolute() == file.absolute()
    ]


def _file_handler(process: str) -> logging.Handler:
    handler = _File(
        _log_file(process), maxBytes=_ROTATE_AT, backupCount=_ROTATED_FILES, encoding="utf-8"
    )
    keep_whole(handler)
    handler.setFormatter(_OneLine())
    return handler
