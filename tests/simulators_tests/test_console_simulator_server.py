# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console simulator as a web server, and the ways to disturb and to drive it."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.console import ConsoleSimulator, PathSwitch
from tests.simulators_tests.console_client import Client

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as console:
        yield console


@pytest.fixture
def client(console: ConsoleSimulator) -> Client:
    return Client(console)


@pytest.mark.parametrize("name", ["console.example", "localhost", "127.0.0.1"])
def test_the_certificate_is_good_for_its_names_with_both_issuers(
    console: ConsoleSimulator, name: str
) -> None:
    context = ssl.create_default_context(cafile=str(console.ca_file))
    with (
        socket.create_connection(("127.0.0.1", console.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        assert secured.version() in ("TLSv1.2", "TLSv1.3")


def test_only_the_leaf_is_sent(console: ConsoleSimulator) -> None:
    """A client that knows the root alone can't build the chain (qradar §2.7)."""
    context = ssl.create_default_context(cadata=console.root.pem)
    with (
        socket.create_connection(("127.0.0.1", console.port), timeout=5) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="unable to get"),
    ):
        context.wrap_socket(plain, server_hostname="console.example")


def test_a_chunked_body_is_put_together(console: ConsoleSimulator, client: Client) -> None:
    context = client.context
    with (
        socket.create_connection(("127.0.0.1", console.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(
            b"POST /_control/switches HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'8\r\n{"latenc\r\n7\r\ny": 0.1\r\n1\r\n}\r\n0\r\n\r\n'
        )
        assert secured.recv(15) == b"HTTP/1.1 200 OK"
    assert console.switches.latency == 0.1


def test_a_connection_serves_several_requests(console: ConsoleSimulator, client: Client) -> None:
    with (
        socket.create_connection(("127.0.0.1", console.port), timeout=5) as plain,
        client.context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        reader = secured.makefile("rb")
        for _ in range(2):
            secured.sendall(b"GET /console/nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
            assert reader.readline().startswith(b"HTTP/1.1 404")
            length = 0
            while (line := reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            reader.read(length)


def test_stopping_closes_idle_connections() -> None:
    with ConsoleSimulator() as console:
        context = ssl.create_default_context(cadata=console.ca_bundle)
        plain = socket.create_connection(("127.0.0.1", console.port), timeout=5)
        secured = context.wrap_socket(plain, server_hostname="localhost")
        secured.sendall(b"GET /console HTTP/1.1\r\nHost: x\r\n\r\n")
        assert secured.recv(12) == b"HTTP/1.1 302"
    with secured:
        while secured.recv(4096):
            pass


def test_requests_are_recorded_with_who_made_them(
    console: ConsoleSimulator, client: Client
) -> None:
    client.get("/api/system/about", token=console.token("restore-service"))
    client.get("/console/", cookies=console.login("analyst"))
    assert [(item.method, item.path, item.who, item.status) for item in console.requests] == [
        ("GET", "/api/system/about", "API_token: restore-service", 200),
        ("GET", "/console/", "-", 200),
    ]
    assert [item.path for item in console.api_calls] == ["/api/system/about"]


def test_a_down_console_hangs_up(console: ConsoleSimulator, client: Client) -> None:
    console.switches.down = True
    with pytest.raises(ConnectionError):
        client.get("/api/system/about")


def test_a_disturbed_path_leaves_the_others_alone(
    console: ConsoleSimulator, client: Client
) -> None:
    token = console.token("restore-service")
    console.switches.paths = {
        "/api/siem": PathSwitch(status=503),
        "/api/siem/offense_types": PathSwitch(down=True),
    }
    assert client.get("/api/siem/offenses", token=token).status == 503
    assert client.get("/api/system/about", token=token).status == 200
    with pytest.raises(ConnectionError):
        client.get("/api/siem/offense_types", token=token)


def test_a_hanging_console_answers_once_it_is_switched_off(
    console: ConsoleSimulator, client: Client
) -> None:
    console.switches.hang = True
    threading.Timer(0.15, setattr, (console.switches, "hang", False)).start()
    assert client.get("/console").status == 302


def test_a_hanging_console_can_be_stopped() -> None:
    with ConsoleSimulator() as console:
        console.switches.hang = True
        client, problems = Client(console), []

        def call() -> None:
            try:
                client.get("/console")
            except OSError as error:
                problems.append(error)

        caller = threading.Thread(target=call)
        caller.start()
        deadline = time.monotonic() + 5
        while not console.open_connections:
            assert time.monotonic() < deadline
    caller.join(5)
    assert len(problems) == 1


def test_the_state_masks_every_token(console: ConsoleSimulator, client: Client) -> None:
    token = console.add_service("extra", "Analysts")
    cookies = console.login("admin")
    client.get(f"/console/plugins/1/app_proxy/?token={token}&c={cookies['QRadarCSRF']}")
    reply = client.get("/_control/state")
    assert reply.status == 200
    assert reply.json()["requests"][0]["path"].endswith("?token=********&c=********")
    for secret in (token, *cookies.values(), console.token("restore-service")):
        assert secret.encode() not in reply.body


def test_the_control_endpoint_sets_switches_and_refuses_unknown_ones(
    console: ConsoleSimulator, client: Client
) -> None:
    changes = {"offense_delay": 1, "paths": {"/api": {"latency": 0.2}}}
    assert client.post("/_control/switches", body=changes).status == 200
    assert console.switches.offense_delay == 1.0
    assert console.switches.paths["/api"].latency == 0.2
    for wrong in ({"nonsense": 1}, {"hang": "yes"}, {"paths": {"/api": {"nonsense": 1}}}):
        assert client.post("/_control/switches", body=wrong).status == 400
    assert client.get("/_control/switches").json()["offense_delay"] == 1.0
    assert client.post("/_control/nonsense", body={}).status == 404
    assert client.get("/_control/nonsense").status == 404


def test_the_control_endpoint_drives_rules_and_accounts(
    console: ConsoleSimulator, client: Client
) -> None:
    def do(verb: str, /, **arguments: object) -> object:
        reply = client.post(f"/_control/{verb}", body=arguments)
        assert reply.status == 200, reply.body
        return reply.json()["result"]

    token = do("add_service", label="t", role="admin", expires_at="2100-01-01T00:00:00+00:00")
    cookies = do("login", username="analyst")
    assert isinstance(cookies, dict)
    assert client.get("/api/system/about", token=str(token)).status == 200
    assert client.get("/console/", cookies=cookies).status == 200
    do("register_app", app_id=1001, service="s", address=["127.0.0.1", 1])
    script = console.custom_actions.put_script(b"echo $RULE_NAME $1; exit 3\n")
    secret = {"name": "t", "parameter_type": "fixed", "encrypted": True, "value": "s3cr3t-value"}
    action = console.custom_actions.put_action(
        {"name": "a", "interpreter": 1, "script": script.id, "parameters": [secret]}
    )
    do("deploy")
    do("add_rule", rule_id=7, name="SQL", action=action.id, limiter={"times": 1, "seconds": 60})
    fired = do("fire_rule", rule_id=7, event={"sourceip": "10.0.0.1"})
    assert isinstance(fired, dict)
    assert fired["run"]["exit_code"] == 3
    assert fired["run"]["stdout"] == "SQL ********\n"
    limited = do("fire_rule", rule_id=7, event={"sourceip": "10.0.0.1"})
    assert isinstance(limited, dict)
    assert limited["skipped"] == "the response limiter"
    tested = do("test_execution", action_id=action.id)
    assert isinstance(tested, dict)
    assert tested["stdout"] == "********\n"
    state = client.get("/_control/state").json()
    assert [firing["rule_id"] for firing in state["firings"]] == [7, 7]
    assert "s3cr3t-value" not in json.dumps(state)
    do("forget_requests")
    assert console.requests == []


def test_the_command_line_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.json"
    command = [sys.executable, "-m", "tests.simulators.console", "--port", "0", "--jail", "none"]
    with subprocess.Popen(
        [*command, "--app-port", "5000", "--tokens-file", str(tokens)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = {}
        while (line := process.stdout.readline().strip()) != "ready":
            lines[line.split()[0]] = line.split(maxsplit=1)[1]
        assert "/console/plugins/1001/app_proxy/  -> 127.0.0.1:5000" in lines["app"]
        context = ssl.create_default_context(cafile=lines["CA"].removeprefix("file").strip())
        port = int(lines["console"].split(":")[2].split("/")[0])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost"),
        ):
            pass
        assert set(json.loads(tokens.read_text())) == {"restore-trigger", "restore-service"}
        assert tokens.stat().st_mode & 0o077 == 0
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0
