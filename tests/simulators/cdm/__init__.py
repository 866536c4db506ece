# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated IBM Copy Data Management, as far as a restore client can see it.

Written from the facts about the product (docs/cdm.md), not from any client, and awkward on
purpose where the facts leave a choice: policy ids aren't job ids, lastrun is stale after a start,
links of dangerous actions lie about, log entries come late.

In a test::

    with CdmSimulator(restore_seconds=0.5) as cdm:
        cdm.switches.outcome = "FAILED"
        cdm.add_fault("close", method="POST", path="action=start", after=True)
        ...                      # talk to cdm.url as cdm.user, cdm.password
        assert len(cdm.starts) == 1 and not cdm.destructive_calls

On its own: ``python3 -m tests.simulators.cdm --port 8443 --switch outcome='"FAILED"'`` prints one
line (address, user, certificate SHA-256) and runs until SIGTERM. It is driven over its own port:

``GET /_control/state``
    jobs, sessions, starts, requests, logins, logouts, destructive_calls, live_api_sessions,
    switches, url, fingerprint; ``?only=starts,sessions`` answers just these.
``POST /_control/switches``
    ``{"outcome": "PARTIAL", "faults": [{"match": {"path": "/job"}, "do": "html502"}]}`` sets these
    switches and no others (``switches.py`` has them all, ``faults.py`` the faults).
``POST /_control/actions``
    ``{"action": NAME, ...}`` calls the method of that name with the other keys as arguments, and
    answers ``{"result": ...}``; the names are in ``control.ACTIONS``, and ``set_password``.
``POST /_control/reset``
    as it was at first.

The control endpoint needs no login, is struck by no fault but those of stage ``accept``, and
leaves no record.
"""

from .faults import Fault
from .simulator import CdmSimulator
from .switches import Switches

__all__ = ["CdmSimulator", "Fault", "Switches"]
