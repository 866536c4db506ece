# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The front of the web process: takes whole requests in, and hands them to gunicorn's threads.

Nothing in this package knows Flask, and nothing outside it knows gunicorn.
"""
