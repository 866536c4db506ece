# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a trigger of an enabled mapping brings about: held, cooling down, disarmed, asked, a run."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.configuration.mapping import CopyCheck
from app.message import Message, joined
from app.restore import attacks
from app.restore.attacks import Noticed
from app.restore.cooling import (
    LEAST,
    Cooling,
    LastStart,
    asks_a_person,
    cooling,
    cooling_of_own,
    cooling_of_unknown,
    full,
)
from app.restore.model import MANUAL, Mapping, Mode, Outcome, Run, RunState, Trigger
from app.restore.own_events import names_our_user
from app.restore.ports import Store
from app.restore.states import MODES, worded


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comes of a trigger, before it has a row."""

    outcome: Outcome
    message: str
    run_id: int | None = None
    mapping: str | None = None
    attack: Noticed | None = None
    cooling_until: datetime | None = None  # when the cool-down that it meets ends
    # Why it is a new attack, should its offense turn out to be another than those of the run.
    in_the_way: str | None = None


def decide(store: Store, trigger: Trigger, mapping: Mapping, now: datetime) -> Verdict:
    """Decide on a trigger of a mapping that is enabled; to be called inside a transaction."""
    job = (mapping.connection_id, mapping.job_id)
    live = store.runs.live_of_job(*job)
    last = store.starts.last(*job)
    if last is not None and last.at > now:
        # Our clock was set back. The start counts as now, and goes on to do so: else the job would
        # cool down until the clock has caught up, a day perhaps.
        store.starts.correct(last.run_id, now)
        last = replace(last, at=now)
    failed = last if asks_a_person(last) and trigger.source != MANUAL else None
    doubtful = names_our_user(trigger)
    met = _cooling(store, trigger, mapping, last, now)
    if failed is not None and failed.failed and not doubtful:
        met = None  # the next one is a person's to start: nothing has to be waited for
    if trigger.simulated:
        return _simulate(store, trigger, mapping, live, met, failed=failed, now=now)
    mode = store.settings.mode
    seen = None
    if by_itself(trigger) and _may_be_attack(mode, live):
        before = store.attacks.last_trigger(*job)
        if not doubtful:
            store.attacks.note_trigger(*job, now=now)
        if not doubtful or not _just_told(store, mapping, live, last, now):
            seen = _Seen(None if before is None else before.at)
    if live is not None:
        verdict = _held(store, trigger, mapping, live, met, seen=seen, now=now)
        return replace(verdict, message=_also(verdict.message, _STARTS_NOTHING.get(mode)))
    if met is not None:
        return _cooled(store, trigger, mapping, met, mode=mode, seen=seen, now=now)
    return _begin(store, trigger, mapping, failed, mode, now)


_STARTS_NOTHING = {
    Mode.DISARMED: Message("The app is disarmed: it starts nothing."),
    Mode.OBSERVE: Message("The app only observes: it starts nothing."),
}


def _may_be_attack(mode: Mode, live: Run | None) -> bool:
    """Whether it matters in this mode that a trigger can start nothing.

    Disarmed, it could start nothing anyway, and says so; observing, a copy that is still mounted is
    worth a word. What is no attack then is not noted either: it must not mute the next one, once
    the app is armed.
    """
    return mode is Mode.ARMED or (mode is Mode.OBSERVE and live is not None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What tells a new attack from a repeat."""

    last_trigger: datetime | None


def _just_told(
    store: Store, mapping: Mapping, live: Run | None, last: LastStart | None, now: datetime
) -> bool:
    """Whether QRadar's log was told of something lately that this event may be."""
    since = now - LEAST
    failure = store.starts.last_failure()
    times = (
        None if live is None else live.state_since,
        None if last is None else last.ended_at,
        None if failure is None else failure[1],
    )
    return any(at is not None and since < at <= now for at in times) or store.attacks.ended_since(
        mapping.connection_id, mapping.job_id, since
    )


def _cooling(
    store: Store, trigger: Trigger, mapping: Mapping, last: LastStart | None, now: datetime
) -> Cooling | None:
    """The cool-down that a trigger meets; a person who starts a restore skips what is known."""
    if trigger.source == MANUAL:
        return cooling_of_unknown(mapping, last, now)
    if names_our_user(trigger):
        return cooling_of_own(mapping, last, store.starts.last_failure(), now)
    return cooling(mapping, last, now)


def _held(
    store: Store,
    trigger: Trigger,
    mapping: Mapping,
    live: Run,
    met: Cooling | None,
    *,
    seen: _Seen | None,
    now: datetime,
) -> Verdict:
    """A live run holds the job: a repeat of it, or a new attack."""
    attack = in_the_way = None
    if seen is not None:
        attack = attacks.held(
            trigger,
            mapping,
            live,
            last_trigger=seen.last_trigger,
            is_tied=lambda offense_id: store.attacks.is_tied(live.id, offense_id),
            cooling=met,
            now=now,
        )
        if attack is None and met is None:
            in_the_way = attacks.why(live)
    store.runs.count_repeat(live.id)
    message = _already_running(live) if attack is None else attack.why
    return Verdict(Outcome.ALREADY_RUNNING, message, live.id, attack=attack, in_the_way=in_the_way)


def _cooled(
    store: Store,
    trigger: Trigger,
    mapping: Mapping,
    met: Cooling,
    *,
    mode: Mode,
    seen: _Seen | None,
    now: datetime,
) -> Verdict:
    """Nothing runs, and the job cools down: a repeat, or a new attack."""
    store.runs.count_repeat(met.run_id)
    if mode is not Mode.ARMED:
        message = Message(
            "{after}. {starts_nothing}", after=met.after, starts_nothing=_STARTS_NOTHING[mode]
        )
        return Verdict(Outcome.COOLING_DOWN, message, met.run_id)
    attack = None
    if by_itself(trigger):
        store.attacks.note_cooling(
            mapping.connection_id, mapping.job_id, run_id=met.run_id, now=now
        )
    if seen is not None:
        attack = attacks.cooled(mapping, met, last_trigger=seen.last_trigger, now=now)
    why = met.why if attack is None else attack.why
    return Verdict(Outcome.COOLING_DOWN, why, met.run_id, attack=attack, cooling_until=met.until)


def _begin(
    store: Store,
    trigger: Trigger,
    mapping: Mapping,
    failed: LastStart | None,
    mode: Mode,
    now: datetime,
) -> Verdict:
    """Nothing stands in the way: what the mode and the mapping say.

    ``failed``: the last start, where too many have failed since a copy came up.
    """
    if mode is Mode.DISARMED:
        message = Message("The app is disarmed: nothing was started. Arm it on the settings page.")
        return Verdict(Outcome.DISARMED, message)
    if mode is Mode.OBSERVE:
        return _observe(store, trigger, mapping, now)
    if mapping.needs_approval or failed is not None or _asked_already(store, mapping):
        return _ask_first(store, trigger, mapping, failed, now)
    connection = store.connections.get(mapping.connection_id)
    run = store.runs.add(trigger, mapping, connection, now=now)
    message = Message(
        "Run {run} will start job {job} on {connection}.",
        run=run.id,
        job=mapping.job_name,
        connection=connection.name,
    )
    return Verdict(Outcome.ACCEPTED, message, run.id)


def by_itself(trigger: Trigger) -> bool:
    """Whether it came by itself: a person who starts a restore by hand is no attack."""
    return trigger.source != MANUAL and not trigger.simulated


def _observe(store: Store, trigger: Trigger, mapping: Mapping, now: datetime) -> Verdict:
    """Mode ``observe``: a dry run, once for the time that a start would have cooled down."""
    seen = store.runs.last_observed(mapping.connection_id, mapping.job_id)
    if seen is not None and _observed_of_late(trigger, mapping, seen, now):
        store.runs.count_repeat(seen.id)
        message = Message(
            "Only observed: run {run} looked at job {job} a short while ago. Armed, this"
            " trigger would not have started it again.",
            run=seen.id,
            job=mapping.job_name,
        )
        return Verdict(Outcome.OBSERVED, message, seen.id)
    connection = store.connections.get(mapping.connection_id)
    run = store.runs.add(trigger, mapping, connection, now=now, dry_run=True)
    message = Message(
        "Only observed: run {run} does everything for job {job} on {connection} but start it.",
        run=run.id,
        job=mapping.job_name,
        connection=connection.name,
    )
    return Verdict(Outcome.OBSERVED, message, run.id)


def _observed_of_late(trigger: Trigger, mapping: Mapping, seen: Run, now: datetime) -> bool:
    """Whether an earlier dry run stands for this trigger too; a storm must not make thousands."""
    if seen.ended_at is None:
        return True
    if trigger.source == MANUAL:
        return False
    # That it was observed is told in QRadar's log: what may be that event needs more than no time.
    doubtful = names_our_user(trigger)
    length = full(mapping) if doubtful else timedelta(seconds=mapping.cooldown_s)
    return timedelta(0) <= now - seen.ended_at < length


def _ask_first(
    store: Store, trigger: Trigger, mapping: Mapping, failed: LastStart | None, now: datetime
) -> Verdict:
    """A run that waits for a person's yes; of one job there is one at most."""
    why = None if failed is None else _failed_too_often(mapping, failed)
    waiting = store.runs.unapproved(mapping.connection_id, mapping.job_id)
    if waiting is not None:
        store.runs.count_repeat(waiting.id)
        message = Message(
            "Run {run} of job {job} already waits for approval.",
            run=waiting.id,
            job=mapping.job_name,
        )
        return Verdict(Outcome.AWAITING_APPROVAL, _also(message, why), waiting.id)
    connection = store.connections.get(mapping.connection_id)
    state = RunState.AWAITING_APPROVAL
    run = store.runs.add(trigger, mapping, connection, now=now, state=state)
    message = Message(
        "Run {run} waits for a person to approve it; then it starts job {job} on {connection}.",
        run=run.id,
        job=mapping.job_name,
        connection=connection.name,
    )
    return Verdict(Outcome.AWAITING_APPROVAL, _also(message, why), run.id)


def _asked_already(store: Store, mapping: Mapping) -> bool:
    """Whether a person is being asked about this job's copy: a storm asks once."""
    waiting = mapping.copy_check is CopyCheck.ASK and store.runs.unapproved(
        mapping.connection_id, mapping.job_id
    )
    return bool(waiting)


def _failed_too_often(mapping: Mapping, failed: LastStart) -> Message:
    return Message(
        "{failures} restores of job {job} have failed and no copy has come up since,"
        " the last start was run {run}: the app does not start it again by itself.",
        failures=failed.failures,
        job=mapping.job_name,
        run=failed.run_id,
    )


def _simulate(
    store: Store,
    trigger: Trigger,
    mapping: Mapping,
    live: Run | None,
    cooling: Cooling | None,
    *,
    failed: LastStart | None,
    now: datetime,
) -> Verdict:
    """The same decision whatever the mode, without a trace on the runs that are met."""
    if live is not None:
        return Verdict(Outcome.ALREADY_RUNNING, _already_running(live))
    if cooling is not None:
        return Verdict(Outcome.COOLING_DOWN, cooling.why)
    connection = store.connections.get(mapping.connection_id)
    run = store.runs.add(trigger, mapping, connection, now=now, dry_run=True)
    message: str = Message(
        "Simulated: run {run} does everything for job {job} on {connection} but start it.",
        run=run.id,
        job=mapping.job_name,
        connection=connection.name,
    )
    if failed is not None:
        message = _also(message, _failed_too_often(mapping, failed))
    if mapping.needs_approval or failed is not None:
        message = _also(message, Message("A real one would first wait for a person to approve it."))
    if (mode := store.settings.mode) is not Mode.ARMED:
        message = _also(
            message,
            Message(
                "The app's mode is {mode}: a real trigger would start nothing now.",
                mode=MODES[mode],
            ),
        )
    return Verdict(Outcome.OBSERVED, message, run.id)


def _also(sentence: str, next_one: str | None) -> str:
    return sentence if next_one is None else joined((sentence, next_one), " ")


def _already_running(live: Run) -> str:
    if live.state is RunState.NEEDS_DECISION:
        return Message(
            "Run {run} of job {job} waits for a person's decision.", run=live.id, job=live.job_name
        )
    return Message(
        "Run {run} of job {job} is {state}.",
        run=live.id,
        job=live.job_name,
        state=worded(live.state),
    )
