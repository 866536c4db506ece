# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The README's pictures: which stations of the browser tests they are taken at.

`./build.sh test` takes them, in the README's size, into ``.build/screenshots/readme``. With
``SAFEGUARDED_PICTURES=1`` in the environment they also replace the ones in ``tests/pictures``, and
every page is kept in ``.build/screenshots``, in each look. It takes minutes; these tests will do:

    SAFEGUARDED_PICTURES=1 ./build.sh test tests/test_incident.py tests/test_set_up_end_to_end.py \
        tests/test_browser_look.py
"""

import os
from pathlib import Path

from playwright.sync_api import Page

_ROOT = Path(__file__).parents[1]
FOLDER = _ROOT / ".build" / "screenshots"
COMMITTED = _ROOT / "tests" / "pictures"
WIDTH, MOST_HEIGHT = 1200, 1400  # px
LARGEST = 200_000  # bytes
ALL = os.environ.get("SAFEGUARDED_PICTURES") == "1"
# The README's file: the station and look where it is taken.
README = {
    "overview.png": "incident-attack-dark-1600",
    "run.png": "incident-ready-light-1600",
    "set-up.png": "set-up-armed-light-1600",
    "history.png": "month-runs-dark-1600",
}


def take(page: Page, station: str) -> None:
    """Take the README's picture of this station, if it is one; the page keeps its size."""
    names = [name for name, where in README.items() if where == station]
    if not names:
        return
    size, frame = page.viewport_size, page.locator("iframe")
    assert size is not None
    # Of the console's page only the app in its frame, which is as high as the window less a bar.
    inside = frame.element_handle().content_frame() if frame.count() else page
    assert inside is not None
    page.set_viewport_size({"width": WIDTH, "height": 900})
    high = min(int(inside.evaluate("document.documentElement.scrollHeight")), MOST_HEIGHT)
    page.set_viewport_size({"width": WIDTH, "height": high + 64 * frame.count()})
    picture = frame.screenshot() if frame.count() else page.screenshot()
    page.set_viewport_size(size)
    assert len(picture) < LARGEST, f"{names[0]} has {len(picture)} bytes"
    folders = [FOLDER / "readme"]
    if ALL:
        folders.append(COMMITTED)
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / names[0]).write_bytes(picture)
