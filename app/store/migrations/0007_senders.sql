-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- Who sent a trigger, when what it met ends, and how much is kept of a flood of them; the tokens that the console refused.

ALTER TABLE triggers ADD COLUMN token TEXT;     -- the trigger token's name
ALTER TABLE triggers ADD COLUMN peer TEXT;      -- the address that the call came from: the console's, or whose it was
ALTER TABLE triggers ADD COLUMN cooling_until TEXT;     -- when the cool-down that it met ends; NULL: it met none
ALTER TABLE triggers ADD COLUMN not_kept TEXT;  -- why fields and message were dropped; NULL: they are here

-- How many triggers that started nothing were kept whole in a minute, for each token and rule.
CREATE TABLE trigger_counts (
    token TEXT NOT NULL,
    rule TEXT NOT NULL,
    minute TEXT NOT NULL,
    kept INTEGER NOT NULL,
    PRIMARY KEY (token, rule)
) WITHOUT ROWID;

-- Asks of the console about a caller that it refused: it locks a host out that has too many of them.
CREATE TABLE refused_asks (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    whose TEXT NOT NULL     -- whose token it was: other, console or own
);
