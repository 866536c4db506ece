# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Stored passwords survive crashes, damage, races and a changed key; nothing else is claimed."""

import json
import subprocess
import threading
from pathlib import Path

import pytest

from app.framework import logs, masking
from app.framework.secrets import SecretNotStored, Secrets, SecretUnreadable
from tests.framework.conftest import Run

FILE = "safeguarded-restore_e.db"
PASSWORD = "pä$$ w0rd'\"\\\n"


@pytest.fixture
def store(app_root: Path) -> Path:
    return app_root / "store"


def test_what_was_put_is_read_by_another_process(store: Path) -> None:
    Secrets().put("cdm-1", PASSWORD)

    assert Secrets().get("cdm-1") == PASSWORD
    assert Secrets().labels() == {"cdm-1"}


def test_no_file_holds_the_password_or_can_be_read_by_others(store: Path) -> None:
    Secrets().put("cdm-1", "a plain password")

    for path in [each for each in store.iterdir() if each.is_file()]:
        assert b"a plain password" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_several_labels_do_not_disturb_each_other(store: Path) -> None:
    secrets = Secrets()
    secrets.put("cdm-1", "first")
    secrets.put("cdm-2", "second")
    secrets.drop("cdm-1")
    secrets.drop("never there")

    assert Secrets().labels() == {"cdm-2"}
    assert Secrets().get("cdm-2") == "second"
    with pytest.raises(SecretUnreadable):
        secrets.get("cdm-1")
    assert not any("cdm-1" in path.read_text() for path in store.glob("*_e.db*"))


def test_a_password_is_masked_in_logs_from_the_moment_it_is_known(store: Path) -> None:
    Secrets().put("cdm-1", "hush-hush-1")

    assert "hush" not in masking.masked("login with hush-hush-1 failed")


def test_decrypting_happens_once_per_process(store: Path) -> None:
    secrets = Secrets()
    secrets.put("cdm-1", "first")
    reader = Secrets()
    assert reader.get("cdm-1") == "first"
    (store / FILE).unlink()
    (store / f"{FILE}.copy").unlink()

    assert reader.get("cdm-1") == "first"


@pytest.mark.parametrize("label", ["", "a b", "../x", "ü", "x" * 65])
def test_a_label_from_outside_is_refused(store: Path, label: str) -> None:
    with pytest.raises(SecretNotStored):
        Secrets().put(label, "text")
    with pytest.raises(SecretUnreadable):
        Secrets().get(label)


def test_an_empty_password_is_refused(store: Path) -> None:
    with pytest.raises(SecretNotStored):
        Secrets().put("cdm-1", "")


@pytest.mark.parametrize("content", [b"", b'{"cdm-1": {"vers', b"[]", b"17", b'"cdm-1"', b"\xff"])
def test_a_broken_file_is_restored_from_the_copy(store: Path, content: bytes) -> None:
    Secrets().put("cdm-1", "first")
    (store / FILE).write_bytes(content)

    assert Secrets().get("cdm-1") == "first"
    assert json.loads((store / FILE).read_bytes()).keys() == {"cdm-1"}


def test_a_lost_file_is_restored_from_the_copy(store: Path) -> None:
    Secrets().put("cdm-1", "first")
    (store / FILE).unlink()

    Secrets().put("cdm-2", "second")

    assert Secrets().get("cdm-1") == "first"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"cdm-1": 5}', b'{"cdm-1": ["secret"]}', b"{}"])
def test_damage_beyond_repair_asks_for_the_password_and_lets_it_be_entered(
    store: Path, content: bytes
) -> None:
    Secrets().put("cdm-1", "first")
    (store / FILE).write_bytes(content)
    (store / f"{FILE}.copy").write_bytes(content)

    with pytest.raises(SecretUnreadable, match="must be entered again"):
        Secrets().get("cdm-1")
    Secrets().put("cdm-2", "again")
    assert Secrets().get("cdm-2") == "again"


def test_another_uuid_asks_for_the_password_again(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After uninstall and install QRadar derives another key: settings stay, passwords don't."""
    Secrets().put("cdm-1", "first")
    monkeypatch.setenv("QRADAR_APP_UUID", "another")

    with pytest.raises(SecretUnreadable, match="another installation"):
        Secrets().get("cdm-1")
    Secrets().put("cdm-2", "second")
    assert Secrets().get("cdm-2") == "second"


def test_without_a_uuid_the_reason_is_named(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QRADAR_APP_UUID")

    with pytest.raises(SecretUnreadable, match="QRADAR_APP_UUID"):
        Secrets().get("cdm-1")
    with pytest.raises(SecretNotStored, match="QRADAR_APP_UUID"):
        Secrets().put("cdm-1", "text")


def test_a_failed_write_leaves_everything_as_it_was(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk while qpylib writes: the file is already emptied by then."""
    secrets = Secrets()
    secrets.put("cdm-1", "first")
    before = (store / FILE).read_bytes()

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("qpylib.encdec.json.dumps", full)
        with pytest.raises(SecretNotStored):
            secrets.put("cdm-2", "second")

    assert (store / FILE).read_bytes() == before
    assert Secrets().labels() == {"cdm-1"}


KILLED = """
import json, os, signal, sys, pathlib
from app.framework.secrets import Secrets
left = int(sys.argv[2])

def die_at(owner, name):
    original = getattr(owner, name)
    def step(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)
    setattr(owner, name, step)

die_at(json, "dumps")           # qpylib has emptied its file by now
die_at(json, "dump")            # so have we, the new one
die_at(os, "fsync")
die_at(pathlib.Path, "replace")
die_at(pathlib.Path, "unlink")
if sys.argv[1] == "put":
    Secrets().put("cdm-2", "second")
else:
    Secrets().drop("cdm-1")
print("survived")
"""


@pytest.mark.parametrize("act", ["put", "drop"])
def test_kill_9_at_any_moment_leaves_the_old_or_the_new_state(
    store: Path, run: Run, act: str
) -> None:
    Secrets().put("cdm-0", "zero")
    moments = 0
    while True:
        Secrets().put("cdm-1", "first")
        Secrets().drop("cdm-2")
        moments += 1
        ended = run(KILLED, act, str(moments))
        labels = Secrets().labels()
        assert Secrets().get("cdm-0") == "zero"
        if act == "put":
            assert Secrets().get("cdm-1") == "first"
            assert labels in ({"cdm-0", "cdm-1"}, {"cdm-0", "cdm-1", "cdm-2"})
        else:
            assert labels in ({"cdm-0", "cdm-1"}, {"cdm-0"})
        if ended.returncode == 0:
            assert ended.stdout == "survived\n"
            break
        assert ended.returncode == -9, ended.stderr
    assert moments > 8


def test_threads_and_processes_lose_no_password_of_each_other(store: Path, run: Run) -> None:
    source = """
import sys
from app.framework.secrets import Secrets
for number in range(4):
    Secrets().put(f"{sys.argv[1]}-{number}", "text")
"""
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(target=lambda name=name: results.append(run(source, name)))
        for name in ("web", "worker", "configure")
    ]
    for thread in threads:
        thread.start()
    for number in range(4):
        Secrets().put(f"here-{number}", "text")
    for thread in threads:
        thread.join()

    assert [result.stderr for result in results] == ["", "", ""]
    assert len(Secrets().labels()) == 16


def test_mask_is_offered_with_the_logs() -> None:
    assert logs.mask is masking.mask
