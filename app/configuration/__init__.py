# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What administrators configure: connections, mappings, settings; each field is declared once.

Standard library only, so that every room may read the declarations (architecture §3).
"""
