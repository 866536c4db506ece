-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- Runs that have ended before the end of CDM's job log could be read.

CREATE TABLE unread_logs (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id),
    due_at TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0
);
