# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Mappings: which rule starts which restore job; picking both, and simulating it."""
