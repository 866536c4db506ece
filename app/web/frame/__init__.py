# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What every page and answer stands in: who is calling, problems, bodies, headers, words, looks."""
