# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTPS to a server that an administrator named: whom it may reach, whom it trusts.

Every copy manager is asked over it; it knows none of them.
"""
