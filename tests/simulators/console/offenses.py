# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules, the offenses they make, their notes and contributions (qradar §5.5, §7.2)."""

import threading
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

NOTE_LIMIT = 2000
"""Characters of a note, counted as UTF-16 units."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Limiter:
    """Respond no more than ``times`` in ``seconds`` per value of the event column ``per``."""

    times: int
    seconds: float
    per: str = "sourceip"


@dataclass(frozen=True, slots=True)
class Rule:
    """A custom rule; ``action`` is its custom action, which no REST endpoint shows."""

    id: int
    name: str
    action: int | None = None
    limiter: Limiter | None = None
    type: str = "EVENT"
    origin: str = "USER"
    enabled: bool = True
    owner: str = "admin"
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    linked_rule_identifier: str | None = None
    creation_date: int = field(default_factory=now_ms)

    def as_json(self) -> dict[str, Any]:
        """The 14 fields that the console shows."""
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "enabled": self.enabled,
            "owner": self.owner,
            "origin": self.origin,
            "base_capacity": 0,
            "base_host_id": 0,
            "average_capacity": 0,
            "capacity_timestamp": 0,
            "identifier": self.identifier,
            "linked_rule_identifier": self.linked_rule_identifier,
            "creation_date": self.creation_date,
            "modification_date": self.creation_date,
        }


class Offenses:
    """All rules, offenses, notes and contributions, behind one lock."""

    def __init__(self) -> None:
        self.rules: dict[int, Rule] = {}
        self.offenses: dict[int, dict[str, Any]] = {}
        self.notes: dict[int, list[dict[str, Any]]] = {}
        self.contributions: dict[tuple[int, int], dict[str, Any]] = {}
        self._lock = threading.RLock()
        self._next_note = 1

    def add_rule(self, rule: Rule) -> Rule:
        with self._lock:
            self.rules[rule.id] = rule
            return rule

    def change_rule(
        self, rule_id: int, *, owner: str | None = None, enabled: bool | None = None
    ) -> Rule:
        """Raises KeyError."""
        with self._lock:
            rule = self.rules[rule_id]
            rule = replace(
                rule,
                owner=rule.owner if owner is None else owner,
                enabled=rule.enabled if enabled is None else enabled,
            )
            self.rules[rule_id] = rule
            return rule

    def contribute(self, rule: Rule, event: dict[str, Any]) -> int:
        """Add ``event`` to the open offense of its source, or make one; gives the offense id."""
        at = int(event.get("starttime", now_ms()))
        source = str(event.get("sourceip", ""))
        with self._lock:
            offense = next((item for item in self.offenses.values() if _fits(item, source)), None)
            if offense is None:
                offense = _offense(len(self.offenses) + 1, rule, source, at)
                self.offenses[offense["id"]] = offense
                self.notes[offense["id"]] = []
            elif rule.id not in [item["id"] for item in offense["rules"]]:
                offense["rules"].append({"id": rule.id, "type": "CRE_RULE"})
            offense["last_updated_time"] = offense["last_persisted_time"] = now_ms()
            offense["event_count"] += 1
            row = self.contributions.setdefault(
                (rule.id, offense["id"]),
                {
                    "id": len(self.contributions) + 1,
                    "rule_id": rule.id,
                    "rule_name": rule.name,
                    "rule_type": rule.type,
                    "offense_id": offense["id"],
                    "event_count": 0,
                    "first_event": at,
                    "last_event": at,
                },
            )
            row["event_count"] += 1
            row["first_event"] = min(row["first_event"], at)
            row["last_event"] = max(row["last_event"], at)
            return int(offense["id"])

    def close(self, offense_id: int) -> None:
        """Close an offense; the next event of its source makes a new one. Raises KeyError."""
        with self._lock:
            self.offenses[offense_id].update(
                status="CLOSED", close_time=now_ms(), closing_reason_id=1, closing_user="admin"
            )

    def add_note(self, offense_id: int, text: str, username: str) -> dict[str, Any]:
        """Raises KeyError without such an offense, ValueError for a text that is no note."""
        if not text:
            raise ValueError("note_text is required")
        if len(text.encode("utf-16-le")) // 2 > NOTE_LIMIT:
            raise ValueError(f"note_text is longer than {NOTE_LIMIT} characters")
        with self._lock:
            notes = self.notes[offense_id]
            note = {
                "id": self._next_note,
                "create_time": now_ms(),
                "username": username,
                "note_text": text,
            }
            self._next_note += 1
            notes.append(note)
            self.offenses[offense_id]["last_updated_time"] = now_ms()
            return note


def _fits(offense: dict[str, Any], source: str) -> bool:
    return (offense["status"], offense["offense_source"]) == ("OPEN", source)


def _offense(number: int, rule: Rule, source: str, at: int) -> dict[str, Any]:
    """An offense as /siem/offenses shows it."""
    return {
        "id": number,
        "description": f"{rule.name}\n",
        "status": "OPEN",
        **{"severity": 7, "magnitude": 6, "credibility": 4, "relevance": 5},
        "start_time": at,
        "last_updated_time": now_ms(),
        "first_persisted_time": now_ms(),
        "last_persisted_time": now_ms(),
        **{"close_time": None, "closing_reason_id": None, "closing_user": None},
        "assigned_to": None,
        "offense_type": 0,
        "offense_source": source,
        "categories": ["Ransomware Activity"],
        "category_count": 1,
        **{"event_count": 0, "flow_count": 0, "device_count": 1, "source_count": 1},
        "source_network": "Net-10-172-192.Net_10_0_0_0",
        "destination_networks": ["Net-10-172-192.Net_10_0_0_0"],
        "domain_id": 0,
        **{"follow_up": False, "protected": False, "inactive": False, "username_count": 1},
        **{"source_address_ids": [number], "local_destination_address_ids": [number]},
        **{"local_destination_count": 1, "remote_destination_count": 0},
        **{"policy_category_count": 0, "security_category_count": 1},
        "rules": [{"id": rule.id, "type": "CRE_RULE"}],
        "log_sources": [
            {"id": 63, "name": "FlashSystem", "type_id": 11, "type_name": "LinuxServer"}
        ],
    }
