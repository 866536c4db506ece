# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Every word of a page stands in `app.web.texts`; templates and views name sentences only."""

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from flask import render_template_string
from jinja2 import nodes

from app.web import texts
from tests.web.conftest import World
from tests.web.template_words import Words, has_word, tree

APP = Path(texts.__file__).parents[2]
TEMPLATES = {path.name: path for path in sorted((APP / "templates").glob("*.html"))}
SUBJECTS = {
    name: module
    for name, module in vars(texts).items()
    if isinstance(module, ModuleType) and module.__name__.startswith(f"{texts.__name__}.")
}


@cache
def words() -> Words:
    return Words(TEMPLATES)


def sentences(name: str) -> set[str]:
    """The strings of a template's expressions that look like words for people, wherever they are.

    With a blank between words, or beginning with a large letter; what is only compared, and names
    of classes, are none.
    """
    found: set[str] = set()
    compared = {
        id(one)
        for part in tree(TEMPLATES[name]).find_all((nodes.Compare, nodes.Operand))
        for one in part.iter_child_nodes()
    }
    for one in tree(TEMPLATES[name]).find_all(nodes.Const):
        if isinstance(one.value, str) and "cds--" not in one.value and id(one) not in compared:
            parts = [part for part in one.value.split() if has_word(part)]
            if len(parts) > 1 or (parts and parts[0][0].isupper()):
                found.add(one.value)
    return found


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_holds_no_words(name: str) -> None:
    assert words().found[name] | sentences(name) == set()


def test_words_are_found_wherever_they_hide(tmp_path: Path) -> None:
    hidden = {
        "macros.html": "{% macro tag(words, tone='done') %}<b class='{{ tone }}'>{{ words }}</b>"
        "{% endmacro %}{% macro twice(it='alpha') %}{{ tag(it, 'quiet') }}{% endmacro %}",
        "page.html": "{% import 'macros.html' as show %}{% set title = 'beta' if x else t.a.B %}"
        "<h1 class='none'>{{ title }}</h1>gamma<p title='delta {{ x }}'>{{ x or 'epsilon' }}</p>"
        "{{ show.tag('zeta', 'calm') }}{{ show.twice('eta') }}"
        "{% for a, b in [('link', 'theta')] %}<a href='{{ a }}'>{{ b }}</a>{% endfor %}"
        "{{ {'k': 'iota'}[x] }}{{ t.a.B | fill(it='kappa') }}"
        "<i class='{{ show.tag('lambda') }}'></i>",
    }
    for name, source in hidden.items():
        (tmp_path / name).write_text(source)
    found = Words({name: tmp_path / name for name in hidden}).found
    greek = "beta gamma delta epsilon zeta eta theta iota kappa lambda"
    assert found == {"macros.html": {"alpha"}, "page.html": set(greek.split())}


# --- what views say ---------------------------------------------------------------------------

SAYS = {"flash": (0,), "Problem": (1,), "Signal": (1, 2), "Trouble": (0, 1), "Attention": (1,)}
SAYS |= {"LoginRefused": (0,), "NotDone": (0,)}
# Markup, PEM, and the app's name where other programs compare it.
FIXED = re.compile("<|-----|Safeguarded restore$")
_PHRASE = re.compile(r"[A-Za-z]{2,} [A-Za-z]")
VIEWS = {path.name: path for path in sorted((APP / "web").glob("*.py"))}


def said(tree: ast.AST) -> Iterator[str]:
    """The literal words in what is told to people."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or ast.unparse(call.func) not in SAYS:
            continue
        places = SAYS[ast.unparse(call.func)]
        told = [one for place, one in enumerate(call.args) if place in places]
        told += [one.value for one in call.keywords if one.arg in {"cause", "advice", "message"}]
        yield from (text for part in told for text in _literals(part) if has_word(text))


def _literals(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(value)):
            yield value
        case ast.JoinedStr(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            for part in parts:
                yield from _literals(part)
        case ast.IfExp():
            yield from [*_literals(node.body), *_literals(node.orelse)]
        case ast.BoolOp():
            for part in node.values:
                yield from _literals(part)
        case ast.BinOp():
            yield from [*_literals(node.left), *_literals(node.right)]


def phrases(module: ast.Module) -> Iterator[str]:
    """The strings of several words; not those for the log, documentation and markup."""
    aside: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            aside.add(id(node.value))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger."):
            aside |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(module):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in aside else None
        if isinstance(text, str) and _PHRASE.search(text) and not FIXED.match(text):
            yield text


def own_words(name: str) -> set[str]:
    module = ast.parse(VIEWS[name].read_text(encoding="utf-8"))
    return {*said(module), *(phrases(module) if name != "diagnostics.py" else ())}


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_a_view_tells_nothing_in_words_of_its_own(name: str) -> None:
    """What support reads in the file of diagnostics is named the same in every language."""
    assert own_words(name) == set()


# --- names and sentences belong together ------------------------------------------------------


def text_of(node: nodes.Node) -> tuple[str, str] | None:
    """The subject and name of ``t.subject.NAME``."""
    match node:
        case nodes.Getattr(node=nodes.Getattr(node=nodes.Name(name="t"), attr=subject), attr=name):
            return subject, name
    return None


def named_in_templates() -> set[tuple[str, str]]:
    every = (one for name in TEMPLATES for one in tree(TEMPLATES[name]).find_all(nodes.Getattr))
    return {found for found in map(text_of, every) if found}


def named_in_modules() -> set[tuple[str, str]]:
    """What Python uses: ``texts.subject.NAME``, or a name of a module or sentence imported."""
    used = set()
    for path in [*VIEWS.values(), *(APP / "web/texts").glob("*.py")]:
        module = ast.parse(path.read_text(encoding="utf-8"))
        aliases: dict[str, str] = {}
        own = path.stem if path.parent.name == "texts" else ""
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom) and node.module == texts.__name__:
                aliases |= {one.asname or one.name: one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                f"{texts.__name__}."
            ):
                subject = str(node.module).rpartition(".")[2]
                used |= {(subject, one.name) for one in node.names}
        for node in ast.walk(module):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                if isinstance(node.value.value, ast.Name) and node.value.value.id == "texts":
                    used.add((node.value.attr, node.attr))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used.add((aliases.get(node.value.id, ""), node.attr))
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and own:
                used.add((own, node.id))
    return used


def sentences_of(module: ModuleType) -> Iterator[str]:
    """The names that a subject defines, private ones and those it imports aside."""
    body = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body
    for node in body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        yield from (one.id for one in targets if isinstance(one, ast.Name) and one.id[0] != "_")
        if isinstance(node, ast.FunctionDef):
            yield node.name


def test_every_name_that_a_template_uses_is_there() -> None:
    missing = [
        f"t.{subject}.{name}"
        for subject, name in sorted(named_in_templates())
        if not hasattr(SUBJECTS.get(subject), name)
    ]
    assert missing == []


def test_every_sentence_is_used() -> None:
    used = named_in_templates() | named_in_modules()
    unused = [
        f"{subject}.{name}"
        for subject, module in SUBJECTS.items()
        for name in sentences_of(module)
        if (subject, name) not in used
    ]
    assert unused == []


def test_every_module_of_texts_is_known_to_the_templates() -> None:
    assert set(SUBJECTS) == {path.stem for path in (APP / "web/texts").glob("[a-z]*.py")}


def placeholders(sentence: object) -> set[str]:
    if not isinstance(sentence, str):
        return set()
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_sentence_with_gaps_is_filled(name: str) -> None:
    """With the very names that it has: a missing one would fail only when the page is shown."""
    wrong, filled = [], set()
    for one in tree(TEMPLATES[name]).find_all((nodes.Filter, nodes.Call)):
        if isinstance(one, nodes.Filter) and one.name == "fill":
            given = one.node
        elif isinstance(one, nodes.Call) and isinstance(one.node, nodes.Getattr):
            given = one.node.node if one.node.attr == "format" else None
        else:
            continue
        choices = [given.expr1, given.expr2] if isinstance(given, nodes.CondExpr) else [given]
        for choice in choices:
            found = text_of(choice) if choice is not None else None
            if found is None:
                continue
            filled.add(id(choice))
            wanted = placeholders(getattr(SUBJECTS[found[0]], found[1]))
            if wanted != {pair.key for pair in one.kwargs}:
                wrong.append(f"{'.'.join(found)} is filled with {one.kwargs}")
    for one in tree(TEMPLATES[name]).find_all(nodes.Getattr):
        found = text_of(one)
        if found and id(one) not in filled and placeholders(getattr(SUBJECTS[found[0]], found[1])):
            wrong.append(f"{'.'.join(found)} is not filled")
    assert wrong == []


def test_a_filled_sentence_escapes_all_but_markup(world: World) -> None:
    """Sentence and values; a link made by a macro stays one, and is harmless inside."""
    page = (
        "{% import 'macros.html' as show with context %}"
        "{{ 'a < {name}, see {page}.' | fill(name=name, page=show.anchor(name, '?a&b')) }}"
    )
    with world.app.test_request_context("/"):
        drawn = render_template_string(page, name="<b>{x}")
    link = '<a href="?a&amp;b">&lt;b&gt;{x}</a>'
    assert drawn == f"a &lt; &lt;b&gt;{{x}}, see {link}."
