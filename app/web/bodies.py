# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Request bodies of the JSON API: their size, their kind, and their fields as plain text."""

import json
import re
from urllib.parse import parse_qsl

from flask import request

from app.web.problems import BODY_LIMIT, Problem
from app.web.texts import problems as words

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def read_body() -> bytes:
    """The raw body, however it is framed; 413 when it is larger than `BODY_LIMIT`.

    Also a chunked body, which has no Content-Length, is read only up to the limit.
    """
    body = request.get_data(cache=False)
    if len(body) > BODY_LIMIT:
        raise Problem(413, words.body_too_large(BODY_LIMIT))
    return body


def check_kind(*allowed: str) -> str:
    """The body's media type; 415 unless it is one of ``allowed`` and not compressed."""
    kind = request.mimetype
    if kind not in allowed:
        raise Problem(415, words.wrong_kind(*allowed), field="Content-Type")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, words.COMPRESSED, field="Content-Encoding")
    return kind


def clean(text: str) -> str:
    """``text`` without what neither UTF-8 nor a database column can hold."""
    return _NOT_STORABLE.sub("\ufffd", text)


def read_pairs(body: bytes, kind: str) -> list[tuple[str, str]]:
    """The fields of a form or of a JSON object, in their order, every value as text.

    Bad UTF-8 is replaced. JSON's null is an empty value, true and false and nested values keep
    their JSON spelling, numbers their digits. 400 when the body is not of its kind.
    """
    text = body.decode("utf-8", "replace")
    if kind == FORM:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
        return [(clean(key), clean(value)) for key, value in pairs]
    return [(clean(key), clean(_as_text(value))) for key, value in _json_object(text).items()]


def read_json_object() -> dict[str, object]:
    """The request's JSON object; 413, 415 or 400 when there is none."""
    body = read_body()
    check_kind(JSON)
    return _json_object(body.decode("utf-8", "replace"))


def _json_object(text: str) -> dict[str, object]:
    try:
        # Numbers stay text: no digit is lost, and no number is too large to read.
        document = json.loads(
            text.removeprefix("\ufeff"), parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError) as error:
        raise Problem(400, words.NO_JSON, code="bad_json") from error
    if not isinstance(document, dict):
        raise Problem(400, words.NO_OBJECT, code="bad_json")
    return document


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
