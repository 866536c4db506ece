# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What any copy manager must do and prove; so must the fake one of the heart, to stay true."""
