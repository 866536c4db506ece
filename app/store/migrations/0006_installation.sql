-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- What tells a store that was put back; indexes for what pages ask of a large history.

-- One row; app/store/marks.py explains it.
CREATE TABLE installation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,                 -- tells this store from that of an earlier installation
    mark INTEGER NOT NULL DEFAULT 0,    -- counted up; the file beside the store is never ahead of it
    put_back TEXT,                      -- why the trigger tokens wait for an administrator; NULL: they don't
    put_back_at TEXT,
    audit_verified_at TEXT,             -- when the whole audit trail was last gone through
    audit_verifies INTEGER
);
INSERT INTO installation (id, name) VALUES (1, lower(hex(randomblob(8))));

CREATE INDEX triggers_simulated ON triggers (id) WHERE source = 'simulation';
CREATE INDEX audit_by_subject ON audit (subject, id);
