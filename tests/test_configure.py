# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``python3 -m app.configure``: what goes where, and that it takes effect."""

import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.configure import Streams, main
from app.framework import paths
from app.framework.secrets import Secrets
from app.store.copies import keep_copy
from app.store.database import Database
from app.store.store import Store
from tests.framework.conftest import forget_qpylib_state
from tests.qradar.receiver import Console, receiving
from tests.simulators import certs

ROOT = Path(__file__).parents[1]
DOCUMENT: dict[str, Any] = {
    "connections": [
        {"name": "prod", "host": "cdm.example", "username": "qradar", "password": "geheim"}
    ],
    "mappings": [
        {
            "name": "SQL attack",
            "rule_id": 100231,
            "rule_name": "Angriff auf Müller",
            "connection": "prod",
            "job_id": "1044",
            "job_name": "SQL clean-room restore",
        }
    ],
    "settings": {"mode": "armed"},
}


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def app_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return app_in(tmp_path, monkeypatch)


def app_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """APP_ROOT with a manifest and an empty store, and QRadar's environment."""
    for name, value in {
        "APP_ROOT": str(folder),
        "QRADAR_APP_ID": "1051",
        "QRADAR_APP_UUID": "7c0ffee0-1111-2222-3333-444455556666",
        "QRADAR_CONSOLE_FQDN": "console.example",
        "QRADAR_CONSOLE_IP": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("REQUESTS_CA_BUNDLE", "QRADAR_APPFW_SDK"):
        monkeypatch.delenv(name, raising=False)
    (folder / "store").mkdir()
    (folder / "manifest.json").write_text(json.dumps({"name": "x", "version": "1.2.3"}))
    forget_qpylib_state(monkeypatch)
    return folder


Configure = Callable[..., Result]


@pytest.fixture
def configure(app_root: Path) -> Configure:
    def run(*arguments: str, stdin: str = "") -> Result:
        streams = Streams(io.StringIO(stdin), io.StringIO(), io.StringIO())
        code = main(arguments, streams)
        result = Result(code, streams.stdout.getvalue(), streams.stderr.getvalue())
        if code:
            assert result.out == ""
            assert result.err.startswith("configure: ")
            assert result.err.count("\n") == 1
            assert "unexpected" not in result.err
        return result

    return run


@pytest.fixture
def load(configure: Configure, app_root: Path) -> Callable[..., Result]:
    """Import a document from a file."""

    def load(document: object, *more: str) -> Result:
        file = app_root / "document.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return configure("import", str(file), *more)

    return load


def open_store() -> Store:
    return Store(Database(paths.database_path()))


# --- import and export ----------------------------------------------------------------------------


def test_the_first_command_makes_the_store(configure: Configure, app_root: Path) -> None:
    result = configure("export")
    assert json.loads(result.out) == {
        "connections": [],
        "mappings": [],
        "settings": {
            "mode": "disarmed",
            "operator_roles": [],
            "services": [],
            "leef": False,
            "own_log_sources": [],
            "own_qids": [],
            "language": "en",
        },
    }
    assert result.err == ""


def test_an_export_has_everything_but_secrets(
    configure: Configure, load: Callable[..., Result]
) -> None:
    assert load(DOCUMENT).code == 0
    out = configure("export").out
    assert "geheim" not in out
    exported = json.loads(out)
    assert exported["connections"][0]["port"] == 8443
    assert "password" not in exported["connections"][0]
    assert exported["mappings"][0]["rule_name"] == "Angriff auf Müller"
    again = load(exported)
    assert (again.code, again.out, again.err) == (0, "", "nothing to change\n")


def test_an_import_takes_effect_at_once(load: Callable[..., Result]) -> None:
    result = load(DOCUMENT)
    assert result.out == ""
    assert "connection prod: added" in result.err
    connection = open_store().connections.find("prod")
    assert connection is not None
    assert Secrets().get(connection.secret_label or "") == "geheim"


def test_an_import_reads_standard_input(configure: Configure) -> None:
    assert configure("import", "-", stdin="\ufeff" + json.dumps(DOCUMENT)).code == 0
    assert json.loads(configure("export").out)["settings"]["mode"] == "armed"


def test_a_dry_run_changes_nothing(configure: Configure, load: Callable[..., Result]) -> None:
    result = load(DOCUMENT, "--dry-run")
    assert (result.code, result.out) == (0, "")
    assert "would change connection prod: added" in result.err
    assert json.loads(configure("export").out)["connections"] == []
    assert not list(paths.store_dir().glob("*_e.db"))


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"connections": [{"name": "a", "host": "127.0.0.1", "username": "u"}]}, "[0].host"),
        ({"connections": [{"name": "a", "host": "u@b", "username": "u"}]}, "connections[0].host"),
        ({"conections": []}, "conections"),
        ("[]", "document"),
        ("{", "document: is not JSON at line 1 column 2"),
        ('{"settings": {"mode": "armed", "mode": "disarmed"}}', "mode: stands there twice"),
        ("[" * 100_000, "document: is nested too deeply"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_field(
    load: Callable[..., Result], document: object, says: str
) -> None:
    result = load(document)
    assert result.code == 1
    assert says in result.err


def test_a_document_that_is_no_json_is_not_repeated(load: Callable[..., Result]) -> None:
    result = load('{"connections": [{"password": "geheim}]}')
    assert result.code == 1
    assert "geheim" not in result.err


def test_a_document_that_is_not_utf8_is_refused(configure: Configure, app_root: Path) -> None:
    (app_root / "latin1.json").write_bytes('{"settings": "ü"}'.encode("latin-1"))
    assert "UTF-8" in configure("import", str(app_root / "latin1.json")).err


@pytest.mark.parametrize(
    ("where", "field"),
    [
        ({"host": "192.0.2.77"}, "host"),
        ({"host": "a.example", "proxy": "http://192.0.2.77:1"}, "proxy"),
    ],
)
def test_a_name_that_leads_to_the_console_is_refused(
    load: Callable[..., Result],
    app_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: dict[str, str],
    field: str,
) -> None:
    monkeypatch.setenv("QRADAR_CONSOLE_IP", "192.0.2.77")
    fine = {"name": "a", "host": "192.0.2.2", "username": "u"}
    result = load({"connections": [fine, {"name": "b", "username": "u", **where}]})
    assert result.code == 1
    assert f"connections[1].{field}: must not lead to" in result.err
    assert not list((app_root / "store").glob("*.db"))


def test_loopback_is_taken_in_the_demo(
    load: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QRADAR_APPFW_SDK", "true")
    assert load({"connections": [{"name": "a", "host": "127.0.0.1", "username": "u"}]}).code == 0


# --- trigger tokens -------------------------------------------------------------------------------


def test_new_prints_the_token_alone_and_it_is_valid_at_once(configure: Configure) -> None:
    result = configure("trigger-token", "new", "prod rules")
    assert result.code == 0
    assert result.err == ""
    token = result.out.removesuffix("\n")
    assert len(token.split()) == 1
    assert open_store().tokens.name_of(token)


def test_only_a_hash_of_the_token_is_kept(configure: Configure, app_root: Path) -> None:
    token = configure("trigger-token", "new", "a").out.strip()
    for file in (app_root / "store").rglob("*"):
        assert not file.is_file() or token.encode() not in file.read_bytes()


def test_several_tokens_are_valid_until_they_are_revoked(configure: Configure) -> None:
    first, second = (configure("trigger-token", "new", name).out.strip() for name in "ab")
    listed = configure("trigger-token", "list").out
    assert [line.split("\t")[0] for line in listed.splitlines()] == ["a", "b"]
    assert first not in listed
    revoked = configure("trigger-token", "revoke", "a")
    assert (revoked.code, revoked.out) == (0, "")
    store = open_store()
    assert not store.tokens.name_of(first)
    assert store.tokens.name_of(second)


def test_a_taken_name_and_an_unknown_one_are_refused(configure: Configure) -> None:
    configure("trigger-token", "new", "a")
    for action, name in (("new", "a"), ("revoke", "b"), ("new", "x\ny"), ("new", " ")):
        result = configure("trigger-token", action, name)
        assert result.code == 1
        assert "name:" in result.err


# --- the script -----------------------------------------------------------------------------------


@pytest.fixture
def console(app_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """A console under a local CA that the app's CA file has."""
    chain = certs.chain(app_root / "pki", "localhost")
    (app_root / "bundle.pem").write_text(chain.ca_bundle)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(app_root / "bundle.pem"))
    with receiving(chain.leaf) as console:
        monkeypatch.setenv("QRADAR_CONSOLE_FQDN", f"localhost:{console.port}")
        yield console


def test_script_and_parameters_reach_the_console(
    configure: Configure, console: Console, app_root: Path
) -> None:
    made = configure("script")
    assert made.err == ""
    assert made.out.isascii()
    assert "script version 1.2.3" in made.out.lower()
    given = configure("script", "--parameters", stdin='{"token": "T-1", "sec": "S-1"}')
    listed = json.loads(given.out)
    fixed = [p["value"] for p in listed if p["parameter_type"] == "fixed"]
    (app_root / "home").mkdir()
    file = app_root / "customaction_1.script"
    file.write_text(made.out)
    done = subprocess.run(
        ["bash", str(file), *fixed, "1764000000000"],
        env={"HOME": str(app_root / "home"), "RULE_ID": "7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    ((_, headers, form),) = console.requests
    assert headers["SEC"] == "S-1"
    assert form["token"] == "T-1"
    assert form["event_time"] == "1764000000000"


def test_a_store_that_can_not_be_written_is_told_as_that_not_as_busy(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("trigger-token", "list")
    really = sqlite3.connect

    def connect(address: str, **options: Any) -> sqlite3.Connection:
        return really(re.sub("mode=rwc?", "mode=ro", address), **options)

    monkeypatch.setattr(sqlite3, "connect", connect)
    result = configure("trigger-token", "new", "edge")
    assert result.code == 1
    assert "a readonly database. Look at the disk of the app's store" in result.err
    assert result.err.endswith("Nothing was changed.\n")


def test_the_script_needs_no_store(configure: Configure, console: Console) -> None:
    shutil.rmtree(paths.store_dir())
    assert configure("script").code == 0
    assert not paths.store_dir().exists()


def test_unknown_issuers_are_said_with_what_to_do(
    configure: Configure, console: Console, app_root: Path
) -> None:
    (app_root / "bundle.pem").write_text("")
    result = configure("script")
    assert result.code == 1
    assert "REQUESTS_CA_BUNDLE" in result.err
    assert "Add the console" in result.err


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("REQUESTS_CA_BUNDLE", None, "REQUESTS_CA_BUNDLE is not set"),
        ("REQUESTS_CA_BUNDLE", "/nowhere", "REQUESTS_CA_BUNDLE can't be read"),
        ("QRADAR_CONSOLE_FQDN", None, "QRADAR_CONSOLE_FQDN is not set"),
        ("QRADAR_CONSOLE_FQDN", "localhost:1", "no certificate can be had from localhost:1"),
        ("QRADAR_CONSOLE_IP", "x", "address"),
    ],
)
def test_what_the_script_lacks_is_said(
    configure: Configure,
    console: Console,
    monkeypatch: pytest.MonkeyPatch,
    *,
    name: str,
    value: str | None,
    says: str,
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    result = configure("script")
    assert result.code == 1
    assert says in result.err


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        ("", "standard input"),
        ("[]", "standard input"),
        ('{"token": "geheim"}', "sec"),
        ('{"token": "", "sec": "geheim"}', "token"),
        ('{"token": "a\\nb", "sec": "geheim"}', "token"),
        ('{"token": "geheim", "sec": "geheim", "secret": "geheim"}', "secret:"),
        ('{"token": "geheim", "sec": "geh', "standard input"),
    ],
)
def test_parameters_names_what_is_wrong_and_repeats_no_secret(
    configure: Configure, stdin: str, says: str
) -> None:
    result = configure("script", "--parameters", stdin=stdin)
    assert result.code == 1
    assert says in result.err
    assert "geheim" not in result.err


def test_parameters_may_name_a_mapping(configure: Configure) -> None:
    stdin = '{"token": "T", "sec": "S", "mapping": "SQL attack"}'
    listed = json.loads(configure("script", "--parameters", stdin=stdin).out)
    assert {p["name"]: p["value"] for p in listed}["mapping"] == "SQL attack"


# --- arguments, store, process --------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("exprot",),
        ("import",),
        ("import", "/nowhere/x.json"),
        ("trigger-token",),
        ("trigger-token", "new"),
        ("export", "--what"),
    ],
)
def test_wrong_arguments_are_exit_code_2(configure: Configure, arguments: tuple[str, ...]) -> None:
    assert configure(*arguments).code == 2


def test_a_failed_migration_is_said(configure: Configure) -> None:
    paths.database_path().write_bytes(b"this is no database" * 100)
    result = configure("export")
    assert result.code == 1
    assert "database is damaged: file is not a database. There is no copy of it" in result.err


def test_a_copy_is_listed_put_back_and_its_tokens_are_confirmed(
    configure: Configure, load: Callable[..., Result]
) -> None:
    load(DOCUMENT)
    token = configure("trigger-token", "new", "console").out.strip()
    assert configure("store", "list").out == ""
    assert "nothing waits" in configure("store", "confirm").err
    keep_copy(paths.database_path())
    listed = configure("store", "list").out.split("\t")
    name = "safeguarded-restore.db.copy-1"
    assert listed[0] == name
    assert configure("store", "restore", "none").code == 1
    put_back = configure("store", "restore", name)
    assert "store confirm" in put_back.err
    store = open_store()
    assert (store.settings.mode, store.tokens.name_of(token)) == ("disarmed", None)
    assert "valid again" in configure("store", "confirm").err
    assert store.tokens.name_of(token) == "console"
    configure("store", "restored")
    assert store.tokens.name_of(token) is None
    assert "it stays" in configure("store", "start-anew").err
    store.close()


def test_a_lost_store_can_begin_anew(configure: Configure, load: Callable[..., Result]) -> None:
    load(DOCUMENT)
    keep_copy(paths.database_path())
    for file in paths.store_dir().glob("safeguarded-restore.db*"):
        if file.suffix not in {".mark", ".copy-1"}:
            file.unlink()
    assert "gone or empty" in configure("export").err
    assert configure("store", "start-anew").code == 0
    assert json.loads(configure("export").out)["connections"] == []


def test_a_store_of_a_newer_version_is_left_alone(configure: Configure) -> None:
    with sqlite3.connect(paths.database_path()) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    result = configure("trigger-token", "new", "a")
    assert result.code == 1
    assert "9999" in result.err


def test_outside_of_a_container_it_says_so(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APP_ROOT")
    assert "APP_ROOT" in configure("export").err


def run_as_program(app_root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: os.environ[name] for name in os.environ if name.startswith("QRADAR_")}
    environ |= {"APP_ROOT": str(app_root), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "app.configure", *arguments],
        cwd=ROOT,
        env=environ | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_as_a_program_it_keeps_the_streams_apart(app_root: Path) -> None:
    made = run_as_program(app_root, "trigger-token", "new", "a")
    assert (made.returncode, made.stderr) == (0, "")
    assert open_store().tokens.name_of(made.stdout.removesuffix("\n"))
    again = run_as_program(app_root, "trigger-token", "new", "a")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that others can't write")
def test_what_root_configures_the_apps_user_can_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker exec` is root; the web process is not."""
    # pytest's own folders are root's alone, and each pytest that begins meanwhile sees to that
    with tempfile.TemporaryDirectory() as folder:
        app_root = app_in(Path(folder), monkeypatch)
        app_root.chmod(0o755)
        _configure_as_root(app_root)


def _configure_as_root(app_root: Path) -> None:
    os.chown(app_root / "store", 65534, 65534)
    document = app_root / "document.json"
    document.write_text(json.dumps(DOCUMENT))
    document.chmod(0o600)
    done = run_as_program(app_root, "import", str(document))
    assert (done.returncode, done.stdout) == (0, "")
    made = list((app_root / "store").rglob("*"))
    assert len(made) > 3
    assert {file.stat().st_uid for file in made} == {65534}
