# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Pages, forms and the JSON API: which page, which words, which HTTP status."""
