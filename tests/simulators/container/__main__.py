# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds and runs an app zip until Ctrl-C: ``python3 -m tests.simulators.container app.zip``."""

import argparse
import signal
import sys
from pathlib import Path

from tests.simulators.container import (
    BuildRefused,
    Container,
    ContainerFailed,
    ContainerUnavailable,
    Image,
)


def main() -> int:
    """Run it; 1 when the app can't be built or does not come up."""
    parser = argparse.ArgumentParser(prog="tests.simulators.container", description=__doc__)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--image", default="4.0.11", choices=["4.0.2", "4.0.11"])
    parser.add_argument("--store", type=Path, required=True, help="folder that is kept")
    parser.add_argument("--console", default="console.example:443", help="FQDN:PORT on 127.0.0.1")
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME:PORT=ADDRESS:PORT",
        help="what the app reaches under a name, and where on this machine that is",
    )
    parser.add_argument("--ca-bundle", type=Path, help="PEM file for REQUESTS_CA_BUNDLE")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    name, _, port = given.console.partition(":")
    hosts = {}
    for route in given.host:
        target, _, address = route.partition("=")
        host, _, host_port = address.partition(":")
        hosts[target] = (host, int(host_port))
    try:
        image = Image.build(given.zip, image=given.image)
        container = Container(
            image,
            store=given.store,
            console=(name, int(port)),
            hosts=hosts,
            ca_bundle=given.ca_bundle.read_text() if given.ca_bundle else "",
            environment=dict(pair.split("=", 1) for pair in given.env),
            poll_seconds=60,
        )
        with container:
            container.wait_ready(60)
            print(f"http://127.0.0.1:{container.port}", flush=True)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
            container.stop()
    except (BuildRefused, ContainerFailed, ContainerUnavailable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sys.exit(main())
