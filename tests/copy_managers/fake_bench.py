# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The heart's fake copy manager under the contract: what it does, the real ones do."""

from app.restore.model import Phase
from tests.copy_managers.bench import Bench, Loss
from tests.factories import JOB_ID
from tests.restore.fake_cdm import FakeCdm


class FakeBench(Bench):
    """Fails as the real ones were proven to fail."""

    def __init__(self) -> None:
        self.manager = self._fake = FakeCdm()
        self.job_id = JOB_ID

    def begin(self, phase: Phase = Phase.RUNNING) -> str:
        return self._fake.add_session(phase)

    def become(self, session_id: str, phase: Phase) -> None:
        self._fake.become(session_id, phase)

    def forget(self, session_id: str) -> None:
        self._fake.vanish(session_id)

    def write_log(self, session_id: str, *messages: str) -> None:
        self._fake.write_log(session_id, *messages)

    def offer(self, *actions: str) -> None:
        self._fake.add_job(modes=actions)

    def make_permanent(self) -> None:
        self._fake.add_job(make_permanent=True)

    def lose(self, verb: str, loss: Loss) -> None:
        error = loss.told("as the contract wants it")
        if loss.goes_out:
            self._fake.fail(verb, error, with_effect=loss.has_effect)
        else:
            self._fake.down = error

    def mend(self) -> None:
        self._fake.down = None
        self._fake.faults.clear()

    def arrived(self, verb: str) -> int:
        return self._fake.count(verb)
