#!/bin/sh
# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
# A container's /usr/bin/python3. In the image that is Python 3.11 with the image's packages (base-image.md); here they
# are in /usr/local, and this machine's own Python knows none of them.
exec /usr/local/bin/python3 "$@"
