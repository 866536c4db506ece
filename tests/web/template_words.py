# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the words that a template holds itself, for people to read; used by test_texts.py.

A template is looked at as it is written, all branches in a row: what stands between tags, or in an
attribute that people read, must have no letters, nor may a string that an expression puts there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

READ = {"aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "title"}
READ |= {"alt", "placeholder", "label", "summary", "lang", "data-say"}

OPEN, CLOSE = "\ue000", "\ue001"  # around the number of an expression


@dataclass
class Shown:
    """A template's literal text with its expressions numbered, and each with its macro."""

    source: str = ""
    expressions: list[tuple[str, nodes.Expr]] = field(default_factory=list)

    def add(self, node: nodes.Node, macro: str = "") -> None:
        if isinstance(node, nodes.TemplateData):
            self.source += node.data
        elif isinstance(node, nodes.Expr):
            tag = "x" if self.source.endswith(("<", "</")) else ""
            self.source += f"{tag}{OPEN}{len(self.expressions)}{CLOSE}"
            self.expressions.append((macro, node))
        elif isinstance(node, nodes.Output):
            for part in node.nodes:
                self.add(part, macro)
        else:
            if isinstance(node, nodes.CallBlock):
                self.add(node.call, macro)
            inner = node.name if isinstance(node, nodes.Macro) else macro
            for child in node.iter_child_nodes():
                if isinstance(child, nodes.Stmt):
                    self.add(child, inner)


class Readable(HTMLParser):
    """Collects what people read of a page, or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in READ and value]

    def handle_data(self, data: str) -> None:
        self.found.append(data)


@cache
def tree(path: Path) -> nodes.Template:
    return Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))


def has_word(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


def parts_of(node: nodes.Node) -> list[nodes.Node]:
    """The parts of an expression that are shown when it is."""
    match node:
        case nodes.CondExpr():
            return [one for one in (node.expr1, node.expr2) if one]
        case nodes.Concat() | nodes.List() | nodes.Tuple() | nodes.BinExpr():
            return list(node.iter_child_nodes())
        case nodes.Dict():
            return [pair.value for pair in node.items]
        case nodes.Getitem(node=nodes.Dict() | nodes.List()):
            return [node.node]
        case nodes.Filter():
            given = [node.node] if node.node else []
            named = [pair.value for pair in node.kwargs] if node.name == "fill" else []
            return [*given, *named, *(node.args if node.name in {"default", "d", "join"} else [])]
        case nodes.Call(node=nodes.Getattr(node=given, attr="format")):
            return [given, *node.args, *(pair.value for pair in node.kwargs)]
    return []


class Words:
    """Finds the literal words of all templates; what a macro shows, its callers must not spell."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self.paths = paths
        self.shown: dict[str, Shown] = {}
        # by template and macro ("" for none): the names that are shown to people there
        self.names: dict[tuple[str, str], set[str]] = {}
        self.found: dict[str, set[str]] = {name: set() for name in paths}
        self.macros = {
            name: {one.name: one for one in tree(paths[name]).find_all(nodes.Macro)}
            for name in paths
        }
        for name in paths:
            self.shown[name] = Shown()
            self.shown[name].add(tree(paths[name]))
        known = -1
        while known != (known := sum(len(names) for names in self.names.values())):
            for name in paths:
                self._look_at(name)

    def _look_at(self, name: str) -> None:
        shown, reader = self.shown[name], Readable()
        reader.feed(shown.source)
        reader.close()
        for text in reader.found:
            self._read(name, text)
        for macro, expression in shown.expressions:  # also those in attributes: macros may nest
            for call in [*expression.find_all(nodes.Call), expression]:
                if isinstance(call, nodes.Call):
                    self._call(name, macro, call)
        for node in tree(self.paths[name]).find_all((nodes.Assign, nodes.For)):
            self._bind(name, node)
        for macro, node in self.macros[name].items():
            presets = zip(reversed(node.args), reversed(node.defaults), strict=False)
            for parameter, preset in presets:
                if parameter.name in self.names.get((name, macro), ()):
                    self._show(name, macro, preset)

    def _read(self, name: str, text: str) -> None:
        """A piece that people read: its letters, and the expressions in it."""
        plain = ""
        for part in text.split(OPEN):
            number, end, rest = part.rpartition(CLOSE)
            plain += rest
            if end:
                self._show(name, *self.shown[name].expressions[int(number)])
        if has_word(plain):
            self.found[name].add(plain.strip())

    def _bind(self, name: str, node: nodes.Node) -> None:
        """A name that is shown and what it stands for: of a ``set``, or of a loop over literals."""
        shown = {
            one for (template, _), names in self.names.items() if template == name for one in names
        }
        if isinstance(node, nodes.Assign):
            if isinstance(node.target, nodes.Name) and node.target.name in shown:
                self._show(name, "", node.node)
        elif isinstance(node, nodes.For) and isinstance(node.iter, nodes.List | nodes.Tuple):
            targets = node.target.items if isinstance(node.target, nodes.Tuple) else [node.target]
            for item in node.iter.items:
                parts = item.items if isinstance(item, nodes.Tuple | nodes.List) else [item]
                for target, part in zip(targets, parts, strict=False):
                    if target.name in shown:
                        self._show(name, "", part)

    def _show(self, name: str, macro: str, node: nodes.Node) -> None:
        """Note the words of an expression whose value is shown."""
        match node:
            case nodes.Const(value=str(value)) if has_word(value):
                self.found[name].add(value)
            case nodes.Name():
                self.names.setdefault((name, macro), set()).add(node.name)
            case nodes.Call():
                self._call(name, macro, node)
        for part in parts_of(node):
            self._show(name, macro, part)

    def _call(self, name: str, macro: str, call: nodes.Call) -> None:
        """The arguments of a macro are shown when it shows them."""
        where, called = name, ""
        if isinstance(call.node, nodes.Name):
            called = call.node.name
        elif isinstance(call.node, nodes.Getattr) and isinstance(call.node.node, nodes.Name):
            called = call.node.attr
            sources = {
                one.target: one.template for one in tree(self.paths[name]).find_all(nodes.Import)
            }
            source = sources.get(call.node.node.name)
            where = source.value if isinstance(source, nodes.Const) else ""
        known = self.macros.get(where, {}).get(called)
        if known is None:
            return
        shown = self.names.get((where, called), set())
        given = [(one.name, value) for one, value in zip(known.args, call.args, strict=False)]
        for parameter, value in [*given, *((pair.key, pair.value) for pair in call.kwargs)]:
            if parameter in shown:
                self._show(name, macro, value)
