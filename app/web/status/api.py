# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Health, the configuration without secrets, the token for JSON writes (architecture §5)."""

from flask import Blueprint, Response, jsonify
from flask_wtf.csrf import generate_csrf  # type: ignore[import-untyped] # no stubs

from app.configuration.document import export_document
from app.qradar.identity import Right
from app.web.frame.access import needs
from app.web.services import services
from app.web.status.health import health_document

bp = Blueprint("state_api", __name__, url_prefix="/api/v1")


@bp.get("/health")
@needs(Right.VIEW)
def read_health() -> Response:
    """How the app is: store, worker, connections, mode, version, last trigger."""
    return jsonify(health_document(services()))


@bp.get("/config")
@needs(Right.ADMINISTER)
def read_config() -> Response:
    """The configuration, as ``python3 -m app.configure import`` takes it; no secrets."""
    return jsonify(export_document(services().store))


@bp.get("/csrf")
@needs(Right.VIEW)
def read_csrf_token() -> Response:
    """The token to send as ``X-CSRFToken`` with JSON writes, together with this answer's cookie."""
    return jsonify(csrf_token=generate_csrf())
