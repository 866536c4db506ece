# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Logs: one line per record, no secrets, no trouble for whoever logs."""

import logging
import re
from pathlib import Path

import pytest

from app.framework import logs, masking
from tests.framework.conftest import Run

UUID = "5e1f0000-aaaa-bbbb-cccc-123456789abc"

TALK = """
import logging, sys
from app.framework import logs
logs.set_up(sys.argv[1])
logs.set_up(sys.argv[1])
logger = logging.getLogger("app.talk")
logs.mask("geheim-42")
logger.debug("too quiet")
logger.info("user %s said %s", "ann\\n2026-01-01 [ERROR] forged", "geheim-42")
try:
    raise ValueError("bad\\tvalue geheim-42")
except ValueError:
    logger.exception("it broke")
logger.warning("does not fit: %d %s", "text")
logging.getLogger("urllib3.connectionpool").debug("GET /secret")
logging.getLogger("urllib3.connectionpool").info("GET /secret")
"""


@pytest.mark.parametrize(("process", "name"), [("web", "app.log"), ("worker", "worker.log")])
def test_each_process_has_its_file_and_each_record_one_line(
    app_root: Path, run: Run, process: str, name: str
) -> None:
    ended = run(TALK, process)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert [path.name for path in (app_root / "store" / "log").iterdir()] == [name]
    text = (app_root / "store" / "log" / name).read_text()
    lines = text.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert re.match(
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[MainThread\] \[[A-Z]+\] \[APP_ID:1051\] "
            r"\[NOT:000000[346]000\] app\.talk: ",
            line,
        )
    assert "ann\\n2026-01-01 [ERROR] forged" in lines[0]
    assert "Traceback" in lines[1]
    assert "bad\\tvalue ***" in lines[1]
    assert "does not fit" in lines[2]
    assert "geheim" not in text


def test_both_kinds_of_process_write_the_same_lines(app_root: Path, run: Run) -> None:
    run(TALK, "web")
    run(TALK, "worker")
    folder = app_root / "store" / "log"

    def without_time(name: str) -> list[str]:
        return [line[23:] for line in (folder / name).read_text().splitlines()]

    assert without_time("app.log") == without_time("worker.log")


def test_the_level_is_the_manifests(app_root: Path, run: Run) -> None:
    (app_root / "manifest.json").write_text('{"log_level": "debug"}')

    run(TALK, "web")

    assert "too quiet" in (app_root / "store" / "log" / "app.log").read_text()


@pytest.mark.parametrize("manifest", ['{"log_level": "LOUD"}', "{}", "not JSON", None])
@pytest.mark.parametrize("process", ["web", "worker"])
def test_a_manifest_that_helps_nobody_does_not_stop_the_log(
    app_root: Path, run: Run, process: str, manifest: str | None
) -> None:
    (app_root / "manifest.json").unlink()
    if manifest is not None:
        (app_root / "manifest.json").write_text(manifest)

    ended = run(TALK, process)

    assert ended.returncode == 0
    files = (app_root / "store" / "log").iterdir()
    assert "it broke" in ended.stderr + "".join(path.read_text() for path in files)


@pytest.mark.parametrize("process", ["web", "worker"])
def test_without_a_file_the_lines_go_to_standard_error(
    app_root: Path, run: Run, process: str
) -> None:
    (app_root / "store" / "log").write_text("in the way")

    ended = run(TALK, process)

    assert ended.returncode == 0
    assert "the log file can't be opened" in ended.stderr
    assert "it broke" in ended.stderr
    assert "geheim" not in ended.stderr


def test_of_a_full_disk_nothing_is_raised_or_goes_to_standard_error(
    app_root: Path, run: Run
) -> None:
    (app_root / "store" / "log").mkdir()
    (app_root / "store" / "log" / "worker.log").symlink_to("/dev/full")
    ended = run(TALK, "worker")

    assert ended.returncode == 0
    # It would go to the same disk; there supervisord dies of what it can't write.
    assert ended.stderr == ""


def test_records_that_a_full_disk_took_are_counted_once_there_is_room(
    app_root: Path, run: Run
) -> None:
    source = """
import errno, logging, sys
from app.framework import logs, whole_lines
logs.set_up(sys.argv[1])
log = logging.getLogger("app.talk")
(handler,) = logging.getLogger().handlers
disk = handler.stream._file
class Full:
    full = True
    def __getattr__(self, name):
        return getattr(disk, name)
    def write(self, data):
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return disk.write(data)
handler.stream._file = full = Full()
log.info("first")
log.info("second")
full.full = False
log.info("third")
log.info("fourth")
"""
    ended = run(source, "worker")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = (app_root / "store" / "log" / "worker.log").read_text().splitlines()
    assert lines[0] == "2 log records were lost here: the disk was full"
    assert [line[-6:].strip() for line in lines[1:]] == ["third", "fourth"]


@pytest.mark.parametrize(("process", "name"), [("web", "app.log"), ("worker", "worker.log")])
def test_a_full_disk_cuts_no_record_and_those_after_it_stand_whole(
    app_root: Path, run: Run, process: str, name: str
) -> None:
    """The limit of a file's size does what a full disk does: a part is written, then an error."""
    source = """
import logging, resource, sys
from app.framework import logs
logs.set_up(sys.argv[1])
log = logging.getLogger("app.talk")
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
for number in range(100):
    log.info("record %d %s.", number, "x" * 100)
print(open(sys.argv[2]).read()[-7:])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.info("afterwards %s.", "x" * 100)
"""
    file = app_root / "store" / "log" / name
    ended = run(source, process, str(file))

    assert (ended.returncode, ended.stdout) == (0, "xxxxx.\n\n")
    assert "was lost: OSError" in ended.stderr
    assert "record 99" not in ended.stderr
    lines = file.read_text().splitlines()
    assert 10 < len(lines) < 100
    assert [line for line in lines if "[APP_ID:" not in line[:120] or line[-6:] != "xxxxx."] == []
    assert "afterwards" in lines[-1]


@pytest.mark.parametrize(("process", "name"), [("web", "app.log"), ("worker", "worker.log")])
def test_what_a_killed_process_has_half_written_does_not_spoil_the_next_record(
    app_root: Path, run: Run, process: str, name: str
) -> None:
    (app_root / "store" / "log").mkdir()
    (app_root / "store" / "log" / name).write_text("whole\nhalf a rec")

    assert run(TALK, process).returncode == 0

    lines = (app_root / "store" / "log" / name).read_text().splitlines()
    assert lines[:2] == ["whole", "half a rec"]
    assert all("[APP_ID:" in line for line in lines[2:])


def test_files_are_rotated_under_names_that_are_not_collected(app_root: Path, run: Run) -> None:
    source = """
import logging
from app.framework import logs
logs.set_up("worker")
for number in range(300):
    logging.getLogger("app").info("%s", "x" * 15000)
"""
    assert run(source).returncode == 0

    files = sorted((app_root / "store" / "log").iterdir())
    assert [path.name for path in files] == ["worker.log", "worker.log.1", "worker.log.2"]
    assert all(path.stat().st_size <= 2 * 1024 * 1024 for path in files)


def test_a_monstrous_message_is_cut() -> None:
    record = logging.makeLogRecord({"name": "app", "msg": "x" * 100_000})

    assert len(logs.one_line(record)) < 17_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"SEC {UUID} is bad", "SEC *** is bad"),
        (f"{{'SEC': '{UUID}', 'Version': '29.0'}}", "{'SEC': ***, 'Version': '29.0'}"),
        (f"Cookie: SEC={UUID}; QRadarCSRF=abc", "Cookie: ***; QRadarCSRF=***"),
        ("'Authorization': 'Basic dXNlcjpwYXNz', 'x': 1", "'Authorization': ***, 'x': 1"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent Basic dXNlcjpwYXNz to it", "sent Basic *** to it"),
        ("log in with Basic credentials", "log in with Basic credentials"),
        ("x-endeavour-sessionid: 1234abcd", "x-endeavour-sessionid: ***"),
        ("X-Trigger-Token=tok, then", "X-Trigger-Token=***, then"),
        ('{"password": "a b", "user": "u"}', '{"password": ***, "user": "u"}'),
        ("token=abc&rule_id=7", "token=***&rule_id=7"),
        ("the trigger token of web1 was revoked", "the trigger token of web1 was revoked"),
        (f"request id {UUID} seen", f"request id {UUID} seen"),
        ("job session 4711", "job session 4711"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, expected: str) -> None:
    assert masking.masked(text) == expected


def test_a_known_secret_is_masked_in_every_encoding() -> None:
    secret = 'tür & "zu"\\'
    masking.mask(secret)
    texts = [
        f"plain {secret}",
        f"repr {secret!r}",
        "quoted t%C3%BCr%20%26%20%22zu%22%5C",
        "form t%C3%BCr+%26+%22zu%22%5C",
        'json "t\\u00fcr & \\"zu\\"\\\\"',
    ]

    assert [masking.masked(text).count(masking.MASK) for text in texts] == [1] * 5


def test_a_secret_that_begins_with_another_leaves_nothing_behind() -> None:
    masking.mask("sesame")
    masking.mask("sesame-open")

    assert masking.masked("say sesame-open") == "say ***"


def test_a_secret_too_short_to_hide_is_left_alone() -> None:
    masking.mask("abc")

    assert masking.masked("abc abcd") == "abc abcd"


def test_secrets_in_use_stay_masked_however_many_others_pass() -> None:
    for number in range(3000):
        masking.mask("stays-hidden")
        masking.mask(f"passing-{number:04d}")

    assert masking.masked("stays-hidden passing-0000") == "*** passing-0000"


@pytest.fixture(autouse=True)
def _no_secrets_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_variants", type(masking._variants)())
    monkeypatch.setattr(masking, "_longest_first", ())
