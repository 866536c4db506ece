# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameters, issuers, and the script that is made from them."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from app.qradar import custom_action
from app.qradar.custom_action import NoIssuers, find_issuers, generate_script, parameters
from tests.simulators import certs

NAMES = [
    "console", "path", "sec", "token", "mapping", "starttime", "sourceip", "destinationip",
    "username", "logsourceid", "qid", "magnitude",
]  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> certs.Chain:
    return certs.chain(tmp_path_factory.mktemp("pki"), "console.example")


@pytest.fixture(scope="module")
def namesake(tmp_path_factory: pytest.TempPathFactory) -> certs.Chain:
    """CAs of the same names with other keys, as after the console made its CA anew."""
    return certs.chain(tmp_path_factory.mktemp("pki"), "console.example")


def test_the_order_is_the_contract() -> None:
    """An order that differs from the actions out there would send the token as a user name."""
    assert [p.name for p in custom_action.PARAMETERS] == NAMES


def test_script_and_action_have_the_same_order() -> None:
    template = Path(custom_action.__file__).with_name("start_restore.sh").read_text()
    assert f"# <parameters>\n{custom_action.parameter_block()}# </parameters>\n" in template


def test_the_parameters_are_what_qradar_takes() -> None:
    given = parameters("console.example", "S", token="T", mapping="SQL attack")
    assert [p["name"] for p in given] == NAMES
    assert given[:5] == [
        {
            "name": "console",
            "parameter_type": "fixed",
            "encrypted": False,
            "value": "console.example",
        },
        {
            "name": "path",
            "parameter_type": "fixed",
            "encrypted": False,
            "value": "/console/plugins/app_proxy:safeguarded-restore/api/v1/triggers",
        },
        {"name": "sec", "parameter_type": "fixed", "encrypted": True, "value": "S"},
        {"name": "token", "parameter_type": "fixed", "encrypted": True, "value": "T"},
        {"name": "mapping", "parameter_type": "fixed", "encrypted": False, "value": "SQL attack"},
    ]
    for parameter in given[5:]:
        assert parameter["parameter_type"] == "dynamic"
        assert parameter["encrypted"] is False
        assert parameter["value"] == parameter["name"]


def test_no_value_is_ever_empty() -> None:
    """Whether QRadar hands an empty argument over at all is not known; later ones would move up."""
    assert all(p["value"] for p in parameters("c", "s", token="t"))


def test_the_issuers_are_intermediate_and_root(chain: certs.Chain) -> None:
    found = find_issuers(chain.leaf.pem, chain.root.pem + chain.leaf.pem + chain.intermediate.pem)
    assert _subjects(found) == ["CN=QRadar Local CA", "CN=QRadar Local Root CA"]


def test_a_namesake_with_another_key_is_no_issuer(
    chain: certs.Chain, namesake: certs.Chain
) -> None:
    found = find_issuers(chain.leaf.pem, namesake.ca_bundle + chain.ca_bundle)
    assert _pems(found) == _pems(chain.ca_bundle)
    with pytest.raises(NoIssuers):
        find_issuers(chain.leaf.pem, namesake.ca_bundle)


@pytest.mark.parametrize("there", ["nothing", "root", "intermediate"])
def test_a_chain_without_its_root_is_an_error_that_says_what_to_do(
    chain: certs.Chain, there: str
) -> None:
    bundle = {"nothing": "", "root": chain.root.pem, "intermediate": chain.intermediate.pem}[there]
    with pytest.raises(NoIssuers, match=r"CN=QRadar Local.*REQUESTS_CA_BUNDLE.*Add the console"):
        find_issuers(chain.leaf.pem, bundle)


def test_expired_issuers_do_not_count(chain: certs.Chain) -> None:
    later = datetime.now(UTC) + timedelta(days=5000)
    with pytest.raises(NoIssuers):
        find_issuers(chain.leaf.pem, chain.ca_bundle, now=later)


def test_unreadable_certificates_in_the_bundle_are_passed_over(chain: certs.Chain) -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    found = find_issuers(chain.leaf.pem, f"# a comment\n{broken}{chain.ca_bundle}")
    assert len(_pems(found)) == 2


def test_a_self_signed_console_is_its_own_issuer_if_it_is_trusted(tmp_path: Path) -> None:
    console = certs.self_signed(tmp_path, "console.example")
    assert _pems(find_issuers(console.pem, console.pem)) == _pems(console.pem)
    with pytest.raises(NoIssuers):
        find_issuers(console.pem, "")


def test_rsa_chains_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QRadar's own CAs have RSA keys."""
    real = certs._openssl
    monkeypatch.setattr(
        certs,
        "_openssl",
        lambda *arguments: real(*_rsa(arguments)),
    )
    made = certs.chain(tmp_path, "console.example")
    assert len(_pems(find_issuers(made.leaf.pem, made.ca_bundle))) == 2


def test_the_script_names_console_version_and_hash(chain: certs.Chain) -> None:
    script = generate_script(
        "console.example", "[2001:db8::1]", issuers_pem=chain.ca_bundle, version="1.0.0"
    )
    assert "CONSOLE='console.example'\n" in script
    assert "CONSOLE_PORT='443'\n" in script
    assert "CONSOLE_ADDRESS='2001:db8::1'\n" in script
    assert _pems(script) == _pems(chain.ca_bundle)
    assert not re.search(r"@[A-Z0-9_]+@", script)
    stated = re.search(r"Script version 1\.0\.0, sha256 ([0-9a-f]{64})\n", script)
    assert stated
    rest = script.replace(stated[1], "@SHA256@")
    assert hashlib.sha256(rest.encode()).hexdigest() == stated[1]


def test_a_console_may_have_a_port_of_its_own(chain: certs.Chain) -> None:
    script = generate_script("127.0.0.1:9443", "", issuers_pem=chain.ca_bundle, version="1")
    assert "CONSOLE='127.0.0.1'\nCONSOLE_PORT='9443'\n" in script


def test_comments_in_the_ca_file_do_not_reach_the_script(chain: certs.Chain) -> None:
    script = generate_script(
        "c.example", "", issuers_pem="'; touch x; '\n" + chain.ca_bundle, version="1"
    )
    assert "touch" not in script


@pytest.mark.parametrize(
    ("fqdn", "ip", "version"),
    [("a'b", "", "1"), ("", "", "1"), ("c:x", "", "1"), ("c", "localhost", "1"), ("c", "", "1'2")],
)
def test_what_cannot_stand_in_a_script_is_refused(fqdn: str, ip: str, version: str) -> None:
    with pytest.raises(ValueError, match="."):
        generate_script(fqdn, ip, issuers_pem="", version=version)


def _rsa(arguments: tuple[object, ...]) -> list[object]:
    """The same openssl call with an RSA key."""
    words = ["rsa:2048" if a == "ec" else a for a in arguments]
    if "-pkeyopt" in words:
        place = words.index("-pkeyopt")
        del words[place : place + 2]
    return words


def _pems(text: str) -> list[str]:
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)


def _subjects(text: str) -> list[str]:
    return [
        x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string() for pem in _pems(text)
    ]
