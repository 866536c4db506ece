#!/bin/sh
# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
#
# QRadar runs this before it stops the container, and kills everything as soon as it has ended: no program under
# supervisord gets a SIGTERM otherwise (qradar §2.3 "Stopping"). So the orderly stop happens here, in less
# than the 10 s after which the container is killed anyway: 4 s for the worker and 3 s for web at most
# (supervisord.d/app.conf), and an end to the waiting should supervisord itself not answer.
timeout 8 supervisorctl -c /etc/supervisord.conf stop all
# A failed stop changes nothing: the kill that follows is safe at any instant.
exit 0
