-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- QRadar's side: what the console lists, the offense notes' outbox, the offense watch.

ALTER TABLE console_rules ADD COLUMN type TEXT;
ALTER TABLE console_rules ADD COLUMN enabled INTEGER;
ALTER TABLE console_rules ADD COLUMN origin TEXT;
ALTER TABLE console_rules ADD COLUMN seen_at TEXT;
CREATE INDEX console_rules_by_name ON console_rules (name);

ALTER TABLE mappings ADD COLUMN watch TEXT NOT NULL DEFAULT 'off' CHECK (watch IN ('off', 'notify', 'act'));
ALTER TABLE mappings ADD COLUMN watch_since TEXT;   -- when it was last switched on, by our clock
ALTER TABLE mappings ADD COLUMN job_drift TEXT;     -- what is wrong with the job on CDM's side; NULL: nothing

-- When the event was, by QRadar's clock (if it told: else when the trigger came, by ours); the offense watch compares
-- it with contributions. NULL: received before there was a watch.
ALTER TABLE triggers ADD COLUMN event_at TEXT;
ALTER TABLE triggers ADD COLUMN source TEXT NOT NULL DEFAULT 'custom_action';
CREATE INDEX triggers_by_event ON triggers (event_at) WHERE event_at IS NOT NULL;

-- One row: the service token and what we know of the console.
CREATE TABLE qradar (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    instance TEXT NOT NULL,     -- tells our marks in notes from those of an earlier installation
    token_label TEXT,           -- names the token in the encrypted file; never the token itself
    token_set_at TEXT,
    token_name TEXT,            -- the authorized service's label
    token_expires_at TEXT,
    token_checked_at TEXT,
    contact_at TEXT,            -- last answer to the worker
    contact_error TEXT,         -- what the last failed call said; NULL while all is well
    rules_at TEXT,              -- when the rules were last read
    newest_ms INTEGER,          -- QRadar's clock: offenses persisted up to here were looked at
    newest_offense INTEGER,     -- the highest offense id that was looked at
    leef_transition INTEGER,    -- the last rows told to QRadar's syslog; NULL while LEEF is off
    leef_trigger INTEGER,
    leef_audit INTEGER
);
INSERT INTO qradar (id, instance) VALUES (1, lower(hex(randomblob(2))));

-- Runs whose offense is looked for.
CREATE TABLE offense_searches (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id),
    due_at TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,    -- answered looks that found nothing
    ended_at TEXT,
    result TEXT                             -- why it was given up; NULL when it was found
);
CREATE INDEX offense_searches_open ON offense_searches (due_at) WHERE ended_at IS NULL;

-- The outbox: written with the transition it tells of, posted once the offense is known.
CREATE TABLE offense_notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    mark TEXT NOT NULL UNIQUE,  -- stands in the text, so that a note that landed is known again
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    posted_at TEXT,
    given_up_at TEXT,
    error TEXT
);
CREATE INDEX offense_notes_by_run ON offense_notes (run_id, id);
CREATE INDEX offense_notes_open ON offense_notes (id) WHERE posted_at IS NULL AND given_up_at IS NULL;

-- From when on a mapping is watched.
CREATE TABLE watch_begins (
    mapping_id INTEGER PRIMARY KEY,
    switching TEXT NOT NULL,    -- the switching on that this row belongs to
    begin_ms INTEGER NOT NULL   -- that moment by QRadar's clock
);

-- What the watch knows of an offense and a mapping: one row for each pair, one trigger at most.
CREATE TABLE watch_offenses (
    mapping_id INTEGER NOT NULL,
    offense_id INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('before', 'waiting', 'covered', 'shown', 'dismissed', 'triggered')),
    looks INTEGER NOT NULL DEFAULT 0,
    first_ms INTEGER NOT NULL,  -- first and last event of the rule in the offense, QRadar's clock
    last_ms INTEGER NOT NULL,
    rule_id INTEGER,
    rule_name TEXT,
    at TEXT NOT NULL,           -- when this state was reached, by our clock
    message TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (mapping_id, offense_id)
) WITHOUT ROWID;
CREATE INDEX watch_offenses_open ON watch_offenses (state) WHERE state IN ('waiting', 'shown');
