# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which action to ask for: how a job is started (cdm §3), how it is cleaned up (cdm §6)."""

import re
from dataclasses import dataclass
from typing import Any

from app.cdm.api_session import ApiSession
from app.cdm.links import BadLink, Target, api, href, rebase
from app.message import Message
from app.remote.failures import Advice
from app.restore.model import Busy, Refused, Unknown

_APPLICATIONS = frozenset({"application", "sql", "oracle"})  # subType: CDM's word, SPP's words
_CLEAN_UPS = ("end_ia", "end_iv")


@dataclass(frozen=True, slots=True)
class StartPlan:
    """A start as it will be sent: where to, and with which body."""

    job_id: str
    target: Target
    body: dict[str, Any]
    api: ApiSession

    def send(self) -> None:
        """Start the job: one request, never repeated. Returns only if CDM answered that it did.

        :raises NothingSent: proof that nothing was started (`Busy`, `LoginRefused` and the others)
        :raises Refused: CDM said no
        :raises Unknown: anything else; it may be running
        """
        what = Message("start job {job}", job=self.job_id)
        self.api.post(self.target, self.body, what, any_2xx=False)

    @property
    def action(self) -> str | None:
        """The action that is named in the body, for the run's history."""
        name = self.body.get("actionname")
        return None if name is None else str(name)


def start_target(job: dict[str, Any], job_id: str, action_name: str | None) -> Target:
    """Where to send the start.

    :raises Busy: the job has links, but none to start it
    :raises Refused: its start link is not one that we follow
    """
    links = job.get("links")
    if not isinstance(links, dict) or not links:
        return api("job", job_id).with_query(action="start", actionname=action_name or "start")
    link = href(links, "start")
    if link is None:
        raise Busy(
            Message("CDM offers no start of this job at the moment."),
            cause=Message("It is running or mounted, or CDM's role does not let this user run it."),
            advice=Message("Look at the job in CDM."),
        )
    try:
        target = rebase(link)
    except BadLink as error:
        raise _odd_link("start", str(error)) from error
    # "inventory" is what IBM's reference of 10.1.6 prints for a start by hand; no other name is
    # followed.
    if set(target.values("action")) - {"start", "inventory"}:
        raise _odd_link("start", Message("It asks for something else than a start."))
    return target


def schema_target(job: dict[str, Any]) -> Target | None:
    """Where CDM says which actions the start takes, or None if it says nothing."""
    link = href(job.get("links"), "start", "schema")
    if link is None:
        return None
    try:
        return rebase(link)
    except BadLink as error:
        raise _odd_link("schema", str(error)) from error


def body_without_schema(job: dict[str, Any], action_name: str | None) -> dict[str, Any]:
    """The body where CDM offers no choice: empty, or the name that the mapping insists on."""
    return {"actionname": action_name} if action_name and job.get("links") else {}


def choose_action(
    schema: dict[str, Any], job: dict[str, Any], action_name: str | None
) -> dict[str, Any]:
    """The body with one of the offered actions.

    One is taken, of several the one that ``action_name`` says (its value or its name, to the
    letter), and an action that replaces production machines only if it is said.

    :raises Refused: no name where one is needed, or one that is not offered; says what is
    """
    offered = _offered(schema)
    if not offered:
        return {"actionname": action_name} if action_name else {}
    if action_name:
        found = [o for o in offered if str(o["value"]) == action_name]
        found = found or [o for o in offered if o["name"] == action_name]
    else:
        found = offered
    if len(found) != 1:
        raise _choice(offered, action_name)
    if not action_name and _is_production(found[0], job):
        raise _choice(offered, action_name)
    return {"actionname": found[0]["value"]}


def clean_up_name(links: object) -> str | None:
    """The one clean-up that a job session's links offer, by name or by address; else None."""
    if not isinstance(links, dict):
        return None
    offered = set()
    for name in links:
        if name in _CLEAN_UPS:
            offered.add(name)
            continue
        try:
            target = rebase(href(links, name) or "")
        except BadLink:
            continue
        if target.values("action") == ["resume"]:
            offered |= set(target.values("actionname")) & set(_CLEAN_UPS)
    return offered.pop() if len(offered) == 1 else None


def clean_up_name_by_policy(policy: dict[str, Any], job: dict[str, Any]) -> str | None:
    """The policy's clean-up: ``end_iv`` for machines and disks, ``end_ia`` for databases."""
    kinds = {str(sub.get("type") or "").upper() for sub in subpolicies(policy)}
    if kinds == {"IV"}:
        return "end_iv"
    if kinds and kinds <= {"IA", "RESTORE"}:
        return "end_ia"
    return "end_ia" if job.get("subType") in _APPLICATIONS else None


def subpolicies(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """A policy's sub-policies (``spec.subpolicy[]``), as far as they can be read."""
    spec = policy.get("spec")
    found = spec.get("subpolicy") if isinstance(spec, dict) else None
    return [sub for sub in found if isinstance(sub, dict)] if isinstance(found, list) else []


def makes_permanent(policy: dict[str, Any]) -> bool:
    """Whether RESOURCE ACTIVE is only a stage: ``makepermanent`` is ``enabled`` (cdm §4)."""
    options = [sub.get("option") for sub in subpolicies(policy)]
    return any(isinstance(o, dict) and o.get("makepermanent") == "enabled" for o in options)


def no_clean_up(session: Message) -> Refused:
    """Why a job session can't be cleaned up from here."""
    return Refused(
        Message("It is not clear how {what} is cleaned up.", what=session),
        cause=Message("Neither the job session nor its policy says what kind of restore it is."),
        advice=Message("Clean it up in CDM's own pages."),
    )


def _offered(schema: dict[str, Any]) -> list[dict[str, Any]]:
    parameter = schema.get("parameter")
    action = parameter.get("actionname") if isinstance(parameter, dict) else None
    values = action.get("values") if isinstance(action, dict) else None
    if values is None:
        return []
    if not isinstance(values, list):
        raise Unknown(Message("CDM's list of start actions can't be read."))
    offered = []
    for entry in values:
        value = entry.get("value") if isinstance(entry, dict) else None
        if not isinstance(value, (str, int)) or isinstance(value, bool) or value == "":
            raise Unknown(Message("CDM's list of start actions can't be read."))
        offered.append({"name": str(entry.get("name") or value), "value": value})
    return offered


def _is_production(offer: dict[str, Any], job: dict[str, Any]) -> bool:
    words = set(re.findall(r"[a-z]+", f"{offer['value']} {offer['name']}".lower()))
    if words & {"rrp", "production"}:
        return True
    return "recovery" in words and job.get("subType") not in _APPLICATIONS


def _choice(offered: list[dict[str, Any]], action_name: str | None) -> Refused:
    names = ", ".join(f"{o['value']} ({o['name']})" for o in offered)
    names = "".join(c if c.isprintable() else " " for c in names)[:300]
    what = Message("This job starts with an action, and the named one is not among them.")
    if action_name is None:
        what = Message("This job starts with an action, and none is named.")
    return Refused(
        what,
        cause=Message("CDM offers: {names}.", names=names),
        advice=Advice(
            Message(
                "Set the action of the mapping to one of these. An action that replaces production"
                " machines is taken only if it is set by name."
            ),
            terminal=Message(
                "The command line starts no such job: start it in CDM's own pages, or by a"
                " mapping of the app that names the action."
            ),
        ),
    )


def _odd_link(name: str, reason: str) -> Refused:
    return Refused(
        Message("CDM's {name} link of this job is not followed.", name=name),
        cause=reason,
        advice=Message(
            "Compare the CDM release with the supported ones, and tell the app's developers."
        ),
    )
