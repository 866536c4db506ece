-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- Runs that are only observed, mappings whose restores a person approves, the end dates of certificates.

ALTER TABLE runs ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0 CHECK (dry_run IN (0, 1));
-- A run that will never start its job is live for nobody: it must not keep a real one from starting.
DROP INDEX runs_live;
CREATE UNIQUE INDEX runs_live ON runs (connection_id, job_id)
    WHERE state IN ('queued', 'starting', 'restoring', 'ready', 'cleaning_up', 'needs_decision') AND dry_run = 0;
-- The last time that a job was only observed, and who waits for a yes.
CREATE INDEX runs_observed ON runs (connection_id, job_id, id) WHERE dry_run = 1;
CREATE INDEX runs_unapproved ON runs (connection_id, job_id) WHERE state = 'awaiting_approval';

ALTER TABLE mappings ADD COLUMN needs_approval INTEGER NOT NULL DEFAULT 0 CHECK (needs_approval IN (0, 1));

-- Of the certificate that the server shows, as the worker last saw it; NULL: not seen yet.
ALTER TABLE connections ADD COLUMN certificate_ends_at TEXT;
ALTER TABLE qradar ADD COLUMN certificate_ends_at TEXT;
