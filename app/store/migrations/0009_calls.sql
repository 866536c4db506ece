-- SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
-- SPDX-License-Identifier: Apache-2.0
-- What calls have proven: that a mapping's rule has the custom action, that what a token belongs to is deployed.

ALTER TABLE mappings ADD COLUMN called_at TEXT;     -- when its rule first called; NULL: it never has
UPDATE mappings SET called_at = (
    SELECT calls.at FROM (
        SELECT mapping, min(received_at) AS at FROM triggers
        WHERE source = 'custom_action' AND (rule_id IS NOT NULL OR rule_name IS NOT NULL) GROUP BY mapping
    ) AS calls WHERE calls.mapping = mappings.name
);

ALTER TABLE trigger_tokens ADD COLUMN called_at TEXT;   -- when a call with it first named a rule
ALTER TABLE trigger_tokens ADD COLUMN tested_at TEXT;   -- when a call with it first named none: a test, as far as is known

-- Which rules are linked is asked with every call of a rule that no mapping names.
CREATE INDEX console_rules_by_identifier ON console_rules (identifier);
CREATE INDEX console_rules_by_link ON console_rules (linked_identifier);
