# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""/api/siem and /api/analytics: offenses, notes, rules, contributions (qradar §7.2)."""

from tests.simulators.console.offenses import Offenses
from tests.simulators.console.rest import (
    INVALID,
    NOT_FOUND,
    ApiError,
    Call,
    Rest,
    list_answer,
    one_answer,
)
from tests.simulators.console.wire import Answer

TYPES = [
    {"id": 0, "name": "Source IP", "property_name": "sourceIP"},
    {"id": 1, "name": "Destination IP", "property_name": "destinationIP"},
    {"id": 3, "name": "Username", "property_name": "userName"},
]


class Siem:
    """Adds its routes to ``rest``; offenses need SEM, the list of all rules ADMIN."""

    def __init__(self, rest: Rest, offenses: Offenses) -> None:
        self.store = offenses
        siem, rules = "/api/siem", "/api/analytics/rules"
        rest.add("GET", f"{siem}/offenses", self.offenses, needs=["SEM"])
        rest.add("GET", f"{siem}/offenses/{{id}}", self.offense, needs=["SEM"])
        rest.add("GET", f"{siem}/offenses/{{id}}/notes", self.notes, needs=["SEM"])
        rest.add("POST", f"{siem}/offenses/{{id}}/notes", self.add_note, needs=["SEM"])
        rest.add("GET", f"{siem}/offense_types", self.types, needs=["SEM"])
        rest.add("GET", rules, self.rules, needs=["ADMIN"])
        rest.add("GET", f"{rules}/{{id}}", self.rule, needs=["ADMIN"])
        rest.add("POST", f"{rules}/{{id}}", self.change_rule, needs=["ADMIN"])
        rest.add(
            *("GET", "/api/analytics/rules_offense_contributions", self.contributions),
            needs=["SEM"],
        )

    def offenses(self, call: Call) -> Answer:
        return list_answer(call, list(self.store.offenses.values()))

    def offense(self, call: Call) -> Answer:
        return one_answer(call, self.store.offenses.get(call.number()))

    def notes(self, call: Call) -> Answer:
        notes = self.store.notes.get(call.number())
        if notes is None:
            raise ApiError(404, NOT_FOUND, "No such offense")
        return list_answer(call, list(notes))

    def add_note(self, call: Call) -> Answer:
        """The text is a query parameter; a body is not looked at."""
        try:
            text = call.query.get("note_text", "")
            note = self.store.add_note(call.number(), text, call.caller.name)
        except KeyError:
            raise ApiError(404, NOT_FOUND, "No such offense") from None
        except ValueError as error:
            raise ApiError(422, INVALID, str(error)) from None
        return one_answer(call, note, 201)

    def types(self, call: Call) -> Answer:
        return list_answer(
            call, ({**item, "database_type": "COMMON", "custom": False} for item in TYPES)
        )

    def rules(self, call: Call) -> Answer:
        rows = [rule.as_json() for rule in list(self.store.rules.values())]
        return list_answer(call, rows, sortable=False)

    def rule(self, call: Call) -> Answer:
        rule = self.store.rules.get(call.number())
        return one_answer(call, None if rule is None else rule.as_json())

    def change_rule(self, call: Call) -> Answer:
        """Only ``owner`` and ``enabled`` can be changed."""
        document = call.document()
        try:
            rule = self.store.change_rule(
                call.number(), owner=document.get("owner"), enabled=document.get("enabled")
            )
        except KeyError:
            raise ApiError(404, NOT_FOUND, "No such rule") from None
        return one_answer(call, rule.as_json())

    def contributions(self, call: Call) -> Answer:
        return list_answer(call, list(self.store.contributions.values()))
