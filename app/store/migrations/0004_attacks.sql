-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- New attacks that could start nothing; from when on a job cools down, and after which run.

-- From when the run's job cools down: when its start was sent, or, where CDM failed or refused it, its end. NULL: never
-- started, as far as is proven. The order is that of the history: our clock may have been set back in between.
ALTER TABLE runs ADD COLUMN cools_from TEXT;
ALTER TABLE runs ADD COLUMN cools_order INTEGER;
UPDATE runs SET cools_from = sent_at WHERE sent_at IS NOT NULL;
UPDATE runs SET cools_from = ended_at WHERE state = 'failed' AND ready_at IS NULL AND dry_run = 0;
UPDATE runs SET cools_order = coalesce(
        (SELECT max(id) FROM transitions WHERE run_id = runs.id AND to_state IN ('starting', 'failed')), id)
    WHERE cools_from IS NOT NULL;
DROP INDEX runs_started;
CREATE INDEX runs_cooling ON runs (connection_id, job_id, cools_order) WHERE cools_from IS NOT NULL;

-- When a trigger of a CDM job last came, and the last one that was not carried out because the job cooled down.
CREATE TABLE job_triggers (
    connection_id INTEGER NOT NULL,
    job_id TEXT NOT NULL,
    at TEXT NOT NULL,
    cooling_at TEXT,
    cooling_run_id INTEGER,     -- after which run it cooled down
    PRIMARY KEY (connection_id, job_id)
) WITHOUT ROWID;
INSERT INTO job_triggers (connection_id, job_id, at)
    SELECT connection_id, job_id, max(received_at) FROM runs WHERE source <> 'simulation' GROUP BY connection_id, job_id;

CREATE TABLE attacks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    connection_id INTEGER NOT NULL,
    connection TEXT NOT NULL,
    job_id TEXT NOT NULL,
    job_name TEXT NOT NULL,
    mapping TEXT NOT NULL,
    trigger_id INTEGER REFERENCES triggers (id),
    run_id INTEGER NOT NULL REFERENCES runs (id),   -- holds the job, or its start cools the job down
    why TEXT NOT NULL,
    start_possible_at TEXT,     -- when the cool-down ends; NULL: when the run no longer holds the job
    triggers INTEGER NOT NULL DEFAULT 1,
    answering_run_id INTEGER REFERENCES runs (id),  -- the run whose start was sent after the attack
    acknowledged_at TEXT,
    acknowledged_by TEXT,
    ended_at TEXT
);
CREATE UNIQUE INDEX attacks_open ON attacks (connection_id, job_id) WHERE ended_at IS NULL;
CREATE INDEX attacks_by_run ON attacks (run_id);
INSERT INTO attacks (at, connection_id, connection, job_id, job_name, mapping, trigger_id, run_id, why)
    SELECT state_since, connection_id, connection, job_id, job_name, coalesce(mapping, ''),
        (SELECT max(id) FROM triggers WHERE run_id = runs.id), id,
        'New attack while run ' || id || ' is still mounted: job ' || job_name
            || ' can''t start again before its clean room is cleaned up.'
    FROM runs WHERE new_attack = 1 AND dry_run = 0
        AND state IN ('queued', 'starting', 'restoring', 'ready', 'cleaning_up', 'needs_decision');
UPDATE runs SET new_attack = 0 WHERE state IN ('completed', 'failed', 'cancelled', 'observed');
