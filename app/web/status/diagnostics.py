# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What support will ask for, as a page and as a file: facts about this installation, no secrets.

Only what is named here gets in; log lines, written masked already, are masked once more. What the
console really does where its documentation is silent (qradar §12) is told by observation.
"""

import json
import os
import platform
import resource
from collections import deque
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from flask import Blueprint, Response, render_template, request

from app.configuration.document import export_document
from app.framework import masking, paths
from app.framework.bulkhead import TooBusy
from app.qradar.console import ConsoleRefused, ConsoleUnavailable
from app.qradar.identity import Right, token_of
from app.store.times import to_text
from app.web.frame.access import caller, needs
from app.web.services import services
from app.web.status.health import health_document
from app.web.status.health_strip import store_bytes

bp = Blueprint("diagnostics", __name__, url_prefix="/diagnostics")

_PACKAGES = ("flask", "werkzeug", "jinja2", "requests", "urllib3", "cryptography", "qpylib")
_MORE_PACKAGES = ("gunicorn", "flask-wtf", "wtforms")
# What QRadar tells its apps that is no secret; of QRADAR_APP_UUID only whether it is there.
_ENVIRONMENT = (
    *("QRADAR_VERSION", "QRADAR_BUILD_VERSION", "QRADAR_APP_ID", "QRADAR_CONSOLE_FQDN"),
    *("QRADAR_APPHOST_EXISTS", "QRADAR_APP_RUNNING_ON_APPHOST", "IS_QROC", "TZ", "LANG"),
    *("REQUESTS_CA_BUNDLE", "LOG_COLLECTOR_RATE_LIMIT", "QRADAR_APPFW_SDK"),
)
_INJECTED = ("QRadarUser", "QRadarUserRole", "QRadarSecurityProfile", "X-Console-Host")
_LOG_TAIL, _LOG_READ = 40, 256 * 1024  # lines, bytes
_AUDIT_NEWEST = 5_000  # rows; the worker goes through all of them, once a day
_TROUBLE = ("[WARNING]", "[ERROR]", "[CRITICAL]")


@bp.get("")
@needs(Right.ADMINISTER)
def show() -> str:
    """The page."""
    return render_template("status/diagnostics.html", parts=gather())


@bp.get("/bundle.json")
@needs(Right.ADMINISTER)
def download() -> Response:
    """The same as a file."""
    text = json.dumps(gather(), indent=2, ensure_ascii=False) + "\n"
    response = Response(text, mimetype="application/json")
    name = f"safeguarded-restore-diagnostics-{services().clock():%Y%m%d-%H%M%S}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def gather() -> dict[str, dict[str, object]]:
    """Everything, by subject; values are text, numbers, lists and objects as JSON has them."""
    return {
        "versions": _versions(),
        "request": _observed(),
        "environment": _environment(),
        "health": health_document(services()),
        "store": _store(),
        "memory": _memory(),
        "configuration": _configuration(),
        "last troubles": _last_troubles(),
    }


def _versions() -> dict[str, object]:
    return {
        "app": services().version,
        "Python": platform.python_version(),
        **services().store.statistics.versions(),
        **{name: _version_of(name) for name in (*_PACKAGES, *_MORE_PACKAGES)},
    }


def _version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _observed() -> dict[str, object]:
    """How this very request arrived, never what its token is (qradar §12, 2 to 5)."""
    token, form = token_of(request.headers, request.cookies)
    return {
        "QRadar token arrived as": form,
        "also as a cookie": "SEC" in request.cookies,
        "caller": caller().name,
        "caller is a": caller().kind,
        "headers that the proxy put in": [one for one in _INJECTED if one in request.headers],
        "QRadarCSRF cookie": "QRadarCSRF" in request.cookies,
        "console API version": _api_version(token),
    }


def _api_version(token: str | None) -> str:
    try:
        with services().bulkhead.place():
            return services().api_version(token) or "not known"
    except (ConsoleRefused, ConsoleUnavailable, TooBusy) as error:
        return f"could not be asked: {error}"


def _environment() -> dict[str, object]:
    names = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return {
        **names,
        "QRADAR_APP_UUID": "set" if paths.has_app_uuid() else "not set",
        "proxy variables set": sorted(
            name for name in os.environ if name.lower().endswith("_proxy")
        ),
    }


def _store() -> dict[str, object]:
    used, free = store_bytes(services())
    store = services().store
    return {
        "bytes": used,
        "bytes free": free,
        "rows": dict(store.statistics.rows()),
        "newest audit rows verify": store.audit.verify(newest=_AUDIT_NEWEST),
        "whole audit trail": _audit_trail(store.marks.audit_verified()),
        "sign of life": {
            name: {"at": to_text(at), "process": pid}
            for name, (at, pid) in store.heartbeats.all().items()
        },
    }


def _audit_trail(found: tuple[str, bool] | None) -> str:
    if found is None:
        return "not gone through yet"
    return f"{'verified' if found[1] else 'DOES NOT VERIFY'}, {found[0]}"


def _memory() -> dict[str, object]:
    """Of the web process; the limit is the container's."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak of the web process, KiB": peak, "threads' CPU seconds": os.times().user}


def _configuration() -> dict[str, object]:
    """The configuration document; a certificate is public but long."""
    document = export_document(services().store)
    connections = document.get("connections")
    for connection in connections if isinstance(connections, list) else []:
        if connection.get("ca_pem"):
            connection["ca_pem"] = f"{connection['ca_pem'].count('BEGIN')} certificates"
    return dict(document)


def _last_troubles() -> dict[str, object]:
    folder = paths.store_dir() / "log"
    return {file.name: _troubles(file) for file in sorted(folder.glob("*.log"))}


def _troubles(file: Path) -> list[str]:
    """The last warnings and errors of a log, masked."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - _LOG_READ))
            text = log.read().decode("utf-8", "replace")
    except OSError as error:
        return [f"can't be read: {error.strerror}"]
    return _masked(deque(filter(_is_trouble, text.splitlines()), maxlen=_LOG_TAIL))


def _is_trouble(line: str) -> bool:
    return any(word in line for word in _TROUBLE)


def _masked(lines: Iterable[str]) -> list[str]:
    return [masking.masked(line)[:2000] for line in lines]
