# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The environment variables that QRadar sets for an app (qradar §2.6)."""

import uuid
from pathlib import Path

from tests.simulators.container.image import PATH, library_path
from tests.simulators.container.sandbox import APPUSER

APP_ID = 1001
CA_BUNDLE = "/etc/pki/tls/certs/ca-bundle.crt"


def of(console: str, console_address: str, store: Path) -> dict[str, str]:
    """The variables of an app that runs on the console with this FQDN and address."""
    # A secret one, not the manifest's; it stays the same as long as the store does.
    secret = uuid.uuid5(uuid.NAMESPACE_URL, store.resolve().as_uri())
    return {
        "PATH": PATH,
        "HOME": "/home/appuser",
        "LANG": "C.UTF-8",
        "TZ": "America/New_York",  # a zone that is not UTC, so that a naive time shows
        "LD_LIBRARY_PATH": library_path(),
        "APP_ROOT": "/opt/app-root",
        "APP_USER_ID": str(APPUSER),
        "APP_GROUP_ID": str(APPUSER),
        "QRADAR_APP_ID": str(APP_ID),
        "QRADAR_APP_UUID": str(secret),
        "QRADAR_APPLICATION_BASE_URL": f"https://{console}/console/plugins/{APP_ID}/app_proxy",
        "QRADAR_CONSOLE_FQDN": console,
        "QRADAR_CONSOLE_HOSTNAME": console.split(".")[0],
        "QRADAR_CONSOLE_IP": console_address,
        "QRADAR_VERSION": "2021.6.12",
        "QRADAR_BUILD_VERSION": "2021.6.12.20250509154206",
        "QRADAR_APPHOST_EXISTS": "false",
        "QRADAR_APP_RUNNING_ON_APPHOST": "false",
        "IS_QROC": "false",
        "REQUESTS_CA_BUNDLE": CA_BUNDLE,
        "LOG_COLLECTOR_RATE_LIMIT": "100",
    }
