# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Asks a person before a copy comes up that may be the wrong one, where the mapping wants that.

Only then is the copy read before the start. The question is put once: what a person has approved is
started, whatever its copy.
"""

from dataclasses import replace

from app.configuration.mapping import CopyCheck, Mapping
from app.message import Message
from app.restore import clock
from app.restore.model import CopyManagerError, NothingSent, Run, RunState
from app.restore.model.copies import Copy, SeenCopy, Which
from app.restore.model.recovery_point import Relation, copy_words, point_of
from app.restore.turn import ENGINE, Turn


def as_mapped(turn: Turn, seen: SeenCopy | None) -> SeenCopy | None:
    """Give a copy with what the run's mapping demands of it."""
    mapping = _mapping(turn)
    if seen is None or mapping is None:
        return seen
    check = mapping.copy_check is not CopyCheck.OFF
    return replace(seen, checked=check, max_age_h=mapping.copy_max_age_h if check else None)


def asked_first(turn: Turn) -> bool:
    """Ask a person, unless the copy is provably the right one or that was asked before.

    Gives whether it has asked: then the run waits. Raises `NothingSent` when CDM can't be reached.
    """
    mapping = _mapping(turn)
    if mapping is None or mapping.copy_check is not CopyCheck.ASK or turn.memory.copy_asked:
        return False
    doubt = doubtful(replace(turn.run, copy=as_mapped(turn, SeenCopy(_read(turn), turn.now))))
    if doubt is None:
        return False
    if turn.run.dry_run:
        turn.end_dry_run(Message("A person would be asked first"), doubt)
        return True
    with turn.store.transaction():
        older = turn.store.runs.unapproved(turn.run.connection_id, turn.run.job_id)
        if older is not None:  # one question is enough: that of the newer run
            why = Message("run {run} of the same job waits for approval now", run=turn.run.id)
            turn.store.runs.record(older, RunState.CANCELLED, why, by=ENGINE, now=turn.now)
        turn.memory = replace(turn.memory, copy_asked=True)
        turn.move(RunState.AWAITING_APPROVAL, doubt, due_in=clock.LARGEST_GAP_S, error=doubt)
    return True


def doubtful(run: Run) -> Message | None:
    """Say why a person should look before a run's copy comes up; None: it is the right one."""
    point, copy = point_of(run), copy_words(run)
    if run.copy is None or point is None or copy is None:
        return None
    fits = run.copy.copy.which is Which.LATEST and point.relation is Relation.BEFORE
    if fits and not run.copy.too_old(point.age_s):
        return None
    return Message("Its mapping asks a person first. What would come up: {copy}.", copy=copy)


def _read(turn: Turn) -> Copy:
    try:
        return turn.cdm.copy_to_restore(turn.run.job_id)
    except NothingSent:
        raise
    except CopyManagerError as error:
        return Copy(Which.UNKNOWN, problem=error.message)


def _mapping(turn: Turn) -> Mapping | None:
    try:
        return turn.store.mappings.get(turn.run.mapping_id or 0)
    except LookupError:
        return None
