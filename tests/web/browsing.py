# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a browser without script makes of a page: its forms, their buttons, and what each sends."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from flask.testing import FlaskClient

ROOT = "https://console.example/console/plugins/1234/app_proxy"
"""Where the browser sees the app: a link that leads out of it is a fault."""
_URLENCODED = "application/x-www-form-urlencoded"
_UNSENT = {"submit", "image", "button", "reset"}
_CHOSEN = {"checkbox", "radio"}
_TYPED_INTO = {"text", "password", "search", "number", "email", "url", "tel"}


@dataclass
class Control:
    """A field of a form, with what it would send as the page stands."""

    name: str
    value: str
    kind: str  # an input's type, or textarea or select
    sent: bool = True  # a box or radio button that is not ticked is not


@dataclass
class Button:
    """A button that submits a form."""

    attributes: Mapping[str, str]
    label: str = ""


@dataclass
class Form:
    """A form; an ``action`` of None is the address of the page itself, whatever that was."""

    attributes: Mapping[str, str]
    controls: list[Control] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)
    words: str = ""

    def value(self, name: str) -> str | None:
        """What a field holds: of radio buttons, the chosen one's."""
        return next((one.value for one in self.controls if one.name == name and one.sent), None)

    def typed(self) -> list[Control]:
        """The fields that somebody types into: no other form's button sends them."""
        return [one for one in self.controls if one.kind in {*_TYPED_INTO, "textarea"}]

    def filled(self, entered: Mapping[str, str]) -> "Form":
        """The same after somebody has typed into empty fields, chosen and ticked one of each."""
        controls = []
        groups = {one.name for one in self.controls if one.kind in _CHOSEN and one.sent}
        for one in self.controls:
            value, sent = one.value, one.sent
            if one.kind in {*_TYPED_INTO, "textarea"}:
                value = value or entered.get(one.name, "")
            if one.kind in _CHOSEN and one.name not in groups:
                groups.add(one.name)
                sent = True
            controls.append(Control(one.name, value, one.kind, sent))
        return Form(self.attributes, controls, self.buttons, self.words)


@dataclass(frozen=True)
class Page:
    """A page as a browser has it: the address it was asked for under, and what came."""

    path: str  # with the query
    method: str
    status: int
    html: str

    def __post_init__(self) -> None:
        assert "{&#34;message&#34;:" not in self.html, f"{self.path} shows a sentence as stored"

    @property
    def main(self) -> str:
        """The words of the page's main part, but for those that stand there hidden."""
        text = self.html.partition("<main")[2].partition('id="said"')[2]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.lost: list[str] = []  # what belongs to no form
        self._form: Form | None = None
        self._button: Button | None = None
        self._select: Control | None = None
        self._text: Control | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert self._form is None, "a form within a form"
            self._form = Form(given)
            self.forms.append(self._form)
        elif tag == "button":
            self._button = Button(given)
            if self._form is None:
                self.lost.append(str(given))
            elif given.get("type", "submit") == "submit" and "disabled" not in given:
                self._form.buttons.append(self._button)
        elif tag in {"input", "select", "textarea"} and "disabled" not in given:
            self._control(tag, given)
        elif tag == "option" and self._select and ("selected" in given or not self._select.sent):
            self._select.value, self._select.sent = given.get("value", ""), True

    def _control(self, tag: str, given: Mapping[str, str]) -> None:
        kind = given.get("type", "text") if tag == "input" else tag
        if kind in _UNSENT or not given.get("name"):
            return
        one = Control(given["name"], given.get("value", ""), kind)
        if kind in _CHOSEN:
            one.sent, one.value = "checked" in given, given.get("value", "on")
        if self._form is None:
            self.lost.append(str(given))
            return
        self._form.controls.append(one)
        if tag == "select":
            one.sent, self._select = False, one  # until it has an option
        if tag == "textarea":
            self._text = one

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "button":
            self._button = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea" and self._text is not None:
            self._text.value = re.sub(r"\A\r?\n", "", self._text.value)  # HTML drops it
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._form is not None:
            self._form.words += data
        if self._button is not None:
            self._button.label = " ".join(f"{self._button.label} {data}".split())
        if self._text is not None:
            self._text.value += data


def forms_of(page: Page) -> list[Form]:
    """The forms of a page; fails over a field or a button that belongs to none."""
    reader = _Reader()
    reader.feed(page.html)
    assert reader.lost == [], f"{page.path}: belongs to no form: {reader.lost}"
    return reader.forms


class Browser:
    """Somebody's browser, without script."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def open(self, path: str) -> Page:
        answer = self.client.get(path)
        return Page(path, "GET", answer.status_code, answer.text)

    def press(self, page: Page, form: Form, button: Button) -> Page:
        """Submit a form by one of its buttons, and go where the answer leads."""
        method = button.attributes.get("formmethod", form.attributes.get("method", "get")).upper()
        action = button.attributes.get("formaction", form.attributes.get("action", ""))
        path = _below(urljoin(ROOT + page.path, action) if action else ROOT + page.path)
        sent = list(_sent(form, button))
        if method == "GET":
            values = [(name, value) for name, value in sent if isinstance(value, str)]
            return self.open(f"{path.partition('?')[0]}?{urlencode(values)}")
        return self.post(path, sent, form.attributes.get("enctype", _URLENCODED))

    def post(self, path: str, fields: Iterable[tuple[str, object]], kind: str = "") -> Page:
        """Send a form's fields, and go where the answer leads."""
        data: dict[str, list[object]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        answer = self.client.post(path, data=data, content_type=kind or _URLENCODED)
        if answer.status_code == 303:
            return self.open(_below(answer.headers["Location"]))
        assert answer.status_code not in range(300, 400), answer.status
        return Page(path, "POST", answer.status_code, answer.text)


def _sent(form: Form, button: Button) -> Iterator[tuple[str, object]]:
    multipart = form.attributes.get("enctype") == "multipart/form-data"
    for one in form.controls:
        if one.kind == "file":
            yield one.name, (io.BytesIO(b""), "") if multipart else ""
        elif one.sent:
            yield one.name, one.value
    if button.attributes.get("name"):
        yield button.attributes["name"], button.attributes.get("value", "")


def _below(address: str) -> str:
    """The path within the app, with its query."""
    parts = urlsplit(address)
    path, root = parts.path, urlsplit(ROOT).path
    assert path.startswith(root + "/"), f"{address} leads out of the app"
    return path.removeprefix(root) + (f"?{parts.query}" if parts.query else "")
