# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What is nice to know: CDM's job log, which copy comes up, and whether a job makes it permanent.

Each read has a short limit, and a CDM that does not keep to it is left in peace for a while: it
holds up neither a start nor a state.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from app.message import Message
from app.restore import clock
from app.restore.copy_gate import as_mapped
from app.restore.model import CopyManagerError, LogLine, Refused, RunState
from app.restore.model.copies import Copy, SeenCopy, Which
from app.restore.turn import Turn
from app.restore.waits import Steady

logger = logging.getLogger(__name__)

LIMIT_S = 4.0  # for one log; what a single call of CDM may take is its client's business
PEACE_S = 30.0  # how long no log of a connection is read after one that could not be
LOG_OVERLAP = 50  # lines read again each time: some arrive late, with an earlier time
LOG_TRIES = 20  # reads of an ended run's log, a quarter of an hour, before it stays as it is
PERMANENT_TRIES = 3
COPY_TRIES = 3


class Reader:
    """Reads for one engine; it knows which connections are left in peace."""

    def __init__(self, steady: Steady) -> None:
        self._steady = steady
        self._peace: dict[int, tuple[float, str]] = {}  # connection → until when, and why

    def in_peace(self, connection_id: int) -> str | None:
        """Say why nothing is read of a connection just now; None: something may be."""
        until, why = self._peace.get(connection_id, (0.0, ""))
        return why if self._steady() < until else None

    def read_log(self, turn: Turn, *, whole: bool) -> str | None:
        """Keep CDM's log of the run, whole or what is new; say why, if not all of it was read."""
        whole = whole or turn.memory.log_whole
        why = self.in_peace(turn.run.connection_id)
        if why is None:
            try:
                why = self._read(turn, whole=whole)
            except Refused as refused:  # of this log alone
                why = str(refused)
            except CopyManagerError as error:
                why = str(error)
                self._leave_in_peace(turn, why)
        wanted = whole and why is not None
        if turn.memory.log_whole != wanted:
            turn.remember(replace(turn.memory, log_whole=wanted))
        return why

    def _read(self, turn: Turn, *, whole: bool) -> str | None:
        began, known = self._steady(), turn.memory.log_lines
        skip = 0 if whole else max(known - LOG_OVERLAP, 0)
        why = None
        before: Sequence[LogLine] = ()
        while lines := turn.cdm.log(turn.run.job_session_id or "", skip):
            if lines == before:  # there are CDMs that show the same whatever is asked
                break
            turn.store.runs.add_log(turn.run.id, lines)
            skip, before = skip + len(lines), lines
            if not whole:
                break
            if self._steady() - began >= LIMIT_S:
                why = Message("it is long, and {manager} shows it slowly", manager=turn.product)
                break
        if skip > known:
            turn.remember(replace(turn.memory, log_lines=skip))
        return why

    def read_permanent(self, turn: Turn) -> bool:
        """Say whether RESOURCE ACTIVE is only a stage of this run; what can't be read, is not."""
        known, tries = turn.memory.permanent, turn.memory.permanent_tries
        if known is not None or tries >= PERMANENT_TRIES:
            return known is True
        try:
            known = turn.cdm.makes_permanent(turn.run.job_id)
        except CopyManagerError as error:
            logger.warning("run %d: the job's policy could not be read: %s", turn.run.id, error)
            turn.remember(replace(turn.memory, permanent_tries=tries + 1))
        else:
            turn.remember(replace(turn.memory, permanent=known))
        return known is True

    def read_copy(self, turn: Turn) -> None:
        """Find out which copy comes up, once it is known when CDM began; a few tries are enough."""
        memory = turn.memory
        if memory.copy_read or memory.copy_tries >= COPY_TRIES:
            return
        if self.in_peace(turn.run.connection_id) is not None:
            return
        try:
            copy = turn.cdm.copy_to_restore(turn.run.job_id, until=memory.session_start)
        except CopyManagerError as error:
            logger.warning("run %d: its copy could not be read: %s", turn.run.id, error)
            copy = Copy(Which.UNKNOWN, problem=error.message)
            memory = replace(memory, copy_tries=memory.copy_tries + 1)
        else:
            memory = replace(memory, copy_read=True)
        known = turn.run.copy
        if known is None or known.copy.made_at is None or copy.made_at is not None:
            known = as_mapped(
                turn, SeenCopy(copy, turn.now)
            )  # what was seen before the start is better than a no
        turn.run = turn.store.runs.note(turn.run, memory=memory, copy=known)

    def read_on(self, turn: Turn) -> None:
        """Read on, once what CDM said was recorded."""
        if turn.run.state is RunState.RESTORING:
            self.read_permanent(turn)
        if turn.run.state in {RunState.RESTORING, RunState.READY}:
            self.read_copy(turn)
        self.read_log(turn, whole=False)

    def read_ended(self, turn: Turn, tries: int) -> None:
        """Read the log of a run that has ended before it could be read."""
        run_id = turn.run.id
        if self.in_peace(turn.run.connection_id) is not None:
            return
        why = self.read_log(turn, whole=True)
        if why is None or tries + 1 >= LOG_TRIES:
            turn.store.unread_logs.remove(run_id)
            if why is not None:
                logger.warning("run %d: its log could not be read: %s", run_id, why)
        else:
            due_at = clock.later(turn.now, clock.retry_gap(tries + 1))
            turn.store.unread_logs.put_off(run_id, due_at=due_at)

    def _leave_in_peace(self, turn: Turn, why: str) -> None:
        logger.warning("run %d: its log could not be read: %s", turn.run.id, why)
        self._peace[turn.run.connection_id] = (self._steady() + PEACE_S, why)
