-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- Which kind of copy manager a connection leads to. No CHECK: `app.configuration.kinds` says which there are.

ALTER TABLE connections ADD COLUMN kind TEXT NOT NULL DEFAULT 'cdm';
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'cdm';     -- of its connection when the run was made

-- What is asked of one: the kinds stand in `app.restore.asks`, not in a CHECK, which can't be taken off a table.
CREATE TABLE asked (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    kind TEXT NOT NULL,
    decision TEXT,
    job_session_id TEXT,
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    done_at TEXT,
    result TEXT
);
INSERT INTO asked (id, run_id, kind, decision, job_session_id, at, by, done_at, result)
    SELECT id, run_id, kind, decision, job_session_id, at, by, done_at, result FROM requests;
DROP TABLE requests;
ALTER TABLE asked RENAME TO requests;
CREATE UNIQUE INDEX requests_pending ON requests (run_id, kind) WHERE done_at IS NULL;
