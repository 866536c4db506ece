# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""TLS: who is trusted, who is not, and what a person is told; directly and through a proxy."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cdm.client import CdmClient
from app.remote.trust import fetch_certificate
from app.restore.model import CdmConnection, NothingSent, Trust, Unreachable, Untrusted
from tests.cdm.conftest import TIMEOUTS, connection_to
from tests.cdm.wire import Proxy
from tests.simulators.cdm import CdmSimulator
from tests.simulators.certs import Certificate, Chain, chain, self_signed

MakeClient = Callable[..., CdmClient]
OTHER = "ab" * 32


@pytest.fixture(scope="module")
def other_name(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A self-signed certificate, made for a name that nobody calls it by."""
    return self_signed(tmp_path_factory.mktemp("other"), "cdm.other.example")


@pytest.fixture(scope="module")
def under_root(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A leaf under an intermediate under a root; the server shows the leaf alone."""
    return chain(tmp_path_factory.mktemp("chain"), "cdm.example", ["127.0.0.1"])


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as running:
        yield running


@pytest.fixture(params=["direct", "proxy"])
def way(request: pytest.FixtureRequest, proxy: Proxy) -> str | None:
    """The proxy setting: none, or a proxy that takes CONNECT."""
    return None if request.param == "direct" else proxy.url


def client_of(cdm: CdmSimulator, system_ca: str | None = None, **changes: Any) -> CdmClient:
    return CdmClient(
        connection_to(cdm, **changes), cdm.password, system_ca=system_ca, timeouts=TIMEOUTS
    )


def pinned(fingerprint: str, **more: Any) -> dict[str, Any]:
    return {"trust": Trust.FINGERPRINT, "fingerprint": fingerprint, "ca_pem": None, **more}


def test_a_pin_trusts_a_self_signed_certificate_of_another_name(
    other_name: Certificate, way: str | None
) -> None:
    with CdmSimulator(certificate=other_name) as cdm:
        with client_of(cdm, **pinned(cdm.fingerprint, proxy=way)) as client:
            assert client.jobs()
        with client_of(cdm, **pinned(cdm.fingerprint.upper(), proxy=way)) as client:
            assert client.jobs()


def test_a_pin_refuses_every_other_certificate_before_anything_is_sent(
    cdm: CdmSimulator, way: str | None
) -> None:
    with (
        client_of(cdm, **pinned(OTHER, proxy=way)) as client,
        pytest.raises(Untrusted, match="pinned") as caught,
    ):
        client.login()
    assert cdm.fingerprint in str(caught.value)
    assert cdm.requests == []


@pytest.mark.parametrize("pin", ["", "abc", "zz" * 32, "ab" * 20])
def test_a_pin_that_is_no_sha_256_is_refused(cdm: CdmSimulator, pin: str) -> None:
    with client_of(cdm, **pinned(pin)) as client, pytest.raises(Untrusted, match="SHA-256"):
        client.login()
    assert cdm.requests == []


def test_an_uploaded_certificate_is_trusted_and_its_copy_removed(
    cdm: CdmSimulator, way: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with client_of(cdm, proxy=way) as client:
        assert client.jobs()
        (file,) = tmp_path.iterdir()
        assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["root and intermediate", "intermediate", "leaf"])
def test_an_uploaded_issuer_is_enough_even_if_its_own_is_missing(
    under_root: Chain, part: str
) -> None:
    pem = {
        "root and intermediate": under_root.ca_bundle,
        "intermediate": under_root.intermediate.pem,
        "leaf": under_root.leaf.pem,
    }[part]
    with (
        CdmSimulator(certificate=under_root.leaf) as cdm,
        client_of(cdm, ca_pem=pem) as client,
    ):
        assert client.jobs()


def test_an_uploaded_ca_does_not_bring_the_platform_s_along(
    cdm: CdmSimulator, certificate: Certificate, other_name: Certificate
) -> None:
    with (
        client_of(cdm, system_ca=str(certificate.cert), ca_pem=other_name.pem) as client,
        pytest.raises(Untrusted),
    ):
        client.login()


def test_the_host_name_is_checked_with_an_uploaded_ca(
    other_name: Certificate, way: str | None
) -> None:
    with (
        CdmSimulator(certificate=other_name) as cdm,
        client_of(cdm, proxy=way) as client,
        pytest.raises(Untrusted, match="another name") as caught,
    ):
        client.login()
    assert "cdm.other.example" in str(caught.value)


def test_the_system_s_file_is_what_it_is_given(
    cdm: CdmSimulator, certificate: Certificate, way: str | None
) -> None:
    system = {"trust": Trust.SYSTEM, "ca_pem": None, "proxy": way}
    with client_of(cdm, str(certificate.cert), **system) as client:
        assert client.jobs()


def test_an_unknown_issuer_is_named_with_what_to_do(cdm: CdmSimulator, way: str | None) -> None:
    system = {"trust": Trust.SYSTEM, "ca_pem": None, "proxy": way}
    with (
        client_of(cdm, **system) as client,
        pytest.raises(Untrusted, match="issuer is not known") as caught,
    ):
        client.jobs()
    text = str(caught.value)
    assert "issued by CN=cdm.example" in text
    assert cdm.fingerprint in text
    assert "Upload" in caught.value.advice
    assert "pin" in caught.value.advice
    assert cdm.requests == []


def test_the_environment_is_never_asked_what_to_trust_or_which_way_to_go(
    cdm: CdmSimulator, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.cert))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.cert))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(certificate.cert))
    with (
        client_of(cdm, trust=Trust.SYSTEM, ca_pem=None) as client,
        pytest.raises(Untrusted),
    ):
        client.login()
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with client_of(cdm) as client:
        assert client.jobs()


def test_a_ca_file_or_an_upload_that_cannot_be_read_is_told(cdm: CdmSimulator) -> None:
    with (
        client_of(cdm, "/nowhere/ca.pem", trust=Trust.SYSTEM) as client,
        pytest.raises(Untrusted, match="CA file"),
    ):
        client.login()
    for pem in (None, "", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
        with client_of(cdm, ca_pem=pem) as client, pytest.raises(Untrusted, match="uploaded"):
            client.login()


def test_insecure_trusts_anybody_and_says_no_more_about_it(other_name: Certificate) -> None:
    with CdmSimulator(certificate=other_name) as cdm, warnings.catch_warnings():
        target = connection_to(cdm, trust=Trust.SYSTEM, ca_pem=None)
        with CdmClient(target, cdm.password, system_ca=None, insecure=True) as client:
            assert client.jobs()


def test_a_plain_http_port_is_told_from_a_bad_certificate() -> None:
    with (
        CdmSimulator(tls=False) as cdm,
        client_of(cdm, trust=Trust.SYSTEM) as client,
        pytest.raises(Unreachable, match="plain HTTP"),
    ):
        client.login()


def test_all_requests_go_through_the_proxy_and_only_there(cdm: CdmSimulator, proxy: Proxy) -> None:
    with client_of(cdm, proxy=proxy.url) as client:
        client.jobs()
    asked = {line.rpartition(" ")[0] for line in proxy.asked}
    assert asked == {f"CONNECT {cdm.host}:{cdm.port}"}
    assert len(proxy.asked) == len({r.connection for r in cdm.requests})
    assert not any(b"Sessionid" in head or b"Authorization" in head for head in proxy.heads)


def test_a_proxy_that_refuses_or_is_away_proves_that_nothing_was_sent(
    cdm: CdmSimulator, proxy: Proxy
) -> None:
    proxy.refuse = True
    with (
        client_of(cdm, proxy=proxy.url) as client,
        pytest.raises(Unreachable, match="proxy refuses.*403"),
    ):
        client.login()
    proxy.close()
    with (
        client_of(cdm, proxy=proxy.url) as client,
        pytest.raises(Unreachable, match="through the proxy"),
    ):
        client.login()


@pytest.mark.parametrize("setting", ["http://u:p@h:1", "socks5://h:1", "h:1", "https://h:1"])
def test_a_proxy_setting_with_a_user_or_of_another_kind_is_not_used(
    cdm: CdmSimulator, setting: str
) -> None:
    with (
        client_of(cdm, proxy=setting) as client,
        pytest.raises(NothingSent, match="proxy") as caught,
    ):
        client.login()
    assert "u:p" not in str(caught.value)


def test_a_certificate_is_shown_before_anything_is_sent(under_root: Chain, way: str | None) -> None:
    with CdmSimulator(certificate=under_root.leaf) as cdm:
        found = fetch_certificate(cdm.host, cdm.port, way)
        assert cdm.requests == []
    assert (found.subject, found.issuer) == ("CN=cdm.example", "CN=QRadar Local CA")
    assert found.sha256 == under_root.leaf.fingerprint
    assert found.pem == under_root.leaf.pem
    assert found.not_before.tzinfo is not None
    assert (found.not_after - found.not_before).days == 365


def test_a_certificate_that_cannot_be_fetched_is_unreachable(
    cdm: CdmSimulator, proxy: Proxy
) -> None:
    cdm.stop()
    with pytest.raises(Unreachable):
        fetch_certificate(cdm.host, cdm.port)
    with pytest.raises(Unreachable):
        fetch_certificate(cdm.host, cdm.port, proxy.url)
    with pytest.raises(Unreachable, match="resolved"):
        fetch_certificate("no-such-host.invalid", 8443)


def test_a_name_that_cannot_be_resolved_is_told() -> None:
    nowhere = CdmConnection(id=1, name="x", host="no-such-host.invalid", port=8443, username="u")
    with (
        CdmClient(nowhere, "p", system_ca=None) as client,
        pytest.raises(Unreachable, match="resolved"),
    ):
        client.login()
