# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The switches: every awkward mode of the simulator, with its default."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .faults import Fault

DIALECTS = ("cdm", "ecx2016", "spp")
MAKE_PERMANENT = ("user", "enabled", "failed", "absent")


@dataclass
class Switches:
    """Set an attribute (or POST it to ``/_control/switches``); it counts from the next request on.

    Times are seconds, measured on the simulator's clock, except in ``faults`` (real seconds).
    Sections are those of the collected facts on CDM's API (docs/cdm.md).
    """

    # --- how a job session goes (cdm §4) ---
    dialect: str = "cdm"
    """``cdm``; ``ecx2016``: a mounted restore is session PENDING with results "IV test active",
    job PENDING; ``spp``: RUNNING and RESOURCE ACTIVE for jobs too, start answers 201."""
    outcome: str = "RESOURCE ACTIVE"
    """Where a restore session ends; any word, also one that CDM doesn't have. ``RUNNING``: never
    ends. Other jobs always end COMPLETED."""
    pending_seconds: float | None = None
    """How long a session stays PENDING; None = a fifth of the restore, at most 5."""
    make_permanent: str = "user"
    """``user`` or ``absent``: RESOURCE ACTIVE rests. ``enabled``: it passes into COMPLETED.
    ``failed``: the policy says enabled, but it stays RESOURCE ACTIVE for ever."""
    permanent_seconds: float = 1.0
    """How long making permanent takes."""
    cancel_seconds: float = 1.0
    """How long a session is CANCELLING."""
    clean_up_seconds: float = 1.0
    """How long the clean-up is RUNNING."""
    clean_up_outcome: str = "COMPLETED"
    """Where the clean-up ends (RESOURCE ACTIVE: it didn't work)."""
    session_words: dict[str, str] = field(default_factory=dict)
    """Other words for session statuses: ``{"CANCELLED": "CANCELED"}``, ``{"RUNNING": "BUSY"}``."""
    job_words: dict[str, str] = field(default_factory=dict)
    """The same for job.status, after the dialect: ``{"ACTIVE": "WORKING"}``."""

    # --- the start (cdm §3) ---
    lastrun_lag_seconds: float = 3.0
    """How long a job's lastrun still tells of the previous run (0: as in 2017)."""
    start_status: int | None = None
    """The status of a good start; None = 200, or 201 in the SPP dialect."""
    start_visible_after: float | None = 0.0
    """When the new session comes into being, for everybody; None = a start without effect."""
    sessions_per_start: int = 1
    """Sessions made by one start."""
    second_start: int | str = 409
    """A start while a session is live: an error status, ``another`` (200, one more session) or
    ``same`` (200, none)."""
    second_start_id: str = "XSBJobAlreadyRunningException"
    """The error id of that refusal (invented, cdm §12 row 3)."""
    start_over_mounted: bool = False
    """A start over a RESOURCE ACTIVE session ends that one (policy option allowsessoverwrite)."""
    start_modes: list[str] | None = None
    """None: restore jobs offer what they are made with (no schema). A list: the start link has a
    schema with these values, e.g. ``["start_test_iv", "start_recovery_iv", "start_clone_iv"]``."""

    # --- links (cdm §9) ---
    link_base: str | None = None
    """None: the address that was called. Otherwise e.g. ``https://10.1.2.3:8082``."""
    links_with_session: bool = False
    """Every link carries ``esessionid=<the caller's session>``."""
    hidden_links: list[str] = field(default_factory=list)
    """Link names that are never shown; ``*`` = all."""
    hidden_links_while_live: list[str] = field(default_factory=list)
    """Job link names not shown while a session of the job is live (``["start"]``)."""
    cancel_link: str | None = "cancel"
    """The name of the cancel link of a running session (not established); None = no such link."""

    # --- lists (cdm §2, §10) ---
    default_page_size: int = 100
    total: int | None = None
    """What every list reports as its total; None = the truth (0: APAR IT45897)."""
    next_page_link: bool = True
    """Whether a list has links.nextPage where there is a next page."""
    ignore_filter: list[str] = field(default_factory=list)
    """Lists that ignore their filter: ``job``, ``jobsession``, ``log`` (history always does)."""
    ignore_sort: list[str] = field(default_factory=list)
    """Lists that ignore sort."""

    # --- shape of the answers ---
    job_overrides: dict[str, Any] = field(default_factory=dict)
    """Put over every job object: ``{"lastrun": null}``."""
    job_drop: list[str] = field(default_factory=list)
    """Keys that no job object has."""
    session_overrides: dict[str, Any] = field(default_factory=dict)
    """Put over every session object: ``{"properties": null}``."""
    session_drop: list[str] = field(default_factory=list)
    """Keys that no session object has."""
    numeric_ids: bool = False
    """Ids of jobs, sessions and policies as JSON numbers."""
    numeric_log_session_ids: bool = False
    """jobsessionId of log entries as a JSON number (cdm §5)."""
    null_job_status: bool = False
    """job/{id}/status answers null (cdm §2)."""
    locale: str = "de"
    """Language of display names for callers that don't send X-Endeavour-Locale: ``de``, ``en``."""

    # --- the log (cdm §5) ---
    log_lag_seconds: float = 1.0
    """How much later than its time a late entry (one in each phase) can be read."""

    # --- copies (cdm §7) ---
    copies: list[dict[str, Any]] | None = None
    """Copies of every source: ``[{"protectionTime": ms, "policyName": ...}]``, ``id`` and
    ``siteId`` if they are to be others than usual; None = three, unsorted, one with its time as
    text."""
    sources: list[dict[str, Any]] | None = None
    """What every restore job restores: ``[{"name": "SALES"}]``; with ``version`` (an id and a name)
    a pinned copy instead of the latest, with ``copies`` copies of its own. None = one source.
    A job can have its own ones."""

    # --- API sessions and logins (cdm §1) ---
    session_seconds: float = 2700.0
    """An API session ends when idle for that long, or that old."""
    session_calls: int | None = None
    """An API session ends after so many calls."""
    expired_status: int = 401
    expired_id: str = "XSBSessionExpiredException"
    """Status and error id for an unknown or ended session, or none (not established)."""
    expired_body: str = "json"
    """``json``, or ``empty``."""
    login_refusal: dict[str, Any] | None = None
    """Refuses every login: ``{"status": 403, "id": ..., "description": ...}``."""
    lock_out_after: int | None = None
    """Wrong passwords in a row after which the account stays locked (not established)."""

    # --- around it ---
    version: dict[str, str] | None = None
    """None: no version endpoint (CDM). SPP: ``{"version": "10.1.17", "build": "12"}`` (cdm §8)."""
    faults: list[Fault] = field(default_factory=list)
    """See ``faults.py``; dicts are accepted."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.__dataclass_fields__:
            raise AttributeError(f"no such switch: {name}")
        if name == "faults":
            value = [Fault.of(each) for each in value]
        allowed = {"dialect": DIALECTS, "make_permanent": MAKE_PERMANENT}.get(name)
        if allowed and value not in allowed:
            raise ValueError(f"{name} is one of {', '.join(allowed)}")
        object.__setattr__(self, name, value)

    def merge(self, given: Mapping[str, Any]) -> None:
        """Set several; ValueError for an unknown name, and then nothing is changed."""
        trial = copy.copy(self)
        try:
            for name, value in given.items():
                setattr(trial, name, value)
        except (AttributeError, TypeError) as error:
            raise ValueError(str(error)) from error
        for name in given:
            setattr(self, name, getattr(trial, name))

    def set_all(self, other: "Switches") -> None:
        """Put every switch to what it is in ``other``, without sharing anything with it."""
        fresh = copy.deepcopy(other)
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))

    def as_json(self) -> dict[str, Any]:
        """All switches, faults in their flat form with counters."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**plain, "faults": [fault.as_json() for fault in self.faults]}
