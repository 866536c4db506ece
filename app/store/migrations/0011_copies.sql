-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- Which copy a run brings up, as JSON (app.store.seen_copies), and of each mapped job the one it would bring up now.

ALTER TABLE runs ADD COLUMN copy TEXT;      -- NULL: it was not looked at

CREATE TABLE seen_copies (
    connection_id INTEGER NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    job_id        TEXT NOT NULL,
    copy          TEXT NOT NULL,
    PRIMARY KEY (connection_id, job_id)
);

ALTER TABLE mappings ADD COLUMN copy_check TEXT NOT NULL DEFAULT 'warn' CHECK (copy_check IN ('off', 'warn', 'ask'));
ALTER TABLE mappings ADD COLUMN copy_max_age_h INTEGER;     -- NULL: any age will do
