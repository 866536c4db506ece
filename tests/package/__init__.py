# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Packing for ``./build.sh``: manifest rules, bundled wheels, both zips. Standard library only."""
