# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The classic page of one offense, with what apps put there: fragments and toolbar buttons.

Facts: qradar §8. A fragment's ``rest_endpoint`` is called with the offense's number and
answers ``{"html": …}``, which goes into the page as it is. A button's ``rest_method`` is called
with those of its ``argument_names`` that the switch ``button_argument`` sends, and its
``javascript`` runs with the answer as the variable ``result``, beside the app's page scripts.
"""

from html import escape
from typing import Any
from urllib.parse import urlencode

from tests.simulators.console.offenses import Offenses
from tests.simulators.console.proxy import App, Apps
from tests.simulators.console.switches import Switches
from tests.simulators.console.wire import Answer, Request, html_answer, html_error

PATH = "/console/do/sem/offensesummary"
_SCRIPT = """
for (const place of document.querySelectorAll("[data-fragment]")) {
  fetch(place.dataset.fragment).then(answer => answer.json()).then(found => {
    place.innerHTML = found.html;
  });
}
for (const button of document.querySelectorAll("[data-call]")) {
  button.addEventListener("click", () => {
    fetch(button.dataset.call).then(answer => answer.json()).then(result => {
      new Function("result", button.dataset.then)(result);
    });
  });
}
"""


def answer(request: Request, apps: Apps, offenses: Offenses, switches: Switches) -> Answer:
    """The page of the offense that ``summaryId`` names, or 404."""
    number = request.query.get("summaryId", "")
    offense = offenses.offenses.get(int(number)) if number.isdecimal() else None
    if offense is None:
        return html_error(404, "No such offense.")
    installed = apps.all()
    buttons = "".join(
        _button(app, button, _argument(app, button, number, switches.button_argument))
        for app in installed
        for button in _of(app)
    )
    places = "".join(_place(app, number) for app in installed)
    scripts = "".join(
        f'<script src="{escape(f"{app.base_path}/{script}")}"></script>'
        for app in installed
        for script in _page_scripts(app)
    )
    notes = "".join(f"<li>{escape(note['note_text'])}</li>" for note in _notes(offenses, offense))
    return html_answer(
        f'<div role="toolbar" aria-label="Offense">{buttons}</div>'
        f"<h1>Offense {number}</h1>{places}"
        f"<p>{escape(str(offense.get('description', '')))}</p>"
        f'<h2>Notes</h2><ul aria-label="Notes">{notes}</ul>{scripts}<script>{_SCRIPT}</script>',
        title=f"Offense {number}",
    )


def _notes(offenses: Offenses, offense: dict[str, object]) -> list[dict[str, str]]:
    return list(offenses.notes.get(int(str(offense["id"])), []))


def _of(app: App) -> list[dict[str, str]]:
    """The buttons that an app puts into the toolbar of an offense."""
    found = app.manifest.get("gui_actions", [])
    return [one for one in found if "OffenseSummaryToolbar" in one["groups"]]


def _page_scripts(app: App) -> list[str]:
    """What an app has loaded into the page of an offense."""
    wanted = ("SEM", "OffenseSummary")
    found = app.manifest.get("page_scripts", [])
    return [
        script
        for one in found
        if (one["app_name"], one["page_id"]) == wanted
        for script in one["scripts"]
    ]


def _method(app: App, button: dict[str, str]) -> dict[str, Any]:
    methods = {one["name"]: one for one in app.manifest.get("rest_methods", [])}
    found: dict[str, Any] = methods[button["rest_method"]]
    return found


def _argument(app: App, button: dict[str, str], number: str, sent: str) -> str:
    """The query with which the button's method is called."""
    names = {"both": {"appContext", "context"}, "none": set[str]()}.get(sent, {sent})
    if not _page_scripts(app):
        names -= {"appContext"}
    wanted = _method(app, button).get("argument_names", [])
    return urlencode({name: number for name in wanted if name in names})


def _button(app: App, button: dict[str, str], query: str) -> str:
    call = f"{app.base_path}{_method(app, button)['url']}?{query}"
    return (
        f'<button data-call="{escape(call)}" data-then="{escape(button["javascript"])}" '
        f'title="{escape(button.get("description", ""))}">{escape(button["text"])}</button>'
    )


def _place(app: App, number: str) -> str:
    """The head of the page, filled by the script once the page is there."""
    wanted = [
        one["rest_endpoint"]
        for one in app.manifest.get("fragments", [])
        if (one["app_name"], one["page_id"]) == ("SEM", "OffenseSummary")
    ]
    return "".join(
        f'<section aria-label="{escape(app.service)}" '
        f'data-fragment="{escape(f"{app.base_path}/{path}/{number}")}"></section>'
        for path in wanted
    )
