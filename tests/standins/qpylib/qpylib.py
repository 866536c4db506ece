# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The module an app imports as ``from qpylib import qpylib``: paths, links, manifest, log."""

import json
import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import flask

_LOGGER_NAME = "com.ibm.applicationLogger"
_LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR", "EXCEPTION", "CRITICAL"}
_FORMAT = (
    "%(asctime)s [%(threadName)s] [%(levelname)s] [APP_ID:{app_id}] [NOT:%(ncode)s] %(message)s"
)

_logger: logging.Logger | None = None
_may_log = False
_manifest: dict[str, Any] | None = None


def _environment(name: str) -> str:
    if name not in os.environ:
        raise KeyError(f"no {name} in the environment")
    return os.environ[name]


def get_app_id() -> int:
    text = os.environ.get("QRADAR_APP_ID", "0")
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"QRADAR_APP_ID is {text}, not a number") from None


def get_root_path(*parts: str) -> str:
    return str(Path(_environment("APP_ROOT"), *parts))


def get_store_path(*parts: str) -> str:
    return get_root_path("store", *parts)


def get_manifest_json() -> Any:
    """The manifest as it was when first asked for: it is read once per process."""
    global _manifest
    if _manifest is None:
        _manifest = json.loads(Path(get_root_path("manifest.json")).read_text())
    return _manifest


def get_manifest_field_value(key: str, default_value: Any = None) -> Any:
    manifest = get_manifest_json()
    if key not in manifest and default_value is None:
        raise KeyError(f"the manifest has no field {key}")
    return manifest.get(key, default_value)


def get_console_address() -> str:
    return _environment("QRADAR_CONSOLE_IP")


def get_console_fqdn() -> str:
    return _environment("QRADAR_CONSOLE_FQDN")


def get_app_base_url() -> str:
    """The app's address behind the proxy, by the host the browser used; '' when not known."""
    app_id = get_app_id()
    host = flask.request.headers.get("X-Console-Host") if flask.has_request_context() else None
    if host is None:
        host = os.environ.get("QRADAR_CONSOLE_IP")
    if app_id == 0 or host is None:
        return ""
    return f"https://{host}/console/plugins/{app_id}/app_proxy"


def q_url_for(endpoint: str, **values: Any) -> str:
    return get_app_base_url() + flask.url_for(endpoint, **values)


def _add_code(record: logging.LogRecord) -> bool:
    code = {"WARNING": 4000, "ERROR": 3000, "CRITICAL": 3000}.get(record.levelname, 6000)
    record.ncode = f"{code:010d}"
    return True


def create_log(syslog_enabled: bool = True) -> None:
    """Open store/log/app.log, once per process.

    As in the real one, a failure (no folder, a level that isn't one) happens after the logger was
    taken: a second call then returns at once and `log` keeps refusing. The stand-in sends no
    syslog: an app that asks for it is told.
    """
    global _logger, _may_log
    if _logger is not None:
        return
    _logger = logging.getLogger(_LOGGER_NAME)
    _logger.setLevel(get_manifest_field_value("log_level", "INFO").upper())
    _logger.addFilter(_add_code)
    if syslog_enabled:
        raise NotImplementedError("the stand-in has no syslog")
    handler = RotatingFileHandler(
        get_store_path("log", "app.log"), maxBytes=2 * 1024 * 1024, backupCount=5
    )
    handler.setFormatter(logging.Formatter(_FORMAT.format(app_id=get_app_id())))
    _logger.addHandler(handler)
    _may_log = True


def log(message: object, level: str = "INFO") -> None:
    """Write one line. EXCEPTION adds the current traceback, unescaped and on many lines."""
    if _logger is None or not _may_log:
        raise RuntimeError("create_log comes first")
    name = level.upper()
    if name not in _LEVELS:
        raise ValueError(f"there is no level {level}")
    number = logging.ERROR if name == "EXCEPTION" else logging.getLevelNamesMapping()[name]
    _logger.log(number, repr(message)[1:-1], exc_info=name == "EXCEPTION")


def set_log_level(level: str = "INFO") -> None:
    if _logger is None:
        raise RuntimeError("create_log comes first")
    _logger.setLevel(level.upper())
