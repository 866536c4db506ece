# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages of the CDM connections: what is saved, shown, refused, and never shown."""

import html
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.remote.guard import Guard
from app.restore.model import Unreachable
from app.web.services import EXTENSION
from tests.web.conftest import ADMIN, World

README = Path(__file__).parents[2] / "README.md"
CONNECTION = {
    "name": "prod",
    "host": "CDM.example",
    "port": "8443",
    "username": "restorer",
    "password": "pass-Word-7!",
    "trust": "system",
    "action": "save",
}


def test_a_connection_is_saved_and_its_password_never_shown(world: World) -> None:
    client = world.client(ADMIN)
    assert world.submit(client, "/connections/new", **CONNECTION).status_code == 303
    connection = world.store.connections.find("prod")
    assert connection is not None
    assert connection.host == "cdm.example"
    assert world.secrets.kept == {connection.secret_label: "pass-Word-7!"}
    for path in ("/connections", "/connections/1", "/", "/settings", "/api/v1/config"):
        assert "pass-Word-7!" not in client.get(path).text
    assert "A password is stored" in client.get("/connections/1").text


def test_an_empty_password_keeps_the_stored_one_unless_it_would_go_elsewhere(world: World) -> None:
    client = world.client(ADMIN)
    world.submit(client, "/connections/new", **CONNECTION)
    same = CONNECTION | {"password": "", "name": "production"}
    world.submit(client, "/connections/1", **same)
    connection = world.store.connections.get(1)
    assert connection.name == "production"
    assert connection.secret_label is not None
    world.submit(client, "/connections/1", **(same | {"host": "elsewhere.example"}))
    assert world.store.connections.get(1).secret_label is None
    assert world.secrets.kept == {}
    assert "password must be entered" in client.get("/connections/1").text


def test_a_name_that_leads_to_the_apps_own_host_is_not_saved(world: World) -> None:
    services = replace(world.services, guard=Guard(lambda: frozenset({"192.0.2.1"})))
    world.app.extensions[EXTENSION] = services
    client = world.client(ADMIN)
    for host, proxy, said in (
        ("192.0.2.1", "", "Address must not lead to an address of QRadar's console"),
        ("cdm.example", "http://192.0.2.1:3128", "HTTP proxy must not lead to"),
    ):
        page = world.submit(
            client, "/connections/new", **(CONNECTION | {"host": host, "proxy": proxy})
        )
        assert said in html.unescape(page.text)
        assert world.store.connections.list() == []
        assert world.secrets.kept == {}
    page = world.submit(client, "/connections/new", **(CONNECTION | {"host": "192.0.2.2"}))
    assert page.status_code == 303


def test_every_bad_field_has_its_message_and_the_password_is_not_echoed(world: World) -> None:
    bad = CONNECTION | {"name": " ", "host": "http://127.0.0.1", "port": "0", "proxy": "u@p"}
    page = world.submit(world.client(ADMIN), "/connections/new", **bad)
    assert page.status_code == 200
    for words in ("Name must", "Address must", "Port must", "HTTP proxy must"):
        assert words in page.text
    assert "pass-Word-7!" not in page.text
    assert world.store.connections.list() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "::1", "2130706433"])
def test_this_machine_is_no_cdm(world: World, host: str) -> None:
    for action in ("save", "certificate"):
        fields = CONNECTION | {"host": host, "action": action}
        page = world.submit(world.client(ADMIN), "/connections/new", **fields)
        assert "Address" in page.text
    assert world.store.connections.list() == []
    assert world.cdm.asked == []


def test_the_certificate_is_shown_before_the_password_is_needed(world: World) -> None:
    client = world.client(ADMIN)
    fields = CONNECTION | {"password": "", "username": "", "name": "", "action": "certificate"}
    page = world.submit(client, "/connections/new", **fields)
    assert "ab" * 32 in page.text
    assert "CN=&lt;b&gt;cdm&lt;/b&gt;" in page.text
    assert world.cdm.asked == ["certificate of cdm.example:8443"]
    pinned = world.submit(
        client, "/connections/new", **(fields | {"action": "pin", "seen_sha256": "ab" * 32})
    )
    assert f'value="{"ab" * 32}"' in pinned.text
    assert 'value="fingerprint" checked' in re.sub(r" ?(id|name)=\"[^\"]*\"", "", pinned.text) or (
        re.search(r'<input checked[^>]*value="fingerprint"', pinned.text)
    )


def self_signed(world: World, **fields: str) -> str:
    """The form after Show certificate has found one that no CA vouches for."""
    shown = world.cdm.certificate("", 0)
    services = replace(
        world.services,
        fetch_certificate=lambda *_args, **_named: replace(shown, issuer=shown.subject),
    )
    world.app.extensions[EXTENSION] = services
    page = world.submit(
        world.client(ADMIN), "/connections/new", **(CONNECTION | {"action": "certificate"} | fields)
    )
    return html.unescape(page.text)


def chosen(page: str) -> str:
    found = re.search(r'<input checked[^>]*name="trust"[^>]*value="(\w+)"', page)
    return found[1] if found else ""


def test_pinning_is_chosen_for_a_self_signed_certificate_and_nothing_typed_is_lost(
    world: World,
) -> None:
    page = self_signed(world)
    assert chosen(page) == "fingerprint"
    assert f'name="fingerprint" type="text" value="{"ab" * 32}"' in page
    assert "So pinning it is chosen above" in page
    assert "Pin this certificate" not in page
    for name in ("name", "host", "port", "username"):
        assert f'value="{CONNECTION[name]}"' in page
    assert world.store.connections.list() == []


@pytest.mark.parametrize(
    ("fields", "trust"),
    [
        ({"trust": "ca", "ca_pem": "PEM"}, "ca"),
        ({"ca_pem": "PEM"}, "system"),
        ({"trust": "fingerprint", "fingerprint": "cd"}, "fingerprint"),
        ({"fingerprint": "cd"}, "system"),
    ],
)
def test_what_somebody_chose_or_typed_is_not_replaced_by_a_pin(
    world: World, fields: dict[str, str], trust: str
) -> None:
    page = self_signed(world, **fields)
    assert chosen(page) == trust
    assert ("ab" * 32) not in page.partition('id="certificate"')[0]
    assert "Pin this certificate" in page


def test_a_certificate_of_a_ca_changes_no_choice(world: World) -> None:
    fields = CONNECTION | {"action": "certificate"}
    page = world.submit(world.client(ADMIN), "/connections/new", **fields).text
    assert chosen(page) == "system"
    assert "Pin this certificate" in page


def test_a_server_that_cannot_be_reached_is_explained(world: World) -> None:
    world.cdm.error = Unreachable("No connection.", cause="A firewall.", advice="Open 8443.")
    fields = CONNECTION | {"action": "certificate"}
    page = world.submit(world.client(ADMIN), "/connections/new", **fields).text
    assert all(words in page for words in ("No connection.", "A firewall.", "Open 8443."))


def test_a_ca_can_be_uploaded_as_a_file_and_is_checked(world: World) -> None:
    client = world.client(ADMIN)
    fields: dict[str, Any] = CONNECTION | {"trust": "ca", "csrf_token": world.csrf(client)}
    fields["ca_file"] = (io.BytesIO(b"no certificate \xff"), "ca.pem")
    page = client.post("/connections/new", data=fields, content_type="multipart/form-data")
    assert "CA certificate can" in html.unescape(page.text)
    assert world.store.connections.list() == []


def test_a_second_connection_to_the_same_server_is_refused(world: World) -> None:
    client = world.client(ADMIN)
    world.submit(client, "/connections/new", **CONNECTION)
    page = world.submit(client, "/connections/new", **(CONNECTION | {"name": "other"}))
    assert page.status_code == 200
    assert "already" in page.text
    assert len(world.store.connections.list()) == 1


def test_a_test_of_the_connection_shows_its_steps(world: World) -> None:
    world.add_connection()
    page = world.submit(world.client(ADMIN), "/connections/1/test").text
    for words in ("The name resolves.", "No answer.", "A firewall.", "Open port 8443."):
        assert words in page


def test_a_connection_without_password_cannot_be_tested(world: World) -> None:
    world.store.connections.add(name="bare", host="cdm.example", port=8443, username="u")
    page = world.submit(world.client(ADMIN), "/connections/1/test").text
    assert "No password is stored" in page
    assert world.cdm.asked == []


def test_a_connection_in_use_is_not_deleted(world: World) -> None:
    connection = world.add_connection()
    mapping = world.add_mapping(connection)
    client = world.client(ADMIN)
    assert world.submit(client, "/connections/1/delete").status_code == 303
    assert "uses connection prod" in client.get("/connections/1").text
    world.store.mappings.delete(mapping.id)
    assert world.submit(client, "/connections/1/delete").status_code == 303
    assert world.store.connections.list() == []
    assert world.secrets.kept == {}


def test_a_password_that_is_not_sent_back_is_asked_for_again(world: World) -> None:
    client = world.client(ADMIN)
    page = world.submit(client, "/connections/new", **(CONNECTION | {"action": "certificate"}))
    assert "What was typed here is not sent back to the page" in page.text
    empty = CONNECTION | {"action": "certificate", "password": ""}
    page = world.submit(client, "/connections/new", **empty)
    assert "What was typed here is not sent back to the page" not in page.text


def test_what_only_another_trust_needs_is_marked_as_not_used(world: World) -> None:
    page = html.unescape(world.client(ADMIN).get("/connections/new").text)
    assert page.count("Not used: only if") == 2
    world.submit(world.client(ADMIN), "/connections/new", **CONNECTION)
    world.store.connections.change(1, trust="ca", ca_pem="PEM")
    page = html.unescape(world.client(ADMIN).get("/connections/1").text)
    assert "Used now, as “By a CA certificate that you give here” is chosen." in page
    assert page.count("Not used: only if") == 1


def test_the_rights_in_cdm_are_the_same_wherever_they_are_told(world: World) -> None:
    """Readme, help and form must not send somebody to CDM three times."""
    readme = " ".join(README.read_text().replace("*", "").split())
    client = world.client(ADMIN)
    assert "may view and run jobs, and a resource pool that holds just the restore jobs" in readme
    assert "the right to cancel and to clean up if the app shall offer them" in readme
    for path in ("/help", "/connections/new"):
        page = html.unescape(client.get(path).text)
        assert "a role that may view and run jobs, and cancel and clean up if the app" in page
        assert "a resource pool that holds just the restore jobs and their resources" in page
        assert "README" not in page


def test_a_test_says_what_is_not_saved_yet_and_keeps_it(world: World) -> None:
    world.add_connection()
    client = world.client(ADMIN)
    saved = world.store.connections.get(1)
    fields = {"name": saved.name, "host": saved.host, "port": str(saved.port)}
    fields |= {"username": saved.username, "trust": "system", "password": ""}
    assert "Test of the connection" in world.submit(client, "/connections/1/test", **fields).text
    for typed in ({"host": "other.example"}, {"password": "pass-Word-9!"}):
        page = world.submit(client, "/connections/1/test", **(fields | typed)).text
        assert "Not tested" in page
        assert "Test of the connection" not in page
        assert "pass-Word-9!" not in page
        assert f'value="{typed.get("host", saved.host)}"' in page


@pytest.mark.parametrize("trust", ["system", "fingerprint"])
def test_a_ca_that_the_chosen_trust_does_not_use_is_told(world: World, trust: str) -> None:
    client = world.client(ADMIN)
    fields: dict[str, Any] = CONNECTION | {"trust": trust, "csrf_token": world.csrf(client)}
    fields |= {"ca_file": (io.BytesIO(b"PEM"), "ca.pem"), "fingerprint": "ab" * 32}
    client.post("/connections/new", data=fields, content_type="multipart/form-data")
    page = html.unescape(client.get("/connections/1").text)
    assert "CA certificate file" in page.partition('id="first"')[0]
    assert "not used and not kept" in page
    world.submit(client, "/connections/1", **CONNECTION)
    assert "not used and not kept" not in client.get("/connections/1").text
