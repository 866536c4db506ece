# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What each field takes and refuses."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.configuration import checks
from app.configuration.checks import InvalidField
from app.configuration.connection import CdmConnection
from app.configuration.fields import fields_of
from app.configuration.mapping import Mapping
from app.configuration.settings import Settings
from app.restore.model import Mode, Trust
from tests.simulators import certs

MAPPING = fields_of(Mapping)


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("cdm.example", "cdm.example"),
        (" CDM.Example. ", "cdm.example"),
        ("cdm_1", "cdm_1"),
        ("192.0.2.10", "192.0.2.10"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("a" * 63 + "." + "b" * 63, "a" * 63 + "." + "b" * 63),
        ("10.0.0.5", "10.0.0.5"),
        ("xn--mller-kva.example", "xn--mller-kva.example"),
    ],
)
def test_a_host_is_a_bare_name_or_address(entered: str, kept: str) -> None:
    assert checks.check_host(entered) == kept


@pytest.mark.parametrize(
    "entered",
    [
        "", " ", None, 7, "https://cdm.example", "cdm.example/x", "cdm.example:8443",
        "user@cdm.example", "user:secret@cdm.example", "[cdm.example]", "[192.0.2.1",
        "cdm..example", "-cdm.example", "cdm-", "cdm example", "cdm\nexample", "cdm\\example",
        "müller.example", "１２７.0.0.1", "cdm%2eexample", "a" * 64, ".".join(["a" * 60] * 5),
        "1.2.3.4.5", "256.1.1.1", "224.0.0.1", "255.255.255.255", "ff02::1", "fe80::1%eth0",
        "cdm?x", "cdm#x", "*", "cdm.example,other",
    ],
)  # fmt: skip
def test_anything_else_is_no_host(entered: object) -> None:
    for allow in (False, True):
        with pytest.raises(InvalidField) as caught:
            checks.check_host(entered, allow_loopback=allow)
        assert caught.value.field == "host"


LOCAL = [
    "localhost", "LOCALHOST.", "x.localhost", "localhost.localdomain", "127.0.0.1", "127.99.0.1",
    "0.0.0.0",  # noqa: S104 - refused here, nothing is bound
    "0.1.2.3", "::1", "[::1]", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "169.254.169.254", "::ffff:169.254.1.1", "fe80::1",
]  # fmt: skip


@pytest.mark.parametrize("entered", LOCAL)
def test_this_machine_and_the_local_link_are_refused_outside_the_demo(entered: str) -> None:
    with pytest.raises(InvalidField):
        checks.check_host(entered)
    assert checks.check_host(entered, allow_loopback=True)
    with pytest.raises(InvalidField):
        checks.check_proxy(f"http://{f'[{entered}]' if entered.count(':') > 1 else entered}:3128")


@pytest.mark.parametrize(
    "entered",
    [
        "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0",
        "127.0.0.1.", "0x",
    ],
)  # fmt: skip
def test_odd_spellings_of_addresses_are_refused(entered: str) -> None:
    """`inet_aton` takes them all, so they are not names, and nobody writes CDM's address so."""
    with pytest.raises(InvalidField):
        checks.check_host(entered)


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        (None, None),
        ("", None),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://Proxy.example:3128/", "http://proxy.example:3128"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
    ],
)
def test_a_proxy_is_an_http_address(entered: object, kept: str | None) -> None:
    assert checks.check_proxy(entered) == kept


@pytest.mark.parametrize(
    "entered",
    [
        "http://u:p@proxy.example:3128", "u@proxy.example:3128", "https://proxy.example:3128",
        "socks5://proxy.example:1080", "http://proxy.example", "http://proxy.example:0",
        "http://proxy.example:99999", "http://proxy.example:3128/x", "http://proxy.example:3128?x",
        "http://proxy.example:31x8", "http://[::1:3128", 3128, "http://127.1:3128",
    ],
)  # fmt: skip
def test_anything_else_is_no_proxy(entered: object) -> None:
    with pytest.raises(InvalidField) as caught:
        checks.check_proxy(entered)
    assert caught.value.field == "proxy"
    assert "u:p" not in caught.value.message


@pytest.mark.parametrize("entered", [0, 65536, -1, "", "x", True, 8443.0, None, "8443x", "9" * 30])
def test_ports_outside_of_1_to_65535_are_refused(entered: object) -> None:
    with pytest.raises(InvalidField):
        checks.check_port(entered)


def test_numbers_may_come_as_digits() -> None:
    assert checks.check_port(" 8443 ") == 8443
    assert MAPPING["rule_id"].read("100231") == 100231
    assert MAPPING["rule_id"].read("") is None
    assert MAPPING["cooldown_s"].read("0") == 0
    assert checks.check_job_id(1044) == "1044"
    assert checks.check_job_id(" 1044 ") == "1044"


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (MAPPING["cooldown_s"].read, -1),
        (MAPPING["cooldown_s"].read, 30 * 24 * 3600 + 1),
        (MAPPING["cooldown_s"].read, 1.5),
        (MAPPING["rule_id"].read, 0),
        (MAPPING["rule_id"].read, "SQL"),
        (MAPPING["rule_id"].read, True),
        (checks.check_job_id, "../1"),
        (checks.check_job_id, ""),
        (checks.check_job_id, True),
        (checks.check_name, " "),
        (checks.check_name, "x" * 101),
        (checks.check_name, "a\nb"),
        (checks.check_name, ["a"]),
        (checks.check_name, "\ud800"),
        (checks.check_username, "a:b"),
        (checks.check_password, ""),
        (checks.check_password, "a\nb"),
        (fields_of(CdmConnection)["trust"].read, "none"),
        (fields_of(CdmConnection)["trust"].read, None),
        (fields_of(Settings)["mode"].read, "observed"),
        (fields_of(Settings)["mode"].read, "on"),
        (checks.check_fingerprint, "ab" * 31),
        (checks.check_fingerprint, None),
        (checks.check_ca_pem, "x"),
        (checks.check_ca_pem, None),
        (checks.check_ca_pem, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ],
)
def test_what_is_refused(check: Callable[[object], object], value: object) -> None:
    with pytest.raises(InvalidField):
        check(value)


def test_what_is_taken(tmp_path: Path) -> None:
    assert checks.check_name(" SQL attack ") == "SQL attack"
    assert checks.check_password(" geheim ü ") == " geheim ü "
    assert fields_of(CdmConnection)["trust"].read("ca") is Trust.CA
    assert fields_of(Settings)["mode"].read("armed") is Mode.ARMED
    assert fields_of(Settings)["mode"].read("observe") is Mode.OBSERVE
    assert MAPPING["action_name"].read("") is None
    assert checks.check_names(["SOC", "SOC", " L2 "], "operator_roles") == ["SOC", "L2"]
    pair = ":".join(["AB"] * 32)
    assert checks.check_fingerprint(f"SHA256 Fingerprint={pair} ") == "ab" * 32
    pem = certs.self_signed(tmp_path, "ca").pem
    assert checks.check_ca_pem("\n" + pem.replace("\n", "\r\n")) == pem


def test_a_private_key_is_not_taken_for_a_ca(tmp_path: Path) -> None:
    made = certs.self_signed(tmp_path, "ca")
    with pytest.raises(InvalidField, match="private key"):
        checks.check_ca_pem(made.pem + made.key.read_text())


def test_a_password_is_never_repeated() -> None:
    for bad in ("hunter2\n", "hunter2" * 200):
        with pytest.raises(InvalidField) as caught:
            checks.check_password(bad)
        assert "hunter2" not in str(caught.value)


def test_an_error_names_its_path() -> None:
    error = InvalidField("host", "is odd.").under("connections[0]")
    assert (error.field, str(error)) == ("connections[0].host", "connections[0].host: is odd.")
