# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run remembers, as the JSON in its row.

One flat object; what is not in it has its default. A key that this version does not know comes from
another one and is left out with the next change: nothing here could keep it true.
"""

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any

from app.restore.memory import Memory
from app.store.rows import Reader, readers

_PARTS: dict[str, Any] = {
    one.name: type(one.default) for one in fields(Memory) if is_dataclass(one.default)
}


def to_json(memory: Memory) -> str:
    """Give the text for the row."""
    return json.dumps(_keys(memory), default=datetime.isoformat, sort_keys=True)


def from_json(text: str) -> Memory:
    """Give what stands in the row."""
    own: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    places = _places()
    for key, value in json.loads(text).items():
        if value is not None and key in places:
            part, name, read = places[key]
            values = own if part is None else parts.setdefault(part, {})
            values[name] = read(value)
    return Memory(**own, **{name: _PARTS[name](**values) for name, values in parts.items()})


def _keys(part: Any, prefix: str = "") -> dict[str, object]:
    keys: dict[str, object] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if is_dataclass(value):
            keys |= _keys(value, f"{field.name}_")
        elif value != field.default:
            keys[prefix + field.name] = value
    return keys


@cache
def _places() -> dict[str, tuple[str | None, str, Reader]]:
    """Where each key goes: into which part, as which field; a run is read often, this is not."""
    places: dict[str, tuple[str | None, str, Reader]] = {}
    for field, read in readers(Memory).items():
        if field not in _PARTS:
            places[field] = (None, field, read)
    for part, kind in _PARTS.items():
        for field, read in readers(kind).items():
            places[f"{part}_{field}"] = (part, field, read)
    return places
