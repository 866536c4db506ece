# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults: what goes wrong on the way, for which requests, how often. Answers, not sockets.

A fault is ``{"match": {"method": "POST", "path": "action=start"}, "do": "close", "times": 1,
"after": true}``. ``match`` has ``method`` (one, or a list), ``path`` (a regular expression that is
searched in ``path?query``, percent-decoded) and ``stage`` (``"request"``; or ``"accept"``, where
nothing was read yet, not even TLS, and only ``close``, ``reset`` and ``hang`` make sense). The
first ``skip`` matches pass, then the fault strikes ``times`` (1) times, null = always. With
``after`` the request has its effect first and only its answer suffers: that is how an answer gets
lost.

=============  ==================================================================================
``do``         what happens (further keys of the fault, with their default)
=============  ==================================================================================
``status``     ``status`` (500) with an error body of ``id`` and ``description``, or, where
               ``body`` is given, exactly that text as ``content_type`` (application/json)
``html502``    any ``html<status>``: an HTML page from something in front of CDM (cdm §8)
``empty``      ``status`` (200) with no body at all
``garbage``    ``status`` (200) and JSON as content type, but the body is no JSON
``oversize``   200 and ``megabytes`` (8) of valid JSON
``redirect``   ``status`` (302) to ``location`` (``/elsewhere``)
``close``      the connection ends without an answer
``reset``      the same, by a TCP reset
``truncate``   half of the real answer, then the end of the connection
``hang``       nothing, until ``release()`` or ``reset()``; ``then``: ``close``, or ``answer``
``delay``      the real answer, ``seconds`` (1) later; other faults may follow
``drip``       the real answer in pieces of ``bytes`` (1) each ``seconds`` (0.05)
=============  ==================================================================================
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote

from .reply import Reply, error, json_reply

INSTEAD = ("status", "empty", "garbage", "oversize", "redirect")
WIRE = ("close", "reset", "truncate", "hang", "delay", "drip")


@dataclass(slots=True)
class Fault:
    """One entry of the ``faults`` switch; see the module for the meaning of each field."""

    do: str
    method: str | tuple[str, ...] | None = None
    path: str = ""
    stage: str = "request"
    times: int | None = 1
    skip: int = 0
    after: bool = False
    status: int | None = None
    id: str = "XSBInternalErrorException"
    description: str = "The simulator was told to fail."
    body: str | None = None
    content_type: str = "application/json"
    location: str = "/elsewhere"
    megabytes: float = 8
    seconds: float | None = None
    bytes: int = 1
    then: str = "close"
    hits: int = 0
    passed: int = 0

    def __post_init__(self) -> None:
        if self.do not in INSTEAD + WIRE and not re.fullmatch(r"html\d{3}", self.do):
            raise ValueError(f"no such fault: {self.do}")
        if self.then not in ("close", "answer"):
            raise ValueError(f"hang then what: {self.then}")
        re.compile(self.path)

    @classmethod
    def of(cls, given: "Fault | Mapping[str, Any]") -> "Fault":
        """Read the JSON form; raise ValueError for an unknown key or kind."""
        if isinstance(given, Fault):
            return given
        flat = {**given}
        flat.update(flat.pop("match", {}))
        if isinstance(flat.get("method"), list):
            flat["method"] = tuple(flat["method"])
        try:
            return cls(**flat)
        except (TypeError, re.error) as error_:
            raise ValueError(f"not a fault: {error_}") from error_

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can follow this fault (a delay lets others follow)."""
        return self.do != "delay"

    @property
    def wait(self) -> float:
        """Seconds for delay and drip."""
        return self.seconds if self.seconds is not None else (1.0 if self.do == "delay" else 0.05)

    def strikes(self, method: str, target: str, *, stage: str) -> bool:
        """Whether it strikes this request; counts it if so. Not thread-safe by itself."""
        methods = (self.method,) if isinstance(self.method, str) else self.method
        if stage != self.stage or (methods and method not in methods):
            return False
        if not re.search(self.path, unquote(target)):
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        if self.passed < self.skip:
            self.passed += 1
            return False
        self.hits += 1
        return True

    def answer(self) -> Reply | None:
        """The answer that takes the real one's place, or None for a fault of the wire."""
        if self.do in WIRE:
            return None
        if self.do.startswith("html"):
            return _html(int(self.do[4:]))
        if self.do == "redirect":
            return Reply(self.status or 302, b"", headers={"Location": self.location})
        if self.do == "empty":
            return Reply(self.status or 200, b"")
        if self.do == "garbage":
            return Reply(self.status or 200, b'{"jobs": [ Proxy says hello', "application/json")
        if self.do == "oversize":
            return json_reply({"padding": "x" * int(self.megabytes * 1024 * 1024)})
        if self.body is not None:
            return Reply(self.status or 500, self.body.encode(), self.content_type)
        return error(self.status or 500, self.id, self.description)

    def as_json(self) -> dict[str, Any]:
        """The flat form, with the counters."""
        return asdict(self)


def _html(status: int) -> Reply:
    page = (
        f"<html><head><title>{status} Proxy trouble</title></head>"
        f"<body><h1>{status}</h1><p>The upstream server gave no good answer.</p></body></html>"
    )
    return Reply(status, page.encode(), "text/html; charset=utf-8")
