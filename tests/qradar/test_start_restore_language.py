# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the script is written in: bash 4.1, options of curl 7.29, nothing that the jail lacks."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.qradar import custom_action
from tests.simulators import certs

TEMPLATE = Path(custom_action.__file__).with_name("start_restore.sh")

# curl's docs/options-in-versions: the options that we use, and the release that brought them.
USED_OPTIONS = {
    "silent": "4.0", "show-error": "5.9", "globoff": "7.6", "proto": "7.20.2", "noproxy": "7.19.4",
    "connect-timeout": "7.7", "max-time": "4.0", "cacert": "7.5", "resolve": "7.21.3", "url": "7.5",
    "user-agent": "4.5.1", "header": "5.0", "write-out": "6.5", "data-urlencode": "7.18.0",
}  # fmt: skip
NEWER_OPTIONS = set(
    """
    http2 http1.1 oauth2-bearer dns-interface dns-ipv4-addr dns-ipv6-addr login-options
    tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 next alpn no-alpn npn no-npn proxy-header pinnedpubkey
    unix-socket path-as-is cert-status false-start data-raw ssl-no-revoke proxy-service-name
    service-name proto-default expect100-timeout tftp-no-options connect-to tcp-fastopen
    http2-prior-knowledge proxy-cacert proxy-insecure preproxy fail-early retry-connrefused
    socks5-basic abstract-unix-socket suppress-connect-headers tls-max ssh-compression
    request-target mime-quote happy-eyeballs-timeout-ms haproxy-protocol
    disallow-username-in-url tls13-ciphers doh-url http0.9 alt-svc parallel parallel-max
    etag-save etag-compare mail-rcpt-allowfails ssl-revoke-best-effort retry-all-errors
    output-dir create-file-mode aws-sigv4 doh-insecure fail-with-body json remove-on-error
    no-clobber rate url-query ca-native variable form-escape http3
    """.split()  # noqa: SIM905 - a hundred quotation marks would hide the words
)


def code_of_template() -> str:
    """The script without comments."""
    return re.sub(r"(?m)(^|\s)#.*$", "", TEMPLATE.read_text())


def test_only_options_of_curl_7_29_are_used() -> None:
    script = code_of_template()
    used = set(re.findall(r"\boption ([a-z0-9.-]+)", script))
    used |= set(re.search(r"config=\$'([a-z\\n-]+)'", script)[1].split("\\n")) - {""}
    assert used == set(USED_OPTIONS)
    for release in USED_OPTIONS.values():
        assert tuple(map(int, release.split("."))) <= (7, 29, 0)
    for name in NEWER_OPTIONS:
        assert f"--{name}" not in script
    assert not used & NEWER_OPTIONS


def test_whole_seconds_only() -> None:
    """Fractions of a second came with curl 7.32."""
    used = re.findall(r"(?:connect-timeout|max-time) (\S+)", code_of_template())
    assert used == ["3", "$limit"]
    assert "limit=$((9 - SECONDS))" in code_of_template()


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("here-documents and here-strings", r"<<"),
        ("process substitution", r"[<>]\("),
        ("/proc, /tmp and /dev/fd", r"/proc\b|/tmp\b|/dev/(fd|std|tcp)"),
        ("name look-ups and python", r"\b(hostname|getent|nslookup|dig|python\d?)\s"),
        ("bash 4.2: declare -g, lastpipe, %(…)T, -v", r"declare -g|lastpipe|%\(|\s-v\s"),
        ("bash 4.2: \\u in strings", r"\\[uU][0-9a-fA-F]"),
        ("bash 4.2: negative lengths", r"\$\{\w+:[^}]*:\s*-"),
        ("bash 4.3: references, subscripts", r"(local|declare) -n|wait -n|\[-\d"),
        ("bash 4.4: ${x@Q}, mapfile -d", r"\$\{\w+@\w\}|mapfile -d|readarray -d"),
        ("bash 5: EPOCH…, SRANDOM", r"EPOCH(SECONDS|REALTIME)|SRANDOM"),
        ("evaluation of data", r"\beval\b|\bsource\b|\bset -x\b"),
        ("trust without a look", r"insecure|\s-k\b"),
    ],
)  # fmt: skip
def test_nothing_that_the_jail_or_an_old_bash_lacks(what: str, pattern: str) -> None:
    code = code_of_template()
    hits = re.findall(pattern, code)
    assert not hits, what


def test_the_script_is_clean(tmp_path: Path) -> None:
    made = tmp_path / "customaction_1.script"
    issuers = certs.self_signed(tmp_path, "console.example").pem
    made.write_text(
        custom_action.generate_script("console.example", "", issuers_pem=issuers, version="1")
    )
    for script in (TEMPLATE, made):
        assert b"\r" not in script.read_bytes()
        subprocess.run(["bash", "-n", str(script)], check=True)
        if shutil.which("shellcheck"):
            subprocess.run(["shellcheck", "--shell=bash", str(script)], check=True)
        assert "shellcheck disable" not in script.read_text()
