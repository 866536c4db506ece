# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How gunicorn serves the app: one process, many threads (design §2)."""

import logging
import os
import socket
import struct

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

bind = "0.0.0.0:5000"  # noqa: S104  # QRadar's proxy comes from outside the container

# One process: it alone owns its log file and qpylib's encdec file, which know no other writer.
workers = 1
worker_class = "gthread"
# Outbound calls may hold half of them, so that a trigger always finds a free one.
threads = 24
# Loading before the fork would share SQLite connections and lose threads (qradar-platform §2.4).
preload_app = False

# The time without a sign of life from the whole worker, not the time of a request.
timeout = 60
# Below stopwaitsecs in supervisord.d/app.conf. A trigger that is not answered in that time is sent
# again by its script.
graceful_timeout = 2
# The console's proxy keeps connections; a page with its parts is read within this time.
keepalive = 5

# The worker's sign of life is a file. On a busy disk its update can block so long that gunicorn
# takes the worker for dead.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # see above
# Nobody steers a running gunicorn here, and the socket would want a home directory.
control_socket_disable = True

# As long as the console's front server takes (qradar-platform §3.1).
limit_request_line = 8190
# A trigger is small; a waiting queue longer than this is a flood.
backlog = 256

# No access log: the app logs what matters, and no request line is written down with its query.
accesslog = None
# Errors go to standard error, from there into web-output.log, which supervisord rotates.
errorlog = "-"
loglevel = "info"


SILENCE_SECONDS = 2  # a trigger is one packet or two; its script waits 4 s for the answer


def when_ready(server: Arbiter) -> None:
    """Let nobody hold a thread by being silent; gunicorn's threads would wait for ever.

    The raw port can be reached past the console's proxy (qradar-platform §2.5). The kernel hands a
    connection over only once it has sent something, and gives up reading from one that has stopped
    in the middle; accepted sockets inherit both from the listening one.
    """
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENCE_SECONDS)
        silence = struct.pack("ll", SILENCE_SECONDS, 0)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, silence)


def post_worker_init(worker: Worker) -> None:
    """Keep what a caller sent out of gunicorn's complaints about it.

    They quote the broken line of a request, and that may be the one with a token.
    """
    worker.log.error_log.addFilter(_without_what_was_sent)


def _without_what_was_sent(record: logging.LogRecord) -> bool:
    if "Socket error processing request" in str(record.msg):
        return False  # somebody who stopped in the middle of a request; the traceback is no news
    for complaint in ("Invalid request from ip=", "Error handling request"):
        if complaint in str(record.msg):
            record.msg, record.args = record.getMessage().split(": ")[0].split(" /")[0], ()
    return True
