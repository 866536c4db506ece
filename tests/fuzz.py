# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Hostile requests over every route, method and framing, from a seed; and what must hold all along.

No answer is 5xx but a 503 that says when to come again, no traceback is logged, triggers are
answered in between, and the log stays short. Sent over raw sockets to the real web process, with
an administrator's token, the trigger token, junk, or nothing.
"""

import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from tests.simulators.console import ConsoleSimulator
from tests.web_process import OTHER_PEER, ROOT, WebProcess, status_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "PROPFIND")
VALUES = (
    *(b"", b"0", b"1", b"-1", b"9" * 400, b"1e999", b"NaN", b"null", b"true", b"[]", b"{}"),
    *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", "ünï\u2028\u202e".encode(), b"a" * 300, b"a" * 9000),
    *(b"../" * 40, b"%00", b"%", b"{{7*7}}", b"<b>", b"' OR 1=1 --", b"127.0.0.1", b"armed"),
    *(b"2026-13-45T99:99:99Z", b"1" * 20, b"\r\nX: y", b"=1+1", b";", b"a=b&c", b"SQL attack"),
)
NAMES = (
    *("name", "host", "port", "username", "password", "trust", "ca_pem", "ca_file", "fingerprint"),
    *("proxy", "rule_id", "rule_name", "job_id", "cooldown_s", "enabled", "watch", "connection"),
    *("mapping", "reason", "request_id", "token", "event_time", "offense_id", "decision", "action"),
    *("state", "from", "to", "q", "before", "limit", "mode", "roles", "settings", "job_session_id"),
)
HEADERS = (
    *("SCRIPT_NAME: /a", "PATH_INFO: /a", "Script-Name: /a", "X-Forwarded-Proto: https"),
    *(
        "X-Console-Host: evil.example",
        "Host: evil.example",
        "Host: ev\x9cil",
        "Range: bytes=0-,0-",
        "Cookie: a=\xff",
    ),
    *("Accept-Encoding: gzip;q=x", "If-None-Match: *", "If-Modified-Since: x", "X-Refresh: 1"),
    *("Content-Encoding: gzip", "Accept-Language: \xe9", "Authorization: Basic x", "TE: trailers"),
    *("Upgrade: h2c", "Connection: upgrade, http2-settings", "Referer: \xff", "Expect: x"),
)


@dataclass(slots=True)
class Found:
    """What a campaign has seen."""

    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def routes(web: WebProcess) -> list[tuple[str, str]]:
    """Every method and address of the app, with its placeholders."""
    code = (
        "from app import create_app\n"
        "for rule in create_app().url_map.iter_rules():\n"
        "    print(*(f'{method} {rule}' for method in rule.methods), sep='\\n')"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=web.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = {(method, path) for method, path in map(str.split, said.splitlines())}
    # What changes something is worth more tries than what HEAD and OPTIONS answer.
    return sorted(route for route in found for _ in range({"POST": 8, "GET": 4}.get(route[0], 1)))


class Fuzz:
    """Makes requests from ``dice``."""

    def __init__(
        self, dice: random.Random, routes: list[tuple[str, str]], credentials: list[str]
    ) -> None:
        self._dice, self._routes, self._credentials = dice, routes, credentials

    def request(self) -> bytes:
        dice = self._dice
        method, rule = dice.choice(self._routes)
        if dice.random() < 0.1:
            method = dice.choice(METHODS)
        path = re.sub(r"<[^>]+>", lambda _: self._in_path(), rule)
        if dice.random() < 0.3:
            query = "&".join(f"{dice.choice(NAMES)}={self._in_path()}" for _ in range(3))
            path = f"{path}?{query}"
        lines = [f"{method} {path} HTTP/1.{dice.choice('0111')}"]
        lines += dice.sample(HEADERS, dice.choice((0, 0, 0, 1, 3)))
        lines += [dice.choice(self._credentials)] if dice.random() < 0.9 else []
        kind, body = self._body()
        lines.append(f"Content-Type: {kind}")
        framing, framed = self._framed(body)
        lines += framing
        raw = "\r\n".join(line for line in lines if line).encode("latin-1") + b"\r\n\r\n" + framed
        if dice.random() < 0.05:
            at = dice.randrange(len(raw))
            raw = raw[:at] + dice.randbytes(3) + raw[at + dice.choice((0, 3)) :]
        return raw

    def _in_path(self) -> str:
        if self._dice.random() < 0.5:
            return str(self._dice.choice((1, 2, 10**6)))
        return quote_from_bytes(self._dice.choice(VALUES), safe="/")

    def _body(self) -> tuple[str, bytes]:
        dice = self._dice
        names = dice.sample(NAMES, dice.choice((0, 1, 4, 12)))
        pairs = [(name.encode(), dice.choice(VALUES)) for name in names]
        match dice.choice(("form", "form", "multipart", "multipart", "json", "rubbish")):
            case "form":
                body = b"&".join(name + b"=" + value for name, value in pairs)
                return "application/x-www-form-urlencoded", body
            case "multipart":
                parts = [
                    b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
                    % (name, dice.choice((b"", b'; filename="f"', b'; filename=""')), value)
                    for name, value in pairs
                ]
                return "multipart/form-data; boundary=x", b"".join(parts) + b"--x--\r\n"
            case "json":
                members = b",".join(
                    b'"%s":%s' % (name, value.replace(b"\x00", b"") or b'""')
                    for name, value in pairs
                )
                return "application/json", dice.choice((b"{%s}" % members, b"[" * 3000, members))
        return dice.choice(("text/plain", "application/json", "x", "multipart/form-data")), b"\x00x"

    def _framed(self, body: bytes) -> tuple[list[str], bytes]:
        dice = self._dice
        chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        match dice.randrange(12):
            case 0:
                return ["Transfer-Encoding: chunked"], chunk + b"0\r\n\r\n"
            case 1:
                return ["Transfer-Encoding: chunked"], chunk + dice.choice(
                    (b"zz\r\n", b"-1\r\n", b"")
                )
            case 2:
                return [f"Content-Length: {len(body) + 7}"], body
            case 3:
                odd = dice.choice(("-1", "x", "99999999999", "70000", "5, 5", "\xb2"))
                return [f"Content-Length: {odd}"], body
            case 4:
                return ["Transfer-Encoding: chunked", f"Content-Length: {len(body)}"], body
            case 5:
                return [f"Transfer-Encoding: {dice.choice(('gzip', 'x', 'chunked, x'))}"], body
        return [f"Content-Length: {len(body)}"], body


def credentials(web: WebProcess, console: ConsoleSimulator) -> list[str]:
    """Header lines: an administrator with a form's token, the trigger token, and junk."""
    sec = console.login("admin")["SEC"]
    answer = web.ask(f"GET /api/v1/csrf HTTP/1.0\r\nCookie: SEC={sec}\r\n\r\n".encode()).decode()
    cookie = re.search(r"Set-Cookie: ([^;]+)", answer)
    token = re.search(r'"csrf_token":\s*"([^"]+)"', answer)
    if cookie is None or token is None:
        raise RuntimeError(f"no CSRF token was given: {answer[:300]}")
    admin = f"Cookie: SEC={sec}; {cookie[1]}\r\nX-CSRFToken: {token[1]}"
    return [admin] * 6 + [f"X-Trigger-Token: {web.trigger_token}", "SEC: junk", "Cookie: SEC=junk"]


def campaign(web: WebProcess, console: ConsoleSimulator, number: int, seed: int) -> Found:
    """Send ``number`` requests, a valid trigger after each hundred; give what did not hold."""
    dice = random.Random(seed)  # noqa: S311 - a campaign that can be repeated
    fuzz, found = Fuzz(dice, routes(web), credentials(web, console)), Found()
    before = len(web.logs())
    for count in range(number):
        request = fuzz.request()
        answer = web.ask(request, OTHER_PEER)
        status = status_of(answer)
        found.statuses[status] += 1
        if status >= 500 and not (status == 503 and b"\r\nRetry-After:" in answer):
            found.broken.append(f"{status} to {request[:500]!r}")
        if b"\r\nLocation: http" in answer and b"evil.example" in answer:
            found.broken.append(f"led out by {request[:500]!r}")
        if count % 100 == 99 and (said := web.trigger(f"fuzz-{seed}-{count:06}")) != 202:
            found.broken.append(f"a trigger was answered {said} after {count} requests")
    said_all = web.logs()[before:]
    if "Traceback" in said_all:
        found.broken.append(f"a traceback: {said_all[said_all.index('Traceback') :][:2000]}")
    # An administrator's writes are logged one by one; what is refused must not be.
    if len(said_all) > 20_000 + 200 * number:
        found.broken.append(f"{len(said_all)} bytes of log")
    return found
