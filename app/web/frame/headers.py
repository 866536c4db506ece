# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The headers that tell browsers what our answers may do."""

from flask import Flask, Response, request

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        # QRadar shows the app in a frame of a page with the same origin (qradar §3.3).
        "frame-ancestors 'self'",
    )
)


def register(app: Flask) -> None:
    """Set them on every answer of ``app``."""

    @app.after_request
    def set_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        # What a page shows is true at one moment only; files say themselves how long they hold.
        if request.endpoint != "static" or response.status_code not in {200, 304}:
            response.headers["Cache-Control"] = "no-store"
        return response
