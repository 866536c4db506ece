# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What QRadar tells the app, read through qpylib."""

from pathlib import Path

import flask
import pytest

from app.framework import links, paths


def test_folders_lie_in_the_store(app_root: Path) -> None:
    assert paths.store_dir() == app_root / "store"
    assert paths.database_path() == app_root / "store" / "safeguarded-restore.db"


def test_ids_and_addresses_come_from_qradar(app_root: Path) -> None:
    assert paths.app_id() == 1051
    assert paths.app_version() == "1.2.3"
    assert paths.console_fqdn() == "console.example"
    assert paths.console_address() == "192.0.2.10"
    assert paths.has_app_uuid()


def test_outside_qradar_they_are_absent(app_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QRADAR_APP_ID", "QRADAR_CONSOLE_FQDN", "QRADAR_APP_UUID"):
        monkeypatch.delenv(name)

    assert paths.app_id() == 0
    assert not paths.has_app_uuid()
    with pytest.raises(KeyError):
        paths.console_fqdn()


def test_a_number_that_is_none_is_an_error(app_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QRADAR_APP_ID", "qapp")

    with pytest.raises(ValueError, match="qapp"):
        paths.app_id()


def test_the_system_ca_file_is_the_platforms(
    app_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paths.system_ca_file() is None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/pki/tls/cert.pem")

    assert paths.system_ca_file() == "/etc/pki/tls/cert.pem"


@pytest.mark.parametrize(
    ("value", "demo"), [(None, False), ("", False), ("yes", False), ("true", True), ("TRUE", True)]
)
def test_only_the_sdk_makes_a_demo(
    app_root: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, demo: bool
) -> None:
    if value is not None:
        monkeypatch.setenv("QRADAR_APPFW_SDK", value)

    assert paths.is_demo() is demo


@pytest.fixture
def site() -> flask.Flask:
    site = flask.Flask(__name__)
    site.add_url_rule("/runs/<int:run_id>", "run", lambda run_id: str(run_id))
    return site


def test_links_go_through_the_proxy_by_the_name_the_browser_used(
    app_root: Path, site: flask.Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QRADAR_CONSOLE_FQDN", "QRadar.example")
    with site.test_request_context(headers={"X-Console-Host": "qradar.example"}):
        address = links.absolute_url("run", run_id=7, part="log")

    assert address == "https://qradar.example/console/plugins/1051/app_proxy/runs/7?part=log"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:443", "evil.example/console/plugins/", "192.0.2.10.evil"),
        *("192.0.2.10@evil.example", "evil.example#192.0.2.10", "192.0.2.10:80@evil.example", ""),
        *("192.0.2.10\\evil.example", "192.0.2.10:", "//evil.example", "[::1]", "ev\u202eil"),
    ],
)
def test_a_name_that_is_not_the_consoles_is_left_out_of_links(
    app_root: Path, site: flask.Flask, host: str
) -> None:
    """The raw port takes any X-Console-Host."""
    with site.test_request_context(environ_overrides={"HTTP_X_CONSOLE_HOST": host}):
        address, console = links.absolute_url("run", run_id=7), links.console_url()

    assert address.endswith("/console/plugins/1051/app_proxy/runs/7")
    assert address.startswith("/console/")
    assert console == "/console/"


@pytest.mark.parametrize("host", ["192.0.2.10", "192.0.2.10:8443"])
def test_the_consoles_own_address_stays_in_links(
    app_root: Path, site: flask.Flask, host: str
) -> None:
    with site.test_request_context(headers={"X-Console-Host": host}):
        assert links.absolute_url("run", run_id=7).startswith(f"https://{host}/console/plugins/")
        assert links.console_url() == f"https://{host}/console/"


def test_links_fall_back_to_the_consoles_address(app_root: Path, site: flask.Flask) -> None:
    with site.test_request_context():
        address = links.absolute_url("run", run_id=7)

    assert address == "https://192.0.2.10/console/plugins/1051/app_proxy/runs/7"


def test_outside_qradar_links_are_root_relative(
    app_root: Path, site: flask.Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QRADAR_APP_ID")
    with site.test_request_context():
        assert links.absolute_url("run", run_id=7) == "/runs/7"
