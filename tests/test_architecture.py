# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The arrows between our packages, and house rules that a machine can check (architecture §3)."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.configuration.kinds import Kind
from app.copy_managers import MANAGERS

REPOSITORY = Path(__file__).resolve().parents[1]
APP = REPOSITORY / "app"
TESTS = REPOSITORY / "tests"

SPDX = (
    "SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors",
    "SPDX-License-Identifier: Apache-2.0",
)
LONGEST_MODULE = 350
LONGEST_FUNCTION = 60

# What a package may import of ours. What it works with besides is handed to it. Whatever is said to
# people is a message, so every package may make one.
ARROWS = {
    "app.configuration": {"app.configuration", "app.languages", "app.message"},
    "app.restore": {"app.restore", "app.configuration", "app.message"},
    "app.remote": {"app.remote", "app.configuration", "app.restore.model", "app.message"},
    "app.cdm": {"app.cdm", "app.remote", "app.restore.model", "app.message"},
    "app.qradar": {"app.qradar", "app.restore.model", "app.message"},
    # what the store makes for QRadar is said in the language of a setting
    "app.store": {
        *("app.store", "app.configuration", "app.restore.model", "app.message", "app.languages"),
    },
    "app.framework": {"app.framework", "app.message"},
}
EXCEPTIONS = {
    # An offense note is written with the transition it tells of, wherever that is made; and what
    # writes a transition checks that there is such an arrow.
    "app.store.runs": {"app.restore.changes", "app.restore.notes", "app.restore.states"},
    "app.store.run_rows": {"app.restore.memory"},
    "app.store.memories": {"app.restore.memory"},
    "app.store.notes": {"app.restore.notes"},
    "app.store.tidings": {"app.restore.notes", "app.restore.tidings"},
    "app.store.watch": {"app.restore.watched"},
    "app.store.attacks": {"app.restore.attacks", "app.restore.notes"},
    "app.store.starts": {"app.restore.cooling"},
    "app.store.settings": {"app.restore.own_events"},
    "app.store.happenings": {"app.restore.own_events"},
}

# The rooms of the web process: each may know these others, beside the frame and the services.
WEB_ROOMS: dict[str, set[str]] = {
    "frame": set(),
    "connections": set(),
    "runs": set(),
    "mappings": {"connections"},
    "set_up": {"mappings"},
    "triggers": {"set_up"},
    "settings": {"set_up"},
    "status": {"mappings", "runs", "set_up"},
}

# What touches the world: the heart decides, others act.
WORLDLY = frozenset(
    {"asyncio", "concurrent", "ctypes", "fcntl", "glob", "http", "io", "mmap", "multiprocessing"}
    | {"os", "pathlib", "pickle", "random", "secrets", "select", "selectors", "shutil", "signal"}
    | {"smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys", "tempfile"}
    | {"threading", "time"}
)
# an uploaded certificate is read from memory; the standard library can do it nowhere else
PURE_USES = {("app.configuration.checks", "ssl"): {"SSLContext", "PROTOCOL_TLS_CLIENT", "SSLError"}}

# Third-party packages, and SQLite, by the packages of ours that may know them.
OWNERS = {
    "qpylib": ("app.framework",),
    "flask": ("app.web",),
    "flask_wtf": ("app.web",),
    "wtforms": ("app.web",),
    "werkzeug": ("app.web",),
    "jinja2": ("app.web",),
    "gunicorn": ("app.web.front",),
    "sqlite3": ("app.store", "app.worker"),  # the worker outlives whatever SQLite raises
    "requests": ("app.remote", "app.qradar"),
    "urllib3": ("app.remote", "app.qradar"),
}


def name_of(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for path in sorted(APP.rglob("*.py"))}


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(PATHS[module].read_text())


def is_typing_only(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports_of(module: str) -> Iterator[str]:
    """Every module that ``module`` imports anywhere, ours by its full name."""
    return imports_in(tree_of(module), module)


def imports_in(tree: ast.Module, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in PATHS else node.module


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_there_is_something_to_check() -> None:
    assert {"app", "app.restore.model", "app.framework.secrets"} <= set(PATHS)


def test_a_message_knows_nothing_of_ours() -> None:
    assert [each for each in imports_of("app.message") if within(each, "app")] == []


def test_each_kind_of_copy_manager_is_in_the_registry() -> None:
    assert set(MANAGERS) == set(Kind)


@pytest.mark.parametrize("package", ARROWS)
def test_a_package_imports_only_what_the_arrows_allow(package: str) -> None:
    wrong = [
        f"{module} imports {imported}"
        for module in PATHS
        if within(module, package)
        for imported in imports_of(module)
        if within(imported, "app")
        and not any(
            within(imported, allowed) for allowed in ARROWS[package] | EXCEPTIONS.get(module, set())
        )
    ]

    assert wrong == []


def test_the_front_knows_nothing_of_flask_or_of_the_app_behind_it() -> None:
    """gunicorn's master process imports it too."""
    wrong = [
        f"{module} imports {imported}"
        for module in PATHS
        if within(module, "app.web.front")
        for imported in imports_of(module)
        if imported.partition(".")[0] in {"flask", "werkzeug", "qpylib"}
        or (
            within(imported, "app")
            and not within(imported, "app.web.front")
            and imported != "app.framework.console_peers"
        )
    ]

    assert wrong == []


@pytest.mark.parametrize("room", WEB_ROOMS)
def test_a_room_of_the_web_process_knows_only_those_below_it(room: str) -> None:
    """And its pages are the templates under its own name."""
    below = {room, "frame", "services", "front"} | WEB_ROOMS[room]
    here = [module for module in PATHS if within(module, f"app.web.{room}")]
    wrong = [
        f"{module} imports {imported}"
        for module in here
        for imported in imports_of(module)
        if within(imported, "app.web") and imported.split(".")[2] not in below
    ]
    pages = [
        f"{module} shows {node.value}"
        for module in here
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Constant)
        and str(node.value).endswith(".html")
        and str(node.value).partition("/")[0] not in {room, "frame"}
    ]

    assert len(here) > 2
    assert (wrong, pages) == ([], [])


def test_every_module_of_the_web_process_has_its_room() -> None:
    rooms = {path.parent.name for path in PATHS.values() if (APP / "web") in path.parents}

    assert rooms == {*WEB_ROOMS, "front", "web"}
    assert {path.parent.name for path in (APP / "templates").rglob("*.html")} <= set(WEB_ROOMS)


def test_only_the_registry_and_its_own_command_know_a_copy_manager() -> None:
    """Web and worker get theirs by the kind of a connection."""
    knowing = {"app.copy_managers", "app.run_restore_job", "app.restore_by_name"}
    wrong = [
        f"{module} imports {imported}"
        for module in PATHS
        for imported in imports_of(module)
        if within(imported, "app.cdm") and not within(module, "app.cdm") and module not in knowing
    ]

    assert wrong == []


def test_nothing_imports_the_entry_points() -> None:
    """``app`` itself may: its create_app is one of them."""
    commands = ("app.worker", "app.configure", "app.run_restore_job")
    wrong = [
        f"{module} imports {imported}"
        for module in PATHS
        for imported in imports_of(module)
        if (within(imported, "app.web") and not within(module, "app.web") and module != "app")
        or any(within(imported, each) and not within(module, each) for each in commands)
    ]

    assert wrong == []


def test_heart_and_configuration_use_only_the_pure_part_of_the_standard_library() -> None:
    wrong = []
    for module in PATHS:
        if not (within(module, "app.restore") or within(module, "app.configuration")):
            continue
        for imported in imports_of(module):
            top = imported.partition(".")[0]
            if top == "app" or imported == "urllib.parse":
                continue
            pure = top in sys.stdlib_module_names and top not in WORLDLY | {"urllib"}
            if not pure and not (set(uses(module, top)) <= PURE_USES.get((module, top), set())):
                wrong.append(f"{module} imports {imported}")

    assert wrong == []


def test_what_is_not_tested_on_the_oldest_image_knows_no_package_of_it() -> None:
    """The heart, the store, and whatever else of the app their tests touch."""
    found = re.search(r"--ignore=tests/{(.*)}", (REPOSITORY / "build.sh").read_text())
    assert found
    names = {*found[1].split(",")} - {"simulators_tests"}  # which see nothing of the app
    tests = [path for name in names for path in TESTS.joinpath(name).rglob("*.py")]
    to_see = {
        imported
        for path in tests
        for imported in imports_in(ast.parse(path.read_text()), path.name)
        if within(imported, "app")
    }
    seen: set[str] = set()
    while to_see:
        seen |= to_see
        to_see = {more for one in to_see & {*PATHS} - {"app"} for more in imports_of(one)} - seen
    assert {"app.restore.engine", "app.store.store"} <= seen
    assert seen & set(OWNERS) <= {"sqlite3"}


def uses(module: str, name: str) -> Iterator[str]:
    """The attributes of the imported module ``name`` that ``module`` uses."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == name:
                yield node.attr
        elif isinstance(node, ast.ImportFrom) and node.module == name:
            yield from (alias.name for alias in node.names)


def test_the_heart_is_told_the_time() -> None:
    wrong = [
        f"{module} line {call.lineno}"
        for module in PATHS
        if within(module, "app.restore")
        for call in calls(module)
        if ast.unparse(call.func).endswith(("datetime.now", "datetime.utcnow", "date.today"))
    ]

    assert wrong == []


def calls(module: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call))


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_known_to_its_owners_only(library: str) -> None:
    """``app`` names Flask for the type checker only."""
    wrong = [
        module
        for module in PATHS
        if module != "app" and not any(within(module, owner) for owner in OWNERS[library])
        for imported in imports_of(module)
        if within(imported, library)
    ]

    assert wrong == []


def test_the_package_itself_imports_nothing_when_it_is_imported() -> None:
    """The worker and the command lines are modules of it and need no Flask."""
    for node in tree_of("app").body:
        if isinstance(node, ast.If) and is_typing_only(node):
            continue
        assert not any(isinstance(each, ast.Import) for each in [node])
        assert not (isinstance(node, ast.ImportFrom) and node.module != "typing")


def test_only_the_trust_in_remote_may_do_without_verification() -> None:
    words = ("verify=False", "CERT_NONE", "check_hostname = False", "disable_warnings")
    wrong = [
        f"{module}: {word}"
        for module, path in PATHS.items()
        if module != "app.remote.trust"
        for word in words
        if word in path.read_text()
    ]

    assert wrong == []


def test_no_call_makes_a_naive_time() -> None:
    wrong = []
    for module in PATHS:
        for call in calls(module):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            arguments = len(call.args) + len(call.keywords)
            naive = (
                name in {"utcnow", "utcfromtimestamp", "today"}
                or (
                    name == "now"
                    and ast.unparse(call.func).endswith("datetime.now")
                    and not arguments
                )
                or (name == "fromtimestamp" and arguments < 2)
            )
            if naive:
                wrong.append(f"{module} line {call.lineno}")

    assert wrong == []


def test_modules_and_functions_fit_a_reader() -> None:
    wrong = []
    for module, path in PATHS.items():
        lines = len(path.read_text().splitlines())
        if lines > LONGEST_MODULE:
            wrong.append(f"{module} has {lines} lines")
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    wrong.append(f"{module}.{node.name} has {length} lines")

    assert wrong == []


def test_every_module_says_what_it_owns() -> None:
    assert [module for module in PATHS if not ast.get_docstring(tree_of(module))] == []


def test_every_source_file_names_its_licence() -> None:
    """In its first lines, if it has any; what is fetched or generated has its own."""
    suffixes = {".py", ".sh", ".sql", ".html", ".css", ".js", ".conf", ".scss"}
    roots = [REPOSITORY / name for name in ("app", "container", "packing", "tests")]
    files = [
        path
        for root in roots
        for path in sorted(root.rglob("*"))
        if path.suffix in suffixes and "carbon" not in path.parts and "pip" not in path.parts
    ]
    wrong = [
        str(path.relative_to(REPOSITORY))
        for path in [*files, *REPOSITORY.glob("*.sh")]
        if path.stat().st_size and not all(line in path.read_text()[:600] for line in SPDX)
    ]

    assert wrong == []


IMPORT_EACH = """
import importlib, os, stat, sys, threading
def sockets():
    return [fd for fd in range(3, 200) if is_socket(fd)]
def is_socket(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False
for name in sys.argv[1:]:
    for loaded in [each for each in sys.modules if each == "app" or each.startswith("app.")]:
        del sys.modules[loaded]
    importlib.import_module(name)
    assert threading.enumerate() == [threading.main_thread()], f"{name} starts a thread"
    assert not sockets(), f"{name} opens a socket"
"""


def test_importing_a_module_does_nothing_else(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each by itself, in an empty folder and environment: no thread, socket, file; no cycle."""
    search = [str(REPOSITORY), *(path for path in sys.path if Path(path).is_absolute())]
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_EACH, *PATHS],
        env={
            "PYTHONPATH": os.pathsep.join(search),
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path),
            # without it each import would compile all that it stands on
            "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("compiled")),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
