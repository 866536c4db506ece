# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run remembers, as the JSON in its row.

One flat object; what is not in it has its default. A key that this version does not know comes from
another one and is left out with the next change: nothing here could keep it true.
"""

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from app.restore.memory import Memory
from app.store.rows import readers


def to_json(memory: Memory) -> str:
    """Give the text for the row."""
    return json.dumps(_keys(memory), default=datetime.isoformat, sort_keys=True)


def from_json(text: str) -> Memory:
    """Give what stands in the row."""
    memory: Memory = _part(Memory, json.loads(text))
    return memory


def _keys(part: Any, prefix: str = "") -> dict[str, object]:
    keys: dict[str, object] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if is_dataclass(value):
            keys |= _keys(value, f"{field.name}_")
        elif value != field.default:
            keys[prefix + field.name] = value
    return keys


def _part(kind: Any, keys: dict[str, Any], prefix: str = "") -> Any:
    values = {}
    for field in fields(kind):
        key = prefix + field.name
        if is_dataclass(field.default):
            values[field.name] = _part(type(field.default), keys, f"{field.name}_")
        elif keys.get(key) is not None:
            values[field.name] = readers(kind)[field.name](keys[key])
    return kind(**values)
