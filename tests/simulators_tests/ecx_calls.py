# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Calls of the vendor's client against an address, for Python 2.7; run by the test beside it.

Prints what it found as one JSON object. Arguments: url, user, password.
"""

import json
import sys

from ecxclient.sdk import client


def main(url, user, password):
    """List, read, run, follow and read the log of the first restore job."""
    session = client.EcxSession(url, user, password)
    jobs = client.JobAPI(session)
    listed = jobs.list()
    job = [each for each in listed if each["type"] == "recovery"][0]
    ran = jobs.run(job["id"])
    status = jobs.status(job["id"])
    sessions = session.get(url=jobs.get(job["id"])["links"]["livejobsessions"]["href"])["sessions"]
    logs = jobs.get_log_entries(sessions[0]["id"])
    policy = client.EcxAPI(session, "policy").get(resid=job["policyId"])
    session.delete("endeavour/session/")
    found = {
        "jobs": len(listed),
        "ran": ran["id"],
        "status": status["currentStatus"],
        "session": sessions[0]["id"],
        "logs": [each["message"] for each in logs],
        "version": policy["spec"]["source"][0]["version"]["metadata"]["id"],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
