# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The way to the first restore: the steps, the custom action, and taking it away again."""
