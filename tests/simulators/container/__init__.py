# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""QRadar's container for one app: builds and runs the zip as QRadar does (qradar §2.2-2.8).

    image = Image.build(zip_path, image="4.0.11")
    with Container(image, store=folder, console=("console.example", 8444)) as container:
        container.wait_ready(30)
        requests.get(f"http://127.0.0.1:{container.port}/debug")

The app finds its real paths (/opt/app-root, /etc/supervisord.d, /usr/local/bin/gunicorn), since it
runs in namespaces of its own: mounts, processes, network. Root is not needed where the kernel lets
users make namespaces.
"""

from tests.simulators.container.image import BuildRefused, Image
from tests.simulators.container.runner import Container, ContainerFailed
from tests.simulators.container.sandbox import ContainerUnavailable

__all__ = ["BuildRefused", "Container", "ContainerFailed", "ContainerUnavailable", "Image"]
