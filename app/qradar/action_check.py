# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether the custom action on the console is still the one that this app would make now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.message import Message, counted, joined
from app.qradar import authorized_services, custom_action, defined_actions
from app.qradar.administrator import Administrator
from app.qradar.authorized_services import WARN_DAYS, Service
from app.qradar.defined_actions import visible
from app.qradar.installed_action import Book, Installation, issuers_of, sha256_of


@dataclass(frozen=True, slots=True)
class Findings:
    """``reasons`` why the action is out of date, none when it is up to date."""

    reasons: tuple[str, ...]
    service: Service | None  # whose token the action carries
    left_over: tuple[Service, ...]  # services that this app made and that are not in that use


def check(
    admin: Administrator,
    book: Book,
    *,
    script: str | None,
    console: str,
    tokens: Collection[str],
    mappings: Collection[str],
    now: datetime,
) -> Findings:
    """Compare console and book. Raises `NotDone` when the console can't be asked.

    ``script`` is the one that would be made now, None when none can be made; ``console`` the
    parameter's value unless the administrator chose another; ``tokens`` and
    ``mappings`` are the names of those there are.
    """
    services = authorized_services.ours(admin)
    current = book.current
    if current is None:
        return Findings((), None, services)
    service = next((one for one in services if one.id == current.service_id), None)
    reasons = [
        *_action_reasons(admin, current, current.console or console),
        *_script_reasons(current, script),
        *_service_reasons(current, service, now),
    ]
    if current.token_name not in tokens:
        reasons.append(Message("its trigger token {token} was revoked", token=current.token_name))
    if current.mapping and current.mapping not in mappings:
        reasons.append(Message("there is no mapping {mapping} any more", mapping=current.mapping))
    left_over = tuple(one for one in services if one.id != current.service_id)
    return Findings(tuple(reasons), service, left_over)


def _action_reasons(admin: Administrator, current: Installation, console: str) -> list[str]:
    action = next(
        (one for one in defined_actions.list_actions(admin) if one.id == current.action_id), None
    )
    if action is None:
        return [Message("the action was deleted on the console")]
    expected = custom_action.parameters(console, "", token="", mapping=current.mapping)  # noqa: S106 - to compare all but the tokens
    changed = []
    if not current.is_described_by(action.description):
        changed.append(Message("its description"))
    if action.parameters is not None and action.parameters != visible(expected):
        changed.append(Message("its parameters"))
    if action.script != current.script_id:
        changed.append(Message("its script"))
    elif current.script_id is not None and not defined_actions.has_script(admin, current.script_id):
        return [Message("its script was deleted on the console")]
    if not changed:
        return []
    return [
        Message("the action was changed on the console: {changed}", changed=joined(changed, ", "))
    ]


def _script_reasons(current: Installation, script: str | None) -> list[str]:
    if script is None or sha256_of(script) == current.script_sha256:
        return []
    if issuers_of(script) != current.issuers:
        return [Message("the console's certificate changed")]
    return [Message("the script changed")]


def _service_reasons(current: Installation, service: Service | None, now: datetime) -> list[str]:
    label = current.service_label
    if service is None:
        return [Message("the authorized service {label} was deleted on the console", label=label)]
    ends = None if service.expires_at is None else ending(service.expires_at, now)
    return [] if ends is None else [Message("the token of {label} {ends}", label=label, ends=ends)]


def ending(expires_at: datetime, now: datetime) -> str | None:
    """What to say of a token's end, "expires in 9 days"; None while it is far away."""
    left = expires_at - now
    if left <= timedelta(0):
        return Message("has expired")
    if left > timedelta(days=WARN_DAYS):
        return None
    if left.days == 0:
        return Message("expires within a day")
    return counted("expires in {n} day", "expires in {n} days", n=left.days)
