# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""CDM under the contract: the client that the registry gives, over HTTPS to the simulator."""

from dataclasses import replace
from typing import Any

from app.copy_managers import Client, client_of
from app.restore.model import CdmConnection, Phase, Trust
from tests.copy_managers.bench import Bench, Loss
from tests.restore.fake_cdm import WORDS
from tests.simulators.cdm import CdmSimulator
from tests.simulators.certs import Certificate

_POSTS = {"start": "action=start", "cancel": "action=cancel", "clean_up": "action=resume"}
_FAULTS: dict[Loss, dict[str, Any]] = {
    Loss.LOGGED_OUT: {"do": "status", "status": 401, "id": "XSBSessionExpiredException"},
    Loss.JOB_IS_BUSY: {"do": "status", "status": 409, "id": "XSBConflictException"},
    Loss.SAID_NO: {"do": "status", "status": 403, "id": "XSBAuthorizationException"},
    Loss.NO_SUCH_THING: {"do": "status", "status": 404, "id": "XSBNotFoundException"},
    Loss.BROKEN_OFF: {"do": "close"},
    Loss.ANSWER_LOST: {"do": "close", "after": True},
    Loss.HANGS: {"do": "hang", "after": True},
    Loss.SERVER_ERROR: {"do": "html503"},
    Loss.REDIRECTED: {"do": "redirect"},
}


class CdmBench(Bench):
    """A simulated CDM in which nothing goes on by itself."""

    manager: Client

    def __init__(self, certificate: Certificate) -> None:
        self.cdm = CdmSimulator(certificate=certificate, restore_seconds=0.0).start()
        self.cdm.switches.outcome = "RUNNING"
        self.cdm.switches.log_lag_seconds = self.cdm.switches.cancel_seconds = 0.0
        self.cdm.switches.clean_up_seconds = 0.0
        self.connection = CdmConnection(
            id=1,
            name="test",
            host=self.cdm.host,
            port=self.cdm.port,
            username=self.cdm.user,
            trust=Trust.CA,
            ca_pem=self.cdm.certificate_pem,
        )
        self.job_id = str(self.cdm.restore_job["id"])
        self._password, self._others = self.cdm.password, list[Client]()
        self._good = self.manager = self.client()

    def client(self, *, patience: float = 10.0, **options: Any) -> Client:
        """A client of the simulator; ``patience`` is how long it waits for an answer."""
        options = {"system_ca": None, "timeouts": (5.0, patience), **options}
        client = client_of(options.pop("to", self.connection), self._password, **options)
        self._others.append(client)
        return client

    def close(self) -> None:
        self.mend()
        for client in self._others:
            client.close()
        self.cdm.stop()

    def begin(self, phase: Phase = Phase.RUNNING) -> str:
        session_id = self.cdm.start_foreign_session(self.job_id)
        self.become(session_id, phase)
        return session_id

    def become(self, session_id: str, phase: Phase) -> None:
        self.cdm.advance_session(session_id, WORDS[phase])

    def forget(self, session_id: str) -> None:
        self.cdm.vanish_session(session_id)

    def write_log(self, session_id: str, *messages: str) -> None:
        for message in messages:
            self.cdm.add_log_entry(session_id, "INFO", message)

    def offer(self, *actions: str) -> None:
        self.cdm.switches.start_modes = list(actions)

    def make_permanent(self) -> None:
        self.cdm.switches.make_permanent = "enabled"

    def lose(self, verb: str, loss: Loss) -> None:
        match loss:
            case Loss.NO_CONNECTION:
                self.cdm.stop()
            case Loss.NOT_TRUSTED:
                pin = {"trust": Trust.FINGERPRINT, "fingerprint": "ab" * 32}
                self.manager = self.client(to=replace(self.connection, **pin))
            case Loss.USER_REFUSED:
                self.cdm.password = "changed in CDM"
                self.manager = self.client()
            case _:
                if loss is Loss.HANGS:
                    self.manager = self.client(patience=1.0)
                fault = _FAULTS[loss]
                self.cdm.add_fault(method="POST", path=_POSTS[verb], times=None, **fault)

    def mend(self) -> None:
        self.cdm.release()
        self.cdm.switches.faults = []
        self.cdm.password = self._password
        if self.cdm._stop is None:
            self.cdm.start()
        self.manager = self._good

    def arrived(self, verb: str) -> int:
        return sum(
            request.method == "POST" and _POSTS[verb] in request.query
            for request in self.cdm.requests
        )
