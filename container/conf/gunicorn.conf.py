# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How gunicorn serves the app: one process, many threads (architecture §2)."""

import os

bind = "0.0.0.0:5000"  # noqa: S104  # QRadar's proxy comes from outside the container

# One process: it alone owns its log file and qpylib's encdec file, which know no other writer.
workers = 1
# Ours, on top of gthread: a slow connection holds no thread, and each peer has its limit of them.
worker_class = "app.web.front.worker.FrontWorker"
# Outbound calls may hold half of them, so that a trigger always finds a free one.
threads = 24
# Loading before the fork would share SQLite connections and lose threads (qradar §2.4).
preload_app = False

# The time without a sign of life from the whole worker, not the time of a request.
timeout = 60
# Below stopwaitsecs in supervisord.d/app.conf. A trigger that is not answered in that time is sent
# again by its script.
graceful_timeout = 2

# The worker's sign of life is a file. On a busy disk its update can block so long that gunicorn
# takes the worker for dead.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # see above
# Nobody steers a running gunicorn here, and the socket would want a home directory.
control_socket_disable = True

# As long as the console's front server takes (qradar §3.1).
limit_request_line = 8190
# The front takes connections in as they come; a waiting queue longer than this is a flood.
backlog = 256

# Whoever calls, nothing that comes with a request says what it is to be taken for.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# No access log: the app logs what matters, and no request line is written down with its query.
accesslog = None
# Errors go to standard error, from there into web-output.log, which supervisord rotates.
errorlog = "-"
loglevel = "info"
