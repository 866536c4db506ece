# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who is calling and what they may do: on the console simulator, and on a fake for what is odd."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.framework.bulkhead import Bulkhead, TooBusy
from app.qradar.caller import Caller, Console
from app.qradar.callers_console import CallersConsole
from app.qradar.console import (
    ConsoleAnswer,
    ConsoleClient,
    ConsoleRefused,
    ConsoleUnavailable,
    LockedOut,
    NoAnswer,
)
from app.qradar.identity import Identity, NotAuthenticated, Right, rights_of, token_of
from app.qradar.refused_asks import RefusedAsks
from tests.factories import NOON
from tests.simulators.console.simulator import ConsoleSimulator

HERE = "192.0.2.1"  # the console's address
ALL = frozenset(Right)
VIEW = frozenset({Right.VIEW})


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Ledger:
    """The refused asks, in memory."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, datetime]] = []

    def since(self, at: datetime, whose: str, *, now: datetime) -> list[datetime]:
        return [when for one, when in self.kept if one == whose and when > at]

    def add(self, whose: str, *, now: datetime) -> None:
        self.kept.append((whose, now))


def make_identity(console: Console, clock: Clock | None = None, **more: Any) -> Identity:
    """Identity whose times of day go by the same clock."""
    seconds = clock or Clock()
    ledger = more.pop("ledger", None) or Ledger()
    return Identity(
        console,
        RefusedAsks(lambda: ledger),
        seconds,
        now=lambda: NOON + timedelta(seconds=seconds.now),
        console_peers=[HERE],
        **more,
    )


@pytest.fixture(scope="module")
def shared_console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as simulator:
        yield simulator


@pytest.fixture
def console(shared_console: ConsoleSimulator) -> Iterator[ConsoleSimulator]:
    """The simulator as at its start."""
    shared_console.requests.clear()
    yield shared_console
    shared_console.identity.unlock()
    shared_console.switches.update({"status": 0, "down": False, "lockout_after": 0, "paths": {}})


@pytest.fixture
def identity(console: ConsoleSimulator, clock: Clock) -> Iterator[Identity]:
    client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
    yield make_identity(client, clock)
    client.close()


def asked(console: ConsoleSimulator) -> list[str]:
    """The last parts of the paths that the console was asked for."""
    return [each.path.partition("?")[0].rsplit("/", 1)[-1] for each in console.requests]


# --- at the wire ----------------------------------------------------------------------------------


def test_a_user_has_the_name_and_the_capabilities_that_qradar_gives(
    console: ConsoleSimulator, identity: Identity
) -> None:
    caller = identity.who(console.login("analyst")["SEC"])

    assert (caller.name, caller.kind) == ("analyst", "user")
    assert caller.roles == {"Analysts"}
    assert caller.role_ids == {4}
    assert {"SEM", "EventViewer"} <= caller.capabilities
    assert asked(console) == ["versions", "user_roles", "users"]
    assert "current_user_role=true" in console.requests[1].path
    assert "current_user=true" in console.requests[2].path


def test_an_authorized_service_has_its_label(console: ConsoleSimulator, identity: Identity) -> None:
    caller = identity.who(console.token("restore-trigger"))

    assert (caller.name, caller.kind) == ("restore-trigger", "service")
    assert caller.capabilities == {"SEM"}
    assert asked(console) == ["versions", "user_roles", "users", "authorized_services"]


def test_an_answer_serves_for_a_minute(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    token = console.login("analyst")["SEC"]
    identity.who(token)
    console.requests.clear()

    clock.now += 14
    identity.who(token)
    assert asked(console) == []

    console.switches.down = True
    clock.now += 45
    assert identity.who(token).name == "analyst"
    clock.now += 1
    with pytest.raises(ConsoleUnavailable):
        identity.who(token)


def test_a_silent_console_is_noticed_within_a_quarter_of_a_minute_and_not_asked_all_the_time(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    token = console.login("analyst")["SEC"]
    assert identity.silence() is None
    identity.who(token)
    console.switches.status = 500
    clock.now += 15
    console.requests.clear()

    assert identity.who(token).name == "analyst"

    silence = identity.silence()
    assert silence is not None
    assert "HTTP 500" in silence.error.message
    assert silence.last_answer_s == 15
    clock.now += 4
    identity.who(token)
    assert len(console.requests) == 1
    with pytest.raises(ConsoleUnavailable):
        identity.who(token, fresh=True)
    console.switches.status = 0
    clock.now += 5
    identity.who(token)
    assert identity.silence() is None


def test_a_session_that_has_ended_is_noticed_within_a_quarter_of_a_minute(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    token = console.login("analyst")["SEC"]
    identity.who(token)
    console.identity.sessions.pop(token)
    clock.now += 15
    with pytest.raises(NotAuthenticated):
        identity.who(token)


def test_without_a_place_to_wait_in_what_is_known_serves(
    console: ConsoleSimulator, clock: Clock
) -> None:
    full = False

    @contextmanager
    def place() -> Iterator[None]:
        if full:
            raise ZeroDivisionError
        yield

    client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
    identity = make_identity(client, clock, place=place)
    token = console.login("analyst")["SEC"]
    identity.who(token)
    full = True
    clock.now += 30
    assert identity.who(token).name == "analyst"
    assert identity.silence() is None
    clock.now += 30
    with pytest.raises(ZeroDivisionError):
        identity.who(token)
    client.close()


def test_a_good_answer_is_asked_for_anew_in_time(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    token = console.login("analyst")["SEC"]
    identity.who(token)
    console.requests.clear()
    clock.now += 15
    identity.who(token)
    assert asked(console) == ["user_roles"]


def test_a_write_asks_afresh_and_sees_a_role_that_was_taken_away(
    console: ConsoleSimulator, identity: Identity
) -> None:
    session = console.login("admin")
    user = console.identity.users[1]
    assert rights_of(identity.who(session["SEC"]), (), ()) == ALL
    console.requests.clear()
    console.identity.users[1] = type(user)(1, "admin", 5, "x")
    try:
        assert rights_of(identity.who(session["SEC"]), (), ()) == ALL
        assert asked(console) == []
        assert rights_of(identity.who(session["SEC"], fresh=True), (), ()) == frozenset()
        assert asked(console) == ["user_roles"]
    finally:
        console.identity.users[1] = user


def test_a_services_label_is_asked_for_again(console: ConsoleSimulator, identity: Identity) -> None:
    token = console.add_service("before", "Analysts")
    identity.who(token)
    service = next(each for each in console.identity.services.values() if each.label == "before")
    console.identity.change_service(
        type(service)(service.id, "after", service.role_id, service.token)
    )

    assert identity.who(token, fresh=True).name == "after"


def test_who_logs_out_is_unknown_at_the_next_ask(
    console: ConsoleSimulator, identity: Identity
) -> None:
    token = console.login("admin")["SEC"]
    identity.who(token)
    console.identity.log_out(token)

    with pytest.raises(NotAuthenticated):
        identity.who(token, fresh=True)
    console.requests.clear()
    with pytest.raises(NotAuthenticated):
        identity.who(token)
    assert asked(console) == []


def test_a_bad_token_is_asked_about_ever_more_rarely(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    """The page of a session that has ended goes on asking for itself."""
    token = console.login("analyst")["SEC"]
    identity.who(token, source=HERE)
    console.identity.log_out(token)
    console.requests.clear()
    asked_at = []
    for second in range(0, 7200, 5):
        with pytest.raises(NotAuthenticated):
            identity.who(token, second % 2 == 0, source=HERE)
        asked_at += [second] * (len(console.requests) - len(asked_at))
        clock.now += 5

    assert asked_at == [0, 600, 1800, 4200]


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "admin",
        "5e1f0000aaaabbbbcccc123456789abc",
        "5e1f0000-aaaa-bbbb-cccc-123456789abc\n",
        "5e1f0000-aaaa-bbbb-cccc-123456789abc; x=y",
        "x" * 100_000,
        "５e1f0000-aaaa-bbbb-cccc-123456789abc",
    ],
)
def test_what_can_not_be_a_token_is_never_sent_on(
    console: ConsoleSimulator, identity: Identity, token: str | None
) -> None:
    with pytest.raises(NotAuthenticated):
        identity.who(token)
    assert asked(console) == []


def test_an_hour_of_bad_tokens_locks_nobody_out(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    """From the network and through the console at once; QRadar's default is five an address."""
    console.switches.lockout_after = 100  # counted below: the simulator has no window
    known = console.login("analyst")["SEC"]
    identity.who(known, source=HERE)
    console.requests.clear()
    refused_at: list[int] = []
    for second in range(3600):
        clock.now += 1
        for source in (f"192.0.2.{50 + second % 200}", HERE if second % 7 == 0 else "192.0.2.66"):
            with pytest.raises(NotAuthenticated) as refusal:
                identity.who(str(uuid4()), second % 2 == 0, source=source)
        refused_at += [second] * (len(console.requests) - len(refused_at))
        assert refusal.value.retry_after or refused_at[-1] == second

    assert max(sum(0 <= at - begin < 600 for at in refused_at) for begin in refused_at) == 3
    assert len(refused_at) == 18
    assert identity.who(known, fresh=True, source=HERE).name == "analyst"


def test_bad_tokens_from_the_network_keep_nobody_out_who_comes_through_the_console(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    newcomer = console.login("admin")["SEC"]
    for number in range(12):
        with pytest.raises(NotAuthenticated):
            identity.who(str(uuid4()), source=f"192.0.2.{50 + number}")
    assert len(console.requests) == 1

    assert identity.who(newcomer, source=HERE).name == "admin"


def test_bad_tokens_through_the_console_keep_nobody_out_who_was_there_before(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    """Nor for longer than ten minutes anybody else."""
    known, newcomer = console.login("analyst")["SEC"], console.login("admin")["SEC"]
    identity.who(known, source=HERE)
    console.requests.clear()
    for _ in range(12):
        with pytest.raises(NotAuthenticated):
            identity.who(str(uuid4()), source=HERE)
    assert len(console.requests) == 2

    clock.now += 590
    assert identity.who(known, fresh=True, source=HERE).name == "analyst"
    with pytest.raises(NotAuthenticated, match="refused other tokens") as refusal:
        identity.who(newcomer, source=HERE)
    assert refusal.value.retry_after == 10
    clock.now += 10
    assert identity.who(newcomer, source=HERE).name == "admin"


def test_a_peer_that_brought_a_good_token_counts_as_the_console(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    """Which address the proxy has in the app's network is not documented."""
    peer = "10.88.0.1"
    identity.who(console.login("analyst")["SEC"], source=peer)
    with pytest.raises(NotAuthenticated):
        identity.who(str(uuid4()), source="192.0.2.66")

    assert identity.who(console.login("admin")["SEC"], source=peer).name == "admin"


def test_a_new_process_knows_what_was_refused_before(
    console: ConsoleSimulator, clock: Clock
) -> None:
    ledger = Ledger()
    client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
    for _ in range(5):
        identity = make_identity(client, clock, ledger=ledger)
        with pytest.raises(NotAuthenticated):
            identity.who(str(uuid4()), source=HERE)
    assert asked(console).count("user_roles") + asked(console).count("versions") == 2
    client.close()


def test_tokens_that_come_at_once_are_not_asked_about_at_once(fake: "FakeConsole") -> None:
    """Before the first is answered nobody knows that it is bad."""
    fake.gate = threading.Event()
    fake.answers["user_roles"] = ConsoleRefused(401, 18, "no")
    identity = make_identity(fake)
    with ThreadPoolExecutor(12) as pool:
        pages = [pool.submit(identity.who, str(uuid4()), source=HERE) for _ in range(12)]
        assert fake.entered.acquire(timeout=10)
        assert fake.entered.acquire(timeout=10)
        assert not fake.entered.acquire(timeout=0.3)
        fake.gate.set()
        assert all(isinstance(page.exception(10), NotAuthenticated) for page in pages)
    assert fake.calls == ["user_roles"] * 2


def test_good_tokens_that_come_at_once_wait_for_each_other(fake: "FakeConsole") -> None:
    identity = make_identity(fake)
    with ThreadPoolExecutor(12) as pool:
        pages = [pool.submit(identity.who, str(uuid4()), source=HERE) for _ in range(12)]
        assert {page.result(10).name for page in pages} == {"anna"}


def test_an_ask_without_an_answer_counts_for_those_from_the_network(
    fake: "FakeConsole", clock: Clock
) -> None:
    """It may have been a failed log-in; those who come through the console are people.

    Whoever is not asked about hears that the console is away, not that their token is bad.
    """
    fake.answers["user_roles"] = NoAnswer("The console does not answer in time.")
    identity = make_identity(fake, clock)
    for _ in range(5):
        with pytest.raises(ConsoleUnavailable):
            identity.who(str(uuid4()), source="192.0.2.66")
    assert fake.calls == ["user_roles"]
    for _ in range(5):
        with pytest.raises(ConsoleUnavailable):
            identity.who(str(uuid4()), source=HERE)


def test_a_token_that_was_good_this_morning_passes_a_flood(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    token = console.login("analyst")["SEC"]
    identity.who(token)
    clock.now += 11 * 3600
    for _ in range(20):
        with pytest.raises(NotAuthenticated):
            identity.who(str(uuid4()))

    assert identity.who(token).name == "analyst"


def test_a_token_that_was_good_yesterday_is_unknown_again(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    token = console.login("analyst")["SEC"]
    identity.who(token)
    clock.now += 12 * 3600
    for _ in range(20):
        with pytest.raises(NotAuthenticated):
            identity.who(str(uuid4()))

    with pytest.raises(NotAuthenticated, match="not asked about this one"):
        identity.who(token)


def test_a_lock_out_is_not_held_against_the_token(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    token = console.login("admin")["SEC"]
    console.switches.lockout_after = 1
    with pytest.raises(NotAuthenticated):
        identity.who(str(uuid4()))

    for _ in range(3):
        with pytest.raises(
            ConsoleUnavailable, match="locked this app's host out.*Login Host Whitelist"
        ):
            identity.who(token, source=HERE)
    assert len(console.requests) == 2
    console.identity.unlock()
    clock.now += 60
    assert identity.who(token, source=HERE).name == "admin"


def test_a_token_that_is_refused_elsewhere_is_not_shown_again(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    """What pages ask of the console goes past `who`, with a caller who is known for a while yet."""
    client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
    api = CallersConsole(client, identity.refused)
    token = console.login("admin")["SEC"]
    identity.who(token, source=HERE)
    assert api.request("GET", "/api/analytics/rules", sec=token).status == 200
    console.identity.log_out(token)
    with pytest.raises(ConsoleRefused):
        api.request("GET", "/api/analytics/rules", sec=token)
    console.requests.clear()

    with pytest.raises(NotAuthenticated):
        identity.who(token, source=HERE)
    assert asked(console) == []
    with pytest.raises(NotAuthenticated):
        identity.who(str(uuid4()), source=HERE)
    with pytest.raises(NotAuthenticated, match="not asked about this one"):
        identity.who(str(uuid4()), source=HERE)
    client.close()


def test_a_console_that_does_not_answer_gives_no_access(
    console: ConsoleSimulator, identity: Identity, clock: Clock
) -> None:
    token = console.login("admin")["SEC"]
    console.switches.status = 503
    with pytest.raises(ConsoleUnavailable, match="503"):
        identity.who(token)
    console.switches.status = 0

    assert identity.who(token).name == "admin"
    console.switches.status = 503
    clock.now += 60
    with pytest.raises(ConsoleUnavailable):
        identity.who(token)


# --- with a fake console --------------------------------------------------------------------------


@dataclass
class FakeConsole:
    """Answers by path; ``gate`` holds answers back until a test opens it."""

    answers: dict[str, object] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    gate: threading.Event | None = None
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def request(
        self, method: str, path: str, *, sec: str | None, params: Mapping[str, str] | None
    ) -> ConsoleAnswer:
        name = path.rsplit("/", 1)[-1]
        self.calls.append(name)
        self.entered.release()
        if self.gate is not None:
            assert self.gate.wait(10)
        answer = self.answers.get(name, [])
        if isinstance(answer, Exception):
            raise answer
        return ConsoleAnswer(200, answer, {})


ADMIN_ROLE = [{"id": 2, "name": "Admin", "capabilities": [{"name": "ADMIN"}]}]
ANNA = [{"id": 7, "username": "anna"}]


@pytest.fixture
def fake() -> FakeConsole:
    return FakeConsole({"user_roles": ADMIN_ROLE, "users": ANNA})


def test_many_pages_of_one_user_ask_once(fake: FakeConsole) -> None:
    fake.gate = threading.Event()
    identity, token = make_identity(fake), str(uuid4())

    with ThreadPoolExecutor(8) as pool:
        pages = [pool.submit(identity.who, token) for _ in range(8)]
        assert fake.entered.acquire(timeout=10)
        fake.gate.set()
        names = {page.result(10).name for page in pages}

    assert names == {"anna"}
    assert fake.calls == ["user_roles", "users"]


def test_those_who_wait_for_anothers_ask_hear_of_its_failure(fake: FakeConsole) -> None:
    fake.gate = threading.Event()
    fake.answers["user_roles"] = ConsoleRefused(401, 18, "expired")
    identity, token = make_identity(fake), str(uuid4())

    with ThreadPoolExecutor(4) as pool:
        pages = [pool.submit(identity.who, token) for _ in range(4)]
        assert fake.entered.acquire(timeout=10)
        fake.gate.set()
        assert all(isinstance(page.exception(10), NotAuthenticated) for page in pages)

    assert fake.calls == ["user_roles"]


def test_a_fresh_ask_does_not_join_one_that_began_before(fake: FakeConsole) -> None:
    fake.gate = threading.Event()
    identity, token = make_identity(fake), str(uuid4())

    with ThreadPoolExecutor(2) as pool:
        page = pool.submit(identity.who, token, source=HERE)
        assert fake.entered.acquire(timeout=10)
        write = pool.submit(identity.who, token, True, source=HERE)
        assert fake.entered.acquire(timeout=10)
        fake.gate.set()
        assert page.result(10) == write.result(10)

    assert fake.calls.count("user_roles") == 2


def test_waiting_threads_are_bounded_and_the_rest_is_told_at_once(fake: FakeConsole) -> None:
    """A hanging console holds half the threads, whether they ask or wait for one that asks."""
    identity = make_identity(fake, place=Bulkhead(3).place)
    known, token = str(uuid4()), str(uuid4())
    identity.who(known)
    fake.gate = threading.Event()

    with ThreadPoolExecutor(4) as pool:
        pages = [pool.submit(identity.who, token) for _ in range(4)]
        ended = wait(pages, timeout=10, return_when=FIRST_COMPLETED).done
        assert [type(page.exception()) for page in ended] == [TooBusy]
        assert identity.who(known).name == "anna"
        fake.gate.set()
    assert sum(page.exception() is None for page in pages) == 3


@pytest.mark.parametrize(
    "answer",
    [
        {"user_roles": {"not": "a list"}},
        {"users": "text"},
        {"user_roles": ConsoleRefused(422, 1005, "no")},
        {"user_roles": ConsoleUnavailable("down")},
        {"users": ConsoleUnavailable("down")},
        {"user_roles": LockedOut()},
    ],
)
def test_an_answer_that_says_nothing_is_no_access_and_is_not_kept(
    fake: FakeConsole, clock: Clock, answer: dict[str, object]
) -> None:
    identity, token = make_identity(fake, clock), str(uuid4())
    good = dict(fake.answers)
    fake.answers.update(answer)
    with pytest.raises(ConsoleUnavailable):
        identity.who(token)
    fake.answers = good
    clock.now += 61

    assert identity.who(token).name == "anna"


def test_a_console_that_refuses_the_list_of_users_to_services_is_understood(
    fake: FakeConsole,
) -> None:
    fake.answers["users"] = ConsoleRefused(403, 26, "insufficient capabilities")
    fake.answers["authorized_services"] = [{"id": 26, "label": "svc"}]

    caller = make_identity(fake).who(str(uuid4()))

    assert (caller.name, caller.kind, caller.id) == ("svc", "service", 26)


def test_who_has_rights_but_no_name_counts_as_a_service_without_a_label(fake: FakeConsole) -> None:
    fake.answers["users"] = []
    caller = make_identity(fake).who(str(uuid4()))

    assert (caller.name, caller.kind) == ("", "service")
    assert rights_of(caller, (), ("",)) == ALL


def test_odd_rows_give_no_rights(fake: FakeConsole) -> None:
    fake.answers["user_roles"] = ["x", {}, {"capabilities": "ADMIN"}, {"capabilities": ["ADMIN"]}]

    assert rights_of(make_identity(fake).who(str(uuid4())), (), ()) == frozenset()


def test_an_unexpected_error_reaches_everybody_who_waits_and_is_not_kept(fake: FakeConsole) -> None:
    fake.answers["user_roles"] = RuntimeError("a bug")
    identity, token = make_identity(fake), str(uuid4())
    with pytest.raises(RuntimeError):
        identity.who(token)
    fake.answers["user_roles"] = ADMIN_ROLE

    assert identity.who(token).name == "anna"


def test_what_is_remembered_is_bounded_and_holds_no_token(
    fake: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Identity, "MOST", 10)
    identity = make_identity(fake)
    tokens = [str(uuid4()) for _ in range(30)]
    for token in tokens:
        identity.who(token)
    before = len(fake.calls)

    identity.who(tokens[-1])
    assert len(fake.calls) == before
    identity.who(tokens[0])
    assert len(fake.calls) > before
    assert not any(token in repr(vars(identity)) for token in tokens)


# --- rights ---------------------------------------------------------------------------------------


def person(*capabilities: str, role: str = "Some role") -> Caller:
    return Caller("anna", "user", frozenset(capabilities), frozenset({role}))


def service(*capabilities: str, role: str = "Some role") -> Caller:
    return Caller("svc", "service", frozenset(capabilities), frozenset({role}))


@pytest.mark.parametrize(
    ("caller", "operator_roles", "services", "rights"),
    [
        (person(), (), (), frozenset()),
        (person("EventViewer", "SEM.VIEWRULES"), (), (), frozenset()),
        (person("SEM"), (), (), VIEW),
        (person("ADMIN"), (), (), ALL),
        (person("SAASADMIN"), (), (), ALL),
        (person("SEM", role="Ops"), ("Ops",), (), VIEW | {Right.OPERATE}),
        (person("SEM", role="ops"), ("Ops",), (), VIEW),
        (person(role="Ops"), ("Ops",), (), frozenset({Right.OPERATE})),
        (person("SEM"), ("Ops",), ("anna",), VIEW),
        (service("SEM"), (), (), frozenset()),
        (service("SEM", role="Ops"), ("Ops",), (), frozenset()),
        (service("SAASADMIN"), (), (), frozenset()),
        (service("ADMIN"), (), (), ALL),
        (service("SEM"), (), ("svc",), VIEW),
        (service("SAASADMIN"), (), ("svc",), ALL),
        (service("SEM", role="Ops"), ("Ops",), ("svc",), VIEW | {Right.OPERATE}),
        (service("SEM"), ("Ops",), ("other",), frozenset()),
        (service(), (), ("svc",), frozenset()),
    ],
)
def test_rights_follow_capabilities_and_settings(
    caller: Caller,
    operator_roles: tuple[str, ...],
    services: tuple[str, ...],
    rights: frozenset[Right],
) -> None:
    assert rights_of(caller, operator_roles, services) == rights


@pytest.mark.parametrize(
    ("headers", "cookies", "found"),
    [
        ({"SEC": "a"}, {"SEC": "b"}, ("a", "header")),
        ({}, {"SEC": "b"}, ("b", "cookie")),
        ({"SEC": ""}, {"SEC": "b"}, ("b", "cookie")),
        ({}, {}, (None, "none")),
        ({"QRadarUser": "admin"}, {}, (None, "none")),
    ],
)
def test_the_token_is_in_the_header_or_else_in_the_cookie(
    headers: dict[str, str], cookies: dict[str, str], found: tuple[str | None, str]
) -> None:
    assert token_of(headers, cookies) == found
