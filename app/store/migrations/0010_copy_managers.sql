-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- Which kind of copy manager a connection leads to. No CHECK: `app.configuration.kinds` says which there are.

ALTER TABLE connections ADD COLUMN kind TEXT NOT NULL DEFAULT 'cdm';
