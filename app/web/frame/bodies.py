# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Request bodies: whole and small enough, of their kind, their fields as plain text."""

import json
import re
from urllib.parse import parse_qsl

from flask import Flask, request

from app.message import Message
from app.web.frame.problems import Problem, is_api
from app.web.front.framing import BODY_LIMIT, BODY_PROBLEM
from app.web.front.framing import Problem as Framing

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


# The fields that are files; everything else in a form is text.
_FILES = frozenset({"ca_file"})


def register(app: Flask) -> None:
    """Refuse every request of ``app`` whose body is too large, or not what its sender meant."""
    app.before_request(_check_body)


def _check_body() -> None:
    if request.routing_exception is not None:
        return  # 404 and 405 come first (architecture §5)
    problem = request.environ.get(BODY_PROBLEM)
    length = request.content_length
    if problem == Framing.TOO_LARGE or (length or 0) > BODY_LIMIT:
        raise _too_large()
    if problem == Framing.FRAMING:
        raise Problem(
            400,
            Message("The request's body is not framed as HTTP asks for."),
            code="bad_framing",
            cause=Message("A fault in the program that sent it, or in a proxy between."),
        )
    # Read here, once, for every view. Nothing may act on half of what was meant: the half of a
    # rule's number is another rule's.
    body = request.get_data()
    if problem == Framing.CUT or (length is not None and len(body) < length):
        raise Problem(
            400,
            Message("The request's body is shorter than was announced: it was cut off on its way."),
            code="cut_off",
            cause=Message("The connection broke while the request was sent."),
            advice=Message("Nothing was done with it. Send it again."),
        )
    if len(body) > BODY_LIMIT:
        raise _too_large()


def _too_large() -> Problem:
    advice = (
        "" if is_api() else Message("Of certificates, give only the CA that issued the server's.")
    )
    return Problem(
        413,
        Message("The request is larger than {limit} KiB.", limit=BODY_LIMIT // 1024),
        advice=advice,
    )


def check_texts() -> None:
    """400 when a form has a file where text is asked for."""
    for name in request.files:
        if name not in _FILES:
            raise Problem(
                400,
                Message("The field {name} must be text, not a file.", name=clean(name)[:64]),
                field=clean(name)[:64],
            )


def check_kind(*allowed: str) -> str:
    """The body's media type; 415 unless it is one of ``allowed`` and not compressed."""
    kind = request.mimetype
    if kind not in allowed:
        raise Problem(
            415,
            Message("The body must be {allowed}.", allowed=" or ".join(allowed)),
            field="Content-Type",
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, Message("The body must not be compressed."), field="Content-Encoding")
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
    """The request's JSON object; 415 or 400 when there is none."""
    check_kind(JSON)
    return _json_object(request.get_data().decode("utf-8", "replace"))


def _json_object(text: str) -> dict[str, object]:
    try:
        # Numbers stay text: no digit is lost, and no number is too large to read.
        document = json.loads(
            text.removeprefix("\ufeff"), parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError) as error:
        raise Problem(
            400, Message("The body is not JSON that can be read."), code="bad_json"
        ) from error
    if not isinstance(document, dict):
        raise Problem(400, Message("The body must be a JSON object."), code="bad_json")
    return document


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
