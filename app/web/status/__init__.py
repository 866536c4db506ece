# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How the app is and what needs a person: overview, notices, health, QRadar's own pages, help."""
