# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""When CDM's certificate ends: only of a server that is trusted, and how often it is looked at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.remote.trust import ServerCertificate, verified_certificate
from app.restore.model import CdmConnection, CopyManagerError, Trust, Unreachable, Untrusted
from app.worker.certificates import Ends
from tests.cdm.conftest import connection_to
from tests.cdm.wire import Proxy
from tests.simulators.cdm import CdmSimulator
from tests.simulators.certs import Chain, chain

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY, HOUR = 86_400.0, 3600.0


# --- on the wire ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A leaf that ends in 160 days, for the loopback address."""
    return chain(tmp_path_factory.mktemp("issued"), "cdm.example", ["127.0.0.1"], days=160)


@pytest.fixture
def server(issued: Chain) -> Iterator[CdmSimulator]:
    with CdmSimulator(certificate=issued.leaf) as simulator:
        yield simulator


def days_left(found: ServerCertificate) -> int:
    return (found.not_after - datetime.now(UTC)).days


def test_the_end_is_read_by_each_trust_and_nothing_is_sent(
    server: CdmSimulator, issued: Chain, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text(issued.ca_bundle)
    pinned = {"trust": Trust.FINGERPRINT, "fingerprint": issued.leaf.fingerprint, "ca_pem": None}
    for system_ca, changes in (
        (None, {"ca_pem": issued.ca_bundle}),
        (None, {"ca_pem": issued.intermediate.pem}),
        (str(bundle), {"trust": Trust.SYSTEM, "ca_pem": None}),
        (None, pinned),
    ):
        found = verified_certificate(connection_to(server, **changes), system_ca)
        assert days_left(found) == 159
    assert server.requests == []


def test_the_end_is_read_through_a_proxy(server: CdmSimulator, issued: Chain) -> None:
    with Proxy() as proxy:
        connection = connection_to(server, ca_pem=issued.ca_bundle, proxy=proxy.url)
        assert days_left(verified_certificate(connection, None)) == 159


@pytest.mark.parametrize(
    "changes",
    [
        {"trust": Trust.SYSTEM, "ca_pem": None},
        {"trust": Trust.FINGERPRINT, "fingerprint": "ab" * 32, "ca_pem": None},
        {"trust": Trust.CA, "ca_pem": "rubbish"},
        {"host": "localhost"},
    ],
)
def test_a_server_that_is_not_trusted_says_nothing_of_its_end(
    server: CdmSimulator, issued: Chain, changes: dict[str, object]
) -> None:
    connection = connection_to(server, **{"ca_pem": issued.ca_bundle} | changes)
    with pytest.raises(CopyManagerError):
        verified_certificate(connection, None)


def test_a_ca_file_that_is_not_there_is_said(server: CdmSimulator, tmp_path: Path) -> None:
    connection = connection_to(server, trust=Trust.SYSTEM, ca_pem=None)
    with pytest.raises(Untrusted, match="can't be read"):
        verified_certificate(connection, str(tmp_path / "nothing.pem"))


# --- how often --------------------------------------------------------------------------------


@dataclass
class Kept:
    """The store, as far as it is called."""

    found: list[CdmConnection]
    noted: list[tuple[int, datetime]] = field(default_factory=list)
    closed: bool = False

    @property
    def connections(self) -> "Kept":
        return self

    def list(self) -> list[CdmConnection]:
        return self.found

    def note_certificate(self, seen: CdmConnection, ends_at: datetime) -> None:
        self.noted.append((seen.id, ends_at))

    def close(self) -> None:
        self.closed = True


class Looks:
    """Servers that show certificates ending at a chosen time, or none."""

    def __init__(self) -> None:
        self.ends_at: datetime | None = NOON + timedelta(days=160)
        self.looked: list[int] = []

    def __call__(self, connection: CdmConnection, _system_ca: str | None) -> ServerCertificate:
        self.looked.append(connection.id)
        if self.ends_at is None:
            raise Unreachable("no route to cdm")
        return ServerCertificate("CN=a", "CN=b", NOON, self.ends_at, "ab" * 32, "")


def connection_of(number: int, **changes: object) -> CdmConnection:
    fields: dict[str, object] = {"name": f"cdm-{number}", "host": "cdm.example", "port": number}
    return CdmConnection(id=number, username="u", **fields | changes)  # type: ignore[arg-type]


@pytest.fixture
def kept() -> Kept:
    return Kept([connection_of(1)])


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def ends(kept: Kept, looks: Looks) -> Ends:
    return Ends(kept, None, look=looks)  # type: ignore[arg-type]


def test_a_certificate_is_looked_at_at_once_and_then_once_a_day(
    ends: Ends, kept: Kept, looks: Looks
) -> None:
    for tick in (0.0, 5.0, HOUR, DAY - 1, DAY, DAY + 5):
        assert ends.turn(NOON, tick) <= 5.0
    assert looks.looked == [1, 1]
    assert kept.noted == [(1, looks.ends_at)] * 2


def test_one_that_ends_soon_is_looked_at_every_hour_so_that_its_renewal_shows(
    ends: Ends, looks: Looks
) -> None:
    looks.ends_at = NOON + timedelta(days=29)
    for tick in (0.0, HOUR - 1, HOUR):
        ends.turn(NOON, tick)
    assert looks.looked == [1, 1]


def test_a_connection_that_is_changed_is_looked_at_again(
    ends: Ends, kept: Kept, looks: Looks
) -> None:
    ends.turn(NOON, 0.0)
    kept.found = [connection_of(1, host="other.example"), connection_of(2)]
    ends.turn(NOON, 5.0)
    assert looks.looked == [1, 1, 2]


def test_a_look_that_fails_is_not_told_and_tried_again_after_ten_minutes(
    ends: Ends, kept: Kept, looks: Looks
) -> None:
    looks.ends_at = None
    for tick in (0.0, 599.0):
        ends.turn(NOON, tick)
    assert kept.noted == []
    looks.ends_at = NOON + timedelta(days=90)
    ends.turn(NOON, 600.0)
    assert looks.looked == [1, 1]
    assert kept.noted == [(1, looks.ends_at)]


def test_it_closes_its_store(ends: Ends, kept: Kept) -> None:
    ends.close()
    assert kept.closed
