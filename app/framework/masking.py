# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which texts are secret, and how they are made unreadable before anything is logged."""

import json
import re
import threading
from collections import OrderedDict
from urllib.parse import quote, quote_plus

MASK = "***"

_SHORTEST = 4
"""A secret shorter than this would turn every line into stars and tell its own letters."""

_AT_MOST = 1000
"""How many are remembered. Whoever uses a secret registers it again, so that those in use stay."""

_UUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_HEADERS = (
    r"(?:proxy-)?authorization|cookie|set-cookie|sec|x-endeavour-sessionid|x-trigger-token"
    r"|x-csrftoken|qradarcsrf"
)
_FIELDS = r"password|passwd|token|secret|sessionid"
_PATTERNS = (
    # Authorization: Basic xyz - 'SEC': 'xyz' - SEC=xyz; the value ends where the quotes do
    re.compile(rf"""(?i)\b((?:{_HEADERS})["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^"'\r\n,;}}]+)"""),
    re.compile(rf"""(?i)\b((?:{_FIELDS})["']?(?:=|["']\s*:)\s*)("[^"]*"|'[^']*'|[^\s"',;&}}]+)"""),
    re.compile(r"(?P<a>\b(?i:basic|bearer)\s+)((?=\S*[0-9A-Z=+/])[A-Za-z0-9+/=._~-]{6,})"),
    re.compile(rf"(?i)(\bSEC\b\W{{0,4}})({_UUID})"),
)

_lock = threading.Lock()
_variants: OrderedDict[str, frozenset[str]] = OrderedDict()
_longest_first: tuple[str, ...] = ()


def mask(secret: str) -> None:
    """From now on no log line of this process shows ``secret``, plain or encoded.

    For passwords, tokens, SEC values, API session ids. Shorter than four characters is not masked.
    """
    global _longest_first
    if len(secret) < _SHORTEST:
        return
    with _lock:
        if secret in _variants:
            _variants.move_to_end(secret)
            return
        _variants[secret] = frozenset(
            {
                secret,
                quote(secret, safe="", errors="replace"),
                quote_plus(secret, errors="replace"),
                repr(secret)[1:-1],
                json.dumps(secret)[1:-1],
                json.dumps(secret, ensure_ascii=False)[1:-1],
            }
        )
        while len(_variants) > _AT_MOST:
            _variants.popitem(last=False)
        # the longest first: a secret that begins with another must not leave its end behind
        everything = {variant for variants in _variants.values() for variant in variants}
        _longest_first = tuple(sorted(everything, key=len, reverse=True))


def masked(text: str) -> str:
    """``text`` without the registered secrets and without what looks like one."""
    for secret in _longest_first:
        if secret in text:
            text = text.replace(secret, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text
