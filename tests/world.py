# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The app in its container between a simulated QRadar console and a simulated CDM.

Demo, bench, and the end-to-end and kill tests all play in this world; nothing in it knows the app's
code: it is installed, configured and called as on QRadar.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import requests

from tests.simulators.cdm import CdmSimulator
from tests.simulators.certs import self_signed
from tests.simulators.console import ConsoleSimulator, Firing
from tests.simulators.container import Container, Image

APP_ID = 1001
SERVICE = "safeguarded-restore"
RULE_ID, RULE_NAME = 100231, "SQL attack on the payroll database"
EVENT: dict[str, Any] = {
    "sourceip": "203.0.113.7",
    "destinationip": "10.1.2.3",
    "username": "svc_payroll",
    "logsourceid": 112,
    "qid": 28250369,
    "magnitude": 8,
}
DIST = Path(__file__).parent.parent / "dist"
Value = TypeVar("Value")


def app_zip() -> Path:
    """The bare app zip that ``./build.sh`` made."""
    found = sorted(DIST.glob("safeguarded-restore-app-*.zip"))
    if not found:
        raise FileNotFoundError("no app zip in dist/: run ./build.sh first")
    return found[-1]


def can_make_jail() -> bool:
    """Whether the rule engine can run scripts in a real chroot here."""
    return os.geteuid() == 0


class World:
    """Both neighbours and the app; everything is stopped and removed at the end."""

    def __init__(
        self,
        image: Image,
        *,
        restore_seconds: float = 2.0,
        jobs: int = 3,
        jail: bool | None = None,
        console_port: int = 0,
        second_cdm: bool = False,
    ) -> None:
        self.image = image
        self._folder = tempfile.TemporaryDirectory(prefix="world-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.store = self.folder / "store"
        self.store.mkdir()
        self.cdm = CdmSimulator(
            password="pässwörd-of-cdm",
            jobs=jobs,
            restore_seconds=restore_seconds,
            # Given, so that it is the same after the simulator was stopped and started again.
            certificate=self_signed(self.folder / "cdm", "cdm.example", ["cdm.example"]),
        )
        self.other_cdm = (
            CdmSimulator(password="of-the-other", jobs=jobs, restore_seconds=restore_seconds)
            if second_cdm
            else None
        )
        confined = can_make_jail() if jail is None else jail
        self.console = ConsoleSimulator(
            console_port, fqdn="console.example", jail="chroot" if confined else "none"
        )
        self.trigger_token = ""
        self.action_id = 0
        self.container: Container

    def __enter__(self) -> Self:
        hosts = {}
        self.cdm.start()
        hosts["cdm.example:8443"] = ("127.0.0.1", self.cdm.port)
        if self.other_cdm is not None:
            self.other_cdm.start()
            hosts["cdm-b.example:8443"] = ("127.0.0.1", self.other_cdm.port)
        self.console.start()
        self.container = Container(
            self.image,
            store=self.store,
            console=("console.example", self.console.port),
            hosts=hosts,
            ca_bundle=self.console.ca_bundle,
        )
        try:
            self.container.start()
            self.register()
            self.container.wait_ready(60)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.container.kill()
        self.console.stop()
        self.cdm.stop()
        if self.other_cdm is not None:
            self.other_cdm.stop()
        self._folder.cleanup()

    def register(self) -> None:
        """Tell the console where the app's port 5000 is mapped to."""
        self.console.register_app(
            APP_ID,
            SERVICE,
            address=("127.0.0.1", self.container.port),
            manifest=self.image.manifest,
        )

    def restart(self) -> None:
        """Start the container anew on the same store, as an upgrade or a crash does."""
        self.container.kill()
        self.container.start()
        self.register()
        self.container.wait_ready(60)

    # --- what an administrator does -----------------------------------------------------------

    def configure(self, *arguments: str, text: str = "") -> str:
        """Run ``python3 -m app.configure`` in the container; give what it prints."""
        done = self.container.exec(["python3", "-m", "app.configure", *arguments], stdin=text)
        if done.returncode:
            raise RuntimeError(f"configure {arguments[0]}: {done.stderr}")
        return done.stdout

    def set_up(self, *, mode: str = "armed", cooldown_s: int = 900) -> None:
        """Connect, map, arm: what `configure import` takes."""
        self.configure("import", "-", text=json.dumps(self.document(mode, cooldown_s)))

    def document(self, mode: str = "armed", cooldown_s: int = 900) -> dict[str, Any]:
        """The configuration of architecture §5 for this world."""
        connections = [_connection("prod", "cdm.example", self.cdm)]
        mappings = [_mapping("SQL attack", RULE_ID, "prod", self.cdm, cooldown_s)]
        if self.other_cdm is not None:
            connections.append(_connection("branch", "cdm-b.example", self.other_cdm))
            mappings.append(
                _mapping("Branch attack", RULE_ID + 1, "branch", self.other_cdm, cooldown_s)
            )
        return {"connections": connections, "mappings": mappings, "settings": {"mode": mode}}

    def install_action(self) -> None:
        """Make the custom action from what the app prints, attach it to the rule, deploy."""
        self.trigger_token = self.configure("trigger-token", "new", "world").strip()
        script = self.configure("script")
        tokens = {"token": self.trigger_token, "sec": self.console.token("restore-trigger")}
        parameters = json.loads(self.configure("script", "--parameters", text=json.dumps(tokens)))
        for parameter in parameters:
            if parameter["name"] == "console":
                # The simulated console does not listen on 443, and no name server knows it.
                parameter["value"] = f"console.example:{self.console.port}@127.0.0.1"
        stored = self.console.custom_actions.put_script(script.encode(), "start_restore.sh")
        action = self.console.custom_actions.put_action(
            {
                "name": "Start a safeguarded restore",
                "description": "",
                "interpreter": 1,
                "script": stored.id,
                "parameters": parameters,
            }
        )
        self.action_id = action.id
        self.console.add_rule(RULE_ID, RULE_NAME, action=action.id)
        self.console.deploy()

    # --- what happens -------------------------------------------------------------------------

    def fire(self, rule_id: int = RULE_ID, rule_name: str = RULE_NAME, **event: Any) -> Firing:
        """The attack: the rule matches, its custom action runs."""
        return self.console.fire_rule(
            rule_id,
            rule_name,
            event={"starttime": int(time.time() * 1000), **EVENT, **event},
            action=self.action_id,
        )

    def trigger(self, request_id: str, **fields: Any) -> requests.Response:
        """Call the trigger endpoint as the script does, through the console."""
        body = {"token": self.trigger_token, "request_id": request_id, **fields}
        with requests.Session() as session:
            session.trust_env = False
            return session.post(
                f"{self.console.url}/console/plugins/app_proxy:{SERVICE}/api/v1/triggers",
                data=body,
                headers={"SEC": self.console.token("restore-trigger")},
                verify=str(self.console.ca_file),
                timeout=30,
            )

    def session(self, user: str = "analyst") -> requests.Session:
        """One of the app's users, logged in to the console."""
        session = requests.Session()
        session.cookies.update(self.console.login(user))
        session.verify = str(self.console.ca_file)
        # Not the machine's own CA bundle or proxy, whatever its environment says.
        session.trust_env = False
        return session

    def url(self, path: str) -> str:
        """Where a path of the app is for a browser."""
        return f"{self.console.url}/console/plugins/{APP_ID}/app_proxy/{path}"

    def get(self, path: str, user: str = "analyst", **parameters: Any) -> requests.Response:
        """Ask the app through the console as one of its users."""
        with self.session(user) as session:
            return session.get(self.url(path), params=parameters, timeout=30)

    def post(self, path: str, user: str = "admin", **body: Any) -> requests.Response:
        """Write through the JSON API as one of the app's users, with the CSRF token."""
        with self.session(user) as session:
            token = session.get(self.url("api/v1/csrf"), timeout=30).json()["csrf_token"]
            headers = {"X-CSRFToken": token, "Referer": self.url("")}
            return session.post(self.url(path), json=body, headers=headers, timeout=30)

    def runs(self) -> list[dict[str, Any]]:
        answer = self.get("api/v1/runs")
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["runs"]
        return found

    def run(self, run_id: int) -> dict[str, Any]:
        answer = self.get(f"api/v1/runs/{run_id}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _connection(name: str, host: str, cdm: CdmSimulator) -> dict[str, Any]:
    return {
        "name": name,
        "host": host,
        "port": 8443,
        "username": cdm.user,
        "password": cdm.password,
        "trust": "fingerprint",
        "fingerprint": cdm.fingerprint,
    }


def _mapping(
    name: str, rule_id: int, connection: str, cdm: CdmSimulator, cooldown_s: int
) -> dict[str, Any]:
    job = cdm.restore_job
    return {
        "name": name,
        "rule_id": rule_id,
        "rule_name": None,
        "connection": connection,
        "job_id": job["id"],
        "job_name": job["name"],
        "cooldown_s": cooldown_s,
        "enabled": True,
    }


def wait_for(
    what: Callable[[], Value | None], *, seconds: float = 30.0, every: float = 0.1
) -> Value:
    """Give the first true value of ``what``; raises TimeoutError."""
    until = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > until:
            raise TimeoutError(f"still waiting after {seconds} s")
        time.sleep(every)
