# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""One whole request in, one whole answer out: gunicorn's own parser and response, on memory.

A thread that answers neither reads from a connection nor writes to one, so nobody can hold it by
being slow.
"""

import io
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gunicorn.http import get_parser, wsgi  # type: ignore[import-untyped] # no stubs
from gunicorn.http.errors import (  # type: ignore[import-untyped] # no stubs
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)

from app.web.front.framing import BODY_LIMIT, BODY_PROBLEM, Problem

Peer = tuple[str, int]
SERVER = "Safeguarded restore"
MALFORMED, CRASHED = "malformed", "answered 500"
_REFUSALS: dict[type[Exception], tuple[int, str]] = {
    LimitRequestLine: (414, "URI Too Long"),
    LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    ExpectationFailed: (417, "Expectation Failed"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be sent; ``refused`` is why the app was not asked, or could not answer."""

    data: bytes
    keep: bool = False  # the connection, for another request
    refused: str = ""


def refusal(status: int, phrase: str, why: str) -> Answer:
    """An answer of the front itself, after which the connection is closed."""
    text = f"{status} {phrase}\n"
    retry = "Retry-After: 1\r\n" if status == 503 else ""
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nServer: {SERVER}\r\nConnection: close\r\n"
        f"Content-Type: text/plain\r\n{retry}Content-Length: {len(text)}\r\n\r\n"
    )
    return Answer((head + text).encode("ascii"), refused=why)


class Answerer:
    """Has ``app`` answer requests; ``cfg`` is gunicorn's."""

    def __init__(self, cfg: Any, app: Callable[..., Iterable[bytes]], log: Any) -> None:
        self._cfg, self._app, self._log = cfg, app, log

    def answer(
        self,
        request: bytes,
        problem: Problem | None,
        *,
        peer: Peer,
        server: Peer,
        last: Callable[[], bool],
    ) -> Answer:
        """Answer one request. Never raises.

        ``last`` tells whether another one is wanted on its connection, when the answer is there.
        """
        out = _Output()
        try:
            parser = get_parser(self._cfg, iter([request]), peer)
            try:
                parsed = next(parser)
            except (ParseException, OSError, StopIteration) as error:
                # The parser has no name for a head that was cut at the front's own limit.
                kind = (
                    LimitRequestHeaders if problem and isinstance(error, OSError) else type(error)
                )
                return refusal(*_REFUSALS.get(kind, (400, "Bad Request")), MALFORMED)
            body, problem = _read_body(parser, parsed, problem)
            keep = self._run(parsed, body, problem, out, peer, server, last)
            return Answer(bytes(out.data), keep)
        except Exception as error:  # the rim: the app tells of its own errors, this is the front's
            # not the error's words, which may quote what was sent
            where = "".join(traceback.format_tb(error.__traceback__))
            self._log.error("A request could not be answered: %s\n%s", type(error).__name__, where)
            return refusal(500, "Internal Server Error", CRASHED)

    def _run(
        self,
        parsed: Any,
        body: bytes,
        problem: Problem | None,
        out: "_Output",
        peer: Peer,
        server: Peer,
        last: Callable[[], bool],
    ) -> bool:
        # Whoever waited for leave to send the body had it; gunicorn would say it once more.
        parsed._expected_100_continue = False
        response, environ = wsgi.create(
            parsed, out, peer, server, self._cfg, response_class=_Response
        )
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.multithread"] = True
        if problem:
            environ[BODY_PROBLEM] = problem

        def start_response(*status_and_headers: Any) -> Any:
            if problem or last():
                response.force_close()
            return response.start_response(*status_and_headers)

        parts = self._app(environ, start_response)
        try:
            for part in parts:
                response.write(part)
            response.close()
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return not response.should_close()


def _read_body(parser: Any, parsed: Any, problem: Problem | None) -> tuple[bytes, Problem | None]:
    """The body without its framing, and what is wrong with it."""
    if problem:
        return b"", problem
    try:
        body: bytes = parsed.body.read(BODY_LIMIT + 1)
    except OSError:  # gunicorn's word for an end that came too soon
        return b"", Problem.CUT
    except ParseException:
        return b"", Problem.FRAMING
    lengths = [value for name, value in parsed.headers if name == "CONTENT-LENGTH"]
    if lengths and len(body) < int(lengths[0]):
        return b"", Problem.CUT
    if len(body) > BODY_LIMIT:
        return b"", Problem.TOO_LARGE
    # What is left over would be read as another request: the two readings of the framing differ.
    if parser.unreader.buf.getvalue():
        return b"", Problem.FRAMING
    return body, None


class _Output:
    """Stands where gunicorn expects the socket, and keeps what is written to it."""

    def __init__(self) -> None:
        self.data = bytearray()

    def sendall(self, data: bytes) -> None:
        self.data += data

    def send(self, data: bytes) -> int:
        self.data += data
        return len(data)


class _Response(wsgi.Response):  # type: ignore[misc] # no stubs
    """Names the app instead of gunicorn, which lets nobody else set that header."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.version = SERVER
