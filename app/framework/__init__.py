# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The seam to the QRadar App Framework; nothing else imports qpylib."""
