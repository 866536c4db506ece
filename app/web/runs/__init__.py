# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs: their list and pages, the API, what people ask of them, attacks and starts by hand."""
