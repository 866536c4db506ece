# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""One HTTP exchange as seen from its socket: was anything sent, and does it end in time.

`requests` raises the same classes for a connection that was never made and for one that broke after
the request; only the first proves that a start had no effect. So the connection itself notes when
the request line is about to be written. The same hook lets a timer end an exchange that drips: the
read time-out of a socket begins anew with every byte.
"""

import os
import socket
import threading
from contextvars import ContextVar
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from app.remote.guard import Guard
from app.restore.model import NothingSent


class Exchange:
    """Watches one call of `requests`, all its tries and the reading of the body included."""

    def __init__(self, total: float, guard: Guard | None = None) -> None:
        self._guard = guard
        self.sent = False  # the request line may have left: nothing is proved any more
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(total, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> "Exchange":
        self._token = _current.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
        self._timer.cancel()
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()

    def begin(self, sock: socket.socket) -> None:
        """Take in a new connection, before anything is sent; raise `NothingSent`, `OSError`."""
        self.watch(sock)
        if self._guard:
            self._guard.check(sock)

    def watch(self, sock: socket.socket) -> None:
        """Let the timer end this connection; raise `TimeoutError` if the time is over already."""
        with self._lock:
            if self.expired:
                raise TimeoutError("the time for this exchange is over")
            # A descriptor of our own: TLS takes the first one over, and its close must stay its
            # own.
            self._sockets.append(socket.socket(fileno=os.dup(sock.fileno())))

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for sock in self._sockets:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it is down already


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class _Connection(HTTPSConnection):
    """An HTTPS connection that tells the current exchange what happens to it."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        exchange = _current.get()
        if exchange:
            try:
                exchange.begin(sock)
            except (OSError, NothingSent):
                sock.close()
                raise
        return sock

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        exchange = _current.get()
        if exchange:
            if isinstance(self.sock, socket.socket):
                exchange.watch(self.sock)  # a kept-alive one was not made in this exchange
            exchange.sent = True
        super().putrequest(method, url, *args, **kwargs)


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Retry(Retry):
    """Not after a read time-out: a CDM that hangs would hang three times."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def get_retries() -> Retry:
    """GETs only, and only what a second try may help; the connection itself is tried once.

    ``Retry-After`` is not obeyed: a server could make a lane sleep for hours.
    """
    return _Retry(
        total=2,
        connect=0,
        other=0,  # a certificate does not become a better one
        redirect=0,
        backoff_factor=0.5,
        status_forcelist=(502, 503, 504),
        allowed_methods=frozenset({"GET"}),
        raise_on_status=False,
        respect_retry_after_header=False,
    )


class Adapter(HTTPAdapter):
    """A `requests` adapter with the watching connections and the TLS settings of `trust`."""

    def __init__(self, tls: dict[str, Any], retries: Retry | int) -> None:
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=2, max_retries=retries)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs, **self._tls)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs, **self._tls)
        manager.pool_classes_by_scheme = {"https": _Pool}
        return manager
