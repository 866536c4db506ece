-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- Times are ISO 8601 UTC text with milliseconds. SQLite 3.26: no STRICT, no RETURNING, no generated columns, no JSON1.

CREATE TABLE connections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    username TEXT NOT NULL,
    trust TEXT NOT NULL DEFAULT 'system' CHECK (trust IN ('system', 'ca', 'fingerprint')),
    ca_pem TEXT,
    fingerprint TEXT,
    proxy TEXT,
    secret_label TEXT,          -- names the password in the encrypted file; never the password itself
    secret_set_at TEXT,
    contact_at TEXT,            -- last answer from this CDM
    contact_error TEXT          -- what the last failed call said; NULL while all is well
);
-- Two names for one server would defeat "one live run per job".
CREATE UNIQUE INDEX connections_by_address ON connections (lower(host), port);

CREATE TABLE mappings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    rule_id INTEGER,
    rule_name TEXT,
    connection_id INTEGER NOT NULL REFERENCES connections (id),
    job_id TEXT NOT NULL,
    job_name TEXT NOT NULL,
    action_name TEXT,
    cooldown_s INTEGER NOT NULL DEFAULT 900 CHECK (cooldown_s >= 0),
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1))
);
CREATE UNIQUE INDEX mappings_by_rule ON mappings (rule_id) WHERE rule_id IS NOT NULL;
CREATE UNIQUE INDEX mappings_by_rule_name ON mappings (rule_name) WHERE rule_id IS NULL AND rule_name IS NOT NULL;

-- The console's rules as last read: a modified system rule exists twice, linked by identifier (qradar §5.5).
CREATE TABLE console_rules (
    rule_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    identifier TEXT,
    linked_identifier TEXT
);

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO settings (key, value) VALUES ('mode', 'disarmed');

CREATE TABLE trigger_tokens (
    name TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    last_used_at TEXT
);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    state_since TEXT NOT NULL,
    connection_id INTEGER NOT NULL,
    connection TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    mapping_id INTEGER,
    mapping TEXT,
    job_id TEXT NOT NULL,
    job_name TEXT NOT NULL,
    action_name TEXT,
    source TEXT NOT NULL,
    rule_id INTEGER,
    rule_name TEXT,
    offense_id INTEGER,
    detected_at TEXT,
    received_at TEXT NOT NULL,
    sent_at TEXT,               -- when the start went out; NULL again once it provably had no effect
    started_at TEXT,
    ready_at TEXT,
    ended_at TEXT,
    repeats INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    job_session_id TEXT,
    cdm_status TEXT,
    percent INTEGER,
    with_warnings INTEGER NOT NULL DEFAULT 0,
    new_attack INTEGER NOT NULL DEFAULT 0,
    evidence TEXT,
    blocked_by TEXT,
    contact_lost_since TEXT,
    due_at TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    memory TEXT NOT NULL DEFAULT '{}'   -- what the engine remembers between two steps, as JSON
);
-- I3: at most one live run for each CDM job, whatever the code thinks.
CREATE UNIQUE INDEX runs_live ON runs (connection_id, job_id)
    WHERE state IN ('queued', 'starting', 'restoring', 'ready', 'cleaning_up', 'needs_decision');
-- The last start of a job, for its cool-down.
CREATE INDEX runs_started ON runs (connection_id, job_id, id) WHERE sent_at IS NOT NULL;
CREATE INDEX runs_by_state ON runs (state, id);
CREATE INDEX runs_by_mapping ON runs (mapping, id);
CREATE INDEX runs_by_connection ON runs (connection, id);
CREATE INDEX runs_by_offense ON runs (offense_id, id);
CREATE INDEX runs_by_received ON runs (received_at);

CREATE TABLE transitions (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    at TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    by TEXT NOT NULL
);
CREATE INDEX transitions_by_run ON transitions (run_id, id);

CREATE TABLE log_lines (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    key TEXT NOT NULL,
    time TEXT,
    type TEXT NOT NULL,
    message TEXT NOT NULL,
    UNIQUE (run_id, key)
);

-- What people ask of a run; the worker does it, in the run's lane.
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    kind TEXT NOT NULL CHECK (kind IN ('cancel', 'clean_up', 'resolve')),
    decision TEXT,
    job_session_id TEXT,
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    done_at TEXT,
    result TEXT
);
CREATE UNIQUE INDEX requests_pending ON requests (run_id, kind) WHERE done_at IS NULL;

-- Every call of the trigger endpoint that got an answer.
CREATE TABLE triggers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    received_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    message TEXT NOT NULL,
    run_id INTEGER REFERENCES runs (id),
    mapping TEXT,
    rule_id INTEGER,
    rule_name TEXT,
    fields TEXT NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX triggers_by_request ON triggers (request_id) WHERE outcome <> 'duplicate';
CREATE INDEX triggers_by_run ON triggers (run_id, id);

-- Who changed what, hash-chained so that a later edit shows; that no id is given twice shows a cut-off end.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
);

CREATE TABLE heartbeats (
    process TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    pid INTEGER NOT NULL
);
