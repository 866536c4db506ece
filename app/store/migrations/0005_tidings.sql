-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- The offenses of triggers that made no run, and what each of these offenses is told.

-- How a run's offense is known: caller (as the trigger said, not checked), checked, found, probably (another one fits
-- as well), watch. NULL: not known, or known before this was kept.
ALTER TABLE runs ADD COLUMN offense_by TEXT;
-- The offense that the caller named, while it is not checked.
ALTER TABLE offense_searches ADD COLUMN claimed INTEGER;

-- A trigger of a rule that made no run: a repeat, or one that started nothing.
CREATE TABLE trigger_offenses (
    trigger_id INTEGER PRIMARY KEY REFERENCES triggers (id),
    outcome TEXT NOT NULL,
    run_id INTEGER,             -- of which it is a repeat
    mapping TEXT,
    rule_id INTEGER,
    rule_name TEXT,             -- NULL where there is a rule_id
    event_at TEXT NOT NULL,
    offense_id INTEGER,
    offense_by TEXT,            -- as in runs
    in_the_way TEXT,            -- why it is a new attack if its offense is found to be another than the run's; NULL: it is none
    first_round INTEGER,        -- the round of looks in which it was first looked for
    ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1))    -- 1: it is not looked for (any more)
);
CREATE INDEX trigger_offenses_open ON trigger_offenses (mapping, rule_id, rule_name, event_at) WHERE ended = 0;
CREATE INDEX trigger_offenses_by_offense
    ON trigger_offenses (offense_id, run_id, outcome, offense_by, trigger_id) WHERE offense_id IS NOT NULL;

-- Rounds of looks for the offenses of these triggers that the console has answered.
ALTER TABLE qradar ADD COLUMN offense_rounds INTEGER NOT NULL DEFAULT 0;

-- The second outbox: what offenses are told whose triggers made no run.
CREATE TABLE tidings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offense_id INTEGER NOT NULL,
    run_id INTEGER REFERENCES runs (id),
    reason TEXT NOT NULL,       -- the trigger's outcome
    day TEXT NOT NULL,          -- UTC
    part INTEGER NOT NULL CHECK (part IN (1, 2)),   -- 1: what became of the trigger; 2: what became of the run
    trigger_id INTEGER NOT NULL REFERENCES triggers (id),
    probably INTEGER NOT NULL DEFAULT 0 CHECK (probably IN (0, 1)),
    text TEXT,                  -- NULL until the first try: it tells of the run as it is then
    told_state TEXT,            -- the run's state that it tells of
    created_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    posted_at TEXT,
    given_up_at TEXT,
    error TEXT
);
-- An offense is told of a run twice at most, and why nothing was started once a day.
CREATE UNIQUE INDEX tidings_of_run ON tidings (offense_id, run_id, part) WHERE run_id IS NOT NULL;
CREATE UNIQUE INDEX tidings_without_run ON tidings (offense_id, reason, day) WHERE run_id IS NULL;
CREATE INDEX tidings_by_run ON tidings (run_id, id) WHERE run_id IS NOT NULL;
CREATE INDEX tidings_open ON tidings (id) WHERE posted_at IS NULL AND given_up_at IS NULL;
-- Part 1 has told of a run that was still on its way: part 2 may be due one day.
CREATE INDEX tidings_unfinished ON tidings (run_id) WHERE part = 1 AND told_state IN
    ('awaiting_approval', 'queued', 'starting', 'restoring', 'cleaning_up', 'needs_decision');
