# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for; no test sees the variables of the machine it runs on."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from tests.dealing import dealt
from tests.root_logger import own_log_handlers
from tests.simulators.container import Image
from tests.world import World, app_zip

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.site import Site

_LEAKY = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "CDM_PASS")
for _name in list(os.environ):
    if _name in _LEAKY or _name.lower().endswith("_proxy") or _name.startswith("QRADAR_"):
        del os.environ[_name]


class _Compiled(BytecodeCache):
    """The templates that some app of this process has compiled."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


# An app of its own for each test would compile all that it shows, most of such a test's time.
Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Compiled()}


# A machine with much to do is no fault of what is tested: no example fails by the clock.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no worker come late to the tests with processes or a browser: most of them wait."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    long = [one for one in items if any(map(one.get_closest_marker, ("browser", "processes")))]
    long.sort(key=_time_limit, reverse=True)
    marked = set(long)
    items[:] = dealt(long, [one for one in items if one not in marked], workers)


def _time_limit(item: pytest.Item) -> float:
    mark = item.get_closest_marker("timeout")
    return 0.0 if mark is None else float(mark.args[0])


class _Stored(logging.Handler):
    """Finds a sentence that is logged as the store keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if '{"message":' in (said := record.getMessage()):
            self.found.append(said)


@pytest.fixture(autouse=True)
def _own_log_handlers() -> Iterator[None]:
    """Take off what a test has put on the root logger, so that no other test writes there too.

    And look through what was logged.
    """
    with own_log_handlers() as root:
        root.addHandler(stored := _Stored())
        yield
    assert not stored.found, "a sentence is logged as stored"


@pytest.fixture(scope="session")
def image() -> Image:
    """The app zip of dist/, built into an image as QRadar does, compiled once."""
    return Image.build(app_zip(), compiled=True)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One for all tests of a process: starting it takes seconds, and each person has a context."""
    from tests.browser import chromium  # not in each test process: most never need it

    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Site"]:
    """The app on a real server behind the simulated console, for all tests of a module."""
    from tests.site import running

    with running(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.fixture
def make_world(image: Image) -> Iterator[Callable[..., World]]:
    """Make a world that is configured, armed, and has a trigger token; it ends with the test."""
    with ExitStack() as stack:

        def make(*, cooldown_s: int = 0, mode: str = "armed", **options: Any) -> World:
            world = stack.enter_context(World(image, **options))
            world.set_up(mode=mode, cooldown_s=cooldown_s)
            world.trigger_token = world.configure("trigger-token", "new", "test").strip()
            return world

        yield make
