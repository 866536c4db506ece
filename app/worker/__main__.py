# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``python3 -m app.worker``, as supervisord runs it."""

import sys

from app.worker.main import main

if __name__ == "__main__":
    sys.exit(main())
