# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the build stands on: manifests, zips, bundled wheels, the list of them, and catalogues."""
