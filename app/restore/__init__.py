# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The heart: what a run is, what a trigger brings about, what happens next. Stdlib only."""
