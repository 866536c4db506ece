# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Jobs, sessions and log entries as JSON objects, in the dialect that is switched on."""

from typing import Any

from .links import ACTIVE_GROUP, LIVE_GROUP, PENDING_GROUP, Links
from .model import Job, World
from .sessions import LogEntry, Phase, Session, ms

GERMAN = {
    "PENDING": "Anstehend",
    "RUNNING": "Wird ausgeführt",
    "RESOURCE ACTIVE": "Ressource aktiv",
    "COMPLETED": "Abgeschlossen",
    "PARTIAL": "Teilweise",
    "FAILED": "Fehlgeschlagen",
    "CANCELLING": "Wird abgebrochen",
    "CANCELLED": "Abgebrochen",
}


class Renderer:
    """Writes the model down for one caller."""

    def __init__(self, world: World, links: Links, *, locale: str | None) -> None:
        self.world, self.links = world, links
        self.switches = world.switches
        self.now = world.clock()
        self.locale = (locale or self.switches.locale).lower()

    # --- words (cdm §4) ---

    def session_word(self, phase: Phase) -> str:
        """What a session's status is called."""
        word = phase.status
        if word == "RESOURCE ACTIVE" and self.switches.dialect == "ecx2016":
            word = "PENDING"
        return self.switches.session_words.get(phase.status, word)

    def job_word(self, job: Job) -> str:
        """What the job's status is called."""
        live = self.world.live_session(job.id)
        status = live.at(self.now).status if live else "IDLE"
        if self.switches.dialect == "spp":
            word = status
        elif status in ("PENDING", "WAITING", "RESOURCE ACTIVE"):
            word = "PENDING"
        else:
            word = status if status == "IDLE" else "ACTIVE"
        return self.switches.job_words.get(word, word)

    def display(self, status: str) -> str:
        """The localised name of a status."""
        if self.locale.startswith("en"):
            return status.capitalize()
        return GERMAN.get(status, status.capitalize())

    def results(self, phase: Phase) -> str | None:
        """The free text beside the status."""
        if phase.status == "RESOURCE ACTIVE" and self.switches.dialect == "ecx2016":
            return "IV test active"
        return phase.results

    def id(self, value: str) -> str | int:
        """An id: text, unless switched."""
        return int(value) if self.switches.numeric_ids else value

    # --- jobs (cdm §2) ---

    def job(self, job: Job) -> dict[str, Any]:
        """A job object."""
        last = self.world.last_run(job.id)
        whole = {
            "id": self.id(job.id),
            "name": job.name,
            "description": job.description,
            "type": job.type,
            "subType": job.sub_type,
            "serviceId": job.service_id,
            "status": self.job_word(job),
            "policyId": self.id(job.policy_id),
            "policyName": job.name,
            "triggerIds": [],
            "nextFireTime": None if job.is_restore else ms(self.now + 3600),
            "lastRunTime": last.start_ms if last else None,
            "lastSessionStatus": self.session_word(last.at(self.now)) if last else None,
            "lastSessionDuration": self.duration(last) if last else None,
            "lastrun": self.last_run(job, last) if last else None,
            "links": self.job_links(job, last),
            **self.switches.job_overrides,
        }
        return {k: v for k, v in whole.items() if k not in self.switches.job_drop}

    def last_run(self, job: Job, session: Session) -> dict[str, Any]:
        """The digest of the last session inside a job."""
        current = session.at(self.now)
        return {
            "sessionId": self.id(session.id),
            "jobName": job.name,
            "status": self.session_word(current),
            "results": self.results(current),
            "start": session.start_ms,
            "end": session.end_ms(self.now),
            "duration": self.duration(session),
        }

    def duration(self, session: Session) -> int:
        """Milliseconds since the start, or of the whole run."""
        end = session.end_ms(self.now)
        return max(0, (ms(self.now) if end is None else end) - session.start_ms)

    def job_links(self, job: Job, last: Session | None) -> dict[str, Any]:
        """The links of a job."""
        base = f"endeavour/job/{job.id}"
        start = {"href": self.links.href(base, action="start")}
        if self.world.modes(job) is not None:
            start["schema"] = self.links.href(f"{base}/schema/start")
        links = {
            "self": {"href": self.links.href(base)},
            "start": start,
            "livejobsessions": self.links.sessions(job.id, LIVE_GROUP),
            "pendingjobsessions": self.links.sessions(job.id, PENDING_GROUP),
            "activejobsessions": self.links.sessions(job.id, ACTIVE_GROUP),
            "policy": {"href": self.links.href(f"endeavour/policy/{job.policy_id}")},
            "x-report v2/by day": {"href": self.links.href(f"{base}/report", kind="day")},
        }
        if last:
            links["lastrunlog"] = self.links.log(last.id)
        live = self.world.live_session(job.id) is not None
        return self.links.shown(
            links, hidden=self.switches.hidden_links_while_live if live else None
        )

    # --- sessions (cdm §4) ---

    def session(self, session: Session) -> dict[str, Any]:
        """A session object."""
        job = self.world.jobs.get(session.job_id)
        current = session.at(self.now)
        whole = {
            "id": self.id(session.id),
            "jobId": self.id(session.job_id),
            "jobName": job.name if job else None,
            "type": job.type if job else None,
            "subType": job.sub_type if job else None,
            "subPolicyType": job.sub_policy_type if job else None,
            "status": self.session_word(current),
            "statusDisplayName": self.display(current.status),
            "results": self.results(current),
            "start": session.start_ms,
            "end": session.end_ms(self.now),
            "duration": self.duration(session),
            "percent": session.percent(self.now),
            "numTasks": 1,
            "indexStatus": None,
            "properties": {"statistics": self.statistics(current)},
            "links": self.session_links(session, current),
            **self.switches.session_overrides,
        }
        return {k: v for k, v in whole.items() if k not in self.switches.session_drop}

    def statistics(self, current: Phase) -> list[dict[str, Any]] | None:
        """Counts by resource type; null until something was done."""
        if not current.ended:
            return None
        good = {"COMPLETED": 1, "RESOURCE ACTIVE": 1, "PARTIAL": 1}.get(current.status, 0)
        counts = {"resourceType": "database", "total": 1, "success": good, "failed": 1 - good}
        return [{**counts, "skipped": 1} if current.status == "PARTIAL" else counts]

    def session_links(self, session: Session, current: Phase) -> dict[str, Any]:
        """The links of a session, dangerous neighbours among them (cdm §6)."""
        base = f"endeavour/jobsession/{session.id}"
        links = {
            "self": {"href": self.links.href(base)},
            "expireall": {"href": self.links.href(base, action="expireall")},
            "log": self.links.log(session.id),
            "diagnostics": {"href": self.links.href("endeavour/log/job/download/diagnostics")},
        }
        if not current.ended and self.switches.cancel_link:
            links[self.switches.cancel_link] = {"href": self.links.href(base, action="cancel")}
        if current.status == "RESOURCE ACTIVE" and session.clean_up:
            actions = [session.clean_up]
            if session.clean_up == "end_iv":
                actions += ["clone", "rrp"]
            for name in actions:
                href = self.links.href(base, action="resume", actionname=name)
                links[name] = {"href": href}
        return self.links.shown(links)

    # --- the log (cdm §5) ---

    def log_entry(self, session: Session, entry: LogEntry) -> dict[str, Any]:
        """A log entry."""
        as_number = self.switches.numeric_log_session_ids or self.switches.numeric_ids
        return {
            "id": entry.id,
            "jobsessionId": int(session.id) if as_number else session.id,
            "logTime": ms(entry.time),
            "type": entry.type,
            "message": entry.message,
            "messageId": entry.message_id,
            "messageParams": ["1"],
        }
