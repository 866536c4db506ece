# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Style sheets, script, icons and fonts: addressed by their content, so that browsers keep them.

Pages are not compressed, only these files: they hold no secret beside something a caller sent.
"""

import gzip
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, current_app, make_response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from app.web.frame.addresses import link

_FOREVER = "private, max-age=31536000, immutable"
_BRIEFLY = "private, max-age=300"
_TEXT = (".css", ".js", ".svg", ".txt")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of ours as it is sent."""

    content: bytes
    compressed: bytes | None  # None where it would gain nothing
    digest: str


@lru_cache(maxsize=64)
def _load(path: Path, _changed_ns: int) -> Asset:
    content = path.read_bytes()
    # the time is left out: the same file gives the same bytes in every process
    compressed = gzip.compress(content, 9, mtime=0) if path.suffix in _TEXT else None
    return Asset(content, compressed, sha256(content).hexdigest()[:8])


def _find(filename: str) -> Asset | None:
    joined = safe_join(str(current_app.static_folder), filename)
    path = Path(joined) if joined else None
    try:
        if path is None or not path.is_file() or path.name.startswith("."):
            return None
        return _load(path, path.stat().st_mtime_ns)
    except OSError:  # a name that no file can have
        return None


def asset(filename: str) -> str:
    """The relative address of a file in ``app/static``, which changes with its content."""
    found = _find(filename)
    return link("static", filename=filename, v=found.digest if found else None)


def send(filename: str) -> Response:
    """A file of ``app/static``, compressed for those who take that."""
    found = _find(filename)
    if found is None:
        raise NotFound
    small = found.compressed is not None and request.accept_encodings["gzip"] > 0
    response = make_response(found.compressed if small and found.compressed else found.content)
    kind = "font/woff2" if filename.endswith(".woff2") else mimetypes.guess_type(filename)[0]
    response.content_type = f"{kind}; charset=utf-8" if filename.endswith(_TEXT) else f"{kind}"
    if found.compressed is not None:
        response.headers["Vary"] = "Accept-Encoding"
    if small:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{found.digest}-gzip" if small else found.digest)
    known = request.args.get("v") == found.digest
    # A font is named by the style sheet, which can't know its content: a new one needs a new name.
    response.headers["Cache-Control"] = (
        _FOREVER if known or filename.endswith(".woff2") else _BRIEFLY
    )
    response.make_conditional(request)
    return response


def register(app: Flask) -> None:
    """Serve ``app/static`` this way and let templates name its files."""
    app.static_folder = "static"
    app.add_url_rule("/static/<path:filename>", "static", send)
    app.add_template_global(asset)
