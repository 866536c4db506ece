# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Picking a restore job: the list of a CDM server, searched, each with the copy it will use."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.copy_managers import last_phase_of
from app.message import Message, counted
from app.remote.told import JobEntry
from app.restore.model import CdmConnection, CopyManagerError, Phase
from app.restore.model.copies import Copy, Which
from app.web.connections.cdm_calls import jobs_and_copies
from app.web.frame.language import said
from app.web.frame.listing import listed
from app.web.frame.presentation import utc
from app.web.services import Services

_COPY_WARNINGS = {Which.PINNED: Message("not the latest"), Which.MISSING: Message("no copy")}

MOST = 40  # rows, of a kilobyte each: a page is to stay below 60
FEW = 10  # while the page shows a list of rules as well
_TONES = {
    Phase.COMPLETED: "good",
    Phase.FAILED: "bad",
    Phase.PARTIAL: "attention",
    Phase.RUNNING: "active",
    Phase.READY: "active",
}
_KINDS = {
    "recovery": Message("restore"),
    "protection": Message("backup"),
    "maintenance": Message("maintenance"),
}
_SOURCES = 3  # named in a sentence


@dataclass(frozen=True, slots=True)
class Row:
    """A job as the list shows it."""

    id: str
    name: str
    job: JobEntry | None = None  # None: CDM does not list it
    copy: Copy | None = None  # None: it was not looked up
    chosen: bool = False
    tone: str = "done"  # the colour class of the last result

    @property
    def kind(self) -> str:
        """What the job does; a type of CDM's that is not known keeps its own word."""
        return _kind(self.job.type) if self.job else ""

    @property
    def selectable(self) -> bool:
        """Whether it may be chosen. One that CDM does not list stays chosen until it is changed."""
        return self.job is None or self.job.is_restore


@dataclass(frozen=True, slots=True)
class Picker:
    """What is shown of the jobs of a connection, or why they can't be listed."""

    rows: Sequence[Row]
    search: str = ""
    matches: int = 0
    total: int = 0
    error: CopyManagerError | None = None
    hidden: int = 0  # matching jobs that restore nothing and are not listed
    all: bool = False  # whether these are listed too

    @property
    def shown(self) -> int:
        """How many of the matching jobs are shown."""
        listed = [row.job for row in self.rows if row.job and (self.all or row.job.is_restore)]
        return sum(1 for job in listed if found(job, self.search))

    @property
    def headline(self) -> str:
        """How many of the listed jobs are shown."""
        return _headline(self)

    @property
    def unseen_copies(self) -> int:
        """How many of the shown restore jobs had to do without a look at their copies."""
        return sum(1 for row in self.rows if row.job and row.selectable and row.copy is None)


def pick(
    services: Services,
    connection: CdmConnection,
    *,
    chosen: str,
    chosen_name: str,
    search: str,
    show_all: bool = False,
    most: int = MOST,
    failure: CopyManagerError | None = None,
) -> Picker:
    """The restore jobs that match, the chosen one first. Raises `TooBusy`.

    :param chosen: the id of the chosen job, or an empty text
    :param chosen_name: its name, for when CDM does not list it
    :param show_all: list the jobs that restore nothing too, after those that do
    :param failure: why the jobs can't be listed; CDM is not asked then
    """

    def shown(jobs: Sequence[JobEntry]) -> list[JobEntry]:
        first = [job for job in jobs if job.id == chosen]
        listed = [job for job in jobs if show_all or job.is_restore]
        others = [job for job in listed if job.id != chosen and found(job, search)]
        return [*first, *others[: most - len(first)]]

    jobs: Sequence[JobEntry] = ()
    copies: dict[str, Copy] = {}
    try:
        if failure is None:
            jobs, copies = jobs_and_copies(
                services, connection, wanted=lambda jobs: [j for j in shown(jobs) if j.is_restore]
            )
    except CopyManagerError as error:
        failure = error
    rows = [
        Row(job.id, job.name, job, copies.get(job.id), job.id == chosen, _tone(connection, job))
        for job in shown(jobs)
    ]
    if chosen and not any(row.chosen for row in rows):
        rows.insert(0, Row(chosen, chosen_name, chosen=True))
    listed = [job for job in jobs if show_all or job.is_restore]
    hidden = [] if show_all else [job for job in jobs if not job.is_restore]
    return Picker(
        rows,
        search,
        matches=sum(1 for job in listed if found(job, search)),
        total=len(listed),
        error=failure,
        hidden=sum(1 for job in hidden if found(job, search)),
        all=show_all,
    )


def found(job: JobEntry, search: str) -> bool:
    """Whether every word of ``search`` is in the job's name, id, type or description."""
    own = (job.name, job.id, job.type, said(_kind(job.type)), job.subtype, job.description)
    text = "\n".join(own).casefold()
    return all(word in text for word in search.casefold().split())


def _tone(connection: CdmConnection, job: JobEntry) -> str:
    status = job.last_status
    return _TONES.get(last_phase_of(connection, status), "done") if status else "done"


def _kind(job_type: str) -> str:
    return _KINDS.get(job_type, job_type or Message("unknown type"))


def _headline(picker: Picker) -> Message:
    number = (
        counted("{n} job", "{n} jobs", n=picker.total)
        if picker.all
        else counted("{n} restore job", "{n} restore jobs", n=picker.total)
    )
    if picker.search:
        text = counted(
            "{matches} of {number} matches this search",
            "{matches} of {number} match this search",
            n=picker.total,
            matches=picker.matches,
            number=number,
        )
        if picker.shown < picker.matches:
            return Message("{text}; the first {shown} are shown.", text=text, shown=picker.shown)
        return Message("{text}.", text=text)
    order = Message(", restore jobs first") if picker.all else ""
    if picker.shown < picker.total:
        return Message(
            "{shown} of {number} are shown{order}. Search for others.",
            shown=picker.shown,
            number=number,
            order=order,
        )
    return Message("{number}{order}.", number=number, order=order)


def copy_words(copy: Copy) -> str:
    """Which copy a job will restore, in a sentence; it holds names from outside."""
    names = [source.name for source in copy.sources]
    sources = listed(names[:_SOURCES], more=len(names) - _SOURCES)
    at = utc(copy.made_at) if copy.made_at else ""
    match copy.which:
        case Which.LATEST if len(copy.sources) > 1:
            return _latest_copies(sources, at, copy.policy, copy.problem)
        case Which.LATEST:
            return _latest_copy(at, copy.policy, copy.problem)
        case Which.MISSING:
            return Message("CDM lists no copy of {sources}.", sources=sources)
        case Which.PINNED:
            return _pinned_copy(at or copy.name or "", copy.policy, copy.problem)
    return Message("not known: {problem}", problem=copy.problem or Message("CDM does not tell."))


def copy_warning(copy: Copy) -> str | None:
    """What a person has to be warned of, in two or three words: it is not what one expects."""
    return _COPY_WARNINGS.get(copy.which)


def _latest_copy(at: str, policy: str | None, problem: str | None) -> Message:
    """The newest copy, whichever that is at the start; ``at`` is empty when it is not known."""
    if not at:
        return Message("latest copy; its time is not known: {problem}", problem=problem or "")
    return _from(Message("latest copy: {at}", at=at), policy)


def _latest_copies(sources: str, at: str, policy: str | None, problem: str | None) -> Message:
    """The newest copy of each of several sources; ``at`` is the oldest of these."""
    if not at:
        return Message(
            "latest copies of {sources}; their times are not known: {problem}",
            sources=sources,
            problem=problem or "",
        )
    return _from(
        Message("latest copies of {sources}, the oldest: {at}", sources=sources, at=at), policy
    )


def _pinned_copy(copy: str, policy: str | None, problem: str | None) -> Message:
    """Always the same copy, which in an attack is hardly the one that is wanted."""
    which = _from(Message("always the copy of {copy}", copy=copy), policy)
    if problem:
        return Message("{which}: NOT the latest. {problem}", which=which, problem=problem)
    return Message("{which}: NOT the latest", which=which)


def _from(copy: Message, policy: str | None) -> Message:
    return Message("{copy}, from policy {policy}", copy=copy, policy=policy) if policy else copy
