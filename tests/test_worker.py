# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker with real threads: lanes, wakes, the lock, a store in trouble, CDM clients."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.framework.stop import Stop
from app.remote.guard import Guard
from app.restore import triggers
from app.restore.model import (
    CdmConnection,
    CopyManagerError,
    LoginRefused,
    Phase,
    RunState,
    Trust,
    Unreachable,
)
from app.store import Database, Store
from app.worker import clients as clients_module
from app.worker import lanes, main
from app.worker.clients import Clients
from app.worker.lanes import Lane
from app.worker.main import Worker, migrated, only_worker
from tests.factories import make_connection, make_mapping, make_store, make_trigger
from tests.restore.fake_cdm import FakeCdm
from tests.simulators.cdm import CdmSimulator
from tests.simulators.certs import self_signed

REPOSITORY = Path(__file__).resolve().parents[1]
SOON = 20.0  # far more than anything here takes, should the machine be busy
S = RunState


class Fakes:
    """The CDMs of a test, one for each connection, for every lane that asks."""

    def __init__(self) -> None:
        self.cdm: dict[int, FakeCdm] = {}
        self.closed: list[Store] = []

    def __call__(self, store: Store) -> "FakeClients":
        return FakeClients(self, store)


class FakeClients:
    """What a lane gets in place of `Clients`."""

    def __init__(self, fakes: Fakes, store: Store) -> None:
        self._fakes, self._store = fakes, store

    def client_for(self, connection_id: int) -> FakeCdm:
        return self._fakes.cdm.setdefault(connection_id, FakeCdm())

    def close(self) -> None:
        self._fakes.closed.append(self._store)


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def path(store: Store) -> Path:
    return store.runs._db.path


@contextmanager
def working(path: Path, fakes: Fakes) -> Iterator[Worker]:
    """A worker at work in a thread of its own."""
    stopping = Stop()
    worker = Worker(path, stopping, clients=fakes, certificates=lambda _path: [])
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        yield worker
    finally:
        stopping.set()
        thread.join(SOON)
        assert not thread.is_alive()


def wait_until(condition: Callable[[], object]) -> None:
    until = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.005)


def trigger(store: Store, connection: CdmConnection, job_id: str = "1044") -> int:
    mapping = next(
        (m for m in store.mappings.for_connection(connection.id) if m.job_id == job_id), None
    )
    mapping = mapping or make_mapping(store, connection, job_id=job_id)
    run_id = triggers.accept(store, make_trigger(mapping), lanes.utc_now()).run_id
    assert run_id is not None
    return run_id


# --- lanes and wakes --------------------------------------------------------------------------


def test_a_new_run_is_noticed_without_waiting_for_a_nap_to_end(
    store: Store, path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naps last an hour here: only the wake that follows the commit can make it start."""
    monkeypatch.setattr(lanes, "LONGEST_NAP_S", 3600.0)
    monkeypatch.setattr(lanes, "CONTACT_EVERY_S", 3600.0)
    connection = make_connection(store)
    started = threading.Event()
    cdm = fakes.cdm[connection.id] = FakeCdm()
    cdm.hook = lambda point: started.set() if point == "start is sent" else None
    with working(path, fakes):
        wait_until(lambda: "worker" in store.heartbeats.all())
        trigger(store, connection)
        assert started.wait(SOON)


def test_looking_for_commits_is_quick_enough_for_fifty_milliseconds() -> None:
    assert main.LOOK_EVERY_S <= 0.025


def test_a_wake_between_a_turn_and_its_nap_is_not_lost(
    store: Store, path: Path, fakes: Fakes
) -> None:
    connection = make_connection(store)
    made: list[int] = []

    class Interrupted(Lane):
        def _nap(self, due_at: object) -> float:
            if not made:
                made.append(trigger(Store(Database(path)), connection))
                self.wake()
            return 3600.0

    lane = Interrupted(connection.id, path, clients=fakes)
    lane.start()
    wait_until(lambda: made and store.runs.get(made[0]).state is S.STARTING)
    lane.stop()
    lane.join(SOON)
    assert not lane.is_alive()


def test_a_hanging_cdm_delays_nobody_elses_start(store: Store, path: Path, fakes: Fakes) -> None:
    slow, quick = make_connection(store), make_connection(store)
    hanging, let_go = threading.Event(), threading.Event()

    def hang(point: str) -> None:
        if point == "job is sent":
            hanging.set()
            let_go.wait(SOON)

    fakes.cdm[slow.id] = FakeCdm(hook=hang)
    try:
        with working(path, fakes):
            first = trigger(store, slow)
            assert hanging.wait(SOON)
            second = trigger(store, quick)
            wait_until(lambda: store.runs.get(second).state is S.RESTORING)
            assert store.runs.get(first).state is S.QUEUED
            let_go.set()
            wait_until(lambda: store.runs.get(first).state is S.RESTORING)
    finally:
        let_go.set()


def test_a_connection_gets_its_lane_and_loses_it_while_the_worker_works(
    store: Store, path: Path, fakes: Fakes
) -> None:
    with working(path, fakes):
        wait_until(lambda: "worker" in store.heartbeats.all())
        connection = make_connection(store)
        run_id = trigger(store, connection)
        wait_until(lambda: store.runs.get(run_id).state is S.RESTORING)
        fakes.cdm[connection.id].become(
            store.runs.get(run_id).job_session_id or "", Phase.COMPLETED
        )
        wait_until(lambda: store.runs.get(run_id).state is S.COMPLETED)
        for mapping in store.mappings.list():
            store.mappings.delete(mapping.id)
        store.connections.delete(connection.id)
        wait_until(lambda: len(fakes.closed) == 1)


def test_an_idle_lane_keeps_contact_and_notes_trouble(
    store: Store, path: Path, fakes: Fakes
) -> None:
    connection = make_connection(store)
    make_mapping(store, connection)
    fakes.cdm[connection.id] = FakeCdm(down=Unreachable("no route to cdm"))
    with working(path, fakes):
        wait_until(lambda: store.connections.contact(connection.id).error == "no route to cdm")


def test_trouble_is_noted_between_the_steps_of_an_open_run(
    store: Store, path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mounted copy is looked at once a minute: too seldom to tell of trouble in half of one."""
    monkeypatch.setattr(lanes, "CONTACT_EVERY_S", 0.1)
    monkeypatch.setattr(lanes, "LONGEST_NAP_S", 0.05)
    connection = make_connection(store)
    cdm = fakes.cdm[connection.id] = FakeCdm()
    with working(path, fakes):
        run_id = trigger(store, connection)
        wait_until(lambda: store.runs.get(run_id).state is S.RESTORING)
        cdm.become(store.runs.get(run_id).job_session_id or "", Phase.READY)
        wait_until(lambda: store.runs.get(run_id).state is S.READY)
        cdm.down = Unreachable("no route to cdm")
        wait_until(lambda: store.connections.contact(connection.id).error == "no route to cdm")
        assert store.runs.get(run_id).contact_lost_since is None
        cdm.down = None
        wait_until(lambda: store.connections.contact(connection.id).error is None)


def test_a_cdm_that_hangs_is_told_of_before_its_call_has_timed_out(
    store: Store, path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SILENT_AFTER_S", 0.1)
    monkeypatch.setattr(lanes, "CONTACT_EVERY_S", 0.1)
    monkeypatch.setattr(lanes, "LONGEST_NAP_S", 0.05)
    connection = make_connection(store)
    hanging, let_go = threading.Event(), threading.Event()

    def hang(point: str) -> None:
        if point == "job is sent":
            hanging.set()
            let_go.wait(SOON)

    fakes.cdm[connection.id] = FakeCdm(hook=hang)
    try:
        with working(path, fakes):
            run_id = trigger(store, connection)
            assert hanging.wait(SOON)
            wait_until(
                lambda: "does not answer" in (store.connections.contact(connection.id).error or "")
            )
            let_go.set()
            wait_until(lambda: store.runs.get(run_id).state is S.RESTORING)
            wait_until(lambda: store.connections.contact(connection.id).error is None)
    finally:
        let_go.set()


def test_many_slow_answers_are_no_silence(
    store: Store, path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane that asks for job after job of a slow CDM is answered all the time."""
    connection = make_connection(store)
    fakes.cdm[connection.id] = FakeCdm()
    lane = Lane(connection.id, path, clients=fakes)
    for at, asks, silent in (
        (0.0, True, False),
        (7.0, True, False),
        (14.0, False, False),
        (16.0, False, True),
    ):
        monkeypatch.setattr(lanes.time, "monotonic", lambda at=at: at)
        if asks:
            lane._about_to_ask(fakes(store), connection.id)
        assert (lane.silence() is not None) is silent, at


def test_a_lasting_silence_is_told_every_few_seconds_not_every_20_ms(
    path: Path, fakes: Fakes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = Lane(make_connection(store).id, path, clients=fakes)
    told = []
    for tenth in range(600):
        monkeypatch.setattr(lanes.time, "monotonic", lambda tenth=tenth: tenth / 10)
        if not tenth:
            lane._about_to_ask(fakes(store), 1)
        if (silent_s := lane.silence()) is not None:
            told.append(silent_s)
    assert told[0] == lanes.SILENT_AFTER_S
    assert {round(b - a) for a, b in zip(told, told[1:], strict=False)} == {lanes.TELL_EVERY_S}


def test_a_run_that_a_hanging_cdm_keeps_from_its_start_is_told_before_the_call_has_timed_out(
    store: Store, path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the pages (the run has lost contact), in the offense's note, once; and taken back."""
    monkeypatch.setattr(lanes, "SILENT_AFTER_S", 0.1)
    monkeypatch.setattr(lanes, "TELL_EVERY_S", 0.05)
    monkeypatch.setattr(main, "BEAT_EVERY_S", 0.05)
    monkeypatch.setattr(main.not_started, "NOTED_AFTER", timedelta(seconds=0.3))
    connection = make_connection(store)
    let_go = threading.Event()
    hang = {"job is sent": lambda: let_go.wait(SOON)}
    fakes.cdm[connection.id] = FakeCdm(hook=lambda point: hang.get(point, bool)() and None)
    try:
        with working(path, fakes):
            run_id = trigger(store, connection)
            wait_until(lambda: store.runs.get(run_id).contact_lost_since is not None)
            run = store.runs.get(run_id)
            assert (run.state, "does not answer" in (run.error or "")) == (S.QUEUED, True)
            wait_until(lambda: store.notes.for_run(run_id))
            time.sleep(0.3)
            (note,) = store.notes.for_run(run_id)
            assert note.kind == "not_started"
            let_go.set()
            wait_until(lambda: store.runs.get(run_id).state is S.RESTORING)
            run = store.runs.get(run_id)
            assert (run.contact_lost_since, run.error) == (None, None)
            kinds = [one.kind for one in store.notes.for_run(run_id)]
            assert kinds == ["not_started", "started"]
    finally:
        let_go.set()


def test_a_turn_that_fails_does_not_end_its_lane(
    store: Store,
    path: Path,
    fakes: Fakes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A lane that ends and begins again would log in to CDM each time."""
    connection = make_connection(store)
    make_mapping(store, connection)

    def fail(point: str) -> None:
        raise ZeroDivisionError

    cdm = fakes.cdm[connection.id] = FakeCdm(hook=fail)
    with working(path, fakes):
        wait_until(lambda: "a turn failed" in caplog.text)
        cdm.hook = lambda point: None
        run_id = trigger(store, connection)
        wait_until(lambda: store.runs.get(run_id).state is S.RESTORING)
    assert len(fakes.closed) == 1


def test_a_store_that_fails_for_a_while_is_outlived(
    store: Store, path: Path, fakes: Fakes, caplog: pytest.LogCaptureFixture
) -> None:
    connection = make_connection(store)
    with working(path, fakes):
        wait_until(lambda: "worker" in store.heartbeats.all())
        db = store.runs._db
        db.execute("ALTER TABLE connections RENAME TO gone")
        wait_until(lambda: "the store can't be used: no such table" in caplog.text)
        db.execute("ALTER TABLE gone RENAME TO connections")
        run_id = trigger(store, connection)
        wait_until(lambda: store.runs.get(run_id).state is S.RESTORING)


class HangingLooks:
    """The look at the certificates, which does not come back before it is let go."""

    def __init__(self) -> None:
        self.hangs, self.let_go = threading.Event(), threading.Event()

    def turn(self, now: datetime, tick: float) -> float:
        self.hangs.set()
        self.let_go.wait(SOON)
        return 3600.0

    def close(self) -> None:
        pass


def test_a_look_at_a_certificate_that_hangs_delays_no_restore(
    store: Store, path: Path, fakes: Fakes
) -> None:
    connection, looks, stopping = make_connection(store), HangingLooks(), Stop()
    worker = Worker(path, stopping, clients=fakes, certificates=lambda _path: [looks])
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        assert looks.hangs.wait(SOON)
        run_id = trigger(store, connection)
        wait_until(lambda: store.runs.get(run_id).state is S.RESTORING)
    finally:
        looks.let_go.set()
        stopping.set()
        thread.join(SOON)
    assert not thread.is_alive()


@pytest.mark.usefixtures("fresh_guard")
def test_the_worker_notes_the_end_of_the_certificate_that_each_cdm_shows(
    store: Store, path: Path, fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real look, on the wire."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("QRADAR_APPFW_SDK", "true")  # the simulator is on loopback
    shown = self_signed(tmp_path / "certs", "cdm.example", ["127.0.0.1"], days=160)
    with CdmSimulator(certificate=shown) as cdm:
        connection = make_connection(
            store,
            host="127.0.0.1",
            port=cdm.port,
            trust=Trust.FINGERPRINT,
            fingerprint=cdm.fingerprint,
        )
        stopping = Stop()
        worker = Worker(path, stopping, clients=fakes)
        thread = threading.Thread(target=worker.work)
        thread.start()
        try:
            wait_until(lambda: store.connections.contact(connection.id).certificate_ends_at)
        finally:
            stopping.set()
            thread.join(SOON)
    end = store.connections.contact(connection.id).certificate_ends_at
    assert end is not None
    assert (end - lanes.utc_now()).days == 159


# --- the end ----------------------------------------------------------------------------------


def test_a_stop_lets_a_lane_finish_its_step_and_log_out(
    store: Store, path: Path, fakes: Fakes
) -> None:
    connection = make_connection(store)
    sent, let_go = threading.Event(), threading.Event()

    def hang(point: str) -> None:
        if point == "start had its effect":
            sent.set()
            let_go.wait(SOON)

    fakes.cdm[connection.id] = FakeCdm(hook=hang)
    stopping = Stop()
    worker = Worker(path, stopping, clients=fakes, certificates=lambda _path: [])
    thread = threading.Thread(target=worker.work)
    thread.start()
    run_id = trigger(store, connection)
    assert sent.wait(SOON)
    stopping.set()
    let_go.set()
    thread.join(SOON)
    assert not thread.is_alive()
    assert store.runs.get(run_id).memory.answered is True
    assert len(fakes.closed) == 1


def test_a_lane_that_hangs_does_not_hold_up_the_end(
    store: Store, path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "GOODBYE_S", 0.2)
    connection = make_connection(store)
    sent, let_go = threading.Event(), threading.Event()

    def hang(point: str) -> None:
        if point == "start had its effect":
            sent.set()
            let_go.wait(SOON)

    fakes.cdm[connection.id] = FakeCdm(hook=hang)
    with working(path, fakes):
        run_id = trigger(store, connection)
        assert sent.wait(SOON)
    assert store.runs.get(run_id).state is S.STARTING
    let_go.set()
    wait_until(lambda: fakes.closed)


# --- the lock ---------------------------------------------------------------------------------


def test_a_second_worker_waits_for_the_lock_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock, stopping, at_work = tmp_path / "worker.lock", Stop(), threading.Event()

    def second() -> None:
        with only_worker(lock, stopping) as mine:
            if mine:
                at_work.set()

    thread = threading.Thread(target=second)
    with caplog.at_level(logging.WARNING), only_worker(lock, Stop()) as mine:
        assert mine
        thread.start()
        wait_until(lambda: "another worker is at work" in caplog.text)
        assert not at_work.wait(0.5)
        # what qpylib logs again is left out: some test before this one may have set it up
        said = [one for one in caplog.records if one.name == "app.framework.only_worker"]
        assert ["another worker is at work" in one.getMessage() for one in said] == [True]
    assert at_work.wait(SOON)
    thread.join(SOON)


def test_a_worker_that_waits_for_the_lock_can_be_stopped(tmp_path: Path) -> None:
    lock, stopping = tmp_path / "worker.lock", Stop()
    stopping.set()
    with only_worker(lock, stopping) as mine:
        assert not mine


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    lock = tmp_path / "worker.lock"

    def fail() -> None:
        with only_worker(lock, Stop()):
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail()


# --- migration and clients --------------------------------------------------------------------


def test_a_store_that_cannot_be_migrated_is_no_end_but_a_stop_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "store.db").write_bytes(b"no database" * 1000)
    stopping = Stop()
    done: list[bool] = []
    thread = threading.Thread(target=lambda: done.append(migrated(tmp_path / "store.db", stopping)))
    thread.start()
    wait_until(lambda: "database is damaged" in caplog.text)
    assert not done
    stopping.set()
    thread.join(SOON)
    assert done == [False]


class FakeSecrets:
    """The encrypted file, as far as a lane reads it."""

    def __init__(self, kept: Mapping[str, str]) -> None:
        self.kept = kept

    def get(self, label: str) -> str:
        if label not in self.kept:
            raise clients_module.SecretNotStored(label)
        return self.kept[label]


class FakeCdmClient:
    """Remembers how it was made and whether it was closed."""

    made: list["FakeCdmClient"]

    def __init__(self, connection: CdmConnection, password: str, **options: object) -> None:
        self.connection, self.password, self.closed = connection, password, False
        self.options = options
        self.made.append(self)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[FakeCdmClient]:
    FakeCdmClient.made = []
    monkeypatch.setattr(clients_module, "client_of", FakeCdmClient)
    monkeypatch.setattr(clients_module.paths, "app_version", lambda: "1.2.3")
    return FakeCdmClient.made


def test_a_client_is_kept_until_its_connection_or_password_changes(
    store: Store, made: list[FakeCdmClient]
) -> None:
    secrets = FakeSecrets({"one": "first-password", "two": "second-password"})
    connection = make_connection(store, secret_label="one")
    clients = Clients(store, secrets)  # type: ignore[arg-type]
    first = clients.client_for(connection.id)
    assert clients.client_for(connection.id) is first
    store.connections.change(connection.id, secret_label="two")
    second = clients.client_for(connection.id)
    assert second is not first
    assert [client.password for client in made] == ["first-password", "second-password"]
    assert [client.closed for client in made] == [True, False]
    clients.close()
    assert [client.closed for client in made] == [True, True]


@pytest.fixture
def fresh_guard() -> Iterator[None]:
    clients_module.cdm_guard.cache_clear()
    yield
    clients_module.cdm_guard.cache_clear()


@pytest.mark.usefixtures("fresh_guard")
def test_a_lanes_clients_are_kept_from_the_console(
    store: Store, made: list[FakeCdmClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QRADAR_CONSOLE_IP", "192.0.2.9")
    connection = make_connection(store, secret_label="one")
    Clients(store, FakeSecrets({"one": "p"})).client_for(connection.id)  # type: ignore[arg-type]
    guard = made[0].options["guard"]
    assert isinstance(guard, Guard)
    assert guard.problem({"host": "192.0.2.9"})


@pytest.mark.parametrize("label", [None, "lost"])
def test_without_a_password_cdm_is_not_asked(
    store: Store, made: list[FakeCdmClient], label: str | None
) -> None:
    connection = make_connection(store, secret_label=label)
    with pytest.raises(LoginRefused, match="connections page") as refused:
        Clients(store, FakeSecrets({})).client_for(connection.id)  # type: ignore[arg-type]
    assert isinstance(refused.value, CopyManagerError)
    assert made == []
