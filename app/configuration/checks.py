# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What may be entered in each field of a connection, a mapping and the settings.

A check takes a value as it came from a form or a JSON document, and the field's name, and gives the
value in its normal form, or raises `InvalidField`. A value in its normal form is taken as it is.
Each ``check_…`` is one; the others make one. Nothing is looked up: no store, no name server, no
network.
"""

import ipaddress
import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from app.configuration.addresses import Address, inner_of, is_local
from app.languages import languages
from app.message import Message

Check = Callable[[object, str], object]
MOST_NUMBERS = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_LOCAL_NAMES = {"localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"}


class InvalidField(Exception):
    """A value that can't be taken.

    ``field`` is its name, or its path in the configuration document (``connections[0].host``);
    ``message`` is a sentence for a person that repeats no secret.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field, self.message = field, message

    def under(self, path: str) -> "InvalidField":
        """Give the same error with its field below ``path``."""
        return InvalidField(f"{path}.{self.field}" if self.field else path, self.message)

    def __str__(self) -> str:
        return (
            Message("{field}: {message}", field=self.field, message=self.message)
            if self.field
            else self.message
        )


def check_text(value: object, field: str, *, longest: int) -> str:
    """Give a text of 1 to ``longest`` characters on one line, without blanks at its ends."""
    text = value.strip() if isinstance(value, str) else value
    if not isinstance(text, str):
        raise InvalidField(field, Message("must be a text."))
    if not text:
        raise InvalidField(field, Message("must not be empty."))
    if len(text) > longest:
        raise InvalidField(
            field, Message("must have at most {longest} characters.", longest=longest)
        )
    if _CONTROL.search(text):
        raise InvalidField(field, Message("must not have line breaks or control characters."))
    return text


def check_optional_text(value: object, field: str, *, longest: int) -> str | None:
    """Like `check_text`; nothing, an empty text and blanks are None."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return check_text(value, field, longest=longest)


def optional(check: Check) -> Check:
    """A check that takes nothing, an empty text and blanks for None."""

    def checked(value: object, field: str) -> object:
        nothing = value is None or (isinstance(value, str) and not value.strip())
        return None if nothing else check(value, field)

    return checked


def text(longest: int) -> Check:
    """A check for `check_text`."""
    return lambda value, field: check_text(value, field, longest=longest)


def lines(longest: int) -> Check:
    """A check for a text that may have several lines, without blanks at its ends."""

    def checked(value: object, field: str) -> str:
        if not isinstance(value, str):
            raise InvalidField(field, Message("must be a text."))
        found = [one.rstrip() for one in value.replace("\r\n", "\n").strip().split("\n")]
        if sum(map(len, found)) + len(found) - 1 > longest:
            raise InvalidField(
                field, Message("must have at most {longest} characters.", longest=longest)
            )
        if any(map(_CONTROL.search, found)):
            raise InvalidField(field, Message("must not have control characters."))
        return "\n".join(found)

    return checked


def whole_number(lowest: int, highest: int) -> Check:
    """A check for a number from ``lowest`` to ``highest``, or its digits."""
    return lambda value, field: _check_number(value, field, lowest=lowest, highest=highest)


def one_of(kind: type[StrEnum]) -> Check:
    """A check for one of the words of ``kind``."""
    *others, last = kind
    which = Message("must be {words} or {last}.", words=", ".join(others), last=last)
    if not others:
        which = Message("must be {word}.", word=last)

    def checked(value: object, field: str) -> StrEnum:
        try:
            return kind(str(value))
        except ValueError:
            raise InvalidField(field, which) from None

    return checked


def check_time(value: object, field: str) -> datetime:
    """Give a time in UTC from ISO text; one that names no offset is in UTC."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidField(
            field, Message("must be a time in UTC, as in 2026-11-24 06:00.")
        ) from None


def check_name(value: object, field: str = "name") -> str:
    """Give the name of a connection, a mapping or a trigger token."""
    return check_text(value, field, longest=100)


def check_host(value: object, field: str = "host", *, allow_loopback: bool = False) -> str:
    """Give a host name or address in lower case, IPv6 without brackets and in its shortest form.

    A URL, user information or a port is refused, and so are addresses of this machine and of the
    local link, in every spelling, unless ``allow_loopback``: the app must not be a way into its own
    host or to a cloud's metadata (architecture §5).
    """
    text = check_text(value, field, longest=260)
    if "@" in text:
        raise InvalidField(
            field, Message("must not have user information (something before an @).")
        )
    if "/" in text or "\\" in text:
        raise InvalidField(
            field, Message("must be a bare host name or address, without https:// or a path.")
        )
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    address = _address(bare, field)
    if address is not None:
        _check_address(address, field, allow_loopback=allow_loopback)
        return str(address)
    if bare != text or ":" in bare:
        raise InvalidField(
            field, Message("must be a bare host name or address; the port has its own field.")
        )
    name = bare.removesuffix(".").lower()
    if not name.isascii():
        raise InvalidField(field, Message("must have ASCII letters only; write the name as xn--…."))
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise InvalidField(field, Message("is not a host name."))
    if not allow_loopback and (
        name in _LOCAL_NAMES or name.endswith((".localhost", "localhost.localdomain"))
    ):
        raise InvalidField(field, Message("must not be this machine."))
    return name


def _address(text: str, field: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        pass
    # 127.1, 2130706433, 0x7f000001 and 0177.0.0.1 are addresses too for those who connect.
    if _NUMERIC.fullmatch(text.removesuffix(".").rpartition(".")[2]):
        raise InvalidField(
            field, Message("is not an address; write all four numbers, as in 192.0.2.10.")
        )
    return None


def _check_address(address: Address, field: str, *, allow_loopback: bool) -> None:
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise InvalidField(field, Message("must not name a network interface (%)."))
    meant = inner_of(address) or address
    if meant.is_multicast or str(meant) == "255.255.255.255":
        raise InvalidField(field, Message("must be the address of one host."))
    if is_local(meant) and not allow_loopback:
        raise InvalidField(field, Message("must not be a loopback or link-local address."))


def check_port(value: object, field: str = "port") -> int:
    """Give a TCP port from a number or its digits."""
    return _check_number(value, field, lowest=1, highest=65535)


def check_username(value: object, field: str = "username") -> str:
    """Give a CDM user. HTTP Basic credentials can't carry a colon in it (RFC 7617)."""
    text = check_text(value, field, longest=256)
    if ":" in text:
        raise InvalidField(field, Message("must not have a colon."))
    return text


def check_password(value: object, field: str = "password") -> str:
    """Give a CDM password as it is, blanks included; a message never repeats it."""
    if not isinstance(value, str):
        raise InvalidField(field, Message("must be a text."))
    if not value:
        raise InvalidField(field, Message("must not be empty."))
    if len(value) > 1024:
        raise InvalidField(field, Message("must have at most 1024 characters."))
    if _CONTROL.search(value):
        raise InvalidField(field, Message("must not have line breaks or control characters."))
    return value


def check_ca_pem(value: object, field: str = "ca_pem") -> str:
    """Give one or more CA certificates as PEM text with line feeds only."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidField(field, Message("must be a CA certificate as PEM text."))
    if len(value) > 100_000:
        raise InvalidField(field, Message("must have at most 100,000 characters."))
    if "PRIVATE KEY" in value:
        raise InvalidField(field, Message("has a private key; only the certificate belongs here."))
    pem = value.replace("\r\n", "\n").strip() + "\n"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError, TypeError):
        raise InvalidField(
            field, Message("can't be read as PEM text (-----BEGIN CERTIFICATE-----).")
        ) from None
    return pem


def check_fingerprint(value: object, field: str = "fingerprint") -> str:
    """Give a SHA-256 fingerprint as 64 lower-case hex digits; colons and blanks may stand in it."""
    text = re.sub(r"[:\s]", "", value).lower() if isinstance(value, str) else ""
    text = re.sub(r"^sha-?256(fingerprint)?=?", "", text)
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidField(field, Message("must be a SHA-256 fingerprint: 64 hexadecimal digits."))
    return text


def check_proxy(value: object, field: str = "proxy", *, allow_loopback: bool = False) -> str | None:
    """Give an HTTP proxy as ``http://host:port``; nothing and an empty text are None."""
    text = check_optional_text(value, field, longest=300)
    if text is None:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidField(field, Message("must be http://HOST:PORT.")) from None
    if "@" in text:
        raise InvalidField(
            field, Message("must not have user information (something before an @).")
        )
    if parts.scheme != "http" or port is None or parts.path not in {"", "/"}:
        raise InvalidField(field, Message("must be http://HOST:PORT."))
    if parts.query or parts.fragment:
        raise InvalidField(field, Message("must be http://HOST:PORT."))
    host = check_host(host, field, allow_loopback=allow_loopback)
    return f"http://{f'[{host}]' if ':' in host else host}:{check_port(port, field)}"


def check_job_id(value: object, field: str = "job_id") -> str:
    """Give the id of a CDM job: digits as a rule, number or text (cdm §9)."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text.strip()):
        raise InvalidField(
            field, Message("must be the id of a CDM job: digits, or letters, - and _.")
        )
    return text.strip()


def check_job_name(value: object, field: str = "job_name") -> str:
    return check_text(value, field, longest=512)


def check_flag(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidField(field, Message("must be true or false."))
    return value


def check_language(value: object, field: str = "language") -> str:
    """One of the languages that the app speaks."""
    if not isinstance(value, str) or value not in languages():
        raise InvalidField(
            field, Message("must be one of {languages}.", languages=", ".join(languages()))
        )
    return value


def check_names(value: object, field: str) -> list[str]:
    """Give a list of names (of QRadar roles, of authorized services), each once."""
    if not isinstance(value, list | tuple):
        raise InvalidField(field, Message("must be a list of names."))
    names = [check_text(v, f"{field}[{i}]", longest=255) for i, v in enumerate(value)]
    return list(dict.fromkeys(names))


def check_numbers(value: object, field: str) -> list[int]:
    """Give a list of ids of QRadar, each once, in their order."""
    if not isinstance(value, list | tuple) or len(value) > MOST_NUMBERS:
        raise InvalidField(
            field, Message("must be a list of at most {most} whole numbers.", most=MOST_NUMBERS)
        )
    return sorted({_check_number(v, field, lowest=1, highest=2**62) for v in value})


def _check_number(value: object, field: str, *, lowest: int, highest: int) -> int:
    number = value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value.strip()):
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not lowest <= number <= highest:
        raise InvalidField(
            field,
            Message(
                "must be a whole number from {lowest} to {highest}.", lowest=lowest, highest=highest
            ),
        )
    return number
