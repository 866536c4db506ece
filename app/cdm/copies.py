# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which copy a job will restore, as far as CDM tells (cdm §7). Only GETs, of few shapes.

A job's policy says for each thing it restores (its sources) whether the newest copy is taken or
always the same one; the list of a source's copies says how old the newest is.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.cdm.links import BadLink, Target, api, rebase
from app.cdm.pages import records
from app.cdm.records import text_id, when
from app.message import Message
from app.remote.failures import Cleaner, NoAnswer
from app.restore.model import CopyManagerError, NothingSent, Unknown
from app.restore.model.copies import Copy, SourceCopy, Which

MAX_SOURCES = 8  # whose copies are read; CDM is asked for each
MAX_PAGES = 10
_PAGE = 200
_SHORTEST = 0.5  # seconds for an answer, so that the last one asked for has a chance
_LATEST = "latest"
_MAX_NAME = 120
# Databases, volumes, virtual machines: the kinds that were seen to have copies.
_SOURCE = re.compile(r"/api/(?:application|ibmsvc|vsphere)(?:/[^/]+){2,10}")


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    link: object
    version: str  # the id of the copy that the policy asks for
    version_name: str

    @property
    def pinned(self) -> bool:
        return self.version.casefold() != _LATEST


@dataclass(frozen=True, slots=True)
class _Listed:
    id: str | None
    at: datetime | None
    policy: str | None


class CopyReader:
    """Finds out about one job's copy within a given time; ``read`` is `ApiSession.get`."""

    def __init__(
        self,
        read: Callable[..., dict[str, Any]],
        cleaner: Cleaner,
        *,
        monotonic: Callable[[], float],
        within: float,
    ) -> None:
        self._read, self._cleaner, self._monotonic = read, cleaner, monotonic
        self._until = monotonic() + within

    def copy_of(
        self, job_id: str, policy_id: str | None = None, *, until: datetime | None = None
    ) -> Copy:
        """The copy that the job will restore; what can't be known is said in its ``problem``.

        :param policy_id: of the job's policy, where it is known already
        :param until: by CDM's clock, when the job was started: a later copy was not yet there
        :raises CopyManagerError: CDM can't be reached, lets nobody in, or stopped answering
        """
        try:
            policy = self._policy(job_id, policy_id)
            sources = list(self._sources(policy))
        except (NothingSent, NoAnswer):
            raise
        except CopyManagerError as error:
            return Copy(Which.UNKNOWN, problem=error.message)
        pinned = [source for source in sources if source.pinned]
        copy = Copy(
            Which.PINNED if pinned else Which.LATEST,
            sources=tuple(SourceCopy(source.name) for source in sources),
            name=pinned[0].version_name if pinned else None,
        )
        if len(sources) > MAX_SOURCES:
            return replace(copy, problem=Message("This job has too many sources to look at each."))
        try:
            return self._with_times(copy, sources, _site(policy), until)
        except (NothingSent, NoAnswer):
            raise
        except CopyManagerError as error:
            # Of a pinned copy it is known all the same which one it is.
            return copy if pinned else replace(copy, problem=error.message)

    def _policy(self, job_id: str, policy_id: str | None) -> dict[str, Any]:
        if policy_id is None:
            job = self._get(_target("job", job_id), Message("job {job}", job=job_id))
            if text_id(job.get("id")) != job_id:
                raise Unknown(
                    Message("CDM was asked for job {job} and shows another one.", job=job_id)
                )
            policy_id = text_id(job.get("policyId"))
        if policy_id is None:
            raise Unknown(Message("CDM does not tell the policy of this job."))
        return self._get(_target("policy", policy_id), Message("the policy of this job"))

    def _sources(self, policy: dict[str, Any]) -> Iterator[_Source]:
        listed = _map(policy.get("spec")).get("source")
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise Unknown(Message("The policy of this job has an unexpected shape."))
        included = [one for one in listed if one.get("include") is not False]
        if not included:
            raise Unknown(Message("The policy of this job names nothing to restore."))
        for one in included:
            wanted = _map(_map(one.get("version")).get("metadata"))
            version = text_id(wanted.get("id"))
            if version is None:
                raise Unknown(
                    Message("The policy of this job does not say which copy is restored.")
                )
            own = _map(one.get("metadata"))
            name = self._text(own.get("name")) or self._text(text_id(one.get("id"))) or "?"
            named = self._text(wanted.get("name")) or self._text(version) or "?"
            yield _Source(name, one.get("href"), version, named)

    def _with_times(
        self, copy: Copy, sources: Sequence[_Source], site: str | None, until: datetime | None
    ) -> Copy:
        found: list[SourceCopy] = []
        missing: list[str] = []
        problem: Message | None = None
        for source in sources:
            listed = self._copies(source, site)
            if source.pinned:
                listed = [one for one in listed if one.id == source.version]
                if not listed:
                    problem = Message("CDM does not list this copy any more.")
            elif not listed:
                missing.append(source.name)
            dated = [one for one in listed if one.at is not None]
            if listed and not dated:
                problem = Message("CDM does not tell the times of its copies.")
            elif until is not None and not source.pinned:
                dated = [one for one in dated if _time(one) <= until]
                if listed and not dated:
                    problem = Message("CDM lists no copy from before the start any more.")
            one = max(dated, key=_time, default=None)
            found.append(
                SourceCopy(source.name, one.at, one.policy) if one else SourceCopy(source.name)
            )
        if missing:
            return Copy(Which.MISSING, sources=tuple(map(SourceCopy, missing)))
        return replace(copy, sources=tuple(found), problem=problem)

    def _copies(self, source: _Source, site: str | None) -> list[_Listed]:
        """Every copy of a source, in no order; raises `Unknown` unless all could be read."""
        try:
            own = rebase(source.link if isinstance(source.link, str) else "")
            path = own.path.removesuffix("/")
            if not _SOURCE.fullmatch(path):
                raise BadLink(Message("It leads to something else than a source of copies."))
        except BadLink as error:
            raise Unknown(
                Message("CDM's link to {source} is not followed.", source=source.name)
            ) from error
        target = Target(f"{path}/version")  # without the link's own ?time=0
        if site is not None:
            condition = {"property": "siteId", "op": "=", "value": site}
            target = target.with_query(filter=[condition])
        what = Message("copies of {source}", source=source.name)
        pages = 0

        def read(page: Target, what: str) -> dict[str, Any]:
            nonlocal pages
            pages += 1
            if pages > MAX_PAGES:
                raise Unknown(Message("CDM lists too many {what} to find the newest.", what=what))
            return self._get(page, what)

        found = records(read, target, "versions", size=_PAGE, what=what)
        return [self._listed(one) for one in found]

    def _listed(self, record: dict[str, Any]) -> _Listed:
        info = _map(record.get("protectionInfo"))
        policy = self._text(info.get("policyName"))
        return _Listed(text_id(record.get("id")), when(info.get("protectionTime")), policy)

    def _get(self, target: Target, what: str) -> dict[str, Any]:
        left = self._until - self._monotonic()
        if left <= 0:
            raise Unknown(Message("CDM did not tell it in time."))
        return self._read(target, what, read_timeout=max(left, _SHORTEST))

    def _text(self, value: object) -> str | None:
        return self._cleaner.clean(value, _MAX_NAME) or None if isinstance(value, str) else None


def _target(*segments: str) -> Target:
    try:
        return api(*segments)
    except BadLink as error:
        raise Unknown(Message("CDM can't be asked for such an id.")) from error


def _site(policy: dict[str, Any]) -> str | None:
    """The site from whose copies is restored, if the policy names exactly one."""
    subs = _map(policy.get("spec")).get("subpolicy")
    found = set()
    for sub in subs if isinstance(subs, list) else []:
        copy = _map(_map(_map(sub).get("source")).get("copy"))
        found.add(text_id(_map(_map(copy.get("site")).get("metadata")).get("id")))
    return found.pop() if len(found) == 1 else None


def _time(copy: _Listed) -> datetime:
    assert copy.at is not None  # noqa: S101 - only dated ones are compared
    return copy.at


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
